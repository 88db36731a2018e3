"""A strict reading of the compose file (PyPI: compose-spec).

compose.py check COMPOSE CATALOG     every service of the catalog runs, each confined
compose.py environment COMPOSE NAME  what a service is started with, a line each
"""

import json
import sys

import compose_spec


def check(compose, catalog):
    """What is wrong with it."""
    compose.validate()
    for service in catalog["services"]:
        name = service["name"]
        there = compose.get_service(name)
        if there is None or environment(there).get("FLORIN_FUNCTIONS") != service["functions"]:
            yield f"{name}: no service of that name serves {service['functions']}"
    for name, service in (compose.services or {}).items():
        if service.build is None:
            continue
        dropped, options = set(service.cap_drop or ()), set(service.security_opt or ())
        if not (service.read_only and dropped == {"ALL"} and options == {"no-new-privileges:true"}):
            yield f"{name}: it must be read-only, without capabilities and without new privileges"


def environment(service):
    """The variables by name."""
    return {name: str(value) for name, value in dict(service.environment or {}).items()}


def main():
    """The command line."""
    task, path, argument = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        compose = compose_spec.PyOptions(apply_merge=True).from_yaml(file.read())
    if task == "environment":
        for name, value in environment(compose.get_service(argument)).items():
            print(f"{name}={value}")
        return
    with open(argument, encoding="utf-8") as file:
        problems = list(check(compose, json.load(file)))
    if problems:
        sys.exit("\n".join(problems))
    print(f"{len(compose)} services")


main()
