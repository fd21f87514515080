"""The tracked files of the repository and what every architecture test shares. Standard library only."""

import pathlib
import subprocess
import sys

FOLDERS = ("base", "logs", "net", "http", "config", "process", "outbound", "functions", "health", "proxy", "dns", "control", "bench", "app")
TEXT_SUFFIXES = {".h", ".cc", ".md", ".py", ".txt", ".cmake", ".json", ".yaml", ".yml", ".csv", ".service", ".sh", ""}


def root():
    return pathlib.Path(sys.argv[1]).resolve()


def weir():
    return sys.argv[2]


def files(*suffixes):
    """Paths, relative to the root, of the files that git tracks or would track; all of the tree in an unpacked archive."""
    listing = subprocess.run(
        ["git", "-c", f"safe.directory={root()}", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root(), capture_output=True, text=True, check=False)
    if listing.returncode == 0:
        names = sorted(set(listing.stdout.splitlines()))
    else:
        names = sorted(str(path.relative_to(root())) for path in root().rglob("*")
                       if not str(path.relative_to(root())).startswith((".git/", "build/")))
    paths = [pathlib.PurePosixPath(name) for name in names if (root() / name).is_file()]
    return [path for path in paths if not suffixes or path.suffix in suffixes]


def text(path):
    return (root() / path).read_text(encoding="utf-8", errors="replace")


def finish(problems):
    """Ends the test: prints every problem, one a line, and fails when there is one."""
    for problem in problems:
        print(problem)
    if problems:
        sys.exit(f"{len(problems)} problem(s)")
