"""WebSocket through the program: an upgrade becomes a tunnel, over HTTP and HTTPS, with real endpoints (python3-websockets)
and with sockets that do what no endpoint should."""

import asyncio
import contextlib
import http
import json
import logging
import os
import re
import resource
import signal
import socket
import ssl
import threading
import time

import pytest
import websockets

import tls_e2e
from weir_e2e import SCALE, Client, Closed, Wire, wait_for
from weir_e2e import weir as run_weir

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    access-log: {{path: access.log, format: alb}}
    attributes: {{idle_timeout.timeout_seconds: {idle}}}
    listeners:
      - {{port: 0, protocol: HTTP, default-actions: [{{forward: {{target-group: blue}}}}]{http}}}
      - {{port: 0, protocol: HTTPS, certificates: {certificates}, default-actions: [{{forward: {{target-group: blue}}}}]}}
target-groups:
  - name: blue
    protocol: {protocol}
    targets: [{targets}]
    attributes: {{deregistration_delay.timeout_seconds: {delay}}}
    health-check: {{path: /health, interval: 1h}}
admin: {{address: 127.0.0.1, port: 0}}
"""
OPENING = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
           ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Own: kept\r\n\r\n"


@pytest.fixture
def pair(tmp_path):
    return tls_e2e.certificate(tmp_path, "shop")


@pytest.fixture
def shop(run, pair):
    """shop(target, …) starts the program in front of it."""
    def start(*targets, protocol="HTTP", idle=60, delay=300, arguments=(), rules=""):
        config = CONFIG.format(certificates=tls_e2e.yaml(pair), targets=", ".join(target.yaml for target in targets), protocol=protocol,
                               idle=idle, delay=delay, http=rules)
        return run(config, arguments=arguments)
    return start


class Endpoint:
    """A WebSocket server of websockets, in a loop of its own: sends every message back; `close CODE` closes with that code."""

    def __init__(self, pair=None):
        self.opened = 0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        settings = None
        if pair is not None:
            settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            settings.load_cert_chain(*map(str, pair))
        self.server = asyncio.run_coroutine_threadsafe(self._serve(settings), self.loop).result(20 * SCALE)
        self.port = self.server.sockets[0].getsockname()[1]
        self.yaml = f'{{address: 127.0.0.1, port: {self.port}}}'

    async def _serve(self, settings):
        return await websockets.serve(self._echo, "127.0.0.1", 0, ssl=settings, max_size=None, compression=None, ping_interval=None,
                                      process_request=self._answer, backlog=2048)

    @staticmethod
    async def _answer(path, _fields):
        if path == "/health":
            return http.HTTPStatus.OK, [], b""
        if path == "/forbidden":
            return http.HTTPStatus.FORBIDDEN, [("X-Own", "kept")], b"not for you"
        return None

    async def _echo(self, connection):
        self.opened += 1
        with contextlib.suppress(websockets.ConnectionClosed):
            async for message in connection:
                if isinstance(message, str) and message.startswith("close "):
                    await connection.close(int(message[6:]), "as asked")
                    return
                await connection.send(message)

    def stop(self):
        async def close():
            self.server.close()
            await self.server.wait_closed()
        asyncio.run_coroutine_threadsafe(close(), self.loop).result(20 * SCALE)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


@pytest.fixture
def endpoint(pair):
    """endpoint("HTTPS") starts one; all are stopped at the end."""
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    started = []

    def start(protocol="HTTP"):
        started.append(Endpoint(pair if protocol == "HTTPS" else None))
        return started[-1]
    yield start
    for each in started:
        each.stop()


def connect(weir, path="/chat", secure=False, **options):
    port = weir.port(index=1 if secure else 0)
    scheme, settings = ("wss", {"ssl": tls_e2e.context()}) if secure else ("ws", {})
    return websockets.connect(f"{scheme}://127.0.0.1:{port}{path}", max_size=None, ping_interval=None, open_timeout=30 * SCALE,
                              close_timeout=20 * SCALE, **{"compression": None, **settings, **options})


def run_client(work, seconds=25):
    return asyncio.run(asyncio.wait_for(work, seconds * SCALE))


def access_log(weir, lines=1):
    def read():
        with contextlib.suppress(FileNotFoundError):
            found = (weir.file.parent / "access.log").read_text(encoding="utf-8").splitlines()
            return found if len(found) >= lines else None
        return None
    return wait_for(read, 10, f"{lines} lines of the access log")


def metric(weir, name):
    return sum(int(float(value)) for value in re.findall(rf"^weir_listener_{name}{{[^}}]*}} (\S+)$", weir.metrics(), re.M))


# ---- real endpoints


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("protocol", ["HTTP", "HTTPS"])
def test_messages_pass_both_ways(shop, endpoint, protocol, secure):
    weir = shop(endpoint(protocol), protocol=protocol)
    large = os.urandom(16 * 1024 * 1024)

    async def talk():
        async with connect(weir, secure=secure, compression="deflate") as client:
            for message in ("hello", "", "\u00fc" * 70_000, b"\x00\xff" * 40_000):
                await client.send(message)
                assert await client.recv() == message
            await client.send(["a", "b" * 100_000, "c"])  # in fragments
            assert await client.recv() == "a" + "b" * 100_000 + "c"
            await asyncio.wait_for(await client.ping(b"still there?"), 10 * SCALE)
            await client.send(large)
            assert await client.recv() == large
            await client.send("close 4321")
            with pytest.raises(websockets.ConnectionClosed):
                await client.recv()
            assert (client.close_code, client.close_reason) == (4321, "as asked")
        async with connect(weir, secure=secure) as client:
            await client.close(4000, "done")
    run_client(talk())
    # Each worker writes its own lines when it gets to it.
    second, first = sorted(access_log(weir, 2), key=lambda line: int(line.split(" ")[10]))
    fields = first.split(" ")
    assert fields[0] == ("wss" if secure else "ws")
    assert fields[8:10] == ["101", "101"]
    assert int(fields[10]) > len(large) and int(fields[11]) > len(large), "the bytes of both directions"
    assert second.startswith(fields[0]) and '"forward" "-" "-"' in second, "no error"
    assert metric(weir, "websockets_total") == 2 and metric(weir, "websockets_active") == 0


def test_the_target_is_told_as_of_any_other_request(shop, targets):
    seen = []

    def script(request, wire):
        seen.append(request)
        wire.socket.sendall(SWITCHED)
        return False
    weir = shop(targets("blue", script=script))
    with Client(weir.port()) as client:
        answer = client.request("GET", "/chat?room=1", [*OPENING, ("Sec-WebSocket-Protocol", "chat"), ("Keep-Alive", "1")]).response()
        assert answer.status == 101
        assert sorted((name.lower(), value) for name, value in answer.fields) == [
            ("connection", "Upgrade"), ("upgrade", "websocket"), ("x-own", "kept")]
        assert client.is_closed()
    request = seen[0]
    assert request.values("Connection") == ["Upgrade"] and request.values("Upgrade") == ["websocket"]
    assert request.field("Sec-WebSocket-Key") == OPENING[3][1] and request.field("Sec-WebSocket-Protocol") == "chat"
    assert request.field("X-Forwarded-For") == "127.0.0.1" and request.field("X-Forwarded-Proto") == "http"
    assert request.field("X-Amzn-Trace-Id").startswith("Root=1-") and request.field("Keep-Alive") is None


def test_rules_decide_about_the_opening_handshake(shop, endpoint):
    weir = shop(endpoint(), rules=""", rules: [
        {priority: 1, conditions: [{path-pattern: [/no]}], actions: [{fixed-response: {status-code: 403}}]},
        {priority: 2, conditions: [{path-pattern: [/old]}], actions: [{redirect: {path: /chat, status-code: HTTP_301}}]}]""")
    for path, status in (("/no", 403), ("/old", 301), ("/forbidden", 403)):
        with Client(weir.port()) as client:
            assert client.get(path, OPENING).status == status
            # It is an answer like any other: the connection goes on.
            assert client.get("/health").status == 200, path
    assert all(line.startswith("http ") for line in access_log(weir, 6))
    assert metric(weir, "websockets_total") == 0


def test_a_thousand_at_once(shop, endpoint):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 16_384), most))  # both ends are in this process
    echo = endpoint()
    weir = shop(echo, idle=120)
    count = 1000

    async def one(number, everybody, gate):
        async with gate:
            client = await connect(weir)
        await client.send(f"first of {number}")
        assert await client.recv() == f"first of {number}"
        await everybody.arrive()
        await client.send(f"second of {number}")
        assert await client.recv() == f"second of {number}"
        await client.close()

    class Everybody:
        def __init__(self):
            self.here, self.all = 0, asyncio.Event()

        async def arrive(self):
            self.here += 1
            if self.here == count:
                loop = asyncio.get_running_loop()
                assert await loop.run_in_executor(None, metric, weir, "websockets_active") == count
                assert await loop.run_in_executor(None, metric, weir, "connections_active") == count
                self.all.set()
            await self.all.wait()

    async def crowd():
        everybody, gate = Everybody(), asyncio.Semaphore(100)
        await asyncio.gather(*(one(number, everybody, gate) for number in range(count)))
    run_client(crowd(), 60)
    assert echo.opened == count
    wait_for(lambda: metric(weir, "websockets_active") == 0, 10, "no tunnel left")


# ---- byte by byte


class RawTarget:
    """A script for a fake target that switches protocols and leaves the connection to the case."""

    def __init__(self, with_head=b""):
        self.with_head, self.wires, self.over = with_head, [], threading.Event()

    def __call__(self, request, wire):
        wire.socket.settimeout(20 * SCALE)
        wire.socket.sendall(SWITCHED + self.with_head)
        self.wires.append(wire)
        self.over.wait(60 * SCALE)
        return False

    def wire(self, index=0):
        return wait_for(lambda: self.wires[index] if len(self.wires) > index else None, 10, "the tunnel at the target")


@pytest.fixture
def raw():
    started = []

    def start(**options):
        started.append(RawTarget(**options))
        return started[-1]
    yield start
    for each in started:
        each.over.set()


def open_raw(weir, behind=b"", secure=False):
    """A client with an open tunnel. `behind` follows the head in the same write."""
    if secure:
        plain = socket.create_connection(("127.0.0.1", weir.port(index=1)), timeout=10 * SCALE)
        client = Wire(tls_e2e.context().wrap_socket(plain, server_hostname="shop.example.test", suppress_ragged_eofs=False))
    else:
        client = Client(weir.port())
    lines = "".join(f"{name}: {value}\r\n" for name, value in OPENING)
    client.socket.sendall(f"GET /chat HTTP/1.1\r\nHost: shop.example.test\r\n{lines}\r\n".encode() + behind)
    start, _ = client.head()
    assert start == "HTTP/1.1 101 Switching Protocols"
    return client


def test_bytes_behind_either_head_belong_to_the_tunnel(shop, targets, raw):
    tunnel = raw(with_head=b"from the target")
    weir = shop(targets("blue", script=tunnel))
    early = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n" + b"x" * 30_000
    client = open_raw(weir, early)
    assert client.exactly(15) == b"from the target"
    assert tunnel.wire().exactly(len(early)) == early
    client.socket.close()
    tunnel.over.set()  # the other side ends, too
    line = access_log(weir)[0].split(" ")
    assert line[0] == "ws" and int(line[10]) > len(early), "they are counted"
    assert len(access_log(weir)) == 1


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_each_side_ends_its_own_direction(shop, targets, raw, secure):
    tunnel = raw()
    weir = shop(targets("blue", script=tunnel))
    client = open_raw(weir, secure=secure)
    target = tunnel.wire()
    # The target ends first; what the client sends still arrives.
    target.socket.sendall(b"last words")
    target.socket.shutdown(socket.SHUT_WR)
    assert client.rest() == b"last words", "and an end: over TLS a close_notify"
    client.socket.sendall(b"still heard")
    assert target.exactly(11) == b"still heard"
    assert metric(weir, "websockets_active") == 1
    if secure:
        client.socket = client.socket.unwrap()  # close_notify
    client.socket.shutdown(socket.SHUT_WR)
    assert target.rest() == b""
    access_log(weir)
    client.socket.close()
    # The client ends first.
    client = open_raw(weir, secure=secure)
    target = tunnel.wire(1)
    client.socket.sendall(b"no more")
    if not secure:  # Python's SSLSocket cannot read behind the end that it sent
        client.socket.shutdown(socket.SHUT_WR)
        assert target.rest() == b"no more"
        target.socket.sendall(b"much more" * 100_000)
        target.socket.shutdown(socket.SHUT_WR)
        assert client.rest() == b"much more" * 100_000
        assert '"forward" "-" "-"' in access_log(weir, 2)[1], "no error"
    else:
        ending = threading.Thread(target=client.socket.unwrap)
        ending.start()
        assert target.rest() == b"no more"
        target.socket.shutdown(socket.SHUT_WR)
        ending.join(10 * SCALE)
        assert not ending.is_alive(), "the close_notify was answered"
    client.socket.close()


@pytest.mark.parametrize("breaks", ["client", "target"])
def test_a_reset_on_one_side_is_a_reset_on_the_other(shop, targets, raw, breaks):
    tunnel = raw()
    weir = shop(targets("blue", script=tunnel))
    client, target = open_raw(weir), tunnel.wire()
    breaker, other = (client, target) if breaks == "client" else (target, client)
    breaker.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    if breaks == "client":
        breaker.socket.close()
    else:
        tunnel.over.set()  # its thread closes it
    with pytest.raises(ConnectionResetError):
        other.rest()
    line = access_log(weir)[0]
    assert line.split(" ")[8:10] == ["101", "101"]
    assert ('"ClientClosedConnection"' if breaks == "client" else '"TargetResponseIncomplete"') in line


def test_who_does_not_read_stops_who_sends(shop, targets, raw):
    tunnel = raw()
    weir = shop(targets("blue", script=tunnel))
    before = weir.vm_hwm_kib()
    client, target = open_raw(weir), tunnel.wire()
    for sender, receiver in ((target, client), (client, target)):
        sender.socket.setblocking(False)
        sent, quiet_since = 0, time.monotonic()
        while time.monotonic() - quiet_since < 0.5 * SCALE:
            try:
                sent += sender.socket.send(b"z" * 65536)
                quiet_since = time.monotonic()
            except BlockingIOError:
                time.sleep(0.01)
        assert sent < 64 * 1024 * 1024, "the sender was stopped"
        receiver.socket.settimeout(20 * SCALE)
        received = 0
        while received < sent:
            piece = receiver.socket.recv(1 << 20)
            assert piece and piece.count(b"z") == len(piece)
            received += len(piece)
        assert received == sent, "and nothing was lost"
    assert weir.vm_hwm_kib() - before < 8 * 1024, "what waits, waits in the systems' buffers"
    client.socket.close()


def test_nothing_for_the_idle_timeout_ends_it(shop, targets, raw):
    tunnel = raw()
    weir = shop(targets("blue", script=tunnel), idle=1)
    client, target = open_raw(weir), tunnel.wire()
    begun = time.monotonic()
    for _ in range(4):  # each message begins the time anew, in whichever direction
        time.sleep(0.5)
        target.socket.sendall(b"x")
        assert client.exactly(1) == b"x"
    assert client.rest() == b"" and target.rest() == b"", "both sides get an end, no reset"
    assert time.monotonic() - begun > 2.9
    assert '"TunnelIdleTimeout"' in access_log(weir)[0]
    assert 'reason="TunnelIdleTimeout"} 1' in weir.metrics()
    client.socket.close()


# ---- what is no tunnel


@pytest.mark.parametrize("fields", [
    [("Connection", "Upgrade"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")],
    [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")],
    [("Connection", "Upgrade"), ("Upgrade", "TLS/1.0")],
    [("Upgrade", "websocket")],
    [("Connection", "Upgrade"), ("Upgrade", "websocket/13")],
], ids=["h2c", "h2c with settings", "TLS", "without Connection", "with a version"])
def test_any_other_upgrade_is_a_plain_request(shop, targets, fields):
    blue = targets("blue")
    weir = shop(blue)
    with Client(weir.port()) as client:
        assert client.get("/", fields).status == 200
        assert client.get("/").status == 200
    assert blue.requests[0].field("Upgrade") is None and blue.requests[0].field("Connection") is None


def test_http_1_0_cannot_upgrade(shop, targets):
    blue = targets("blue")
    weir = shop(blue)
    with Client(weir.port()) as client:
        assert client.request("GET", "/", OPENING, version="HTTP/1.0").response().status == 200
    assert blue.requests[0].field("Upgrade") is None


@pytest.mark.parametrize("answer", [
    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
], ids=["bare", "another protocol", "without Connection"])
def test_a_101_that_does_not_say_websocket_is_502(shop, targets, answer):
    def script(request, wire):
        wire.socket.sendall(answer.encode() + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        return False
    weir = shop(targets("blue", script=script))
    with Client(weir.port()) as client:
        assert client.get("/chat", OPENING).status == 502
    with Client(weir.port()) as client:
        assert client.get("/chat").status == 502, "a 101 that nobody asked for"


def test_a_200_opens_no_tunnel_and_its_connection_serves_nobody_else(shop, targets):
    def script(request, wire):
        if request.target != "/chat":
            return None
        # Says 200 and means to speak on: whoever gets this connection next would get the rest for an answer.
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        time.sleep(0.1)
        with contextlib.suppress(OSError):
            wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        return True
    blue = targets("blue", script=script)
    weir = shop(blue)
    with Client(weir.port()) as client:
        answer = client.get("/chat", OPENING)
        assert (answer.status, answer.body) == (200, b"ok")
        client.send(b"\x81\x85frame of a tunnel that there is not\r\n\r\n")
        with contextlib.suppress(Closed, ConnectionError):
            assert client.response().status == 400
        assert b"poison" not in client.buffer
    for _ in range(3):
        with Client(weir.port()) as client:
            assert client.get("/").json()["target"] == "blue"
    first, *others = blue.requests
    assert first.target == "/chat" and first.connection not in {request.connection for request in others}


# ---- changes while tunnels are open


def test_reloads_let_it_live(shop, targets, raw):
    tunnel = raw()
    weir = shop(targets("blue", script=tunnel))
    client, target = open_raw(weir), tunnel.wire()
    for revision in range(2, 5):
        weir.write(weir.file.read_text(encoding="utf-8") + f"\n# {revision}\n")
        weir.signal(signal.SIGHUP)
        wait_for(lambda revision=revision: weir.status()["revision"] >= revision, 20, "the new revision")
    client.socket.sendall(b"ping")
    assert target.exactly(4) == b"ping"
    # Its listener goes, too.
    before = weir.status()["revision"]
    weir.write(re.sub(r"^      - \{port: 0, protocol: HTTP,.*$", "", weir.file.read_text(encoding="utf-8"), flags=re.M))
    weir.signal(signal.SIGHUP)
    wait_for(lambda: weir.status()["revision"] > before, 20, "the new revision")
    target.socket.sendall(b"pong")
    assert client.exactly(4) == b"pong"
    client.socket.close()


def test_a_target_that_leaves_keeps_it_for_the_deregistration_delay(shop, targets, raw):
    tunnel = raw()
    blue, green = targets("blue", script=tunnel), targets("green")
    weir = shop(blue, delay=2)
    client, target = open_raw(weir), tunnel.wire()
    begun = time.monotonic()
    weir.write(weir.file.read_text(encoding="utf-8").replace(blue.yaml, green.yaml))
    weir.signal(signal.SIGHUP)
    weir.wait_state("blue", blue, "draining")
    client.socket.sendall(b"ping")
    assert target.exactly(4) == b"ping"
    assert client.rest() == b"" and target.rest() == b"", "both sides get an end"
    assert time.monotonic() - begun > 1.9
    assert '"TargetDeregistered"' in access_log(weir)[0]
    client.socket.close()


def test_a_drain_waits_for_it(shop, targets, raw):
    tunnel = raw()
    weir = shop(targets("blue", script=tunnel))
    client, target = open_raw(weir), tunnel.wire()
    weir.signal(signal.SIGTERM)
    weir.wait_log("draining")
    target.socket.sendall(b"still here")
    assert client.exactly(10) == b"still here"
    client.socket.shutdown(socket.SHUT_WR)
    assert target.rest() == b""
    target.socket.shutdown(socket.SHUT_WR)
    assert client.rest() == b""
    assert weir.wait_exit() == 0
    assert "the drain timeout has passed" not in weir.log()


def test_the_drain_limit_ends_it(shop, targets, raw):
    tunnel = raw()
    weir = shop(targets("blue", script=tunnel), arguments=("--drain-timeout", "1"))
    client, target = open_raw(weir), tunnel.wire()
    weir.signal(signal.SIGTERM)
    assert client.rest() == b"" and target.rest() == b"", "both sides get an end"
    assert weir.wait_exit() == 0
    assert "the drain timeout has passed" in weir.log()
    assert access_log(weir)[0].startswith("ws ")


# ---- the load generator


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_weir_bench_sends_messages(shop, endpoint, secure):
    echo = endpoint()
    weir = shop(echo)
    url = f"{'wss' if secure else 'ws'}://127.0.0.1:{weir.port(index=1 if secure else 0)}/chat"
    done = run_weir("bench", "http", "--json", "-n", 500, "-c", 20, "--data", "x" * 300, *(["--insecure"] if secure else []), url)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["outcomes"] == {"101": 500} and report["totals"]["errors"] == 0
    assert report["totals"]["connections"] == 20 and echo.opened == 20
    assert report["totals"]["bytes-received"] > 500 * 300
    refused = run_weir("bench", "http", "--json", "-n", 1, "-c", 1, *(["--insecure"] if secure else []), url.replace("/chat", "/forbidden"))
    assert refused.returncode == 1 and json.loads(refused.stdout)["errors"] == {"malformed response": 1}
    assert "the opening handshake was answered 403" in refused.stderr
