"""Reads every #include and fails on an edge between folders that docs/ARCHITECTURE.md does not allow."""

import re

import repository

# folder: what it may include besides itself; a name with a slash is one header, or all headers under a prefix.
ALLOWED = {
    "base": set(),
    "logs": {"base"},
    "net": {"base"},
    "http": {"base"},
    "config": {"base"},
    "process": {"base", "net"},
    "outbound": {"base", "net", "http"},
    "functions": {"base", "net", "http", "config", "process", "outbound"},
    "health": {"base", "net", "http", "config", "functions"},
    "proxy": {"base", "net", "http", "config", "outbound", "functions", "health/status.h", "health/observation.h"},
    "dns": {"base", "net", "config", "health/status.h", "health/observation.h"},
    "control": {"base", "net", "http", "config", "health", "proxy", "dns"},
    "app": set(repository.FOLDERS) - {"bench"} | {"bench/load/"},
    # What users run is in bench/load; what we run, in its neighbours, is no part of the program.
    "bench/load": set(repository.FOLDERS) - {"app", "bench"},
    "bench/micro": set(repository.FOLDERS) - {"app", "bench"},
    "bench/peers": set(repository.FOLDERS) - {"app", "bench"},
    "tests": set(repository.FOLDERS),
}
# Third-party headers stay in the folders that wrap them.
THIRD_PARTY = {
    "yaml-cpp/": {"config"},
    "yaml.h": set(),  # a second opinion in the tests of config
    "nghttp2/": {"http"},
    "ares": {"net"},
    "maxminddb": {"dns"},
    "re2/": {"proxy"},
    "openssl/": {"net"},
    "CLI/": {"app"},
}
FIRST_INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)', re.MULTILINE)
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


def folder_of(path):
    """The row of the table that a path belongs to."""
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "bench" else parts[0]


def allows(folder, included):
    top = included.split("/")[0]
    return any(row in (top, included) or row.endswith("/") and included.startswith(row) for row in ALLOWED[folder])


def check_own(path, number, folder, included, problems):
    if included.split("/")[0] not in repository.FOLDERS:
        if folder != "tests" and not folder.startswith("bench/"):
            problems.append(f'{path}:{number}: "{included}" does not start at the root of the repository')
        return
    if not (repository.root() / included).is_file():
        problems.append(f'{path}:{number}: "{included}" does not exist')
    if folder_of(included) == folder or allows(folder, included):
        return
    problems.append(f'{path}:{number}: {folder} must not include "{included}"')


def check_foreign(path, number, folder, included, problems):
    for prefix, folders in THIRD_PARTY.items():
        if included.startswith(prefix) and folder != "tests":
            # `weir version` names the versions of all libraries.
            if folder not in folders and folder != "app":
                problems.append(f"{path}:{number}: {folder} must not include <{included}>")
    if path.suffix == ".h" and folder != "tests" and included.startswith(
            ("yaml-cpp/", "nghttp2/", "ares", "maxminddb", "re2/", "openssl/", "CLI/", "fmt/", "spdlog/")):
        problems.append(f"{path}:{number}: <{included}> belongs into a source file, not into a header")


def check_first(path, problems):
    """A header with a source of its name compiles alone because that source begins with it; the build checks the others."""
    own = path.with_suffix(".h")
    if path.suffix != ".cc" or not (repository.root() / own).is_file():
        return
    found = FIRST_INCLUDE.search(repository.text(path))
    if found is None or found.group(1) != str(own):
        problems.append(f"{path}: includes another header before its own, {own}")


def main():
    problems = []
    edges = 0
    for path in repository.files(".h", ".cc"):
        folder = folder_of(str(path))
        if folder not in ALLOWED:
            problems.append(f"{path}: the folder {folder} is not in the table of include edges")
            continue
        check_first(path, problems)
        for number, line in enumerate(repository.text(path).splitlines(), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            edges += 1
            if found.group(1):
                check_own(path, number, folder, found.group(1), problems)
            else:
                check_foreign(path, number, folder, found.group(2), problems)
    if edges < 100:
        problems.append(f"only {edges} includes were found: this test does not read what it should")
    repository.finish(problems)


main()
