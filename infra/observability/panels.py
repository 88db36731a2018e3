"""Whether a Prometheus that watches a running suite answers the panels (PyPI: promql-parser, PyYAML).

panels.py PROMETHEUS DASHBOARD...

Every query must be one that Prometheus takes; those over what happens on any morning must have an answer, and exemplars with the
trace that they were measured in where a panel shows them.
"""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import promql_parser as promql

import queries

# What a good morning on SQLite and the embedded queue has none of.
RARE = {
    "ALERTS",
    "db_client_connection_count",
    "florin_database_unavailable_total",
    "florin_dead_letters_total",
    "florin_delivery_retries_total",
    "florin_effect_failures_total",
    "florin_faults_total",
    "florin_public_refusals_total",
    "florin_queue_connections_total",
    "florin_queue_pauses_total",
    "florin_queue_resent_total",
    "florin_queue_set_aside_total",
    "florin_room_reruns_total",
}
PATIENCE_SECONDS = 60


def get(prometheus, path, query, **more):
    """What Prometheus answers."""
    url = f"{prometheus}/api/v1/{path}?{urllib.parse.urlencode({'query': query, **more})}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as refused:
        sys.exit(f"Prometheus refuses a query: {json.load(refused)['error']}\n    {query}")


def ask(prometheus, query):
    """How many series the answer has."""
    return len(get(prometheus, "query", query)["result"])


def traces(prometheus, query):
    """How many exemplars with a trace the series have that it asks for."""
    now = time.time()
    series = get(prometheus, "query_exemplars", query, start=now - 300, end=now + 60)
    labels = [exemplar["labels"] for one in series for exemplar in one["exemplars"]]
    return sum(len(one.get("trace_id", "")) == 32 for one in labels)


def until_some(count, prometheus, query, until):
    """Whether there is some before it is too late."""
    while count(prometheus, query) == 0:
        if time.monotonic() > until:
            return False
        time.sleep(1)
    return True


def names(query):
    """The series it asks for."""
    found = set()

    def visit(node):
        if isinstance(node, promql.VectorSelector):
            found.add(node.name)

    promql.walk(promql.parse(query), visit)
    return found


def main():
    """The command line."""
    prometheus, *paths = sys.argv[1:]
    dashboards = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            dashboards.append(json.load(file))
    asked = [(where, queries.filled_in(query)) for one in dashboards for where, query, _ in queries.of_dashboard(one)]
    targets = [target for one in dashboards for panel in one["panels"] for target in panel.get("targets", [])]
    exemplified = [queries.filled_in(target["expr"]) for target in targets if target.get("exemplar")]
    answered, rare, silent = 0, 0, []
    until = time.monotonic() + PATIENCE_SECONDS
    for where, query in asked:
        if names(query) & RARE:
            ask(prometheus, query)
            rare += 1
        elif until_some(ask, prometheus, query, until):
            answered += 1
        else:
            silent.append(f"{where}: nothing answers\n    {query}")
    silent += [f"no exemplar\n    {query}" for query in exemplified if not until_some(traces, prometheus, query, until)]
    if silent:
        sys.exit("\n".join(silent))
    print(f"{answered} queries answered, {rare} of what is rare taken, {len(exemplified)} with exemplars")


main()
