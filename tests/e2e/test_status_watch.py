"""`weir status --watch` on a terminal: it fits, shows rates, and leaves the terminal as it was."""

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading

import pytest
from weir_e2e import BINARY, SCALE, free_port, get, stop_process, wait_for

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners: [{port: 0, protocol: HTTP, default-actions: [{forward: {target-group: blue}}],
                 rules: [{priority: 1, conditions: [{path-pattern: [/none]}], actions: [{forward: {target-group: empty}}]}]}]
target-groups: [{name: blue, targets: [%s]}, {name: empty}]
admin: {address: 127.0.0.1, port: 0}
"""
ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


class Terminal:
    """A terminal of this size with a program in it; `pictures` are what it painted, each a list of lines without colours."""

    def __init__(self, arguments, columns, rows):
        self.main, self.other = pty.openpty()
        self.resize(columns, rows)
        self.text = ""
        self.process = subprocess.Popen(arguments, stdin=self.other, stdout=self.other, stderr=self.other, start_new_session=True)
        threading.Thread(target=self._collect, daemon=True).start()

    def resize(self, columns, rows):
        fcntl.ioctl(self.other, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _collect(self):
        with contextlib.suppress(OSError):
            while piece := os.read(self.main, 65536):
                self.text += piece.decode()

    @property
    def pictures(self):
        painted = self.text.split("\x1b[H")[1:]
        # The last one may be half written until the rest is cleared.
        whole = [picture for picture in painted if "\x1b[J" in picture]
        return [re.sub(r"\x1b\[[\d;?]*[A-Za-z]|\r", "", picture).split("\n") for picture in whole]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop_process(self.process, signal.SIGKILL)
        os.close(self.other)
        os.close(self.main)


@pytest.fixture
def shop(targets, run):
    blue = targets("blue")
    appliance = run(CONFIG % blue.yaml)
    appliance.wait_state("blue", blue, "healthy")
    return appliance, [BINARY, "status", "--watch", "--admin", "{}:{}".format(*appliance.admin)]


def fits(picture, columns, rows):
    return len(picture) <= rows and all(len(line) <= columns for line in picture)


def test_every_picture_fits_the_terminal(shop):
    _, arguments = shop
    with Terminal(arguments, 50, 9) as terminal:
        wait_for(lambda: len(terminal.pictures) >= 2, 20, "two pictures")
        for picture in terminal.pictures:
            assert fits(picture, 50, 9), picture
            assert re.search(r"\d+ more lines", picture[-1]), picture
        assert any(len(line) == 50 for line in terminal.pictures[0]), "a long line is cut at the edge"


def test_another_size_is_painted_at_once(shop):
    _, arguments = shop
    with Terminal(arguments, 120, 50) as terminal:
        wait_for(lambda: terminal.pictures, 20, "a picture")
        assert "Target groups" in terminal.pictures[-1]
        terminal.resize(30, 5)
        terminal.process.send_signal(signal.SIGWINCH)
        wait_for(lambda: fits(terminal.pictures[-1], 30, 5), 20, "a picture of the new size")


def test_rates_errors_and_p99_of_each_group_are_shown(shop):
    appliance, arguments = shop
    stopping = threading.Event()

    def ask():
        while not stopping.is_set():
            get(appliance.port())
            get(appliance.port(), "/none")
    client = threading.Thread(target=ask)
    client.start()
    try:
        with Terminal(arguments, 120, 50) as terminal:
            def row(group):
                return next((line.split() for line in terminal.pictures[-1] if re.match(rf"  {group} +\d+ of \d+ ", line)), None) if terminal.pictures else None
            wait_for(lambda: row("blue") and float(row("blue")[4].replace(",", "")) > 0 and row("blue")[-1] in ("us", "ms", "s"), 20,
                     "requests a second and a p99 of blue")
            assert row("blue")[5] == "0"
            wait_for(lambda: float(row("empty")[5].replace(",", "")) > 0, 20, "errors of the group without targets")
            heading = next(line for line in terminal.pictures[-1] if "P99" in line)
            assert heading.split() == ["GROUP", "HEALTHY", "REQUESTS/S", "ERRORS/S", "P99"]
    finally:
        stopping.set()
        client.join()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_the_terminal_is_as_it_was_afterwards(shop, number):
    _, arguments = shop
    with Terminal(arguments, 80, 24) as terminal:
        wait_for(lambda: terminal.pictures, 20, "a picture")
        terminal.process.send_signal(number)
        terminal.process.wait(20 * SCALE)
        wait_for(lambda: terminal.text.endswith(LEAVE), 10, "the way back")
        assert terminal.process.returncode == 0
        assert terminal.text.startswith(ENTER) and terminal.text.count(ENTER) == terminal.text.count(LEAVE) == 1
        assert terminal.text.index("\x1b[?25l") < terminal.text.index("\x1b[?25h"), "the cursor is back"


def test_a_stopped_watch_gives_the_terminal_back_until_it_goes_on(shop):
    _, arguments = shop
    with Terminal(arguments, 80, 24) as terminal:
        wait_for(lambda: terminal.pictures, 20, "a picture")
        terminal.process.send_signal(signal.SIGTSTP)
        wait_for(lambda: terminal.text.endswith(LEAVE), 10, "the way back")
        terminal.process.send_signal(signal.SIGCONT)
        wait_for(lambda: terminal.text.count(ENTER) == 2 and "\x1b[H" in terminal.text[terminal.text.rindex(ENTER):], 10, "a picture again")


def test_the_watch_outlives_the_appliance(shop):
    appliance, arguments = shop
    with Terminal(arguments, 100, 24) as terminal:
        wait_for(lambda: terminal.pictures, 20, "a picture")
        appliance.stop()
        wait_for(lambda: terminal.pictures[-1][0].startswith("weir: nothing answers"), 20, "that nothing answers")
        assert terminal.process.poll() is None


def test_into_a_file_nothing_is_cut_and_no_control_sequence_written(shop):
    _, arguments = shop
    watch = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        seen = b""
        while seen.count(b"Target groups") < 2:
            piece = watch.stdout.read1(65536)
            assert piece, "it ended by itself"
            seen += piece
        assert b"\x1b" not in seen and b"more lines" not in seen and b"REQUESTS/S" in seen
    finally:
        stop_process(watch, signal.SIGKILL)
        watch.communicate()


def test_status_counts_what_weir_answered_itself_because_of_a_target(targets, run):
    blue, nobody = targets("blue"), free_port()
    appliance = run(f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners: [{{port: 0, protocol: HTTP, default-actions: [{{forward: {{target-group: blue}}}}],
                  rules: [{{priority: 1, conditions: [{{path-pattern: [/dead]}}], actions: [{{forward: {{target-group: dead}}}}]}},
                          {{priority: 2, conditions: [{{path-pattern: [/none]}}], actions: [{{forward: {{target-group: empty}}}}]}}]}}]
target-groups: [{{name: blue, targets: [{blue.yaml}]}}, {{name: dead, targets: [{{address: 127.0.0.1, port: {nobody}}}]}}, {{name: empty}}]
admin: {{address: 127.0.0.1, port: 0}}
""")
    appliance.wait_state("blue", blue, "healthy")
    assert [get(appliance.port(), path).status for path in ("/", "/", "/dead", "/none", "/none")] == [200, 200, 502, 503, 503]

    def counted():
        groups = {group["name"]: group for group in appliance.status()["target-groups"]}
        return {name: (group["requests"], group["failures"], group["no-target"], group["responses"]["2xx"], sum(group["response-time"]["counts"]))
                for name, group in groups.items()}
    wait_for(lambda: counted()["blue"] == (2, 0, 0, 2, 2), 10, "the requests of blue")
    assert counted()["dead"] == (1, 1, 0, 0, 0) and counted()["empty"] == (0, 0, 2, 0, 0)
