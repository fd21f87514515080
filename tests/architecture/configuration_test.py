"""Every example and every YAML block of the documentation is a configuration that `weir check` accepts.

A block that is only a part of a file says so: ```yaml fragment.
"""

import pathlib
import re
import shutil
import subprocess
import tempfile

import repository

FENCE = re.compile(r"^(\s*)```\s*(\S*)\s*(.*)$")


def blocks(text):
    """(line number, info string, text) of the fenced blocks whose language is yaml."""
    start, info, indent, lines = 0, None, "", []
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if fence and info is None:
            indent, info, lines, start = fence.group(1), (fence.group(2), fence.group(3).strip()), [], number
        elif fence:
            if info[0] in ("yaml", "yml"):
                yield start, info[1], "\n".join(lines) + "\n"
            info = None
        elif info is not None:
            lines.append(line.removeprefix(indent))


def check(file):
    return subprocess.run([repository.weir(), "check", str(file)], capture_output=True, text=True, check=False, timeout=60)


def check_examples(problems):
    examples = [path for path in repository.files(".yaml", ".yml") if path.parts[0] == "examples"]
    if len(examples) < 2:
        problems.append(f"examples/ has {len(examples)} configurations")
    for path in examples:
        outcome = check(repository.root() / path)
        if outcome.returncode != 0:
            problems.append(f"{path}: weir check gives {outcome.returncode}\n{outcome.stdout}{outcome.stderr}")
    return examples


def check_blocks(problems):
    with tempfile.TemporaryDirectory() as folder:
        # Relative paths of a block (latency.csv, certificates) are those of the examples, or of what is made here.
        for path in repository.files():
            if path.parts[0] == "examples":
                shutil.copy(repository.root() / path, folder)
        for name in ("shop.example.test", "api.example.test"):
            command = [repository.weir(), "certificate", "self-signed", name, "--out", str(pathlib.Path(folder) / name)]
            subprocess.run(command, capture_output=True, check=True, timeout=60)
        for path in repository.files(".md"):
            for number, info, text in blocks(repository.text(path)):
                if info == "fragment":
                    continue
                file = pathlib.Path(folder) / "block.yaml"
                file.write_text(text, encoding="utf-8")
                outcome = check(file)
                if outcome.returncode != 0:
                    problems.append(f"{path}:{number}: weir check gives {outcome.returncode}\n{outcome.stdout}{outcome.stderr}")


def main():
    problems = []
    check_examples(problems)
    check_blocks(problems)
    repository.finish(problems)


main()
