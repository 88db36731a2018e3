"""Rules in which one alert is broken, to see that the tests of the rules notice (PyPI: PyYAML).

alerts.py RULES DIRECTORY    writes DIRECTORY/ALERT-never.yml and DIRECTORY/ALERT-always.yml for each alert

An alert that never fires must fail a test that expects it, and one whose limit is none must fail a test in which it keeps still. Its
labels stay what they are, so that it is not they that a test finds.
"""

import copy
import os
import re
import sys

import yaml

# What is compared with what: a number, or a product in brackets.
LIMIT = re.compile(r"(>|==) *(\([\d. *]+\)|[\d.]+)")


def broken(rules):
    """Each alert's name and how it is broken, with the rules."""
    for group, one in enumerate(rules["groups"]):
        for index, rule in enumerate(one["rules"]):
            if "alert" not in rule:
                continue
            always, limits = LIMIT.subn(lambda limit: ">= 0" if limit[1] == "==" else "> -1", rule["expr"])
            if limits == 0:
                sys.exit(f"{rule['alert']}: no limit is found in {rule['expr']}")
            for how, expression in (("never", f"({rule['expr']}) and on () (vector(1) > 2)"), ("always", always)):
                changed = copy.deepcopy(rules)
                changed["groups"][group]["rules"][index]["expr"] = expression
                yield f"{rule['alert']}-{how}", changed


def main():
    """The command line."""
    path, directory = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        rules = yaml.safe_load(file)
    for name, changed in broken(rules):
        with open(os.path.join(directory, f"{name}.yml"), "w", encoding="utf-8") as file:
            yaml.safe_dump(changed, file)
        print(name)


main()
