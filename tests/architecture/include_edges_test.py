"""Reads every #include and fails on an edge between folders that docs/ARCHITECTURE.md does not allow."""

import re

import repository

# folder: what it may include besides itself; a name with a slash is one header, or all headers under a prefix.
ALLOWED = {
    "base": set(),
    "net": {"base"},
    "http": {"base"},
    "config": {"base"},
    "health": {"base", "net", "http", "config"},
    "proxy": {"base", "net", "http", "config", "health/status.h", "health/observation.h"},
    "dns": {"base", "net", "config", "health/status.h", "health/observation.h"},
    "control": {"base", "net", "http", "config", "health", "proxy", "dns"},
    "app": set(repository.FOLDERS),
    "bench": set(repository.FOLDERS) - {"app"},
    "tests": set(repository.FOLDERS),
}
# Third-party headers stay in the folders that wrap them.
THIRD_PARTY = {
    "yaml-cpp/": set(),  # a second opinion in the tests of config
    "yaml.h": {"config"},
    "nghttp2/": {"http"},
    "ares": {"net"},
    "maxminddb": {"dns"},
    "re2/": {"proxy"},
    "openssl/": {"net"},
    "CLI/": {"app"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


def check_own(path, number, folder, included, problems):
    target = included.split("/")[0]
    if target not in repository.FOLDERS:
        if folder not in ("tests", "bench"):
            problems.append(f'{path}:{number}: "{included}" does not start at the root of the repository')
        return
    if not (repository.root() / included).is_file():
        problems.append(f'{path}:{number}: "{included}" does not exist')
    if target == folder or target in ALLOWED[folder] or included in ALLOWED[folder]:
        return
    problems.append(f'{path}:{number}: {folder} must not include "{included}"')


def check_foreign(path, number, folder, included, problems):
    for prefix, folders in THIRD_PARTY.items():
        if included.startswith(prefix) and folder in repository.FOLDERS:
            # `weir version` names the versions of all libraries.
            if folder not in folders and folder != "app":
                problems.append(f"{path}:{number}: {folder} must not include <{included}>")
    if path.suffix == ".h" and folder in repository.FOLDERS and included.startswith(
            ("yaml-cpp/", "nghttp2/", "ares", "maxminddb", "re2/", "openssl/", "CLI/", "fmt/", "spdlog/")):
        problems.append(f"{path}:{number}: <{included}> belongs into a source file, not into a header")


def main():
    problems = []
    edges = 0
    for path in repository.files(".h", ".cc"):
        folder = path.parts[0]
        if folder not in ALLOWED:
            problems.append(f"{path}: the folder {folder} is not in the table of include edges")
            continue
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
