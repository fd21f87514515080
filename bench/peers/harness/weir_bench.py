"""Load by `weir bench`: HTTP with closed and open loop, DNS with client subnets that take turns."""

import json
import pathlib
import signal
import subprocess

from .dnsperf import OUTSTANDING
from .load import GRACE_SECONDS, Sample, call_message
from .process import PeerFailed, Refused


def require(program, kind):
    """Refuses a program without `bench http` or `bench dns`."""
    run = subprocess.run([program, "bench", kind, "--help"], capture_output=True, text=True, check=False)
    if run.returncode or "--rate" not in run.stdout:
        raise Refused(f"{program} has no `bench {kind}`: name one that has with --bench")


def version(program, kind):
    run = subprocess.run([program, "version"], capture_output=True, text=True, check=False)
    return f"weir bench {kind} ({run.stdout.splitlines()[0] if run.stdout else '?'})"


class Running:
    """A started `weir bench`; its result is JSON on standard output, when it is interrupted too."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, after_seconds=0.0):
        try:
            output, errors = self.process.communicate(timeout=after_seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGINT)
            try:
                output, errors = self.process.communicate(timeout=GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise PeerFailed("weir bench did not end when it was interrupted") from None
        try:
            return json.loads(output)
        except ValueError:
            raise PeerFailed(f"weir bench gave no result (exit code {self.process.returncode}): {errors.strip()}") from None


def sample(result, is_wrong):
    """The Sample of a result; outcomes of which `is_wrong(name)` are errors, whatever the generator expected."""
    errors = {kind: count for kind, count in result["errors"].items() if not kind.startswith("answer ")}
    for name, count in result["outcomes"].items():
        if is_wrong(name):
            errors[name] = errors.get(name, 0) + count
    percentiles = result["latency"]["percentiles-ms"]
    latency = {f"p{name}": 1000 * percentiles[name] for name in ("50", "99", "99.9")}
    return Sample(result["totals"]["completed"], result["seconds"], result["totals"]["bytes-received"], errors,
                  {**latency, "max": 1000 * result["latency"]["max-ms"]})


class WeirBenchHttp:
    name = "weir"

    def __init__(self, program, folder):
        require(program, "http")
        self.program, self.folder = program, pathlib.Path(folder)

    def version(self):
        return version(self.program, "http")

    def run(self, port, load, seconds, cpus, rate=None):
        """One round; with `rate`, requests a second in an open loop, whose latency counts from the scheduled time."""
        result = Running(self.command(port, load, seconds, cpus, rate)).finish(seconds + GRACE_SECONDS)
        full, resumed = (result["totals"].get(f"tls-handshakes-{kind}", 0) for kind in ("full", "resumed"))
        if load.resumes and resumed < 0.9 * (full + resumed):
            raise PeerFailed(f"only {resumed:,} of {full + resumed:,} handshakes were resumed")
        return sample(result, lambda status: int(status) >= 400)

    def start(self, port, load, seconds_max, cpus):
        running = Running(self.command(port, load, seconds_max, cpus, None))

        class Started:
            @staticmethod
            def finish(after_seconds=0.0):
                return sample(running.finish(after_seconds), lambda status: int(status) >= 400)
        return Started

    def command(self, port, load, seconds, cpus, rate):
        if load.paths > 1 or load.cookies:
            raise PeerFailed("weir bench http does not send requests that differ; use --generator wrk")
        command = ["taskset", "-c", cpus, str(self.program), "bench", "http", load.url(port), "--json",
                   "--quiet", "-c", str(load.connections), "-d", f"{round(seconds * 1000)}ms", "-H", f"Host: {load.host}"]
        if not load.websocket:  # it has a method of its own
            command += ["-X", "POST" if load.call_bytes else load.method]
        if load.streams:
            command += ["--http2", "--streams", str(load.streams)]
        if rate:
            command += ["--rate", f"{rate:.3f}"]
        if load.body_bytes:
            command += ["--data", "x" * load.body_bytes]
        if load.call_bytes:
            command += ["--data-file", str(self.call_file(load.call_bytes)), "-H", "content-type: application/grpc"]
        if load.connection_per_request:
            command.append("--connection-per-request")
        if load.tls:
            command.append("--insecure")
        if load.resumes:
            command += ["--tls-resume", "100"]
        for name, value in load.fields:
            if name != "Connection":  # the generator's own
                command += ["-H", f"{name}: {value}"]
        return command


    def call_file(self, size):
        """A file with the one message of a gRPC call, `size` bytes of content."""
        path = self.folder / f"call-{size}"
        path.write_bytes(call_message(b"x" * size))
        return path


class WeirBenchDns:
    name = "weir"

    def __init__(self, program):
        require(program, "dns")
        self.program = program

    def version(self):
        return version(self.program, "dns")

    def run(self, port, questions, seconds, cpus):
        command = ["taskset", "-c", cpus, str(self.program), "bench", "dns", f"127.0.0.1:{port}", "--json", "--quiet",
                   "--queries", str(questions.file), "-d", f"{round(seconds * 1000)}ms", "--outstanding", str(OUTSTANDING),
                   "--timeout", "1s", "--sockets", str(questions.sockets)]
        if questions.edns:
            command.append("--edns")
        if questions.subnets:
            command += ["--client-subnets", str(questions.subnets)]
        result = Running(command).finish(seconds + GRACE_SECONDS)
        return sample(result, lambda code: questions.expected and code != questions.expected)
