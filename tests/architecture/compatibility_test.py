"""Every test that the pages of compatibility name is there.

A test is FILE, FILE::NAME or, of one that runs once for each of its rows, FILE::NAME/ROW.
"""

import re

import repository

PAGES = ("docs/alb-compatibility.md", "docs/route53-compatibility.md")


def is_rule(line):
    """Of the line between the head of a table and its rows."""
    return re.match(r"\|[-| ]+\|$", line) is not None


def rows(text):
    """(line number, cells) of the tables, without their heads."""
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        is_head = number < len(lines) and is_rule(lines[number])
        if line.startswith("|") and not is_rule(line) and not is_head:
            yield number, [cell.strip() for cell in line.strip("|").split(" | ")]


def check_name(place, name, problems):
    file, _, test = name.partition("::")
    case, _, row = test.partition("/")
    path = repository.root() / file
    if not path.is_file():
        problems.append(f"{place}: {file} is not there")
        return
    text = path.read_text(encoding="utf-8")
    if case and not re.search(rf"(def |TEST\w*\(\w+, ){re.escape(case)}\b", text):
        problems.append(f"{place}: {file} has no test {case}")
    if row and f'"{row}"' not in text:
        problems.append(f"{place}: {file} has no row {row}")


def check_page(page, problems):
    named = 0
    for number, cells in rows((repository.root() / page).read_text(encoding="utf-8")):
        place = f"{page}:{number}"
        if len(cells) != 3:
            problems.append(f"{place}: {len(cells)} cells, not 3")
            continue
        names = re.findall(r"`([^`]+)`", cells[2])
        named += len(names)
        if not names and not cells[2].startswith("none: "):
            problems.append(f"{place}: neither a test nor why there is none")
        for name in names:
            check_name(place, name, problems)
    if named == 0:
        problems.append(f"{page} names no test: is it still read?")


def main():
    problems = []
    for page in PAGES:
        check_page(page, problems)
    repository.finish(problems)


main()
