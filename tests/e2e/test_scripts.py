"""The scripts of contributors show how far they are, hide no failure and are not loud."""

import os
import pathlib
import shutil
import signal
import subprocess

import pytest
from weir_e2e import BINARY, SOURCE


def run(script, *arguments, **environment):
    return subprocess.run([SOURCE / "scripts" / script, *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                          env={**os.environ, **environment})


@pytest.fixture
def tools(tmp_path):
    """tools("ctest", "echo hello") puts a program of that name in front of all others; `tools.path` is the PATH."""
    def add(name, text):
        file = tmp_path / name
        file.write_text("#!/bin/bash\n" + text, encoding="utf-8")
        file.chmod(0o755)
    add.path = f"{tmp_path}:{os.environ['PATH']}"
    return add


CTEST = r"""
echo "Test project build/dev"
for i in $(seq 1 200); do
  echo "        Start $i: base.Number/$i object <CF-27 16-65>"
  echo "  $i/300 Test   #$i: base.Number/$i object <CF-27 16-65> ......................................   Passed    0.01 sec"
done
echo "        Start 201: base.Broken"
echo "201/300 Test #201: base.Broken .......................................***Failed    0.05 sec"
echo "broken_test.cc:7: Failure"
echo "        Start 202: base.Skipped"
echo "202/300 Test #202: base.Skipped ......................................***Skipped   0.00 sec"
echo "        Start 203: e2e.long"
sleep 1
echo "203/300 Test #203: e2e.long ..........................................   Passed    1.00 sec"
echo
echo "99% tests passed, 1 tests failed out of 300"
echo
echo "The following tests FAILED:"
echo "	201 - base.Broken (Failed)"
echo "Errors while running CTest"
exit 8
"""


def test_ctest_is_compact_and_shows_each_failure_with_its_output(tools):
    tools("ctest", CTEST)
    outcome = run("ctest-progress", PATH=tools.path, WEIR_PROGRESS_SECONDS="0.2")
    lines = outcome.stdout.splitlines()
    assert outcome.returncode == 8, "the exit code is ctest's"
    assert len(lines) < 25, outcome.stdout
    failed = next(i for i, line in enumerate(lines) if "***Failed" in line)
    assert "base.Broken" in lines[failed] and lines[failed + 1] == "broken_test.cc:7: Failure"
    assert any("***Skipped" in line for line in lines)
    assert any("200 of 300 tests passed, 1 failed" in line and "e2e.long has been running" in line for line in lines), outcome.stdout
    assert lines[-5:] == ["99% tests passed, 1 tests failed out of 300", "", "The following tests FAILED:", "\t201 - base.Broken (Failed)",
                          "Errors while running CTest"]


def test_ctest_that_cannot_run_says_why(tools):
    tools("ctest", "echo 'No tests were found!!!'; exit 8")
    outcome = run("ctest-progress", PATH=tools.path)
    assert outcome.returncode == 8 and "No tests were found!!!" in outcome.stdout


CTEST_INTERRUPTED = r"""
trap 'sleep 0.5; echo "ctest took its leave"; exit 1' INT
echo "begun"
while :; do sleep 0.1; done
"""


def test_ctest_is_waited_for_when_the_person_interrupts(tools):
    tools("ctest", CTEST_INTERRUPTED)
    # A group of its own, of which all get the signal, as from a terminal. Python ignores SIGINT where its parent did.
    with subprocess.Popen([SOURCE / "scripts/ctest-progress"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
                          env={**os.environ, "PATH": tools.path}, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)) as process:
        assert process.stdout.readline() == "begun\n"
        os.killpg(process.pid, signal.SIGINT)
        rest = process.communicate(timeout=20)[0]
    assert process.returncode == 130
    assert "ctest took its leave" in rest and "Traceback" not in rest, rest


APT = r"""
case " $* " in
  *" update "*) echo "Get:1 http://deb.example.test bookworm InRelease"; exit "${FAKE_UPDATE:-0}" ;;
  *" install "*)
    echo "0 upgraded, 3 newly installed, 0 to remove and 0 not upgraded."
    echo "Need to get 12.3 MB of archives."
    sleep 1.5
    for p in one two three; do echo "Get:$p"; done
    echo "Fetched 12.3 MB in 1s"
    for p in one two three; do echo "Unpacking $p (1) ..."; done
    sleep 1.5
    for p in one two three; do echo "Setting up $p (1) ..."; done
    ;;
esac
"""


def fake_packages(tools):
    tools("dpkg-query", "exit 1")
    tools("apt-get", APT)
    tools("sudo", 'exec "$@"')
    tools("tee", "cat >/dev/null")
    tools("chmod", "exit 0")
    tools("rm", 'for last; do :; done; case "$last" in /usr/*) exit 0 ;; esac; exec /bin/rm "$@"')


def test_installing_says_every_few_seconds_how_far_it_is(tools):
    fake_packages(tools)
    outcome = run("install-dependencies", "tour", PATH=tools.path, WEIR_PROGRESS_SECONDS="1")
    assert outcome.returncode == 0, outcome.stderr
    assert "downloaded 0 of 3 packages (12.3 MB)" in outcome.stdout, outcome.stdout
    assert "unpacked 3 of 3 packages" in outcome.stdout, outcome.stdout
    assert "set up 3 of 3 packages, done after" in outcome.stdout.splitlines()[-1], outcome.stdout
    assert len(outcome.stdout.splitlines()) < 12


def test_apt_that_fails_shows_all_that_it_said(tools):
    fake_packages(tools)
    outcome = run("install-dependencies", "tour", PATH=tools.path, FAKE_UPDATE="100")
    assert outcome.returncode == 3
    assert "deb.example.test" in outcome.stderr and "apt-get update failed" in outcome.stderr


def test_nothing_to_install_is_said_with_nothing(tools):
    tools("dpkg-query", "for p; do case $p in curl|dnsutils) echo installed $p ;; esac; done")
    tools("apt-get", "exit 99")
    outcome = run("install-dependencies", "tour", PATH=tools.path)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")


NINJA = r"""
if [[ $1 == --preset ]]; then exit 0; fi
echo "[1/3] Building CXX object a.o"
sleep 1.2
echo "[2/3] Building CXX object b.o"
echo "FAILED: c.o"
echo "c.cc:1:1: error: no such thing"
exit 1
"""


def test_a_build_on_no_terminal_shows_mistakes_and_a_line_now_and_then(tools):
    tools("cmake", NINJA)
    outcome = run("build", "asan", "--target", "weir", PATH=tools.path, WEIR_PROGRESS_SECONDS="1")
    assert outcome.returncode == 1
    assert "c.cc:1:1: error: no such thing" in outcome.stdout and "FAILED: c.o" in outcome.stdout
    assert "step 2 of 3" in outcome.stdout and "a.o" not in outcome.stdout


@pytest.mark.parametrize("script", ["build", "test", "test-long", "ctest-progress", "install-dependencies"])
def test_every_script_explains_itself(script):
    outcome = run(script, "--help")
    assert outcome.returncode == 0 and f"scripts/{script}" in outcome.stdout, outcome.stdout


def test_test_long_takes_known_steps_only():
    for arguments in (("nope",), ("--rounds",), ("--rounds", "0"), ("--minutes", "x"), ("--nope",)):
        outcome = run("test-long", *arguments)
        assert outcome.returncode == 2 and outcome.stderr.startswith("test-long: "), arguments


def test_test_long_ends_with_a_summary(tools):
    for name, text in (("pytest-3", 'echo "ran $WEIR_E2E_HUGE $*"; case "$*" in *reload*) exit 1 ;; esac'), ("cmake", ""),
                       ("dpkg-query", 'shift 2; for p; do echo "installed $p"; done')):
        tools(name, text)
    outcome = run("test-long", "soak", "huge", "--minutes", "1", PATH=tools.path)
    assert outcome.returncode == 1
    assert "ran 1 -q" in outcome.stdout and "test_big_bodies.py" in outcome.stdout
    summary = outcome.stdout.partition("== summary\n")[2].splitlines()
    assert [line.split()[:2] for line in summary] == [["huge", "passed"], ["soak", "FAILED"]], outcome.stdout


LONG_CASES = r"""
[[ $WEIR_BINARY == "$PWD/build/release/weir" ]] || { echo "WEIR_BINARY: $WEIR_BINARY"; exit 1; }
[[ $WEIR_DELAYED_CLOSE == "$PWD/build/"* && -e $WEIR_DELAYED_CLOSE ]] || { echo "WEIR_DELAYED_CLOSE: $WEIR_DELAYED_CLOSE"; exit 1; }
echo "ran rounds=$WEIR_E2E_ROUNDS huge=$WEIR_E2E_HUGE" "${@: -1}"
"""
# The build makes what its targets are, where CMake puts it.
LONG_BUILD = r"""
for target; do
  case $target in
    weir) mkdir -p build/release && touch build/release/weir ;;
    delayed_close) mkdir -p build/release/tests/e2e && touch build/release/tests/e2e/libdelayed_close.so ;;
  esac
done
"""


@pytest.fixture
def long_tree(tools, tmp_path):
    """long_tree({"test_a.py": "text"}) makes a tree in which test-long runs these cases, and gives a function that runs it."""
    def make(cases):
        tree = tmp_path / "tree"
        for folder in ("scripts", "tests/e2e"):
            (tree / folder).mkdir(parents=True)
        shutil.copy(SOURCE / "scripts/test-long", tree / "scripts")
        for name, text in cases.items():
            (tree / "tests/e2e" / name).write_text(text, encoding="utf-8")
        tools("pytest-3", LONG_CASES)
        tools("tree/scripts/install-dependencies", "")
        tools("tree/scripts/build", LONG_BUILD)
        # What these very cases were given must not stand in for what the script gives.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WEIR_")}
        return lambda *steps: subprocess.run([tree / "scripts/test-long", *steps], capture_output=True, text=True, check=False,
                                             env={**environment, "PATH": tools.path})
    return make


def test_test_long_gives_the_cases_of_rounds_the_library_that_they_preload(long_tree):
    outcome = long_tree({"test_closing.py": 'ROUNDS = int(os.environ.get("WEIR_E2E_ROUNDS", "24"))\n'})("rounds", "--rounds", "7")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "ran rounds=7 huge= tests/e2e/test_closing.py\n" in outcome.stdout


@pytest.mark.parametrize("step, switch", [("huge", "WEIR_E2E_HUGE"), ("rounds", "WEIR_E2E_ROUNDS")])
def test_a_switch_that_no_case_reads_fails_its_step(long_tree, step, switch):
    outcome = long_tree({"test_scripts.py": f'"""Names {switch} and reads nothing."""\nSWITCH = "{switch}"\n'})(step)
    assert outcome.returncode == 1 and f"no case in tests/e2e reads {switch}" in outcome.stderr, outcome.stdout + outcome.stderr


def test_the_library_of_the_cases_of_closing_is_where_test_long_looks():
    library = pathlib.Path(os.environ["WEIR_DELAYED_CLOSE"]).resolve()
    place = library.relative_to(pathlib.Path(BINARY).resolve().parent)
    for text in ("scripts/test-long", "CONTRIBUTING.md"):
        assert f"WEIR_DELAYED_CLOSE=$PWD/build/release/{place}" in (SOURCE / text).read_text(encoding="utf-8"), text


def test_the_tests_of_an_unknown_preset_are_refused():
    outcome = run("test", "--preset", "clang")
    assert outcome.returncode == 2 and "the preset is asan, tsan or dev, not 'clang'" in outcome.stderr, outcome.stderr


@pytest.mark.parametrize("late", ["--preset=dev", "--preset", "--every-case"])
def test_options_of_ours_do_not_reach_ctest(late):
    outcome = run("test", "-L", "unit", late, "dev")
    assert outcome.returncode == 2 and f"{late} stands before the arguments of ctest" in outcome.stderr, outcome.stderr


@pytest.mark.parametrize("arguments, built, ran", [
    ([], "asan", "--test-dir build/asan --output-on-failure --no-tests=error -j 1 (scale 3)"),
    (["-R", "e2e.rules"], "asan", "--test-dir build/asan --output-on-failure --no-tests=error -j 1 -R e2e.rules (scale 3)"),
    (["--preset", "dev", "-V"], "dev", "--test-dir build/dev --output-on-failure --no-tests=error -j 1 -V (scale 1)"),
    (["--preset=tsan"], "tsan --target weir threaded_tests",
     "--test-dir build/tsan --output-on-failure --no-tests=error -j 1 -L threaded (scale 4)"),
    (["--preset", "tsan", "--every-case"], "tsan --target weir threaded_tests",
     "--test-dir build/tsan --output-on-failure --no-tests=error -j 1 -L threaded|e2e (scale 4)")])
def test_the_tests_are_built_and_run_as_the_preset_needs(tools, tmp_path, arguments, built, ran):
    (tmp_path / "tree/scripts").mkdir(parents=True)
    shutil.copy(SOURCE / "scripts/test", tmp_path / "tree/scripts")
    for script in ("install-dependencies", "fetch-clients"):
        tools(f"tree/scripts/{script}", "")
    tools("tree/scripts/build", 'echo "built $*"')
    tools("tree/scripts/ctest-progress", 'echo "ran $* (scale $WEIR_TIMEOUT_SCALE)"')
    tools("nproc", "echo 1")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WEIR_")}
    outcome = subprocess.run([tmp_path / "tree/scripts/test", *arguments], capture_output=True, text=True, check=False,
                             env={**environment, "PATH": tools.path})
    assert outcome.returncode == 0, outcome.stderr
    assert f"built {built}\n" in outcome.stdout and f"ran {ran}\n" in outcome.stdout, outcome.stdout


def test_every_script_is_executable():
    for script in (SOURCE / "scripts").iterdir():
        assert os.access(script, os.X_OK), script
    assert pathlib.Path(SOURCE / ".ci/run").stat().st_mode & 0o111
