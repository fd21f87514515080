"""Processes that a comparison starts: pinned, waited for by condition, accounted for, ended by their id."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Refused(Exception):
    """The system refused something that the comparison needs: exit code 3."""


class PeerFailed(Exception):
    """A peer did not start or went away; the text has the end of what it printed."""


def wait_for(condition, seconds, what):
    """Calls `condition` until it gives something true and returns that; PeerFailed after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise PeerFailed(f"{what} did not come true within {seconds:g} s")
        time.sleep(0.005)


def free_port(kind=socket.SOCK_STREAM):
    """A port of 127.0.0.1 that was free a moment ago, for TCP and UDP both."""
    while True:
        with socket.socket(socket.AF_INET, kind) as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            other = socket.SOCK_DGRAM if kind == socket.SOCK_STREAM else socket.SOCK_STREAM
            with socket.socket(socket.AF_INET, other) as second:
                try:
                    second.bind(("127.0.0.1", port))
                except OSError:
                    continue
            return port


def program(name):
    """The path of an installed program, or None. Debian keeps servers where a user's PATH may not look."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def process_tree(pid):
    """`pid` and its descendants that are alive."""
    pids, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        try:
            tasks = os.listdir(f"/proc/{one}/task")
        except OSError:
            continue
        pids.append(one)
        for task in tasks:
            try:
                waiting += map(int, pathlib.Path(f"/proc/{one}/task/{task}/children").read_text().split())
            except OSError:
                pass
    return pids


class Process:
    """One started program and its descendants."""

    def __init__(self, name, command, cpus, folder, environment=None, stdout=None):
        self.name, self.command = name, [str(word) for word in command]
        self.log = pathlib.Path(folder) / f"{name}.stderr"
        taskset = ["taskset", "-c", cpus] if cpus else []
        with open(self.log, "wb") as errors, open(stdout or os.devnull, "ab") as output:
            self.process = subprocess.Popen(
                [*taskset, *self.command], cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                env={**os.environ, **(environment or {})}, start_new_session=True)

    @property
    def pid(self):
        return self.process.pid

    def pids(self):
        return process_tree(self.pid)

    def printed(self):
        """The end of what it printed on standard error."""
        return self.log.read_text(errors="replace")[-2000:].strip()

    def check_alive(self):
        if self.process.poll() is not None:
            raise PeerFailed(f"{self.name} ended with {self.process.returncode}: {' '.join(self.command)}\n{self.printed()}")

    def wait_until(self, condition, what, seconds=30.0):
        def alive_and_true():
            self.check_alive()
            return condition()
        try:
            return wait_for(alive_and_true, seconds, what)
        except PeerFailed as failure:
            said = "" if self.process.poll() is not None else f"\n{self.printed()}"
            raise PeerFailed(f"{failure}{said}") from None

    def cpu_seconds(self):
        """CPU time of every thread by the scheduler's own account."""
        total = 0
        for pid in self.pids():
            try:
                tasks = os.listdir(f"/proc/{pid}/task")
            except OSError:
                continue
            for task in tasks:
                try:
                    total += int(pathlib.Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
                except (OSError, IndexError):
                    pass
        return total / 1e9

    def user_and_system_seconds(self):
        user = system = 0
        for pid in self.pids():
            try:
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            user += int(fields[11])
            system += int(fields[12])
        return user / TICKS_PER_SECOND, system / TICKS_PER_SECOND

    def pss_bytes(self):
        """Proportional resident memory of the whole tree."""
        total = 0
        for pid in self.pids():
            try:
                rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            total += sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
        return total

    def stop(self):
        """Ends the program by its id; what is left of its own tree after that is killed."""
        tree = self.pids()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in tree:
            if pid != self.pid and os.path.exists(f"/proc/{pid}"):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
