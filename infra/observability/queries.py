"""Whether every query asks for what there is (PyPI: promql-parser, PyYAML).

queries.py METRICS RULES DASHBOARD...    every metric and label of a rule or a panel stands in the list of metrics

A label that an expression groups by, or that a text shows, must be one that can still be there: `sum by (a) (x)` has only `a`.
"""

import json
import re
import sys

import promql_parser as promql
import yaml

# What Prometheus gives a series of its own, and what it makes itself.
TARGET = {"job", "instance"}
OWN = {"up": set(), "ALERTS": {"alertname", "alertstate", "severity", "florin_service", "florin_function"}}

# What Grafana fills in, by something of its kind.
FILLED_IN = {"$__rate_interval": "5m", "$__range": "6h"}

FUNCTIONS_WITHOUT_LE = {"histogram_quantile"}
SETS = {"and", "unless"}


def series(metrics):
    """The labels of every series that the list of metrics makes."""
    known = {name: TARGET | labels for name, labels in OWN.items()}
    for metric in metrics["metrics"]:
        name, labels = metric["prometheus"], TARGET | {label.replace(".", "_") for label in metric["attributes"]}
        if metric["instrument"] == "histogram":
            known |= {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}
        else:
            known[name] = labels
    return known


class Unknown(Exception):
    """Something that there is not."""


def labels_of(node, known):
    """The labels that the answer may have; None for a number, which has no part in it."""
    match node:
        case promql.VectorSelector():
            if node.name not in known:
                raise Unknown(f"there is no {node.name}")
            for matcher in node.matchers.matchers:
                if matcher.name not in known[node.name]:
                    raise Unknown(f"{node.name} has no {matcher.name}")
            return known[node.name]
        case promql.MatrixSelector():
            return labels_of(node.vector_selector, known)
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return labels_of(node.expr, known)
        case promql.AggregateExpr():
            inner = labels_of(node.expr, known)
            kept = set(node.modifier.labels) if node.modifier else set()
            if node.modifier and node.modifier.type != promql.AggModifierType.By:
                return inner - kept
            if kept - inner:
                raise Unknown(f"nothing has {', '.join(sorted(kept - inner))} there")
            return kept
        case promql.Call():
            inner = [labels for labels in (labels_of(argument, known) for argument in node.args) if labels is not None]
            if node.func.name in FUNCTIONS_WITHOUT_LE and not any("le" in labels for labels in inner):
                raise Unknown(f"{node.func.name} needs le")
            return set().union(*inner) - ({"le"} if node.func.name in FUNCTIONS_WITHOUT_LE else set())
        case promql.BinaryExpr():
            left, right = labels_of(node.lhs, known), labels_of(node.rhs, known)
            if left is None or right is None:
                return left if right is None else right
            if str(node.op) == "or":
                return left | right
            return left if str(node.op) in SETS else left & right
        case promql.NumberLiteral() | promql.StringLiteral():
            return None
    raise Unknown(f"what is {type(node).__name__}?")


def shown(text):
    """The labels that a text names: {{ $labels.x }} in an alert, {{x}} in a legend."""
    return set(re.findall(r"{{\s*(?:\$labels\.)?([a-z_]+)\s*}}", text or ""))


def of_rules(rules, known):
    """Every expression of the rules with where it stands and the texts that go with it; what is recorded becomes known."""
    for group in rules["groups"]:
        for rule in group["rules"]:
            name = rule.get("record") or rule["alert"]
            yield name, rule["expr"], list(rule.get("annotations", {}).values())
            if "record" in rule:
                try:
                    known[name] = labels_of(promql.parse(rule["expr"]), known)
                except (Unknown, ValueError):
                    known[name] = set()  # What is wrong with it is said where it was yielded.


def of_dashboard(dashboard):
    """Every expression of a dashboard."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield f"{dashboard['title']}: {panel['title']}", target["expr"], [target["legendFormat"]]
    for annotation in dashboard["annotations"]["list"]:
        texts = [annotation["titleFormat"], annotation["textFormat"]]
        yield f"{dashboard['title']}: {annotation['name']}", annotation["target"]["expr"], texts
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            asked = re.fullmatch(r"label_values\((.+),(\w+)\)", variable["definition"])
            yield f"{dashboard['title']}: ${variable['name']}", asked[1], ["{{" + asked[2] + "}}"]


def problems(expressions, known):
    """What is wrong with them."""
    for where, expression, texts in expressions:
        try:
            labels = labels_of(promql.parse(filled_in(expression)), known)
            missing = set().union(*map(shown, texts)) - (labels or set())
            if missing:
                raise Unknown(f"a text shows {', '.join(sorted(missing))}, which its answer does not have")
        except (Unknown, ValueError) as why:
            yield f"{where}: {why}\n    {expression.strip()}"


def filled_in(expression):
    """As Grafana sends it."""
    for name, value in FILLED_IN.items():
        expression = expression.replace(name, value)
    return re.sub(r"\$(job|service)", ".*", expression)


def main():
    """The command line."""
    paths = sys.argv[1:]
    with open(paths[0], encoding="utf-8") as metrics, open(paths[1], encoding="utf-8") as rules:
        known, rules = series(json.load(metrics)), yaml.safe_load(rules)
    dashboards = []
    for path in paths[2:]:
        with open(path, encoding="utf-8") as dashboard:
            dashboards.append(json.load(dashboard))
    found = list(problems(of_rules(rules, known), known))
    panels = [expression for dashboard in dashboards for expression in of_dashboard(dashboard)]
    found += problems(panels, known)
    if found:
        sys.exit("\n".join(found))
    print(f"{sum(len(group['rules']) for group in rules['groups'])} rules, {len(panels)} queries of {len(dashboards)} dashboards")


if __name__ == "__main__":
    main()
