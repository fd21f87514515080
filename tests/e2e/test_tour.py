"""README's console blocks, word for word: each command is run against a real `weir demo`, and what it prints is what stands there.

What cannot be the same twice is made equal on both sides: times, latencies, rates, the counters of requests, which address of a
group is drawn first. A port of the demo that somebody has is replaced on both sides, too. Everything else is compared.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import threading

import pytest
from weir_e2e import BINARY, SOURCE, requires_loopback_ipv6, stop_process, wait_for

PORTS = ("18080", "18443", "15353", "9900", "19001", "19002", "19003")
README = (SOURCE / "README.md").read_text(encoding="utf-8")


class Step:
    """A command, and the lines that README shows below it."""

    def __init__(self, command):
        self.command, self.printed = command, []

    def __repr__(self):
        return self.command


def console_blocks(heading):
    """The console blocks of a section: steps of those with commands; plain lines of those without."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    for block in re.findall(r"```console\n(.*?)```", section, re.S):
        steps, plain = [], []
        for line in block.splitlines():
            if line.startswith("$ "):
                steps.append(Step(line[2:]))
            elif steps:
                steps[-1].printed.append(line)
            else:
                plain.append(line)
        yield steps, plain


def comparable(lines):
    """Lines in the form that is compared."""
    found = []
    for line in lines:
        line = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIMESTAMP", line)
        line = re.sub(r"^\d\d:\d\d:\d\d ", "TIME ", line)
        line = re.sub(r"\S*/weir-demo-\w{6}/", "FOLDER/", line)
        line = re.sub(r"^weir \d+\.\d+\.\d+", "weir VERSION", line)
        # Columns are as wide as what is in them.
        found.append(re.sub(r" {2,}", "  ", line.rstrip()))
    return count_requests(found)


def count_requests(lines):
    """The column REQUESTS of status: a number is `some` or `none`; the sum over a table says too much about the draw."""
    found = []
    for line in lines:
        found.append(re.sub(r"(?<=  )\d+(?=  (?:forward|redirect|fixed-response|TIMESTAMP))", lambda number: "some" if number[0] != "0" else "none", line))
    return found


def drawn(lines):
    """`hello from blue at ADDRESS`: who answered how often, whichever address and in whichever order."""
    return sorted(re.sub(r" at \S+:1900\d$", "", line) for line in lines)


def matches(step, output):
    printed, got = comparable(step.printed), comparable(output.splitlines())
    if printed and all(line.startswith("hello from ") for line in printed):
        printed, got = drawn(printed), drawn(got)
    return printed == got, printed, got


class Shell:
    """One bash that runs the commands one after the other, as a person's does."""

    def __init__(self, folder):
        self.process = subprocess.Popen(["bash", "--norc"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, env={**os.environ, "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"})

    def run(self, command):
        self.process.stdin.write(f"{command}\necho; echo END-OF-STEP\n")
        self.process.stdin.flush()
        output = ""
        for line in self.process.stdout:
            if line == "END-OF-STEP\n":
                return output[:-1]  # the empty line of the first echo, or its end of a line that had none
            output += line
        raise AssertionError(f"the shell ended after: {output}")

    def end(self):
        self.process.stdin.close()
        stop_process(self.process, signal.SIGKILL)


class Tour:
    """A demo, a shell in a folder where `build/release/weir` is the program, and the ports on which the demo really listens."""

    def __init__(self, folder):
        release = folder / "build/release"
        release.mkdir(parents=True)
        (release / "weir").symlink_to(BINARY)
        self.demo = subprocess.Popen([release / "weir", "demo"], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True)
        self.lines = []
        threading.Thread(target=self._collect, daemon=True).start()
        wait_for(lambda: any(line.startswith("Ctrl-C ends") for line in self.lines), 20, "what the demo says to try")
        self.ports = dict(zip(PORTS, self._bound(), strict=True))
        self.shell = Shell(folder)
        if self.ports["9900"] != "9900":
            self.shell.run(f"export WEIR_ADMIN=127.0.0.1:{self.ports['9900']}")

    def _collect(self):
        for line in self.demo.stdout:
            self.lines.append(line.rstrip("\n"))

    def _bound(self):
        text = "\n".join(self.lines)
        patterns = [r"load balancer +http://127\.0\.0\.1:(\d+)", r"HTTPS +https://127\.0\.0\.1:(\d+)", r"DNS +127\.0\.0\.1 port (\d+)", r"admin API +http://127\.0\.0\.1:(\d+)"]
        patterns += [rf"target +{name} +http://127\.0\.0\.1:(\d+)" for name in ("blue", "green", "shaky")]
        return [re.search(pattern, text).group(1) for pattern in patterns]

    def there(self, text):
        """README's ports as the demo's."""
        return re.sub("|".join(PORTS), lambda port: self.ports[port[0]], text)

    def back(self, text):
        """The demo's ports as README's."""
        for known, bound in self.ports.items():
            text = re.sub(rf"(?<!\d){bound}(?!\d)", known, text)
        return text

    def narrated(self):
        """What the demo said once it was started."""
        start = next(i for i, line in enumerate(self.lines) if line.startswith("Ctrl-C ends"))
        return [self.back(line) for line in self.lines[start + 1:]]

    def run(self, step):
        return self.back(self.shell.run(self.there(step.command)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shell.end()
        stop_process(self.demo, signal.SIGKILL)


@pytest.fixture
def tour(tmp_path):
    if not requires_loopback_ipv6():
        pytest.skip("the tour shows both families, and this machine has no IPv6")
    with Tour(tmp_path) as started:
        # As long as a person needs to open another terminal.
        probe = Step("PATH=$PWD/build/release:$PATH weir status")
        wait_for(lambda: started.run(probe).count(" healthy ") >= 8 and "initial" not in started.run(probe), 20, "the demo's targets to be healthy")
        yield started


def take(tour, steps):
    """Runs the steps of a block. After a pause, what follows is asked again until it is as printed: the pause is long enough for
    a machine that is idle."""
    paused = False
    for step in steps:
        paused = paused or step.command.startswith("sleep ")
        last = None

        def as_printed():
            nonlocal last
            same, *last = matches(step, tour.run(step))
            return same
        if not as_printed():
            assert paused and "-X POST" not in step.command, f"{step}\nREADME: {last[0]}\nprinted: {last[1]}"
            try:
                wait_for(as_printed, 15, f"what README shows below `{step}`")
            except AssertionError as error:
                raise AssertionError(f"{error}\nREADME: {last[0]}\nprinted: {last[1]}") from None


def assert_loaded_first(status):
    """No override is a load: nothing in the tables of a program that was never told to reload is older than its start."""
    loaded = re.search(r"^weir .* loaded (\S+Z)$", status, re.M).group(1)
    since = re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", status.partition("\n")[2])
    assert since and loaded <= min(since), status


def test_readme_shows_a_status_whose_times_can_be():
    statuses = [step for steps, _ in console_blocks("Five minutes") for step in steps if step.command == "weir status"]
    assert statuses
    for step in statuses:
        assert_loaded_first("\n".join(step.printed))


def test_the_five_minutes_print_what_stands_there(tour):
    commands = 0
    for steps, plain in console_blocks("Five minutes"):
        take(tour, steps)
        commands += len(steps)
        if plain:
            wanted = sorted(comparable(plain))
            wait_for(lambda wanted=wanted: [line for line in wanted if line not in comparable(tour.narrated())] == [], 15,
                     f"the demo to say {wanted}, it says {tour.narrated()}")
    assert commands >= 12
    assert_loaded_first(tour.run(Step("weir status")))


def test_what_the_demo_says_to_try_works(tour):
    start = next(i for i, line in enumerate(tour.lines) if line.startswith("Try in another terminal"))
    end = next(i for i, line in enumerate(tour.lines) if line.startswith("Ctrl-C ends"))
    commands = [line.strip() for line in tour.lines[start + 1:end] if line.strip() and not line.strip().startswith("#")]
    assert len(commands) >= 10
    for command in commands:
        if "--watch" in command:
            continue
        output = tour.shell.run(f"{command}; echo \"code $?\"")
        assert output.rstrip().endswith("code 0"), f"{command}: {output}"


def progress(lines):
    """What the progress lines of a load test say: the shares of each second, rounded, and what happened in it."""
    found = []
    for line in lines:
        if second := re.match(r"(\d+) s  [\d,]+ requests/s  errors ([\d,]+)  p50 \S+ [um]?s  p99 \S+ [um]?s  p99\.9 \S+ [um]?s(?:  \((.*?)\))?  \[(.*?)\](?:  event: (.*))?$", line):
            shares = {name: float(share) for name, share in re.findall(r"(\S+) ([\d.]+) %", second.group(4))}
            # What a busy machine did not get round to send is no error of the appliance.
            unsent = re.search(r"unsent at the end ([\d,]+)", second.group(3) or "")
            errors = int(second.group(2).replace(",", "")) - (int(unsent.group(1).replace(",", "")) if unsent else 0)
            found.append((errors, shares, second.group(5)))
    return found


def shape(seconds):
    """Shares before the event, the event, shares after it: how many seconds each takes depends on the machine."""
    at = next((i for i, (_, _, event) in enumerate(seconds) if event), len(seconds))
    return {"seconds": len(seconds), "errors": sum(errors for errors, _, _ in seconds),
            "events": [event for _, _, event in seconds if event],
            "before": [{name: round(share / 5) * 5 for name, share in shares.items()} for _, shares, _ in seconds[:at]][:1],
            "after": [{name: round(share) for name, share in shares.items()} for _, shares, _ in seconds[at + 1:]][-1:]}


def test_the_load_test_shows_the_shift(tour):
    blocks = [steps for steps, _ in console_blocks("Load tests") if steps]
    assert blocks
    path = next(step for steps, _ in console_blocks("Five minutes") for step in steps if step.command.startswith("PATH="))
    tour.run(path)
    for steps in blocks:
        for step in steps:
            output = tour.run(step).splitlines()
            if not step.printed:
                continue
            assert shape(progress(output)) == shape(progress(step.printed)), "\n".join(output)
            assert len(progress(step.printed)) == len(step.printed), "README shows nothing but the progress"
            assert len(progress(output)) == len(output), output
    folder = pathlib.Path(tour.demo.args[0]).parents[2]
    assert "Throughput" in (folder / "shift.txt").read_text(encoding="utf-8")
    assert "<html" in (folder / "shift.html").read_text(encoding="utf-8")[:500].lower()


def test_no_console_block_of_readme_is_left_out():
    known = [block for heading in ("Five minutes", "Load tests") for block in console_blocks(heading)]
    assert len(known) == README.count("```console")


def test_the_lines_for_editors_name_a_schema_that_is_there(tmp_path):
    block = re.search(r"```sh\n((?:(?!```).)*yaml-language-server.*?)```", README, re.S).group(1)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/weir").symlink_to(BINARY)
    example = (SOURCE / "examples/blue-green.yaml").read_text(encoding="utf-8")
    (tmp_path / "weir.yaml").write_text(example, encoding="utf-8")
    subprocess.run(["bash", "-e"], input=block, text=True, check=True, cwd=tmp_path, env={**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"})
    first, rest = (tmp_path / "weir.yaml").read_text(encoding="utf-8").split("\n", 1)
    assert rest == example
    schema = tmp_path / re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first).group(1)
    assert "load-balancers" in json.loads(schema.read_text(encoding="utf-8"))["properties"]
