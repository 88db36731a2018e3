"""Stands in the place of kubectl and of Knative behind it, as far as a release sees them.

STATE is a directory: ksvc.json holds the Services by name, log what else was asked. KUBECTL is the real one, which
renders kustomizations.
"""

import json
import os
import pathlib
import subprocess
import sys

STATE = pathlib.Path(os.environ["STATE"])
SERVICES = STATE / "ksvc.json"


def route(name, service):
    """What the controller writes into the status: traffic by revision, the newest one where the spec says so."""
    newest = f"{name}-{service['generation']:05}"
    wanted = service["spec"].get("traffic") or [{"latestRevision": True, "percent": 100}]
    assert sum(target["percent"] for target in wanted) == 100, wanted
    service["status"] = {
        "latestReadyRevisionName": newest,
        "traffic": [{**target, "revisionName": target.get("revisionName", newest)} for target in wanted],
    }


def patch(name, service, operations):
    """RFC 6902, as much of it as is used; another image is another revision."""
    image = service["spec"]["template"]["spec"]["containers"][0]["image"]
    for operation in operations:
        *path, last = operation["path"].split("/")[1:]
        target = service
        for part in path:
            target = target[int(part) if isinstance(target, list) else part]
        assert operation["op"] == "add" or last in target, operation
        target[last] = operation["value"]
    if service["spec"]["template"]["spec"]["containers"][0]["image"] != image:
        service["generation"] += 1
    route(name, service)


def main():
    """The command line, without its namespace."""
    _, namespace, verb, *words = sys.argv[1:]
    assert namespace == "florin", namespace
    with open(STATE / "log", "a", encoding="utf-8") as log:
        print(verb, *words, file=log)
    services = json.loads(SERVICES.read_text())
    if verb == "get":
        # Some names, then how they are shown; what is not there is no line.
        names = [name for name in words[1 : words.index("--output")] if name in services]
        shape = words[words.index("--output") + 1]
        for name in names:
            image = services[name]["spec"]["template"]["spec"]["containers"][0]["image"]
            shown = {"json": json.dumps(services[name]), "name": f"service.serving.knative.dev/{name}"}
            print(shown.get(shape, image))
    elif verb == "patch":
        patch(words[1], services[words[1]], json.loads(words[words.index("--patch") + 1]))
        SERVICES.write_text(json.dumps(services))
    elif verb == "apply":
        rendered = subprocess.run([os.environ["KUBECTL"], "kustomize", words[1]], check=True, capture_output=True)
        (STATE / "applied.yaml").write_bytes(rendered.stdout)
    else:
        assert verb in ("wait", "delete"), verb
    return 0


sys.exit(main())
