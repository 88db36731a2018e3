"""What can be said of a collector's configuration without the collector (PyPI: PyYAML).

configurations.py COMPOSE DIRECTORY FILE...    the compose file's mounts are beside DIRECTORY

The collector refuses a pipeline that names what is not configured, and a reference of a receiver to a storage that is no extension of the
service; what is configured and named nowhere is a mistake too. Every component and operator is one of those whose documentation was
read for this project, with the keys that it has there. What the compose file mounts is there, and what it gives is what is asked for.
"""

import os
import re
import sys

import yaml

# Components with their keys, as the documentation of opentelemetry-collector(-contrib) 0.131 has them.
COMPONENTS = {
    "receivers": {
        "otlp": {"protocols"},
        "filelog": {"include", "exclude", "start_at", "include_file_name", "include_file_path", "storage", "retry_on_failure", "operators"},
        "awsfirehose": {"endpoint", "access_key", "tls"},
    },
    "processors": {
        "memory_limiter": {"check_interval", "limit_percentage", "spike_limit_percentage"},
        "deltatocumulative": {"max_stale"},
        "batch": {"send_batch_size", "timeout"},
        "transform": {"error_mode", "log_statements"},
        "filter": {"error_mode", "logs"},
    },
    "exporters": {
        "prometheus": {"endpoint", "metric_expiration", "enable_open_metrics"},
        "elasticsearch": {"endpoint", "api_key", "logs_index", "mapping", "retry", "sending_queue"},
    },
    "extensions": {"health_check": {"endpoint"}, "file_storage": {"directory"}},
}
OPERATORS = {
    "container": {"format", "add_metadata_from_filepath"},
    "json_parser": {"parse_to", "on_error"},
    "filter": {"expr"},
    "add": {"field", "value"},
    "copy": {"from", "to"},
}


class Strict(yaml.SafeLoader):
    """A key that is said twice is refused, as the collector does."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key} is said twice", node.start_mark)
        return super().construct_mapping(node, deep)


def problems(configuration):
    """What is wrong with a collector's configuration."""
    service = configuration["service"]
    named = {kind: set() for kind in COMPONENTS}
    named["extensions"] |= set(service.get("extensions", []))
    for name, pipeline in service["pipelines"].items():
        for kind in ("receivers", "processors", "exporters"):
            named[kind] |= set(pipeline.get(kind, []))
        if not pipeline.get("receivers") or not pipeline.get("exporters"):
            yield f"the pipeline {name} has no beginning or no end"
        if pipeline.get("processors", [None])[0] != "memory_limiter":
            yield f"the pipeline {name} does not begin with the memory_limiter"
    for kind, known in COMPONENTS.items():
        configured = configuration.get(kind, {})
        for name in sorted(named[kind] - set(configured)):
            yield f"{kind}: {name} is named and not configured"
        for name in sorted(set(configured) - named[kind]):
            yield f"{kind}: {name} is configured and named nowhere"
        for name, settings in configured.items():
            plain = name.split("/")[0]
            if plain not in known:
                yield f"{kind}: nobody knows {plain}"
                continue
            for key in sorted(set(settings or {}) - known[plain]):
                yield f"{kind}: {name} has no {key}"
            storage = (settings or {}).get("storage")
            if storage and storage not in named["extensions"]:
                yield f"{kind}: {name} is stored in {storage}, which is no extension of the service"
            for operator in (settings or {}).get("operators", []):
                if operator["type"] not in OPERATORS:
                    yield f"{kind}: {name}: nobody knows the operator {operator['type']}"
                    continue
                for key in sorted(set(operator) - OPERATORS[operator["type"]] - {"type"}):
                    yield f"{kind}: {name}: {operator['type']} has no {key}"
    for kind in set(configuration) - set(COMPONENTS) - {"service"}:
        yield f"nobody knows {kind}"


def of_compose(compose, directory):
    """What is wrong with the mounts of the compose file, and with what it gives a collector."""
    for name, service in compose["services"].items():
        volumes = [volume.split(":") for volume in service.get("volumes", [])]
        for source, *_ in volumes:
            path = os.path.join(directory, source)
            if source.startswith(".") and not os.path.exists(path):
                yield f"{name}: there is no {source}"
            elif "/collector/" in source:
                with open(path, encoding="utf-8") as file:
                    wanted = set(re.findall(r"\${env:(\w+)}", file.read()))
                given = set(service.get("environment") or {})
                if wanted != given:
                    yield f"{name}: it is given {sorted(given)}, and {source} asks for {sorted(wanted)}"


def main():
    """The command line."""
    compose, directory, *paths = sys.argv[1:]
    found = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            found += [f"{os.path.basename(path)}: {problem}" for problem in problems(yaml.load(file, Strict))]
    with open(compose, encoding="utf-8") as file:
        found += of_compose(yaml.load(file, Strict), directory)
    if found:
        sys.exit("\n".join(found))
    print(f"{len(paths)} configurations, the mounts of the compose file")


main()
