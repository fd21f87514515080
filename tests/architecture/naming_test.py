"""Words that say nothing are not part of the name of a type, a namespace or a file."""

import re

import repository

BANNED = ("Manager", "Helper", "Util", "Utils", "Common", "Misc", "Handler", "Processor", "Wrapper", "Context", "Core", "Service")
BANNED_WORDS = {word.lower() for word in BANNED}
DEFINITION = re.compile(r"^\s*(?:template\s*<[^;{]*>\s*)?(?:class|struct|enum class|enum struct|union|concept|namespace|using)\s+"
                        r"(?:\[\[\w+\]\]\s*)?([A-Za-z_][\w:]*)\s*(?:[:{=;]|final\b|$)")


def words(name):
    """`HttpServiceTable`, `http_service` and `weir::service` alike: the words in lower case."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)}


def main():
    problems = []
    for path in repository.files(".h", ".cc"):
        for part in (*path.parts[:-1], path.stem):
            for word in sorted(words(part) & BANNED_WORDS):
                problems.append(f"{path}: the name of a file or folder has the word {word}")
        if path.parts[0] not in repository.FOLDERS:
            continue
        for number, line in enumerate(repository.text(path).splitlines(), 1):
            found = DEFINITION.match(line)
            # A name of a library (boost::asio::io_context) is not ours.
            if not found or line.lstrip().startswith("using") and "=" not in line:
                continue
            for word in sorted(words(found.group(1)) & BANNED_WORDS):
                problems.append(f"{path}:{number}: {found.group(1)} has the word {word}")
    repository.finish(problems)


main()
