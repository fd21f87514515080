"""System calls of a request, counted by strace, or by perf trace where strace is not installed."""

import contextlib
import os
import pathlib
import signal
import subprocess

from .peers_http import Setup
from .process import Refused, program, wait_for
from .rounds import judge_value, say
from .scenarios_rate import installed, load_of, targets
from .scenarios_state import plain, started

SECONDS_MIN = 3.0  # so that the opening of connections is a small part of the few large responses


class Strace:
    note = ("Counted by strace, which slows the proxy: it then finds more work at each turn of its loop than when it runs free.")

    def command(self, pids, file):
        return [program("strace"), "-f", "-c", "-S", "calls", "-o", str(file), *(f"-p{pid}" for pid in pids)]

    def is_attached(self, pids, _process, said):
        return said.read_text().count("attached") >= len(pids)

    def parse(self, text):
        """Lines `% seconds usecs/call calls [errors] name`."""
        for words in map(str.split, text.splitlines()):
            if len(words) >= 5 and words[0].replace(".", "").isdigit() and words[-1] != "total":
                yield words[-1], int(words[3])


class PerfTrace:
    note = "Counted by perf trace."

    def command(self, pids, file):
        return [program("perf"), "trace", "-s", "-o", str(file), "-p", ",".join(map(str, pids))]

    def is_attached(self, _pids, process, _said):
        """perf says nothing; it counts once it holds its events."""
        with contextlib.suppress(OSError):
            folder = f"/proc/{process.pid}/fd"
            return any("perf_event" in os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder))
        return False

    def parse(self, text):
        """Lines `name calls errors total min avg max stddev%`, for each thread."""
        for words in map(str.split, text.splitlines()):
            if len(words) == 8 and words[1].isdigit() and words[2].isdigit() and words[7].endswith("%"):
                yield words[0], int(words[1])


def tracer():
    for name, kind in (("strace", Strace), ("perf", PerfTrace)):
        if program(name):
            return kind()
    raise Refused("neither strace nor perf is installed: scripts/install-dependencies bench")


def count_calls(trace, process, load, seconds, file):
    """{call: number} of every thread while `load` runs, and the Sample of the load."""
    pids, said = process.pids(), file.with_suffix(".said")
    with open(said, "wb") as errors, subprocess.Popen(trace.command(pids, file), stdin=subprocess.DEVNULL, stderr=errors,
                                                      stdout=subprocess.DEVNULL) as tracing:
        try:
            wait_for(lambda: trace.is_attached(pids, tracing, said), 10, "tracing")
            sample = load(process, seconds)
        finally:
            tracing.send_signal(signal.SIGINT)
    calls = {}
    for name, count in trace.parse(file.read_text()):
        calls[name] = calls.get(name, 0) + count
    return calls, sample


def system_calls(options):
    trace = tracer()
    rows, each = [], {}
    for request in ("small", "1m"):
        with targets(options) as port:
            for name, peer in installed(options, options.peers):
                setup = Setup(targets=(f"127.0.0.1:{port}",), large_bodies=request == "1m")
                label = f"{name}-{request}"
                with started(options, label, peer, setup) as process:
                    if not process:
                        continue
                    load = load_of(options, setup, request)
                    load(process, 0.3)
                    calls, sample = count_calls(trace, process, load, max(SECONDS_MIN, options.seconds),
                                                pathlib.Path(options.folder) / f"{label}.calls")
                if not sample.requests or not calls:
                    say(f"  {label}: {sample.requests} requests and {len(calls)} kinds of calls: not counted")
                    continue
                each[label] = sum(calls.values()) / sample.requests
                say(f"  {label:24} {each[label]:.2f} calls")
                rows.append([name, "13 bytes" if request == "small" else "1 MiB", f"{each[label]:.2f}",
                             often(calls, sample.requests), f"{sample.requests:,}"])
    return plain("syscalls", "system calls of a request, 64 connections", ["", "response", "calls", "which", "requests"], rows,
                 judge_calls(each), note=trace.note)


def often(calls, requests):
    """The calls that a request in fifty or more makes, the most frequent first."""
    shares = sorted(((count / requests, call) for call, count in calls.items()), reverse=True)
    return ", ".join(f"{call} {share:.2f}" for share, call in shares if share >= 0.02)


def judge_calls(each):
    limits = (("small", "a small request", 4.5, False), ("1m", "1 MiB", 25, False), ("small", "a small request", 4.2, True),
              ("1m", "1 MiB", 20, True))
    return [judge_value(f"≤ {limit} for {what}", each.get(f"weir-{request}"), "calls", lambda value, limit=limit: value <= limit,
                        stretch) for request, what, limit, stretch in limits]
