"""Says what is wrong with a compose file: a strict reading of the Compose Specification (PyPI: compose-spec)."""

import sys

import compose_spec

with open(sys.argv[1], encoding="utf-8") as file:
    compose = compose_spec.PyOptions(apply_merge=True).from_yaml(file.read())
compose.validate()
# Every service that is made here is confined as its image allows.
for name, service in (compose.services or {}).items():
    if service.build is None:
        continue
    dropped, options = set(service.cap_drop or ()), set(service.security_opt or ())
    if not (service.read_only and dropped == {"ALL"} and options == {"no-new-privileges:true"}):
        sys.exit(f"{name}: it must be read-only, without capabilities and without new privileges")
print(f"{len(compose)} services")
