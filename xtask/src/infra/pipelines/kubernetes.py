"""Stands in the place of a Kubernetes API, as far as helm and kubectl see it: objects in memory, and no process behind any.

    kubernetes.py PORT

A Deployment is rolled out at once, unless its image has the word `broken`; a Job is done and a Pod has succeeded. In the
directory that it is started in it writes and reads files:

`jobs`   a line for each Job that was made
`slow`   as long as it is there, a Deployment whose image has this word is being rolled out
`taken`  a revision of a release is there already, as if another had made it; once, then the file is gone
"""

import base64
import http.server
import json
import pathlib
import select
import sys
import threading
import urllib.parse

KINDS = {
    "v1": {
        "ConfigMap": "configmaps",
        "Pod": "pods",
        "Secret": "secrets",
        "Service": "services",
        "ServiceAccount": "serviceaccounts",
    },
    # helm looks for the ReplicaSets of a Deployment, and does without any.
    "apps/v1": {"Deployment": "deployments", "ReplicaSet": "replicasets"},
    "batch/v1": {"Job": "jobs"},
    "networking.k8s.io/v1": {"NetworkPolicy": "networkpolicies"},
    "policy/v1": {"PodDisruptionBudget": "poddisruptionbudgets"},
}

# By the path of a collection, then by name. Requests come in threads of their own.
OBJECTS = {}
LOCK = threading.RLock()

SLOW, TAKEN = pathlib.Path("slow"), pathlib.Path("taken")


def status(kind, item):
    """What the controllers would write into the status."""
    if kind == "Pod":
        return {"phase": "Succeeded"}
    if kind == "Job":
        return {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}
    if kind != "Deployment":
        return {}
    image, replicas = item["spec"]["template"]["spec"]["containers"][0]["image"], item["spec"]["replicas"]
    seen = {"observedGeneration": item["metadata"]["generation"], "replicas": replicas}
    if "broken" in image:
        late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
        return {**seen, "conditions": [late]}
    if "slow" in image and SLOW.exists():
        return seen
    ready = [
        {"type": "Available", "status": "True"},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
    ]
    counts = dict.fromkeys(["updatedReplicas", "readyReplicas", "availableReplicas"], replicas)
    return {**seen, **counts, "conditions": ready}


def shown(item):
    """An object as it is now."""
    return {**item, "status": status(item["kind"], item)}


def put(collection, name, item):
    """Writes an object, whole: each has one manager here, and so what is applied is all of it."""
    before = OBJECTS.setdefault(collection, {}).get(name)
    kept = before["metadata"] if before else {"uid": f"{collection}/{name}", "generation": 0, "resourceVersion": "0"}
    changed = not before or item.get("spec") != before.get("spec")
    item["metadata"] |= {
        "namespace": "florin",
        "uid": kept["uid"],
        "generation": kept["generation"] + changed,
        "resourceVersion": str(int(kept["resourceVersion"]) + 1),
    }
    if item["kind"] == "Job":
        with open("jobs", "a", encoding="utf-8") as jobs:
            print(name, file=jobs)
    OBJECTS[collection][name] = item
    return shown(item)


def served(version):
    """Where a version of the API is, without the slash before it."""
    return f"apis/{version}" if "/" in version else f"api/{version}"


def typed(collection):
    """What stands in a collection."""
    for version, kinds in KINDS.items():
        for kind, plural in kinds.items():
            if collection == f"/{served(version)}/namespaces/florin/{plural}":
                return {"apiVersion": version, "kind": kind}
    raise KeyError(collection)


def discovery(path):
    """What there is, as the paths outside of a namespace say it."""
    groups = [
        {"name": version.split("/")[0], "versions": [{"groupVersion": version, "version": version.split("/")[1]}]}
        for version in KINDS
        if "/" in version
    ]
    found = {
        "/version": {"major": "1", "minor": "35", "gitVersion": "v1.35.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
        "/openapi/v3": {"paths": {served(v): {"serverRelativeURL": f"/openapi/v3/{served(v)}"} for v in KINDS}},
    }
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    for version, kinds in KINDS.items():
        resources = [
            {"name": plural, "singularName": "", "namespaced": True, "kind": kind, "verbs": verbs}
            for kind, plural in kinds.items()
        ]
        found[f"/{served(version)}"] = {"kind": "APIResourceList", "groupVersion": version, "resources": resources}
        # As much of OpenAPI as says that the server looks at the fields of an object itself.
        group = version.split("/")[0] if "/" in version else ""
        paths = {
            f"/{plural}": {
                "patch": {
                    "parameters": [{"name": "fieldValidation", "in": "query"}],
                    "responses": {},
                    "x-kubernetes-group-version-kind": {"group": group, "version": "v1", "kind": kind},
                }
            }
            for kind, plural in kinds.items()
        }
        about = {"title": "stand-in", "version": "1"}
        found[f"/openapi/v3/{served(version)}"] = {"openapi": "3.0.0", "info": about, "paths": paths}
    return found.get(path)


def fields(message):
    """The fields of a protobuf message that have a length, by number, each a list."""

    def number():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value

    at, found = 0, {}
    while at < len(message):
        tag, value = number(), number()
        if tag & 7 == 2:
            found.setdefault(tag >> 3, []).append(message[at : at + value])
            at += value
    return found


def secret(body):
    """A Secret of k8s.io/api/core/v1 in its envelope: what helm keeps of a release, it sends as protobuf."""

    def pairs(entries):
        return {entry[1][0].decode(): entry[2][0] for entry in map(fields, entries)}

    sent = fields(fields(body.removeprefix(b"k8s\0"))[2][0])
    metadata = fields(sent[1][0])
    labels = {name: value.decode() for name, value in pairs(metadata[11]).items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": metadata[1][0].decode(), "labels": labels},
        "data": {name: base64.b64encode(value).decode() for name, value in pairs(sent[2]).items()},
        "type": sent[3][0].decode(),
    }


class Handler(http.server.BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def answer(self, body, code=200):
        text = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def refuse(self, code, reason, message):
        refused = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason}
        self.answer({**refused, "message": message}, code)

    def body(self):
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def item(self):
        body = self.body()
        return secret(body) if body.startswith(b"k8s\0") else json.loads(body)

    def asked(self):
        """The path of a collection, the name in it if there is one, and the query."""
        path, _, query = self.path.partition("?")
        words = path.split("/")
        end = words.index("florin") + 2
        return "/".join(words[:end]), "/".join(words[end:]), dict(urllib.parse.parse_qsl(query))

    def do_GET(self):
        if found := discovery(self.path.partition("?")[0]):
            return self.answer(found)
        if "/namespaces/florin/" not in self.path:
            return self.refuse(404, "NotFound", self.path)
        collection, name, query = self.asked()
        if "watch" in query:
            return self.watch(collection, query)
        if not name:
            kind = {**typed(collection), "kind": typed(collection)["kind"] + "List"}
            items = list(self.chosen(collection, query).values())
            return self.answer({**kind, "metadata": {"resourceVersion": "1"}, "items": items})
        if item := OBJECTS.get(collection, {}).get(name):
            return self.answer(shown(item))
        return self.refuse(404, "NotFound", f"{collection} has no {name}")

    def chosen(self, collection, query):
        """The objects that have the labels that are asked for."""
        wanted = [pair.split("=") for pair in query.get("labelSelector", "").split(",") if pair]
        with LOCK:
            return {
                name: shown(item)
                for name, item in OBJECTS.get(collection, {}).items()
                if all(item["metadata"].get("labels", {}).get(pair[0]) == pair[-1] for pair in wanted)
            }

    def watch(self, collection, query):
        """What is there and then what changes, looked for all the time until the client goes."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.close_connection = True

        def tell(kind, item):
            self.wfile.write(json.dumps({"type": kind, "object": item}).encode() + b"\n")

        told = {}
        while True:
            now = self.chosen(collection, query)
            for name, item in now.items():
                if told.get(name) != item:
                    tell("MODIFIED" if name in told else "ADDED", item)
            for name in told.keys() - now.keys():
                tell("DELETED", told[name])
            told = now
            if query.pop("sendInitialEvents", None):
                end = {"resourceVersion": "1", "annotations": {"k8s.io/initial-events-end": "true"}}
                tell("BOOKMARK", {**typed(collection), "metadata": end})
            # A client says nothing more, but that it goes.
            if select.select([self.connection], [], [], 0.05)[0]:
                return

    def do_POST(self):
        collection, _, _ = self.asked()
        item = self.item()
        name = item["metadata"]["name"]
        with LOCK:
            taken = item.get("type", "").startswith("helm.sh/release") and TAKEN.exists()
            made = None if taken or name in OBJECTS.get(collection, {}) else put(collection, name, item)
        if made:
            return self.answer(made, 201)
        TAKEN.unlink(missing_ok=True)
        return self.refuse(409, "AlreadyExists", f"{name} already exists")

    def do_PUT(self):
        collection, name, _ = self.asked()
        item = self.item()
        with LOCK:
            made = put(collection, name, item)
        self.answer(made)

    def do_PATCH(self):
        kind = self.headers["Content-Type"]
        assert kind == "application/apply-patch+yaml", f"only what is applied by the server is known, and no {kind}"
        self.do_PUT()

    def do_DELETE(self):
        collection, name, _ = self.asked()
        self.body()
        with LOCK:
            gone = OBJECTS.get(collection, {}).pop(name, None)
        if gone:
            return self.answer({"kind": "Status", "apiVersion": "v1", "status": "Success"})
        return self.refuse(404, "NotFound", f"{collection} has no {name}")


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
