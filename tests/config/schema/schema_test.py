#!/usr/bin/env python3
"""The printed JSON Schema is valid (draft 2020-12), accepts every example and refuses mistakes.

Usage: schema_test.py SCHEMA_FILE EXAMPLE...
Exits 77 (skipped) when the Python packages are missing.
"""
import copy
import json
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            document = yaml.safe_load(file)
        errors = [f"{path}: {e.json_path}: {e.message}" for e in validator.iter_errors(document)]
        assert not errors, "\n".join(errors)
        for break_it in (
            lambda d: d.update({"load-balancer": []}),
            lambda d: d["load-balancers"][0].update({"listners": []}),
            lambda d: d["load-balancers"][0]["listeners"][0].update({"port": 70000}),
            lambda d: d["load-balancers"][0]["listeners"][0].update({"protocol": "TLS"}),
            lambda d: d["target-groups"][0].update({"health-check": {"interval": 5}}),
            lambda d: d["target-groups"][0].pop("name"),
        ):
            broken = copy.deepcopy(document)
            break_it(broken)
            assert not validator.is_valid(broken), f"{path}: a mistake passed"


if __name__ == "__main__":
    main()
