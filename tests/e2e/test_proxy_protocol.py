"""The PROXY protocol: headers in front of clients' connections, and in front of those to targets."""

import contextlib
import ipaddress
import re
import signal
import socket
import struct
import subprocess
import time

import pytest

import tls_e2e
from weir_e2e import SCALE, Client, FakeTarget, Wire, get, requires_loopback_ipv6, wait_for

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
CONFIG = """
load-balancers:
  - name: shop
    addresses: [{addresses}]
    access-log: {{path: access.log, format: alb}}
    attributes: {{routing.http.xff_client_port.enabled: {client_port}}}
    listeners:
      - port: 0
        protocol: HTTP
        attributes: {{weir.proxy_protocol.enabled: {enabled}, weir.proxy_protocol.senders: "{senders}"}}
        rules:
          - {{priority: 1, conditions: [{{source-ip: [203.0.113.0/24, "2001:db8::/32"]}}, {{path-pattern: [/from]}}],
             actions: [{{fixed-response: {{status-code: 200, message-body: from afar, content-type: text/plain}}}}]}}
        default-actions: [{{forward: {{target-group: blue}}}}]
      - port: 0
        protocol: HTTPS
        certificates: {certificates}
        attributes: {{weir.proxy_protocol.enabled: {enabled}, weir.proxy_protocol.senders: "{senders}"}}
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - name: blue
    protocol: {protocol}
    targets: [{targets}]
    attributes: {{weir.proxy_protocol.version: "{version}"}}
    health-check: {{path: /health, interval: 500ms, healthy-threshold: 1}}
admin: {{address: 127.0.0.1, port: 0}}
"""


def v1(source, destination, ports=(4711, 443)):
    family = "TCP6" if ":" in source else "TCP4"
    return f"PROXY {family} {source} {destination} {ports[0]} {ports[1]}\r\n".encode()


def v2(source=None, destination=None, ports=(4711, 443), fields=b""):
    """Without a source it is LOCAL."""
    if source is None:
        return SIGNATURE + b"\x20\x00\x00\x00"
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed + struct.pack(">HH", *ports)
    family = b"\x21" if ":" in source else b"\x11"
    return SIGNATURE + b"\x21" + family + struct.pack(">H", len(ends + fields)) + ends + fields


@pytest.fixture
def pair(tmp_path):
    return tls_e2e.certificate(tmp_path, "shop")


@pytest.fixture
def shop(run, pair):
    def start(*targets, senders="127.0.0.0/8, ::1", enabled=True, version="off", protocol="HTTP", client_port=False):
        addresses = '127.0.0.1, "::1"' if requires_loopback_ipv6() else "127.0.0.1"
        return run(CONFIG.format(addresses=addresses, certificates=tls_e2e.yaml(pair), targets=", ".join(target.yaml for target in targets),
                                 senders=senders, enabled=str(enabled).lower(), version=version, protocol=protocol,
                                 client_port=str(client_port).lower()))
    return start


def port_of(weir, secure=False):
    """Of the first address, the listeners in the order of the file."""
    ports = list(dict.fromkeys(port for *_, address, port in weir.listeners() if address == "127.0.0.1"))
    return ports[1 if secure else 0]


def ask(weir, header, target="/", secure=False, pieces=1):
    """One request behind the header, over a connection of its own, sent in so many pieces."""
    plain = socket.create_connection(("127.0.0.1", port_of(weir, secure)), timeout=10 * SCALE)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.closing(plain):
        for at in range(pieces):
            plain.sendall(header[at * len(header) // pieces:(at + 1) * len(header) // pieces])
            if pieces > 1:
                time.sleep(0.002)
        client = Client.__new__(Client)
        Wire.__init__(client, tls_e2e.context().wrap_socket(plain, server_hostname="shop.example.test") if secure else plain)
        with contextlib.closing(client.socket):
            return client.get(target)


def seen(answer):
    """The fields that the target got."""
    return {name.lower(): value for name, value in answer.json()["fields"]}


def metric(weir, name, **labels):
    wanted = ",".join(f'{key}="{value}"' for key, value in labels.items())
    found = re.findall(rf"^weir_listener_{name}{{[^}}]*{wanted}}} (\d+)$", weir.metrics(), re.M)
    return sum(map(int, found))


# ---- from clients


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("header", [
    v1("203.0.113.9", "198.51.100.1"), v2("203.0.113.9", "198.51.100.1"),
    v2("203.0.113.9", "198.51.100.1", fields=b"\xea\x00\x05\x01vpce\x04\x00\x02--"),
], ids=["v1", "v2", "v2 with fields"])
def test_the_client_is_the_one_that_the_header_names(shop, targets, header, secure):
    weir = shop(targets("blue"))
    for pieces in (1, len(header)):
        fields = seen(ask(weir, header, secure=secure, pieces=pieces))
        assert fields["x-forwarded-for"] == "203.0.113.9"
        assert fields["x-forwarded-port"] == "443"
        assert fields["x-forwarded-proto"] == ("https" if secure else "http")
    line = wait_for(lambda: (weir.file.parent / "access.log").read_text(encoding="utf-8").splitlines(), 10, "the log")[0].split(" ")
    assert line[3] == "203.0.113.9:4711"
    assert line[-3] == "198.51.100.1"
    assert metric(weir, "proxy_headers_total", version="1" if header[:1] == b"P" else "2") == 2


def test_conditions_see_it_too(shop, targets):
    weir = shop(targets("blue"))
    for header in (v1("203.0.113.9", "198.51.100.1"), v2("2001:db8::9", "2001:db8::1"), v1("::ffff:203.0.113.9", "::ffff:198.51.100.1")):
        assert ask(weir, header, "/from").body == b"from afar"
    assert ask(weir, v1("192.0.2.1", "198.51.100.1"), "/from").json()["target"] == "blue"


def test_its_port_is_told_where_that_is_wanted(shop, targets):
    weir = shop(targets("blue"), client_port=True)
    assert seen(ask(weir, v2("2001:db8::9", "2001:db8::1")))["x-forwarded-for"] == "[2001:db8::9]:4711"
    assert seen(ask(weir, v1("203.0.113.9", "198.51.100.1")))["x-forwarded-for"] == "203.0.113.9:4711"


@pytest.mark.parametrize("header", [v2(), SIGNATURE + b"\x21\x00\x00\x00", b"PROXY UNKNOWN\r\n"], ids=["LOCAL", "UNSPEC", "UNKNOWN"])
def test_a_header_that_names_nobody_changes_nothing(shop, targets, header):
    weir = shop(targets("blue"))
    fields = seen(ask(weir, header))
    assert fields["x-forwarded-for"] == "127.0.0.1"
    assert fields["x-forwarded-port"] == str(port_of(weir))


def test_curl_speaks_it(shop, targets):
    weir = shop(targets("blue"))
    for url in (f"http://127.0.0.1:{port_of(weir)}/", f"https://127.0.0.1:{port_of(weir, secure=True)}/"):
        done = subprocess.run(["curl", "-sk", "--haproxy-protocol", url, url], capture_output=True, text=True, timeout=20 * SCALE, check=True)
        assert done.stdout.count('"target": "blue"') == 2, "a connection has one header, for all its requests"
    assert metric(weir, "proxy_headers_total", version="1") == 2


def closed_without_an_answer(port, data, seconds=5):
    with Client(port, seconds=20) as client:
        with contextlib.suppress(ConnectionError):
            client.send(data)
        return client.is_closed(seconds)


def test_a_sender_that_may_not_is_refused(shop, targets):
    blue = targets("blue")
    weir = shop(blue, senders="192.0.2.0/24")
    for _ in range(5):
        assert closed_without_an_answer(port_of(weir), v1("203.0.113.9", "198.51.100.1") + b"GET /evil HTTP/1.1\r\nHost: a\r\n\r\n")
    assert metric(weir, "proxy_headers_refused_total", reason="Sender") == 5
    assert metric(weir, "proxy_headers_total", version="1") == 0
    assert blue.requests == []
    refused = [line for line in weir.stderr if "PROXY header refused" in line]
    assert 1 <= len(refused) <= 8, "a flood is not written down line by line: one for each worker"
    assert re.search(r'sender=127\.0\.0\.1:\d+ reason="not one of weir.proxy_protocol.senders"', refused[0])


@pytest.mark.parametrize("data, reason", [
    (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "Malformed"),
    (b"\x16\x03\x01\x02\x00\x01", "Malformed"),
    (b"PROXY TCP4 203.0.113.9 198.51.100.1 1 65536\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "Malformed"),
    (b"PROXY TCP4 " + b"1" * 200, "TooLong"),
    (SIGNATURE + b"\x21\x11\xff\xff" + bytes(2000), "TooLong"),
    (v2("203.0.113.9", "198.51.100.1", fields=b"\x03\x00\x04abcd"), "Checksum"),
], ids=["HTTP", "TLS", "v1", "v1 without an end", "v2 too long", "checksum"])
def test_anything_else_is_refused(shop, targets, data, reason):
    weir = shop(targets("blue"))
    assert closed_without_an_answer(port_of(weir), data)
    assert metric(weir, "proxy_headers_refused_total", reason=reason) == 1
    assert "PROXY header refused" in weir.log()


def test_who_goes_before_the_header_is_whole(shop, targets):
    weir = shop(targets("blue"))
    with Client(port_of(weir)):
        pass
    wait_for(lambda: metric(weir, "proxy_headers_refused_total", reason="Closed") == 1, 10, "a check of the port")
    assert "PROXY header refused" not in weir.log()
    with Client(port_of(weir)) as client:
        client.send(b"PROXY TCP4 203")
        client.socket.shutdown(socket.SHUT_WR)
        assert client.is_closed()
    assert metric(weir, "proxy_headers_refused_total", reason="Malformed") == 1


def test_a_header_that_does_not_come(shop, targets):
    weir = shop(targets("blue"))
    with Client(port_of(weir), seconds=30) as silent, Client(port_of(weir), seconds=30) as slow:
        slow.send(b"PROXY TCP4 ")
        begun = time.monotonic()
        assert silent.is_closed(15) and slow.is_closed(15)
        assert time.monotonic() - begun > 9
    assert metric(weir, "proxy_headers_refused_total", reason="Timeout") == 2


def test_a_reload_is_about_the_next_connections(shop, targets):
    weir = shop(targets("blue"), enabled=False)
    with Client(port_of(weir)) as client:
        assert client.get().status == 200
        weir.write(weir.file.read_text(encoding="utf-8").replace("enabled: false, weir.proxy_protocol.s", "enabled: true, weir.proxy_protocol.s"))
        weir.signal(signal.SIGHUP)
        wait_for(lambda: weir.status()["revision"] == 2, 10, "the new revision")
        answer = client.get()
        assert seen(answer)["x-forwarded-port"] == str(port_of(weir))
    assert seen(ask(weir, v1("203.0.113.9", "198.51.100.1")))["x-forwarded-for"] == "203.0.113.9"


# ---- to targets


def read_header(connection):
    """(client, address that it connected to) as text, None for nobody, of a header of either version."""
    def exactly(count):
        data = b""
        while len(data) < count:
            piece = connection.recv(count - len(data))
            assert piece, data
            data += piece
        return data
    start = exactly(6)
    if start == b"PROXY ":
        line = b""
        while not line.endswith(b"\r\n"):
            line += exactly(1)
        words = line.decode().split()
        return None if words[0] == "UNKNOWN" else (f"{words[1]} {words[3]}", f"{words[2]} {words[4]}")
    assert start + exactly(6) == SIGNATURE
    command, family, size = struct.unpack(">BBH", exactly(4))
    rest = exactly(size)
    if command == 0x20:
        return None
    width = 4 if family == 0x11 else 16
    source, destination = (ipaddress.ip_address(rest[i * width:(i + 1) * width]) for i in (0, 1))
    ports = struct.unpack(">HH", rest[2 * width:2 * width + 4])
    return f"{source} {ports[0]}", f"{destination} {ports[1]}"


class ProxyTarget(FakeTarget):
    """A target that wants a header. `headers` has what each connection began with."""

    def __init__(self, name):
        self.headers = []
        super().__init__(name)

    def _serve(self, connection, peer, number):
        self.headers.append(read_header(connection))
        super()._serve(connection, peer, number)


@pytest.fixture
def proxy_target(pair):
    with contextlib.ExitStack() as stack:
        def start(protocol):
            if protocol == "HTTP":
                return stack.enter_context(ProxyTarget("blue"))
            headers = []

            def hello(connection):
                headers.append(read_header(connection))
                return target._shake(connection)
            target = stack.enter_context(tls_e2e.TlsTarget("blue", pair, hello=hello))
            target.headers = headers
            return target
        yield start


@pytest.mark.parametrize("protocol", ["HTTP", "HTTPS"])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_targets_are_told_by_a_header(shop, proxy_target, version, protocol):
    blue = proxy_target(protocol)
    weir = shop(blue, enabled=False, version=version, protocol=protocol)
    weir.wait_state("blue", blue, "healthy")
    assert set(blue.headers) == {None}, "checks of health name nobody"
    clients = []
    with Client(port_of(weir)) as client:
        for _ in range(2):
            assert client.get().json()["target"] == "blue"
        clients.append("127.0.0.1 %d" % client.socket.getsockname()[1])
    with Client(port_of(weir)) as client:
        assert client.request("POST", "/", body=b"x" * 100_000).response().status == 200
        clients.append("127.0.0.1 %d" % client.socket.getsockname()[1])
    told = [header for header in blue.headers if header is not None]
    assert told == [(name, f"127.0.0.1 {port_of(weir)}") for name in (clients[0], clients[0], clients[1])]
    assert len({request.connection for request in blue.requests}) == 3, "a connection for each request"


def test_a_header_is_passed_on(shop, proxy_target):
    blue = proxy_target("HTTP")
    weir = shop(blue, version="v2")
    for header, told in ((v1("203.0.113.9", "198.51.100.1"), ("203.0.113.9 4711", "198.51.100.1 443")),
                         (v2("2001:db8::9", "2001:db8::1"), ("2001:db8::9 4711", "2001:db8::1 443"))):
        assert ask(weir, header).status == 200
        assert blue.headers[-1] == told or told in blue.headers


def test_a_target_that_wants_none_shows_what_it_got(shop, targets):
    blue = targets("blue")
    weir = shop(blue, enabled=False, version="v2")
    assert get(port_of(weir)).status == 502
    weir.wait_state("blue", blue, "unhealthy")
