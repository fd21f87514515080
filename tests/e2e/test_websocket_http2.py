"""WebSocket over HTTP/2 (RFC 8441): a stream of a client's connection becomes the tunnel to a target of HTTP/1.1."""

import contextlib
import http
import logging
import socket
import struct
import threading
import time

import pytest
import tls_e2e
from http2_e2e import (ACK, CANCEL, DATA, END_HEADERS, END_STREAM, HEADERS, PROTOCOL_ERROR, RST_STREAM, SETTINGS, WINDOW_UPDATE, block, frame,
                       request)
from node_e2e import browse, key_pin
from test_http2_targets import DecodingClient
from test_websocket import Endpoint, RawTarget, access_log, metric
from weir_e2e import SCALE, wait_for

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    access-log: {{path: access.log, format: alb}}
    attributes: {{idle_timeout.timeout_seconds: {idle}}}
    listeners:
      - port: 0
        protocol: HTTP
        attributes: {{weir.http2.cleartext.enabled: true, weir.http2.extended_connect.enabled: {enabled}}}
        rules:
          - {{priority: 1, conditions: [{{path-pattern: [/h2]}}], actions: [{{forward: {{target-group: green}}}}]}}
          - {{priority: 2, conditions: [{{path-pattern: [/fixed]}}], actions: [{{fixed-response: {{status-code: 200, message-body: no tunnel}}}}]}}
        default-actions: [{{forward: {{target-group: blue}}}}]
      - port: 0
        protocol: HTTPS
        certificates: {certificates}
        attributes: {{weir.http2.extended_connect.enabled: {enabled}}}
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - {{name: blue, targets: [{blue}], attributes: {{deregistration_delay.timeout_seconds: 300}}, health-check: {{path: /health, interval: 1h}}}}
  - {{name: green, protocol-version: HTTP2, targets: [{green}], health-check: {{path: /health, interval: 1h}}}}
admin: {{address: 127.0.0.1, port: 0}}
"""
ENABLE_CONNECT_PROTOCOL = 8
# Fields of the handshake that are the same over HTTP/2.
HANDSHAKE = [("sec-websocket-version", "13"), ("sec-websocket-protocol", "chat")]


@pytest.fixture
def pair(tmp_path):
    return tls_e2e.certificate(tmp_path, "shop")


@pytest.fixture
def shop(run, pair, targets):
    def start(blue, green=None, enabled="true", idle=60):
        # A target of its own: a probe by HTTP/2 is no connection that a test of `blue` waits for.
        return run(CONFIG.format(blue=blue.yaml, green=(green or targets("green")).yaml, enabled=enabled, idle=idle, certificates=tls_e2e.yaml(pair)))
    return start


@pytest.fixture
def raw():
    target = RawTarget()
    yield target
    target.over.set()


class PatientClient(DecodingClient):
    def next_or_none(self):
        """The next frame, or None when none comes for the socket's time-out."""
        try:
            return self.next()
        except TimeoutError:
            return None


def connect(stream=1, path="/chat", fields=(), protocol="websocket"):
    pseudo = [(":method", "CONNECT"), (":protocol", protocol), (":scheme", "http"), (":path", path), (":authority", "shop.example.test")]
    return frame(HEADERS, END_HEADERS, stream, block([*pseudo, *HANDSHAKE, *fields]))


def opened(client, stream=1, **options):
    """Opens a tunnel on the stream: the fields of the answer."""
    client.send(connect(stream, **options))
    answer = client.until(lambda got: got.stream == stream and got.kind == HEADERS)
    assert answer.fields[":status"] == "200" and not answer.ends
    return answer.fields


def data(client, stream, count):
    """Content of the stream, so many bytes of it."""
    got = b""
    while len(got) < count:
        each = client.next()
        assert each is not None, client.frames
        got += each.payload if each.kind == DATA and each.stream == stream else b""
    return got


def test_bytes_and_ends_pass_both_ways(shop, targets, raw):
    blue = targets("blue", script=raw)
    program = shop(blue)
    with DecodingClient(program.port()) as client:
        settings = client.until(lambda got: got.kind == SETTINGS and not got.flags & ACK)
        assert struct.pack(">HI", ENABLE_CONNECT_PROTOCOL, 1) in settings.payload
        early = b"said before anybody has answered"
        client.send(connect(fields=[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")]) + frame(DATA, 0, 1, early))
        fields = client.until(lambda got: got.stream == 1 and got.kind == HEADERS).fields
        assert fields[":status"] == "200" and fields["x-own"] == "kept"
        assert not set(fields) & {"connection", "upgrade", "sec-websocket-accept"}
        target = raw.wire()
        assert target.exactly(len(early)) == early
        target.socket.sendall(b"hello")
        assert data(client, 1, 5) == b"hello"
        assert metric(program, "websockets_active") == 1
        # The client ends its direction, the target still speaks.
        client.send(frame(DATA, END_STREAM, 1, b"last"))
        assert target.exactly(4) == b"last" and target.rest() == b""
        target.socket.sendall(b"x" * 30_000)
        target.socket.shutdown(socket.SHUT_WR)
        assert data(client, 1, 30_000) == b"x" * 30_000
        client.until(lambda got: got.stream == 1 and got.ends)
    handshake = blue.requests[0]
    assert (handshake.method, handshake.target, handshake.version) == ("GET", "/chat", "HTTP/1.1")
    assert handshake.values("Connection") == ["Upgrade"] and handshake.values("Upgrade") == ["websocket"]
    keys = handshake.values("Sec-WebSocket-Key")
    assert len(keys) == 1 and len(keys[0]) == 24 and keys != ["dGhlIHNhbXBsZSBub25jZQ=="], "weir's own, and no other"
    assert handshake.field("Sec-WebSocket-Version") == "13"
    assert handshake.field("Sec-WebSocket-Protocol") == "chat" and handshake.field("X-Forwarded-For") == "127.0.0.1"
    line = next(line for line in access_log(program) if line.startswith("ws ")).split(" ")
    assert line[8:10] == ["200", "101"] and int(line[10]) > 36 and int(line[11]) > 30_000
    wait_for(lambda: metric(program, "websockets_active") == 0, 10, "no tunnel left")


def test_a_target_that_ends_first_still_hears_the_client(shop, targets, raw):
    program = shop(targets("blue", script=raw))
    with DecodingClient(program.port()) as client:
        opened(client)
        target = raw.wire()
        target.socket.sendall(b"last words")
        target.socket.shutdown(socket.SHUT_WR)
        client.until(lambda got: got.stream == 1 and got.ends)
        time.sleep(1.5)  # longer than a client may go on whose answer is complete
        client.send(frame(DATA, 0, 1, b"still heard"))
        assert target.exactly(11) == b"still heard"
        assert metric(program, "websockets_active") == 1
        client.send(frame(DATA, END_STREAM, 1, b"the end"))
        assert target.exactly(7) == b"the end" and target.rest() == b""
    wait_for(lambda: metric(program, "websockets_active") == 0, 10, "no tunnel left")
    assert not any(got.kind == RST_STREAM for got in client.frames)


def test_both_ends_may_be_said_before_a_slow_target_has_taken_all(shop, targets, raw):
    program = shop(targets("blue", script=raw))
    with PatientClient(program.port()) as client:
        opened(client)
        target, size, given = raw.wire(), 32 << 20, 65_535
        target.socket.shutdown(socket.SHUT_WR)
        client.until(lambda got: got.stream == 1 and got.ends)
        client.socket.settimeout(1)
        sent = 0
        while sent < size:
            # As far as weir's window reaches, which is as far as the target's socket takes it.
            while sent == given:
                got = client.next_or_none()
                if got is None:
                    break
                given += struct.unpack(">I", got.payload)[0] if got.kind == WINDOW_UPDATE and got.stream == 1 else 0
            if sent == given:
                break
            piece = min(16_384, given - sent, size - sent)
            client.send(frame(DATA, 0, 1, b"z" * piece))
            sent += piece
        assert sent < size, "the target takes nothing"
        client.send(frame(DATA, END_STREAM, 1, b""))
        assert target.exactly(sent) == b"z" * sent and target.rest() == b""
    wait_for(lambda: metric(program, "websockets_active") == 0, 10, "no tunnel left")
    assert '"forward" "-" "-"' in access_log(program)[0], "no error"


def test_large_content_is_held_to_the_windows(shop, targets, raw):
    program = shop(targets("blue", script=raw))
    with DecodingClient(program.port()) as client:
        opened(client)
        target = raw.wire()
        before = program.vm_hwm_kib()
        target.socket.settimeout(1)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 64 << 20:  # far beyond what sockets hold
                sent += target.socket.send(b"y" * 65536)
        target.socket.settimeout(20 * SCALE)
        assert program.vm_hwm_kib() - before < 8 * 1024
        client.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 30)) + frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1 << 30)))
        assert data(client, 1, sent) == b"y" * sent


def test_a_reset_of_either_side_is_one_for_the_other(shop, targets, raw):
    program = shop(targets("blue", script=raw))
    with DecodingClient(program.port()) as client:
        opened(client)
        client.send(frame(RST_STREAM, 0, 1, struct.pack(">I", CANCEL)))
        with contextlib.suppress(ConnectionResetError):  # or an end: nothing was on its way
            assert raw.wire().rest() == b""
        opened(client, 3)
        wire = raw.wire(1)
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wire.socket.close()
        assert client.until(lambda got: got.stream == 3 and got.kind == RST_STREAM).code == CANCEL
        opened(client, 5)  # the connection goes on
    wait_for(lambda: metric(program, "websockets_active") == 0, 10, "no tunnel left")


def test_the_idle_timeout_ends_it(shop, targets, raw):
    program = shop(targets("blue", script=raw), idle=1)
    with DecodingClient(program.port()) as client:
        opened(client)
        client.until(lambda got: got.stream == 1 and got.ends)
        assert raw.wire().rest() == b""
    assert '"TunnelIdleTimeout"' in access_log(program)[0]


def test_what_is_no_tunnel(shop, targets):
    def script(request, wire):
        status = {"/forbidden": "403 Forbidden", "/chat": "200 OK"}.get(request.target)
        if status is None:
            return None
        wire.socket.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nno".encode())
        return False
    blue = targets("blue", script=script)
    program = shop(blue)
    with DecodingClient(program.port()) as client:
        client.send(connect(1, "/forbidden") + connect(3) + connect(5, protocol="connect-udp") + connect(9, "/fixed") + connect(11, "/h2"))
        # 2xx would say that there is one, also from a rule. A target of HTTP/2 is asked for a plain GET, and its 200 is none either.
        for stream, status in ((1, 403), (3, 502), (5, 400), (9, 405), (11, 502)):
            assert client.answer(stream)[0] == status
        client.send(request(13, "/"))
        assert client.answer(13)[0] == 200


def test_what_comes_early_does_not_keep_a_target_that_says_nothing(shop, targets):
    over = threading.Event()
    program = shop(targets("blue", script=lambda request, wire: None if request.target == "/health" else over.wait(60) and False), idle=1)
    with PatientClient(program.port()) as client:
        client.send(connect())
        client.socket.settimeout(0.3)
        began = time.monotonic()
        answer = None
        while answer is None and time.monotonic() - began < 10 * SCALE:
            client.send(frame(DATA, 0, 1, b"x"))
            got = client.next_or_none()
            answer = got if got is not None and got.stream == 1 and got.kind == HEADERS else None
        over.set()
        assert answer is not None and answer.fields[":status"] == "504"


def test_without_the_attribute_there_is_none(shop, targets):
    program = shop(targets("blue"), enabled="false")
    with DecodingClient(program.port()) as client:
        settings = client.until(lambda got: got.kind == SETTINGS and not got.flags & ACK)
        assert struct.pack(">HI", ENABLE_CONNECT_PROTOCOL, 1) not in settings.payload
        client.send(connect())
        assert client.until(lambda got: got.stream == 1).code == PROTOCOL_ERROR


PAGE = b"""<!DOCTYPE html><title>waits</title><script>
const socket = new WebSocket(location.href.replace("https", "wss").replace("/page", "/chat"));
const seen = [];
socket.onopen = () => ["hello", "w".repeat(100000), "close 4321"].forEach((text) => socket.send(text));
socket.onmessage = (event) => seen.push(event.data.length);
socket.onclose = (event) => (document.title = `${seen} ${event.code} ${event.reason}`);
</script>"""


class PageEndpoint(Endpoint):
    """Serves a page, too."""

    @staticmethod
    async def _answer(path, _fields):
        if path == "/page":
            return http.HTTPStatus.OK, [("Content-Type", "text/html")], PAGE
        return (http.HTTPStatus.OK, [], b"") if path in ("/health", "/favicon.ico") else None


def test_chromium_opens_it_on_the_connection_of_the_page(shop, pair):
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    endpoint = PageEndpoint()
    try:
        program = shop(endpoint)
        port = program.port(index=1)
        seen = browse(f"https://shop.example.test:{port}/page", pins=[key_pin(pair[0])], until="document.title != 'waits'")
    finally:
        endpoint.stop()
    assert seen["errors"] == [] and seen["title"] == "5,100000 4321 as asked" and endpoint.opened == 1
    line = next(line for line in access_log(program) if line.startswith("wss "))
    assert "/chat HTTP/2.0" in line and line.split(" ")[8:10] == ["200", "101"]
