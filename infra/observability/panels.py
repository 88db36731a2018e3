"""Whether a Prometheus that watches a running suite answers the panels (PyPI: promql-parser, PyYAML).

panels.py PROMETHEUS DASHBOARD...

Every query must be one that Prometheus takes; those over what happens on any morning must have an answer.
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


def ask(prometheus, query):
    """How many series the answer has."""
    url = f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return len(json.load(answer)["data"]["result"])
    except urllib.error.HTTPError as refused:
        sys.exit(f"Prometheus refuses a query: {json.load(refused)['error']}\n    {query}")


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
    asked = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            asked += [(where, queries.filled_in(query)) for where, query, _ in queries.of_dashboard(json.load(file))]
    answered, rare, silent = 0, 0, []
    until = time.monotonic() + PATIENCE_SECONDS
    for where, query in asked:
        if names(query) & RARE:
            ask(prometheus, query)
            rare += 1
            continue
        while ask(prometheus, query) == 0:
            if time.monotonic() > until:
                silent.append(f"{where}: nothing answers\n    {query}")
                break
            time.sleep(1)
        else:
            answered += 1
    if silent:
        sys.exit("\n".join(silent))
    print(f"{answered} queries answered, {rare} of what is rare taken")


main()
