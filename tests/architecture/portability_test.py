"""Nothing in the repository depends on, or speaks of, the machine it was developed on."""

import re

import repository

# Built from parts, so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.<$}{-])/" + r"(?:work|root|home)/")
LINE_NAMES_IT_ON_PURPOSE = "portability: allowed"


def main():
    problems = []
    for path in repository.files():
        if path.suffix not in repository.TEXT_SUFFIXES or path.name == "LICENSE":
            continue
        if path.parts[:2] == ("tests", "fuzz") and "corpus" in path.parts:
            continue
        for number, line in enumerate(repository.text(path).splitlines(), 1):
            if MACHINE_PATH.search(line) and LINE_NAMES_IT_ON_PURPOSE not in line:
                problems.append(f"{path}:{number}: names a path of one machine: {line.strip()[:120]}")
        if path.name.endswith((".orig", ".rej", ".swp")):
            problems.append(f"{path}: is the leftover of an editor or a merge")
    repository.finish(problems)


main()
