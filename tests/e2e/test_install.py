"""`cmake --install` into a folder, and what README says a copied program needs."""

import os
import pathlib
import re
import subprocess

import pytest
from weir_e2e import BINARY, SOURCE

BUILD = pathlib.Path(BINARY).resolve().parent


def install(*arguments, destination=None):
    environment = {**os.environ, **({"DESTDIR": str(destination)} if destination else {})}
    return subprocess.run(["cmake", "--install", str(BUILD), *map(str, arguments)], capture_output=True, text=True, check=True, env=environment)


def assert_installed(prefix, root):
    """Everything is at its place below root + prefix, and the unit names the program by its prefix."""
    place = pathlib.Path(f"{root}{prefix}") if root else pathlib.Path(prefix)
    program = place / "bin/weir"
    assert program.stat().st_mode & 0o777 == 0o755
    documents = place / "share/doc/weir"
    for name in ("README.md", "LICENSE", "docs/configuration.md", "docs/adr", "examples/blue-green.yaml", "examples/latency.csv"):
        assert (documents / name).exists(), name
    for example in (documents / "examples").glob("*.yaml"):
        assert subprocess.run([program, "check", example], capture_output=True, check=False).returncode == 0, example
    unit = (place / "lib/systemd/system/weir.service").read_text(encoding="utf-8")
    assert f"ExecStart={prefix}/bin/weir run /etc/weir/weir.yaml\n" in unit and f"ExecStartPre={prefix}/bin/weir check" in unit
    assert f"Documentation=file:{prefix}/share/doc/weir/README.md\n" in unit
    original = (SOURCE / "packaging/weir.service").read_text(encoding="utf-8")
    assert unit == original.replace("/usr/local/", f"{prefix}/"), "nothing else of the unit changes"


def test_a_prefix_takes_all_of_it(tmp_path):
    install("--prefix", tmp_path / "opt")
    assert_installed(tmp_path / "opt", None)
    assert sorted(path.name for path in (tmp_path / "opt").iterdir()) == ["bin", "lib", "share"], "no headers, no libraries"


def test_destdir_is_where_it_lies_and_not_what_it_is_called(tmp_path):
    install("--prefix", "/usr", destination=tmp_path)
    assert_installed("/usr", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["usr"]


def test_the_commands_of_readme_put_everything_at_its_place(tmp_path):
    """Run as they stand, but for the packages and the build, with /usr and /etc elsewhere, and without systemctl, which would start
    something."""
    text = (SOURCE / "README.md").read_text(encoding="utf-8")
    block = re.search(r"## Running it for real\n.*?```sh\n(.*?)```", text, re.S).group(1)
    assert block.startswith("scripts/install-dependencies build\n"), "a machine that has only the sources lacks even CMake"
    assert "cmake --install build/release" in block
    tree = tmp_path / "tree"
    (tree / "build").mkdir(parents=True)
    (tree / "build/release").symlink_to(BUILD)
    for line in block.splitlines():
        if "--build" in line or line.startswith(("scripts/install-dependencies", "systemctl")):
            continue
        moved = re.sub(r"(?<= )/(etc|usr)/", rf"{tmp_path}/\1/", line)
        subprocess.run(moved, shell=True, check=True, cwd=tree, capture_output=True)
    assert_installed(tmp_path / "usr/local", None)
    example = SOURCE / "examples/blue-green.yaml"
    assert (tmp_path / "etc/weir/weir.yaml").read_bytes() == example.read_bytes()


def needed_packages(program):
    """Debian packages of the libraries that a program names itself, without those of sanitizers, and whether it has any of these."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    files = dict(re.findall(r"^\s*(\S+) => (/\S+)", listed, re.M))
    headers = subprocess.run(["objdump", "-p", program], capture_output=True, text=True, check=True).stdout
    packages, has_sanitizer = set(), False
    for name in re.findall(r"^\s*NEEDED\s+(\S+)", headers, re.M):
        if re.match(r"lib(asan|ubsan|tsan|lsan)\.", name):
            has_sanitizer = True
            continue
        if name.startswith("ld-linux"):
            continue
        # The loader may name a library below /lib, which dpkg knows below /usr/lib, or the other way round.
        file = files[name]
        owner = next((found.stdout for spelling in (file, "/usr" + file, file.removeprefix("/usr"))
                      if (found := subprocess.run(["dpkg", "-S", spelling], capture_output=True, text=True, check=False)).returncode == 0), None)
        assert owner, f"no package owns {file}"
        packages.add(owner.split(":")[0])
    return packages, has_sanitizer


def test_readme_names_the_packages_that_a_copied_program_needs():
    if not pathlib.Path("/var/lib/dpkg/status").exists():
        pytest.skip("the packages are Debian's")
    text = (SOURCE / "README.md").read_text(encoding="utf-8")
    line = re.search(r"apt-get install --no-install-recommends (lib[^`]*)`", text, re.S)
    assert line, "README.md has no such command"
    named, (needed, has_sanitizer) = set(line.group(1).split()), needed_packages(BINARY)
    # libc6, libgcc-s1 and libstdc++6 are on every Debian: apt itself needs them.
    needed -= {"libc6", "libgcc-s1", "libstdc++6"}
    # A program with sanitizers inlines less, and so calls libraries that nobody's copy of it needs.
    assert named <= needed if has_sanitizer else named == needed
