"""What the end-to-end cases share: the real program, real and scripted targets, clients, and waiting for conditions.

Environment: WEIR_BINARY is the program, WEIR_SOURCE the root of the repository, WEIR_TIMEOUT_SCALE stretches every deadline
(sanitizers), WEIR_SANITIZE names the sanitizers the program was built with.
"""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

SCALE = float(os.environ.get("WEIR_TIMEOUT_SCALE", "1"))
SANITIZED = bool(os.environ.get("WEIR_SANITIZE"))
SOURCE = pathlib.Path(os.environ.get("WEIR_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BINARY = os.environ.get("WEIR_BINARY", str(SOURCE / "build/dev/weir"))
# How a program ends that broke down.
CRASHES = [-number for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGTRAP)]


def wait_for(condition, seconds=10.0, what="the condition"):
    """Calls `condition` until it gives something true and returns that; fails after `seconds`, stretched by the scale."""
    deadline = time.monotonic() + seconds * SCALE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds * SCALE:.1f} s")
        time.sleep(0.01)


def stop_process(process, how=signal.SIGTERM, seconds=10.0):
    """Ends a process that a case started, by its id."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(seconds * SCALE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def free_port(kind=socket.SOCK_STREAM, address="127.0.0.1"):
    """A port that was free a moment ago: for cases where the number itself matters (Host, reload). Others use port 0."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def split_endpoint(text):
    """`127.0.0.1:80` and `[::1]:80` as (address, port)."""
    address, _, port = text.rpartition(":")
    return address.strip("[]"), int(port)


# ---- the program


class Weir:
    """`weir run FILE` on loopback. `ready()` has the bound addresses; stderr and stdout are collected line by line.

    `prefix` is what the command begins with; it must become the program itself (exec), which signals are for."""

    def __init__(self, config, folder, name="weir.yaml", environment=None, wait=True, arguments=(), network=None, prefix=()):
        self.file = pathlib.Path(folder) / name
        if config is not None:
            self.write(config)
        self.stderr, self.stdout = [], []
        self.process = subprocess.Popen(
            [*(network.enter if network else ()), *prefix, BINARY, "run", str(self.file), *arguments], cwd=folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", env={**os.environ, **(environment or {})})
        self.readers = [threading.Thread(target=self._collect, args=pair, daemon=True)
                        for pair in ((self.process.stderr, self.stderr), (self.process.stdout, self.stdout))]
        for reader in self.readers:
            reader.start()
        if wait:
            self.wait_ready()

    @staticmethod
    def _collect(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def write(self, config):
        """Replaces the file as an editor does: a new file under the old name."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(config, encoding="utf-8")
        fresh.rename(self.file)

    def log(self):
        return "\n".join(self.stderr)

    def wait_ready(self):
        def ready():
            line = self.ready_line()
            if line is None and self.process.poll() is not None:
                for reader in self.readers:
                    reader.join(5)
                raise AssertionError(f"weir ended with {self.process.returncode} before it was ready:\n{self.log()}")
            return line
        wait_for(ready, 20, "the line `ready`")

    def ready_line(self):
        return next((line for line in self.stderr if re.search(r"\bready\b.*\badmin=", line)), None)

    def endpoints(self, key):
        """Values of `key=` in the ready line, in order: `admin`, `dns`, `listener`."""
        return re.findall(rf'(?:^|\s)"?{key}=([^\s"]+)', self.ready_line())

    @property
    def admin(self):
        return split_endpoint(self.endpoints("admin")[0])

    def listeners(self, load_balancer=None):
        """(load balancer, configured port, address, bound port) of each bound listener socket, from the ready line."""
        found = []
        for value in self.endpoints("listener"):
            name, _, endpoint = value.partition("@")
            owner, _, port = name.rpartition("/")
            address, bound = split_endpoint(endpoint)
            if load_balancer in (None, owner):
                found.append((owner, int(port), address, bound))
        return found

    def port(self, load_balancer=None, index=0):
        """The bound port of the index-th listener socket."""
        return self.listeners(load_balancer)[index][3]

    @property
    def dns_port(self):
        return split_endpoint(self.endpoints("dns")[0])[1]

    def call(self, method, path, body=None, raw=False):
        """One admin call: (status, decoded JSON), or (status, text) when `raw`."""
        connection = http.client.HTTPConnection(*self.admin, timeout=10 * SCALE)
        try:
            data = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
            connection.request(method, path, data, {"Content-Type": "application/json"} if data is not None else {})
            answer = connection.getresponse()
            text = answer.read().decode()
            if raw:
                return answer.status, text
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def status(self):
        code, answer = self.call("GET", "/v1/status")
        assert code == 200, answer
        return answer

    def targets(self, group):
        """{id: target} of a target group in the status."""
        found = next(g for g in self.status()["target-groups"] if g["name"] == group)
        return {target["id"]: target for target in found["targets"]}

    def wait_state(self, group, target, state, seconds=15):
        """Waits for a target's state; `target` is a fake target or ADDRESS:PORT."""
        name = target if isinstance(target, str) else target.id
        return wait_for(lambda: self.targets(group).get(name, {}).get("state") == state, seconds, f"{group} {name} {state}")

    def metrics(self):
        code, text = self.call("GET", "/metrics", raw=True)
        assert code == 200
        return text

    def wait_log(self, pattern, seconds=10, count=1):
        wait_for(lambda: len(re.findall(pattern, self.log())) >= count, seconds, f"{count} log lines like {pattern!r}")

    def vm_hwm_kib(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmHWM:\s+(\d+) kB", text).group(1))

    def cpu_seconds(self):
        """What its threads have had of CPU time together; by ticks of the system, commonly 10 ms."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def signal(self, number):
        self.process.send_signal(number)

    def wait_exit(self, seconds=20):
        self.process.wait(seconds * SCALE)
        for reader in self.readers:
            reader.join(5)
        return self.process.returncode

    def stop(self):
        """Drains; a program that does not end is killed. Fails when it crashed, or a sanitizer wrote a report."""
        stop_process(self.process, signal.SIGTERM, 20)
        for reader in self.readers:
            reader.join(5)
        report = re.search(r"(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:)", self.log())
        assert not report, self.log()
        assert self.process.returncode not in CRASHES, f"weir crashed ({self.process.returncode}):\n{self.log()}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def weir(*arguments, text=None, check=False, environment=None, seconds=60):
    """Runs a command of the program to its end."""
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, errors="replace", input=text, check=check,
                          env={**os.environ, **(environment or {})}, timeout=seconds * SCALE)


def with_descriptors(count):
    """A prefix: the program may have so many descriptors and no more."""
    return ("sh", "-c", f'ulimit -Sn {count}; ulimit -Hn {count}; exec "$@"', "sh")


def requires_loopback_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


# ---- messages


class Response:
    """One HTTP/1.x response as it was on the wire."""

    def __init__(self, status, reason, version, fields):
        self.status, self.reason, self.version, self.fields = status, reason, version, fields
        self.body, self.trailers, self.interim = b"", [], []

    def values(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def field(self, name):
        values = self.values(name)
        return values[0] if values else None

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.version} {self.status} {self.reason} {self.fields} {self.body[:200]!r}"


class Closed(Exception):
    """The other side closed the connection where a message was expected."""


class Wire:
    """A socket with a buffer; reads the parts of HTTP/1.x messages literally and repairs nothing."""

    def __init__(self, connection):
        self.socket = connection
        self.buffer = b""

    def fill(self):
        piece = self.socket.recv(65536)
        self.buffer += piece
        return bool(piece)

    def until(self, mark):
        while mark not in self.buffer:
            if not self.fill():
                raise Closed(self.buffer[-200:])
        text, _, self.buffer = self.buffer.partition(mark)
        return text

    def exactly(self, count):
        while len(self.buffer) < count:
            if not self.fill():
                raise Closed(self.buffer[-200:])
        text, self.buffer = self.buffer[:count], self.buffer[count:]
        return text

    def rest(self):
        while self.fill():
            pass
        text, self.buffer = self.buffer, b""
        return text

    def head(self):
        """(start line, [(name, value)])."""
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            assert colon, f"a field line without a colon: {line!r}"
            fields.append((name, value.strip(" \t")))
        return lines[0], fields

    def chunked(self):
        """(content, trailer fields)."""
        content = []
        while True:
            size = int(self.until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                break
            content.append(self.exactly(size))
            assert self.exactly(2) == b"\r\n"
        trailers = []
        while line := self.until(b"\r\n").decode("latin-1"):
            name, _, value = line.partition(":")
            trailers.append((name, value.strip()))
        return b"".join(content), trailers


class Client(Wire):
    """A client that writes exactly the bytes it is given and reads responses strictly."""

    def __init__(self, port, address="127.0.0.1", seconds=10.0):
        super().__init__(socket.create_connection((address, port), timeout=seconds * SCALE))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)
        return self

    def request(self, method, target, fields=(), body=b"", host="shop.example.test", version="HTTP/1.1"):
        """Sends a request; Content-Length is added when there is a body."""
        lines = [f"{method} {target} {version}"]
        if host is not None:
            lines.append(f"Host: {host}")
        lines += [f"{name}: {value}" for name, value in (fields.items() if isinstance(fields, dict) else fields)]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)

    def response(self, method="GET", interim=True):
        """The next final response; interim ones are collected in it when `interim`."""
        seen = []
        while True:
            start, fields = self.head()
            version, status, *reason = start.split(" ", 2)
            answer = Response(int(status), reason[0] if reason else "", version, fields)
            if not (interim and 100 <= answer.status < 200 and answer.status != 101):
                break
            seen.append(answer)
        answer.interim = seen
        if method == "HEAD" or answer.status in (101, 204, 304) or 100 <= answer.status < 200:
            return answer
        if "chunked" in (answer.field("Transfer-Encoding") or "").lower():
            answer.body, answer.trailers = self.chunked()
        elif answer.field("Content-Length") is not None:
            answer.body = self.exactly(int(answer.field("Content-Length")))
        else:
            answer.body = self.rest()
        return answer

    def get(self, target="/", fields=(), host="shop.example.test"):
        return self.request("GET", target, fields, host=host).response()

    def is_closed(self, seconds=5.0):
        """Waits for the other side to close; false when it did not, or sent something."""
        self.socket.settimeout(seconds * SCALE)
        try:
            return not self.buffer and self.socket.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def reset(self):
        """Closes with a TCP reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.socket.close()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def get(port, target="/", fields=(), host="shop.example.test", address="127.0.0.1", method="GET", body=b""):
    """One request on a connection of its own."""
    with Client(port, address) as client:
        return client.request(method, target, fields, body, host).response(method)


def exchange(port, data, address="127.0.0.1", seconds=10.0):
    """Writes raw bytes and returns everything until the other side closes (or says nothing more for `seconds`)."""
    with Client(port, address, seconds) as client:
        with contextlib.suppress(ConnectionError):
            client.send(data)
        received = b""
        with contextlib.suppress(ConnectionError, TimeoutError):
            while piece := client.socket.recv(65536):
                received += piece
        return received


# ---- targets


class Request:
    """One request as a fake target saw it."""

    def __init__(self, method, target, version, fields, peer, connection):
        self.method, self.target, self.version, self.fields = method, target, version, fields
        self.peer, self.connection = peer, connection
        self.body, self.trailers = b"", []

    def values(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def field(self, name):
        values = self.values(name)
        return values[0] if values else None


class FakeTarget:
    """A target that keeps what it was asked and answers as told.

    By default it answers 200 with the request as JSON, its own name included, and GET /health with `health_status`.
    `script(request, wire)` may take a request over: it writes to `wire.socket` itself and returns whether the connection
    stays open, or None for the default answer.
    """

    def __init__(self, name, address="127.0.0.1", script=None, port=0):
        self.name, self.address, self.script = name, address, script
        self.health_status = 200
        self.requests, self.probes = [], []
        self.connections_accepted = 0
        self.lock = threading.Lock()
        self.open = set()
        self.listener = None
        self.port = port
        self.start()

    @property
    def id(self):
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def yaml(self):
        return f'{{address: "{self.address}", port: {self.port}}}'

    def start(self):
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.address, self.port))
        self.listener.listen(512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def stop(self):
        """Refuses new connections and resets the open ones."""
        listener, self.listener = self.listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self.lock:
            connections = list(self.open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
                connection.shutdown(socket.SHUT_RD)  # wakes its thread, whose close then resets

    def _accept(self, listener):
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections_accepted += 1
                number = self.connections_accepted
                self.open.add(connection)
            threading.Thread(target=self._serve, args=(connection, peer, number), daemon=True).start()

    def _serve(self, connection, peer, number):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = Wire(connection)
        try:
            while self._one(wire, peer, number):
                pass
        except (Closed, OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.open.discard(connection)
            connection.close()

    def _one(self, wire, peer, number):
        start, fields = wire.head()
        method, target, version = start.split(" ")
        request = Request(method, target, version, fields, peer, number)
        if request.field("User-Agent") == "ELB-HealthChecker/2.0":
            self.probes.append(request)
            wire.socket.sendall(f"HTTP/1.1 {self.health_status} Health\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            return False
        if self.script is not None:
            self.requests.append(request)
            verdict = self.script(request, wire)
            if verdict is not None:
                return verdict
            self.requests.remove(request)
        self.read_body(request, wire)
        self.requests.append(request)
        self.answer(request, wire)
        return (request.field("Connection") or "").lower() != "close"

    @staticmethod
    def read_body(request, wire):
        if "chunked" in (request.field("Transfer-Encoding") or ""):
            request.body, request.trailers = wire.chunked()
        elif request.field("Content-Length") is not None:
            request.body = wire.exactly(int(request.field("Content-Length")))

    def answer(self, request, wire):
        body = json.dumps({
            "target": self.name, "method": request.method, "path": request.target, "version": request.version,
            "fields": request.fields, "body": request.body.decode("latin-1"), "trailers": request.trailers,
            "peer": request.peer[0], "connection": request.connection}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Target: {self.name}\r\nContent-Length: {len(body)}\r\n\r\n"
        wire.socket.sendall(head.encode() + (b"" if request.method == "HEAD" else body))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def answering(text):
    """A script that reads the request and answers with these literal bytes, then keeps the connection."""
    data = text.encode("latin-1") if isinstance(text, str) else text

    def script(request, wire):
        FakeTarget.read_body(request, wire)
        wire.socket.sendall(data)
        return True
    return script


class Nginx:
    """A real nginx that answers with its name, in a folder of its own, stopped by its process id."""

    def __init__(self, name, folder, port=0, address="127.0.0.1", extra="", listen_options="", keepalive_requests=1000000):
        self.name, self.address, self.extra = name, address, extra
        self.listen_options, self.keepalive_requests = listen_options, keepalive_requests
        self.folder = pathlib.Path(folder) / f"nginx-{name}"
        self.folder.mkdir()
        self.port = port or free_port(address=address)
        self.process = None
        self.start()

    @property
    def id(self):
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def yaml(self):
        return f'{{address: "{self.address}", port: {self.port}}}'

    def start(self):
        listen = f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"
        temporary = "\n".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(f"""
daemon off; master_process off; worker_processes 1; pid {self.folder}/nginx.pid; error_log {self.folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  {temporary}
  access_log {self.folder}/access.log; keepalive_requests {self.keepalive_requests}; keepalive_timeout 300s;
  server {{
    listen {listen} {self.listen_options};
    default_type text/plain;
    location = /health {{ access_log off; return 200 "ok\\n"; }}
    location / {{ add_header X-Target {self.name}; return 200 "{self.name}\\n"; }}
    {self.extra}
  }}
}}
""", encoding="utf-8")
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen([program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def accepts():
            assert self.process.poll() is None, (self.folder / "error.log").read_text(encoding="utf-8")
            with contextlib.suppress(OSError), socket.create_connection((self.address, self.port), timeout=1):
                return True
            return False
        wait_for(accepts, 10, f"nginx {self.name} listening")

    def requests(self):
        """Requests that it answered, probes not counted."""
        return sum(1 for _ in (self.folder / "access.log").open(encoding="utf-8"))

    def stop(self, how=signal.SIGTERM):
        if self.process is not None:
            stop_process(self.process, how)
            self.process = None

    def kill(self):
        """At once: open connections are reset, new ones refused."""
        self.stop(signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


# ---- clients


class Load:
    """Keep-alive clients in threads that ask until they are stopped, and keep what they saw.

    `failures` has everything that no client should see: a connection that breaks, a status of 500 or more. A connection that the
    load balancer announced to close (Connection: close), or closed while idle before the request was sent, is opened again.
    """

    def __init__(self, port, clients=4, target="/", host="shop.example.test", pause=0.0, address="127.0.0.1"):
        self.port, self.target, self.host, self.pause, self.address = port, target, host, pause, address
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.count, self.failures, self.by_target, self.by_status, self.connects = 0, [], {}, {}, 0
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def _run(self):
        client = None
        while not self.stopping.is_set():
            try:
                if client is None:
                    client = Client(self.port, self.address, 30)
                    with self.lock:
                        self.connects += 1
                client.request("GET", self.target, host=self.host)
                answer = client.response()
            except (OSError, Closed) as error:
                with self.lock:
                    self.failures.append(repr(error))
                client = None
                continue
            self._note(answer)
            if (answer.field("Connection") or "").lower() == "close":
                client.close()
                client = None
            if self.pause:
                self.stopping.wait(self.pause)
        if client is not None:
            client.close()

    def _note(self, answer):
        name = answer.field("X-Target") or ""
        with self.lock:
            self.count += 1
            self.by_target[name] = self.by_target.get(name, 0) + 1
            self.by_status[answer.status] = self.by_status.get(answer.status, 0) + 1
            if answer.status >= 500:
                self.failures.append(repr(answer))

    def wait_count(self, more, seconds=30):
        """Waits until `more` further requests were answered."""
        goal = self.count + more
        wait_for(lambda: self.count >= goal, seconds, f"{more} more requests")

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(35 * SCALE)
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def curl(*arguments, seconds=20.0, network=None):
    """curl to its end: CompletedProcess; its own configuration file and proxies are not read."""
    environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    return subprocess.run([*(network.enter if network else ()), "curl", "-q", "-sS", "--max-time", str(int(seconds * SCALE)), *map(str, arguments)], capture_output=True,
                          text=True, errors="replace", check=False, env=environment, stdin=subprocess.DEVNULL)


class Answer:
    """What dig printed, taken apart."""

    def __init__(self, text):
        self.text = text
        status = re.search(r"opcode: (\w+), status: (\w+), id: (\d+)", text)
        self.opcode, self.status = (status.group(1), status.group(2)) if status else (None, None)
        flags = re.search(r";; flags: ([^;]*); QUERY", text)
        self.flags = set(flags.group(1).split()) if flags else set()
        self.records = {section.lower(): self._records(text, section) for section in ("ANSWER", "AUTHORITY", "ADDITIONAL")}
        self.edns = re.search(r"; EDNS: version: (\d+), flags:([^;]*); (?:MBZ[^;]*; )?udp: (\d+)", text)
        self.size = int(found.group(1)) if (found := re.search(r"MSG SIZE  rcvd: (\d+)", text)) else None

    @staticmethod
    def _records(text, section):
        found = re.search(rf";; {section} SECTION:\n(.*?)(?:\n\n|\Z)", text, re.S)
        lines = found.group(1).splitlines() if found else []
        return [tuple(line.split(None, 4)) for line in lines if line and not line.startswith(";")]

    @property
    def answer(self):
        """[(name, ttl, type, value)]."""
        return [(name, int(ttl), kind, value) for name, ttl, _, kind, value in self.records["answer"]]

    @property
    def values(self):
        return sorted(value for _, _, _, value in self.answer)

    @property
    def authority(self):
        return [(name, int(ttl), kind, value) for name, ttl, _, kind, value in self.records["authority"]]


class Network:
    """A network of its own that has a loopback device of this MTU and, with `links`, the two ends of a cable: w0 with the
    address fe80::1 and w1 with fe80::2. `enter` is what a command begins with to run in it. PermissionError where the system
    allows none."""

    SCRIPT = """if True:
        import fcntl, pathlib, socket, struct, sys

        def attribute(kind, data):
            return struct.pack("HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)

        def connect_links(one, other):  # rtnetlink(7): RTM_NEWLINK of the kind veth
            no_link = bytes(16)
            peer = attribute(1, no_link + attribute(3, other.encode() + b"\\0"))
            kind = attribute(18, attribute(1, b"veth") + attribute(2, peer))
            message = no_link + attribute(3, one.encode() + b"\\0") + kind
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
                netlink.send(struct.pack("IHHII", 16 + len(message), 16, 0x605, 1, 0) + message)
                error = -struct.unpack("i", netlink.recv(4096)[16:20])[0]
            if error:
                raise OSError(error, "no veth")

        def bring_up(name):
            with socket.socket() as sock:
                fcntl.ioctl(sock, 0x8914, struct.pack("16sh14x", name.encode(), 0x1))  # SIOCSIFFLAGS: IFF_UP

        def add_address(name, address):
            with socket.socket(socket.AF_INET6) as sock:  # SIOCSIFADDR
                fcntl.ioctl(sock, 0x8916, struct.pack("16sIi", socket.inet_pton(socket.AF_INET6, address), 64, socket.if_nametoindex(name)))

        with socket.socket() as sock:
            fcntl.ioctl(sock, 0x8922, struct.pack("16si12x", b"lo", int(sys.argv[1])))  # SIOCSIFMTU
        bring_up("lo")
        if sys.argv[2] == "links":
            # Addresses are usable at once: nobody else is there who could have them.
            pathlib.Path("/proc/sys/net/ipv6/conf/default/accept_dad").write_text("0")
            connect_links("w0", "w1")
            for name, address in (("w0", "fe80::1"), ("w1", "fe80::2")):
                bring_up(name)
                add_address(name, address)
        print("up", flush=True)
        sys.stdin.read()
    """

    def __init__(self, mtu=65536, links=False):
        self.process = subprocess.Popen(
            ["unshare", "--net", sys.executable, "-c", self.SCRIPT, str(mtu), "links" if links else "-"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "up\n":
            _, why = self.process.communicate()
            assert "Operation not permitted" in why, why
            raise PermissionError(why)
        self.enter = ("nsenter", "--net", "--target", str(self.process.pid))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()


def dig(port, *arguments, address="127.0.0.1", seconds=5, network=None):
    """dig @address -p port ...; retries are off, so that a dropped query is seen.

    dig asks from an address of its own: it lets its sockets share a port, and on the server's address one in some 28,000
    would be given the server's port and read its own query as the answer."""
    source = ["-b", "127.0.0.2"] if address == "127.0.0.1" else []
    outcome = subprocess.run([*(network.enter if network else ()), "dig", "-r", f"@{address}", "-p", str(port), *source,
                              "+tries=1", f"+time={int(seconds * SCALE)}", *arguments],
                             capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL)
    return Answer(outcome.stdout + outcome.stderr)


def quote(text):
    return urllib.parse.quote(text, safe="")


def example(name, replacements):
    """(text, environment) of an example, moved to other ports: `{"9001": 40001}` sets every variable whose default is 9001."""
    text = (SOURCE / "examples" / name).read_text(encoding="utf-8")
    environment = {}
    for default, value in replacements.items():
        names = re.findall(rf"\$\{{(\w+):-{re.escape(default)}\}}", text)
        assert names, f"{name} has no variable with the default {default}"
        environment.update(dict.fromkeys(names, str(value)))
    return text, environment
