"""Links in the documentation lead somewhere, and the README names the two commands."""

import re
import urllib.parse

import repository

LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
FENCE = re.compile(r"^\s*(```|~~~)")


def prose(text):
    """(number, line) of the lines outside code blocks; inline code is blanked."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield number, re.sub(r"`[^`]*`", lambda code: "x" * len(code.group()), line)


def anchors(text):
    """GitHub's anchors of the headings."""
    found = set()
    for line in text.splitlines():
        if line.startswith("#"):
            title = re.sub(r"[`*]", "", line.lstrip("#").strip()).lower()
            found.add(re.sub(r"[^\w\- ]", "", title).replace(" ", "-"))
    return found


def check_link(path, number, link, problems):
    if re.match(r"[a-z][a-z0-9+.-]*:", link):
        return
    target, _, anchor = urllib.parse.unquote(link).partition("#")
    file = (repository.root() / path.parent / target) if target else repository.root() / path
    if not file.exists():
        problems.append(f"{path}:{number}: {link} leads nowhere")
    elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
        problems.append(f"{path}:{number}: {link}: there is no such heading")


def check_error_reasons(problems):
    """docs/metrics.md names each row of the error table: source, status, reason."""
    rows = re.findall(r'\{(\d{3}), k(\w+), k\w+, "(\w+)"\}', repository.text("proxy/error.cc"))
    coded = {(source.lower(), status, reason) for status, source, reason in rows}
    documented = set()
    for source, cell in re.findall(r"^\| `(downstream|upstream|internal)` \| (.*) \|$", repository.text("docs/metrics.md"), re.M):
        for status, reasons in re.findall(r"(\d{3})[^:`]*: ((?:`\w+`(?:, )?)+)", cell):
            documented |= {(source, status, reason) for reason in re.findall(r"`(\w+)`", reasons)}
    if len(coded) < 20:
        problems.append("proxy/error.cc: the table of errors was not found")
    problems += [f"docs/metrics.md: {' '.join(row)} is only in {'proxy/error.cc' if row in coded else 'the table'}"
                 for row in sorted(coded ^ documented)]


def main():
    problems = []
    check_error_reasons(problems)
    for path in repository.files(".md"):
        for number, line in prose(repository.text(path)):
            for link in LINK.findall(line):
                check_link(path, number, link, problems)
    readme = repository.text("README.md")
    for command in ("scripts/demo", "scripts/test"):
        if command not in readme:
            problems.append(f"README.md: does not name {command}")
        if not (repository.root() / command).stat().st_mode & 0o111:
            problems.append(f"{command}: is not executable")
    # Files that prose names in backquotes with a folder in front exist.
    for path in ("README.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md"):
        for name in re.findall(r"`((?:%s|tests|scripts|docs|examples|packaging)/[\w./-]+\.(?:h|cc|md|py|yaml|txt|service))`" % "|".join(
                repository.FOLDERS), repository.text(path)):
            if not (repository.root() / name).is_file():
                problems.append(f"{path}: names `{name}`, which does not exist")
    repository.finish(problems)


main()
