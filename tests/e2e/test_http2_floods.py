"""Floods of HTTP/2 (spec: l7.md 5.3 E): each is bounded in memory and CPU, and others are served beside it."""

import contextlib
import struct
import threading

import pytest
from http2_e2e import (CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, PING, PRIORITY, PROTOCOL_ERROR, RST_STREAM,
                       SETTINGS, WINDOW_UPDATE, Http2Client, block, frame, request)
from weir_e2e import SANITIZED, SCALE, answering

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTP
        attributes: {{weir.http2.cleartext.enabled: true}}
        rules: [{{priority: 1, conditions: [{{path-pattern: [/ping]}}], actions: [{{fixed-response: {{status-code: 200, message-body: pong}}}}]}}]
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - {{name: blue, targets: [{blue}], health-check: {{interval: 30s, timeout: 1s}}}}
admin: {{address: 127.0.0.1, port: 0}}
"""
BIG = 4 << 20
KIB = 1024


@pytest.fixture
def shop(targets, run):
    def start(script=None):
        blue = targets("blue", script=script)
        program = run(CONFIG.format(blue=blue.yaml), arguments=("--workers", "1"))
        program.wait_state("blue", blue, "healthy")
        return program, blue
    return start


class Watched:
    """What the program costs while a block runs: at most so much memory, in KiB, and CPU, in seconds."""

    def __init__(self, program, memory_kib=8 * KIB, seconds=1.0):
        self.program, self.memory_kib, self.seconds = program, memory_kib, seconds

    def __enter__(self):
        self.before = self.program.vm_hwm_kib(), self.program.cpu_seconds()
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            return
        memory, seconds = self.program.vm_hwm_kib() - self.before[0], self.program.cpu_seconds() - self.before[1]
        if not SANITIZED:  # a sanitizer keeps what was freed
            assert memory < self.memory_kib, f"{memory} KiB"
        assert seconds < self.seconds * SCALE, f"{seconds} s of CPU"


def is_served(program):
    with Http2Client(program.port()) as client:
        client.send(request(1, "/ping"))
        assert client.answer(1) == (200, b"pong")


def connect(program, **options):
    """A client that has the server's SETTINGS: from now on it writes nothing by itself, and a thread may."""
    client = Http2Client(program.port(), **options)
    client.until(lambda got: got.kind == SETTINGS and not got.flags)
    client.socket.settimeout(20 * SCALE)
    return client


def number(value):
    return struct.pack(">I", value)


def raw(stream, encoded, flags=END_STREAM):
    return frame(HEADERS, END_HEADERS | flags, stream, encoded)


GET = block([(":method", "GET"), (":scheme", "http"), (":authority", "a.test"), (":path", "/ping")])
OPEN = request(1, "/", method="PUT", end=False)
# A field of 3,900 bytes that goes into the dynamic table; 0xbe says it again.
ENTRY = b"\x40\x01x\x7f\xbd\x1d" + b"a" * 3900
CRUMB = b"\x40\x06cookie\x03a=1"

# (name in the metric, what comes before, the i-th time of what is sent again and again)
FLOODS = [
    ("rapid_reset", b"", lambda i: request(2 * i + 1, "/", end=False) + frame(RST_STREAM, 0, 2 * i + 1, number(CANCEL))),
    ("provoked_reset", b"", lambda i: request(2 * i + 1, "/", method="PUT", end=False) + frame(WINDOW_UPDATE, 0, 2 * i + 1, number(0x7fffffff))),
    ("provoked_reset", b"", lambda i: request(2 * i + 1, "/", method="PUT", fields=[("content-length", "1")], end=False) + frame(DATA, 0, 2 * i + 1, b"xx")),
    ("provoked_reset", b"", lambda i: raw(2 * i + 1, GET + block([("connection", "x")]))),
    ("ping", b"", lambda i: frame(PING, 0, 0, b"12345678")),
    ("settings", b"", lambda i: frame(SETTINGS, 0, 0)),
    ("settings", b"", lambda i: frame(SETTINGS, 0, 0, struct.pack(">HI", 1, 4096 * (i % 2)))),
    ("settings", OPEN, lambda i: frame(SETTINGS, 0, 0, struct.pack(">HI", 4, i % 2))),
    ("empty_data", OPEN, lambda i: frame(DATA, 0, 1)),
    ("empty_data", OPEN, lambda i: frame(DATA, 0x8, 1, b"\xff" + bytes(255))),
    ("window_update", OPEN, lambda i: frame(WINDOW_UPDATE, 0, 1, number(1))),
    ("window_update", b"", lambda i: frame(WINDOW_UPDATE, 0, 0, number(1))),
    ("priority", b"", lambda i: frame(PRIORITY, 0, 2 * i + 1, number(2 * i + 3) + b"\x10")),
    ("priority", b"", lambda i: frame(0x10, 0, 0, number(1) + b"u=1")),
    ("other_frame", b"", lambda i: frame(0x77, 0, 0, b"x" * 8)),
    ("other_frame", OPEN, lambda i: frame(GOAWAY, 0, 0, number(0) + number(0))),
    ("continuation", frame(HEADERS, END_STREAM, 1, GET), lambda i: frame(CONTINUATION, 0, 1)),
    ("continuation", frame(HEADERS, END_STREAM, 1, GET), lambda i: frame(CONTINUATION, 0, 1, block([("x", "y" * 100)]))),
    ("header_bytes", b"", lambda i: raw(2 * i + 1, GET + ENTRY + b"\xbe" * 8000)),
]


@pytest.mark.parametrize("flood,before,each", FLOODS, ids=[f"{row[0]}-{index}" for index, row in enumerate(FLOODS)])
def test_floods_cost_little_and_end_the_connection(shop, flood, before, each):
    program, _ = shop()
    with Watched(program), connect(program) as client:
        client.send(before)

        def pour():
            with contextlib.suppress(OSError):
                for start in range(0, 40000, 20):
                    client.socket.sendall(b"".join(each(index) for index in range(start, start + 20)))
        thread = threading.Thread(target=pour, daemon=True)
        thread.start()
        is_served(program)
        frames = client.rest()
        thread.join()
        codes = [got.code for got in frames if got.kind == GOAWAY]
    if flood == "provoked_reset" and codes == [PROTOCOL_ERROR]:
        # They came faster than they were reset: more than 128 streams at a time.
        assert 'weir_listener_http2_connection_errors_total{load_balancer="shop"' in program.metrics()
    else:
        assert codes == [ENHANCE_YOUR_CALM], frames[-5:]
        assert f'flood="{flood}"}} 1' in program.metrics()
    is_served(program)


# What is no flood by its count, and must cost little all the same: (what, the i-th time, times, the status of each or None: a reset).
HEAVY = [
    # A head of 64 KiB made of one byte each: refused for its size, again and again.
    ("an index again and again", lambda i: raw(2 * i + 1, GET + ENTRY + b"\xbe" * 40), 500, {400}),
    ("10,000 cookie crumbs", lambda i: raw(2 * i + 1, GET + (CRUMB if i == 0 else b"") + b"\xbe" * 10000), 50, None),
    ("table sizes that go up and down", lambda i: raw(2 * i + 1, b"\x20\x3f\xe1\x1f" * 2000 + GET), 200, {200}),
    ("table entries that drive each other out", lambda i: raw(2 * i + 1, GET + ENTRY * 4), 500, {200}),
    ("a field of 60,000 bytes", lambda i: frame(HEADERS, END_STREAM, 2 * i + 1, (long := GET + block([("x", "y" * 60000)]))[:16384])
     + frame(CONTINUATION, 0, 2 * i + 1, long[16384:32768]) + frame(CONTINUATION, 0, 2 * i + 1, long[32768:49152])
     + frame(CONTINUATION, END_HEADERS, 2 * i + 1, long[49152:]), 30, {400}),
]


@pytest.mark.parametrize("what,each,times,statuses", HEAVY, ids=[row[0] for row in HEAVY])
def test_heavy_heads_cost_little(shop, what, each, times, statuses):
    program, blue = shop()
    with Watched(program, seconds=2.0), connect(program) as client:

        def pour():
            with contextlib.suppress(OSError):
                for index in range(times):
                    client.socket.sendall(each(index))
        thread = threading.Thread(target=pour, daemon=True)
        thread.start()
        is_served(program)
        last = 2 * times - 1
        while (got := client.next()) is not None and not (got.stream == last and got.ends):
            pass
        thread.join()
        if statuses is None:
            assert client.goaway().code == ENHANCE_YOUR_CALM
        else:
            assert {got.status for got in client.frames if got.kind == HEADERS} == statuses, client.frames[-5:]
    assert not blue.requests
    is_served(program)


def test_answers_that_nobody_takes_cost_their_windows_alone(shop):
    body = f"HTTP/1.1 200 OK\r\nContent-Length: {BIG}\r\n\r\n".encode() + b"x" * BIG
    program, _ = shop(script=answering(body))
    # 128 answers of 4 MiB: what was read of the targets and not sent is 64 KiB or so of each.
    with Watched(program, memory_kib=40 * KIB, seconds=3.0), Http2Client(program.port()) as client:
        client.send(frame(WINDOW_UPDATE, 0, 0, number(0x7fffffff - 65535)))
        client.send(b"".join(request(2 * index + 1, "/big") for index in range(127)))
        for index in range(127):
            client.until(lambda got, stream=2 * index + 1: got.kind == HEADERS and got.stream == stream)
        # A stream beside them, and another client.
        client.send(request(255, "/ping"))
        assert client.answer(255) == (200, b"pong")
        is_served(program)


def test_a_window_of_one_byte_at_a_time_is_a_flood(shop):
    """Dribble: each byte of an answer costs the client a frame, and may not cost the server one for ever."""
    body = f"HTTP/1.1 200 OK\r\nContent-Length: {BIG}\r\n\r\n".encode() + b"x" * BIG
    program, _ = shop(script=answering(body))
    with Watched(program), connect(program, settings=struct.pack(">HI", 4, 1)) as client:
        client.send(request(1, "/big"))
        client.until(lambda got: got.kind == DATA)
        with contextlib.suppress(OSError):
            for _ in range(20000):
                client.send(frame(WINDOW_UPDATE, 0, 1, number(1)))
        assert [got.code for got in client.rest() if got.kind == GOAWAY] == [ENHANCE_YOUR_CALM]
    assert 'flood="window_update"} 1' in program.metrics()


def test_control_frames_for_who_does_not_read_are_not_kept(shop):
    program, _ = shop()
    with Watched(program), Http2Client(program.port()) as client:
        client.socket.settimeout(1 * SCALE)
        with contextlib.suppress(OSError):  # the buffers are full, or it was ended
            for _ in range(2000):
                client.send(frame(PING, 0, 0, b"12345678") * 100)
        is_served(program)


def test_no_stream_number_is_beyond_the_last(shop):
    program, _ = shop()
    with Http2Client(program.port()) as client:
        client.send(request(0x7fffffff, "/ping"))
        assert client.answer(0x7fffffff) == (200, b"pong")
        # There is no larger one: what comes now names one that was used, or passed over.
        client.send(request(3, "/ping"))
        assert client.goaway().code != 0
    is_served(program)


def test_the_limit_of_streams_holds_through_a_drain(shop):
    release = threading.Event()

    def script(request, wire):
        release.wait(30 * SCALE)
        return None
    program, _ = shop(script=script)
    with Http2Client(program.port()) as client:
        client.send(b"".join(request(2 * index + 1, "/") for index in range(127)))
        client.send(request(255, "/ping"))
        assert client.answer(255) == (200, b"pong")
        program.signal(15)
        client.goaway()
        client.send(b"".join(request(257 + 2 * index, "/slow") for index in range(2)))
        refusal = client.until(lambda got: (got.kind == RST_STREAM and got.stream > 255) or (got.kind == GOAWAY and got.code != 0))
        assert refusal.code in (1, 7)
        release.set()
    assert program.wait_exit(40) == 0
