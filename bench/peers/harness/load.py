"""HTTP load: what is sent, and the programs that send it."""

import dataclasses
import json
import os
import pathlib
import signal
import struct
import subprocess

from .process import PeerFailed, Refused, program

HTTP_FOLDER = pathlib.Path(__file__).resolve().parents[1] / "http"
GRACE_SECONDS = 15

# What a browser sends with a navigation: 25 fields and about 1.5 KB, a Host field included.
BROWSER_FIELDS = [
    ("Connection", "keep-alive"),
    ("Cache-Control", "max-age=0"),
    ("sec-ch-ua", '"Chromium";v="126", "Google Chrome";v="126", "Not-A.Brand";v="8"'),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", '"Linux"'),
    ("sec-ch-ua-arch", '"x86"'),
    ("sec-ch-ua-bitness", '"64"'),
    ("sec-ch-ua-full-version", '"126.0.6478.126"'),
    ("sec-ch-ua-model", '""'),
    ("DNT", "1"),
    ("Upgrade-Insecure-Requests", "1"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-User", "?1"),
    ("Sec-Fetch-Dest", "document"),
    ("Referer", "https://shop.example.test/catalogue/shoes?colour=black&size=42&sort=price&page=3"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Accept-Language", "en-GB,en;q=0.9,de;q=0.8,fr;q=0.7"),
    ("If-None-Match", 'W/"5f3c-18f0a2b4c5d"'),
    ("If-Modified-Since", "Mon, 03 Jun 2024 08:15:32 GMT"),
    ("X-Requested-With", "XMLHttpRequest"),
    ("Cookie", "session=8f14e45fceea167a5a36dedd4bea2543; _ga=GA1.2.1234567890.1717400000; _gid=GA1.2.987654321.1717400000; "
               "consent=%7B%22analytics%22%3Atrue%2C%22marketing%22%3Afalse%7D; basket=3a7bd3e2360a3d29eea436fcfb7e44c7; "
               "csrf=Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4; theme=dark; currency=EUR; recently_viewed=1842%2C2213%2C871%2C4420"),
]


@dataclasses.dataclass(frozen=True)
class Load:
    """Requests over `connections` connections, as fast as they are answered."""
    path: str = "/"
    host: str = "www.example.test"
    method: str = "GET"
    body_bytes: int = 0
    fields: tuple = ()
    connection_per_request: bool = False
    connections: int = 64
    paths: int = 1  # more: `path` with a number behind it, so many different ones
    tls: bool = False  # any certificate is accepted
    streams: int = 0  # HTTP/2 with so many requests at a time on each connection; 0: HTTP/1.1
    websocket: bool = False  # messages of `body_bytes` in place of requests, one at a time on each connection
    call_bytes: int = 0  # with streams: gRPC calls with a message of so many bytes; 0: none
    cookies: tuple = ()  # values of Cookie that take turns
    resumes: bool = False  # with tls: connections resume a session of one before; else each handshake is a full one

    def url(self, port):
        scheme = ("wss" if self.tls else "ws") if self.websocket else "https" if self.tls else "http"
        return f"{scheme}://127.0.0.1:{port}{self.path}"


def call_message(content):
    """What gRPC sends of a message: not compressed, its size, itself."""
    return struct.pack("!BI", 0, len(content)) + content


@dataclasses.dataclass
class Sample:
    """What one round of load saw. `errors` is by kind; statuses of 400 and more are errors."""
    requests: int
    seconds: float
    bytes: int
    errors: dict
    latency_us: dict

    @property
    def error_count(self):
        return sum(self.errors.values())


class Wrk:
    """wrk: closed loop only."""
    name = "wrk"

    def __init__(self):
        self.path = program("wrk")
        if not self.path:
            raise Refused("wrk is not installed: scripts/install-dependencies bench")

    def version(self):
        text = subprocess.run([self.path, "-v"], capture_output=True, text=True, check=False).stdout
        return " ".join(text.split()[:3])

    def run(self, port, load, seconds, cpus):
        """One round against 127.0.0.1:`port`."""
        return self.start(port, load, seconds, cpus).finish(seconds)

    def start(self, port, load, seconds_max, cpus):
        """Load that goes on until `finish`, or for `seconds_max`."""
        environment = {**os.environ, "PEERS_METHOD": load.method, "PEERS_HOST": load.host,
                       "PEERS_BODY_BYTES": str(load.body_bytes),
                       "PEERS_FIELDS": "".join(f"{name}: {value}\n" for name, value in load.fields)}
        environment.pop("PEERS_CLOSE", None)
        if load.connection_per_request:
            environment["PEERS_CLOSE"] = "1"
        environment["PEERS_PATHS"] = str(load.paths)
        environment["PEERS_COOKIES"] = "\n".join(load.cookies)
        return RunningWrk(["taskset", "-c", cpus, self.path, "-t1", f"-c{load.connections}", f"-d{int(seconds_max) + 1}s",
                           "-s", str(HTTP_FOLDER / "wrk.lua"), load.url(port)], environment)


class RunningWrk:
    """wrk takes whole seconds: it is interrupted to end earlier, and reports what it measured all the same."""

    def __init__(self, command, environment):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)

    def finish(self, after_seconds=0):
        """The Sample, when it has run for `after_seconds` more."""
        wrk = self.process
        try:
            output, errors = wrk.communicate(timeout=after_seconds)
        except subprocess.TimeoutExpired:
            wrk.send_signal(signal.SIGINT)
            try:
                output, errors = wrk.communicate(timeout=GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                wrk.kill()
                wrk.wait()
                raise PeerFailed("wrk did not end when it was interrupted") from None
        lines = [line for line in output.splitlines() if line.startswith("{")]
        if not lines:
            raise PeerFailed(f"wrk gave no result (exit code {wrk.returncode}): {errors.strip()} {output.strip()}")
        result = json.loads(lines[-1])
        return Sample(result["requests"], result["seconds"], result["bytes"],
                      {kind: count for kind, count in result["errors"].items() if count}, result["latency_us"])
