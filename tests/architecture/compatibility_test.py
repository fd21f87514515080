"""Every test that docs/alb-compatibility.md names is there."""

import re

import repository

PAGE = "docs/alb-compatibility.md"


def rows(text):
    """(line number, cells) of the tables, without their heads."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("|") or re.match(r"\|[-| ]+\|$", line) or line.startswith("| ALB |"):
            continue
        yield number, [cell.strip() for cell in line.strip("|").split(" | ")]


def check_name(number, name, problems):
    file, _, case = name.partition("::")
    path = repository.root() / file
    if not path.is_file():
        problems.append(f"{PAGE}:{number}: {file} is not there")
    elif case and not re.search(rf"(def |TEST\w*\(\w+, ){re.escape(case)}\b", path.read_text(encoding="utf-8")):
        problems.append(f"{PAGE}:{number}: {file} has no test {case}")


def check():
    problems = []
    text = (repository.root() / PAGE).read_text(encoding="utf-8")
    named = 0
    for number, cells in rows(text):
        if len(cells) != 3:
            problems.append(f"{PAGE}:{number}: {len(cells)} cells, not 3")
            continue
        names = re.findall(r"`([^`]+)`", cells[2])
        named += len(names)
        if not names and not cells[2].startswith("none: "):
            problems.append(f"{PAGE}:{number}: neither a test nor why there is none")
        for name in names:
            check_name(number, name, problems)
    if named == 0:
        problems.append(f"{PAGE} names no test: is it still read?")
    return problems


repository.finish(check())
