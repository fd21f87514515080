"""What README says this version does not do yet is what the configuration refuses by name, no more and no less.

The reference of the language is generated from the schema: its lists of refused keys and values are what is compared. A name in
README may end in `*` and stands for all names that begin so.
"""

import re

import repository

HEADING = "## What this version does not do yet"
KEYS = re.compile(r"^(?:Not supported in this version|Accepted with the value that asks for nothing, refused with any other): (.*)\.$", re.M)
VALUES = re.compile(r"^Values not supported in this version: (.*)\.$", re.M)


def refused():
    """Names of keys, and values of keys whose other values are supported."""
    reference = repository.text("docs/configuration.md")
    names = {name.split(":")[0] for line in KEYS.findall(reference) for name in re.findall(r"`([^`]+)`", line)}
    names |= {name.split(": ")[1] for line in VALUES.findall(reference) for name in re.findall(r"`([^`]+)`", line)}
    return names


def section(text):
    _, _, rest = text.partition(HEADING + "\n")
    return rest.partition("\n## ")[0]


def covers(name, refused_name):
    return refused_name.startswith(name[:-1]) if name.endswith("*") else refused_name == name


def main():
    problems = []
    names, text = refused(), section(repository.text("README.md"))
    if len(names) < 10:
        problems.append(f"docs/configuration.md: only {len(names)} refused names found")
    said = set(re.findall(r"`([^`]+)`", text))
    for name in sorted(names):
        if not any(covers(word, name) for word in said):
            problems.append(f"README.md: `{name}` is refused by the configuration and not in the list of what is not done yet")
    for word in sorted(said):
        if not any(covers(word, name) for name in names):
            problems.append(f"README.md: `{word}` is in the list of what is not done yet, and the configuration does not refuse it")
    repository.finish(problems)


main()
