"""Stands in the place of kubectl and of Knative behind it, as far as a release sees them.

STATE is a directory: ksvc.json holds the Services by name, deployment.json the Deployments, log what else was asked. KUBECTL is the real one, which
renders kustomizations. What never gets ready stands in the file closed: a Service, and the end of its image.
"""

import json
import os
import pathlib
import subprocess
import sys

import yaml

STATE = pathlib.Path(os.environ["STATE"])
SERVICES = STATE / "ksvc.json"
DEPLOYMENTS = STATE / "deployment.json"


def image_of(service):
    """The image of a Service's template."""
    return service["spec"]["template"]["spec"]["containers"][0]["image"]


def is_ready(name, revision):
    """Whether its pods ever get ready."""
    closed = STATE / "closed"
    image = revision["spec"]["containers"][0]["image"]
    return f"{name} {image[-4:]}" not in (closed.read_text().splitlines() if closed.exists() else [])


def reconcile(name, service, template):
    """What the controller makes of a change: a revision where the template is another one, and where requests go."""
    revisions = service["revisions"]
    if service["spec"]["template"] != template:
        revisions[f"{name}-{len(revisions) + 1:05}"] = {"spec": service["spec"]["template"]["spec"]}
    newest = list(revisions)[-1]
    ready = [revision for revision in revisions if is_ready(name, revisions[revision])][-1]
    wanted = service["spec"].get("traffic") or [{"latestRevision": True, "percent": 100}]
    assert sum(target["percent"] for target in wanted) == 100, wanted
    # Requests that go to the newest one go to that which is ready, until it is.
    traffic = [{**target, "revisionName": target.get("revisionName", ready)} for target in wanted]
    routed = all(is_ready(name, revisions[target["revisionName"]]) for target in traffic)
    # A newest revision that is not ready makes the whole not ready, whoever gets the requests.
    service["status"] = {
        "traffic": traffic,
        "conditions": {"RoutesReady": routed, "Ready": routed and is_ready(name, revisions[newest])},
    }


def patch(service, operations):
    """RFC 6902, as much of it as is used."""
    for operation in operations:
        *path, last = operation["path"].split("/")[1:]
        target = service
        for part in path:
            target = target[int(part) if isinstance(target, list) else part]
        assert operation["op"] == "add" or last in target, operation
        target[last] = operation["value"]


def apply(services, deployments, objects):
    """What is applied replaces a list as a whole, and leaves alone what it does not name."""
    for applied in objects:
        kind, name = applied["kind"], applied["metadata"]["name"]
        there = {"Service": services, "Deployment": deployments}.get(kind, {}).get(name)
        if there is None:
            continue
        template = json.loads(json.dumps(there["spec"]["template"]))
        there["spec"]["template"]["spec"].update(applied["spec"]["template"]["spec"])
        if kind == "Service":
            reconcile(name, there, template)


def shown(kind, name, item, shape):
    """What `get` prints of one object."""
    if shape == "name":
        return {"ksvc": "service.serving.knative.dev", "deployment": "deployment.apps"}[kind] + f"/{name}"
    if shape == "json":
        return json.dumps(item)
    return image_of(item) if kind == "ksvc" else item["spec"]["containers"][0]["image"]


def main():
    """The command line, without its namespace."""
    _, namespace, verb, *words = sys.argv[1:]
    assert namespace == "florin", namespace
    with open(STATE / "log", "a", encoding="utf-8") as log:
        print(verb, *words, file=log)
    services, deployments = json.loads(SERVICES.read_text()), json.loads(DEPLOYMENTS.read_text())
    if verb == "get":
        if "--selector" in words:
            kinds = [("serving.knative.dev/v1", "Service", services), ("apps/v1", "Deployment", deployments)]
            wanted = kinds if words[0] == "ksvc,deployment" else kinds[:1]
            if words[-1] == "name":
                return print("\n".join(f"service.serving.knative.dev/{name}" for name in services))
            items = [
                {"apiVersion": group, "kind": kind, "metadata": {"name": name}, **one}
                for group, kind, there in wanted
                for name, one in there.items()
            ]
            return print(json.dumps({"items": items}))
        # A kind, some names, then how they are shown; what is not there is no line.
        kind, shape = words[0], words[words.index("--output") + 1]
        revisions = {name: one for service in services.values() for name, one in service["revisions"].items()}
        there = {"ksvc": services, "revision": revisions, "deployment": deployments}[kind]
        for name in words[1 : words.index("--output")]:
            if name in there:
                print(shown(kind, name, there[name], shape))
    elif verb == "patch":
        name, service = words[1], services[words[1]]
        template = json.loads(json.dumps(service["spec"]["template"]))
        patch(service, json.loads(words[words.index("--patch") + 1]))
        reconcile(name, service, template)
        SERVICES.write_text(json.dumps(services))
    elif verb == "wait" and words[0].startswith("ksvc/"):
        condition = words[1].removeprefix("--for=condition=")
        if not services[words[0].removeprefix("ksvc/")]["status"]["conditions"][condition]:
            sys.exit(f"error: timed out waiting for the condition on {words[0]}")
    elif verb == "set":
        assert words[0] == "image", words
        container, image = words[2].split("=")
        (only,) = deployments[words[1].removeprefix("deployment.apps/")]["spec"]["template"]["spec"]["containers"]
        assert only["name"] == container, words
        only["image"] = image
        DEPLOYMENTS.write_text(json.dumps(deployments))
    elif verb == "rollout":
        deployment = deployments[words[1].removeprefix("deployment.apps/")]
        assert words[0] in ("status", "restart") and deployment, words
    elif verb == "apply":
        rendered = subprocess.run([os.environ["KUBECTL"], "kustomize", words[1]], check=True, capture_output=True)
        (STATE / "applied.yaml").write_bytes(rendered.stdout)
        apply(services, deployments, yaml.safe_load_all(rendered.stdout))
        SERVICES.write_text(json.dumps(services))
        DEPLOYMENTS.write_text(json.dumps(deployments))
    else:
        assert verb in ("wait", "delete"), verb
    return None


sys.exit(main())
