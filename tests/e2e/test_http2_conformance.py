"""What RFC 9113 sections 3 to 8 and RFC 7541 have a server refuse, frame by frame through the program: one row for each
"MUST treat as a connection error" or "stream error". tests/http/http2_conformance_test.cc has the same of sessions in both roles."""

import ssl
import struct

import pytest
from http2_e2e import (CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, NO_ERROR, PING, PREFACE, PRIORITY, PROTOCOL_ERROR,
                       PUSH_PROMISE, REFUSED_STREAM, RST_STREAM, SETTINGS, WINDOW_UPDATE, Http2Client, block, frame, request)
from tls_e2e import TlsClient, certificate, context, yaml
from weir_e2e import SCALE, Weir

FLOW_CONTROL_ERROR, STREAM_CLOSED, FRAME_SIZE_ERROR, COMPRESSION_ERROR = 3, 5, 6, 9
PADDED, PRIORITIZED, ACK = 0x8, 0x20, 0x1
CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTP
        attributes: {{weir.http2.cleartext.enabled: true}}
        default-actions: [{{fixed-response: {{status-code: 200, message-body: pong}}}}]
      - port: 0
        protocol: HTTPS
        certificates: {certificates}
        default-actions: [{{fixed-response: {{status-code: 200, message-body: pong}}}}]
admin: {{address: 127.0.0.1, port: 0}}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conformance")
    with Weir(CONFIG.format(certificates=yaml(certificate(folder, "shop"))), folder) as started:
        yield started


def number(value):
    return struct.pack(">I", value)


def setting(name, value):
    return frame(SETTINGS, 0, 0, struct.pack(">HI", name, value))


GET = [(":method", "GET"), (":scheme", "http"), (":authority", "a.test"), (":path", "/")]


def head(stream, fields, flags=END_STREAM):
    return frame(HEADERS, END_HEADERS | flags, stream, block(fields))


def get(*more, flags=END_STREAM):
    return head(1, [*GET, *more], flags)


def without(name):
    return head(1, [pair for pair in GET if pair[0] != name])


def with_(name, value):
    return head(1, [(key, value if key == name else other) for key, other in GET])


def raw(encoded):
    return frame(HEADERS, END_HEADERS | END_STREAM, 1, encoded)


OPEN = get(flags=0)
CLOSED = request(1)  # its answer is read before the rest is sent
BEGUN = frame(HEADERS, END_STREAM, 1, block(GET))
BLOCK = block(GET)

# (what, bytes, codes): of the connection. Those of CLOSED have the bytes behind it on their own.
CONNECTION = [
    # 4
    ("4.2 a frame above the limit", OPEN + frame(DATA, 0, 1, b"x" * 16385), {FRAME_SIZE_ERROR}),
    ("4.2 HEADERS above the limit", frame(HEADERS, END_HEADERS, 1, b"x" * 16385), {FRAME_SIZE_ERROR}),
    ("4.2 SETTINGS above the limit", frame(SETTINGS, 0, 0, b"x" * 16386), {FRAME_SIZE_ERROR}),
    ("4.3 a block that does not decode", raw(b"\x40"), {COMPRESSION_ERROR}),
    ("4.3 a block that does not decode, of a stream that is over", CLOSED + b"|" + frame(HEADERS, END_HEADERS, 1, b"\x80"), {COMPRESSION_ERROR, STREAM_CLOSED}),
    ("4.3 PING within a block", BEGUN + frame(PING, 0, 0, b"12345678"), {PROTOCOL_ERROR}),
    ("4.3 DATA within a block", BEGUN + frame(DATA, 0, 1, b"x"), {PROTOCOL_ERROR}),
    ("4.3 SETTINGS within a block", BEGUN + frame(SETTINGS, 0, 0), {PROTOCOL_ERROR}),
    ("4.3 another stream's HEADERS within a block", BEGUN + request(3), {PROTOCOL_ERROR}),
    ("4.3 another stream's CONTINUATION within a block", BEGUN + frame(CONTINUATION, END_HEADERS, 3), {PROTOCOL_ERROR}),
    ("5.5 an unknown frame within a block", BEGUN + frame(0x77, 0, 1, b"x"), {PROTOCOL_ERROR}),
    # 5.1
    ("5.1 DATA on an idle stream", frame(DATA, 0, 1, b"x"), {PROTOCOL_ERROR}),
    ("5.1 RST_STREAM on an idle stream", frame(RST_STREAM, 0, 1, number(8)), {PROTOCOL_ERROR}),
    ("5.1 WINDOW_UPDATE on an idle stream", frame(WINDOW_UPDATE, 0, 1, number(1)), {PROTOCOL_ERROR}),
    ("5.1 CONTINUATION on an idle stream", frame(CONTINUATION, END_HEADERS, 1), {PROTOCOL_ERROR}),
    ("5.1 CONTINUATION on a stream that is over", CLOSED + b"|" + frame(CONTINUATION, END_HEADERS, 1), {STREAM_CLOSED, PROTOCOL_ERROR}),
    ("5.1.1 an even stream", request(2), {PROTOCOL_ERROR}),
    ("5.1.1 a smaller stream than before", request(5) + request(3), {PROTOCOL_ERROR, STREAM_CLOSED}),
    # 6
    ("6.1 DATA on stream 0", frame(DATA, 0, 0, b"x"), {PROTOCOL_ERROR}),
    ("6.1 padding as long as the frame", OPEN + frame(DATA, PADDED, 1, b"\x05xxxx"), {PROTOCOL_ERROR}),
    ("6.1 padding without its length", OPEN + frame(DATA, PADDED, 1), {PROTOCOL_ERROR, FRAME_SIZE_ERROR}),
    ("6.2 HEADERS on stream 0", head(0, GET), {PROTOCOL_ERROR}),
    ("6.2 padding as long as the block", frame(HEADERS, END_HEADERS | PADDED, 1, b"\x7f" + BLOCK[:9]), {PROTOCOL_ERROR}),
    ("6.2 HEADERS too short for its priority", frame(HEADERS, END_HEADERS | PRIORITIZED, 1, b"\0\0\0\0"), {FRAME_SIZE_ERROR, PROTOCOL_ERROR}),
    ("6.3 PRIORITY on stream 0", frame(PRIORITY, 0, 0, bytes(5)), {PROTOCOL_ERROR}),
    ("6.3 PRIORITY of 4 bytes", OPEN + frame(PRIORITY, 0, 1, bytes(4)), {FRAME_SIZE_ERROR}),
    ("6.3 PRIORITY of 6 bytes", OPEN + frame(PRIORITY, 0, 1, bytes(6)), {FRAME_SIZE_ERROR}),
    ("6.4 RST_STREAM on stream 0", frame(RST_STREAM, 0, 0, number(8)), {PROTOCOL_ERROR}),
    ("6.4 RST_STREAM of 3 bytes", OPEN + frame(RST_STREAM, 0, 1, b"abc"), {FRAME_SIZE_ERROR}),
    ("6.4 RST_STREAM of 5 bytes", OPEN + frame(RST_STREAM, 0, 1, b"abcde"), {FRAME_SIZE_ERROR}),
    ("6.5 SETTINGS on a stream", frame(SETTINGS, 0, 1), {PROTOCOL_ERROR}),
    ("6.5 SETTINGS of 5 bytes", frame(SETTINGS, 0, 0, b"12345"), {FRAME_SIZE_ERROR}),
    ("6.5 an acknowledgement with content", frame(SETTINGS, ACK, 0, b"123456"), {FRAME_SIZE_ERROR}),
    ("6.5.2 ENABLE_PUSH of 2", setting(2, 2), {PROTOCOL_ERROR}),
    ("6.5.2 a window above 2^31-1", setting(4, 0x80000000), {FLOW_CONTROL_ERROR}),
    ("6.5.2 a frame size below 2^14", setting(5, 16383), {PROTOCOL_ERROR}),
    ("6.5.2 a frame size above 2^24-1", setting(5, 1 << 24), {PROTOCOL_ERROR}),
    ("6.6 PUSH_PROMISE of a client", OPEN + frame(PUSH_PROMISE, END_HEADERS, 1, number(2) + BLOCK), {PROTOCOL_ERROR}),
    ("6.7 PING on a stream", frame(PING, 0, 1, b"12345678"), {PROTOCOL_ERROR}),
    ("6.7 PING of 6 bytes", frame(PING, 0, 0, b"123456"), {FRAME_SIZE_ERROR}),
    ("6.7 PING of 9 bytes", frame(PING, 0, 0, b"123456789"), {FRAME_SIZE_ERROR}),
    ("6.8 GOAWAY on a stream", frame(GOAWAY, 0, 1, bytes(8)), {PROTOCOL_ERROR}),
    ("6.8 GOAWAY of 7 bytes", frame(GOAWAY, 0, 0, bytes(7)), {FRAME_SIZE_ERROR}),
    ("6.9 WINDOW_UPDATE of 0 for the connection", frame(WINDOW_UPDATE, 0, 0, number(0)), {PROTOCOL_ERROR}),
    ("6.9 WINDOW_UPDATE of 3 bytes", frame(WINDOW_UPDATE, 0, 0, b"abc"), {FRAME_SIZE_ERROR}),
    ("6.9 WINDOW_UPDATE of 3 bytes for a stream", OPEN + frame(WINDOW_UPDATE, 0, 1, b"abc"), {FRAME_SIZE_ERROR}),
    ("6.9 WINDOW_UPDATE of 5 bytes", frame(WINDOW_UPDATE, 0, 0, b"abcde"), {FRAME_SIZE_ERROR}),
    ("6.9.1 a connection's window above 2^31-1", frame(WINDOW_UPDATE, 0, 0, number(0x7fffffff)), {FLOW_CONTROL_ERROR}),
    ("6.9.2 a first window that overflows what a stream has",
     frame(HEADERS, END_HEADERS, 1, block(GET)) + frame(WINDOW_UPDATE, 0, 1, number(0x7fffffff - 65535)) + setting(4, 65536), {FLOW_CONTROL_ERROR}),
    ("6.10 CONTINUATION on stream 0", frame(CONTINUATION, END_HEADERS, 0), {PROTOCOL_ERROR}),
    ("6.10 CONTINUATION behind the end of a block", OPEN + frame(CONTINUATION, END_HEADERS, 1), {PROTOCOL_ERROR}),
    ("6.10 CONTINUATION behind DATA", OPEN + frame(DATA, 0, 1, b"x") + frame(CONTINUATION, END_HEADERS, 1), {PROTOCOL_ERROR}),
    # RFC 7541
    ("7541 2.3.3 index 0", raw(b"\x80"), {COMPRESSION_ERROR}),
    ("7541 2.3.3 an index behind the tables", raw(b"\xff\x80\x01"), {COMPRESSION_ERROR}),
    ("7541 2.3.3 a name's index behind the tables", raw(b"\x7f\x80\x01\x01x"), {COMPRESSION_ERROR}),
    ("7541 4.2 a table size behind a field", raw(BLOCK + b"\x20"), {COMPRESSION_ERROR}),
    ("7541 5.1 an integer without an end", raw(b"\xff\xff\xff\xff\xff\xff\xff\xff"), {COMPRESSION_ERROR}),
    ("7541 5.1 an integer above 32 bits", raw(b"\xff\xff\xff\xff\xff\xff\x0f"), {COMPRESSION_ERROR}),
    ("7541 5.2 a text beyond the block", raw(b"\x00\x7exx"), {COMPRESSION_ERROR}),
    ("7541 5.2 a length above 32 bits", raw(b"\x00\x7f\xff\xff\xff\xff\x7f"), {COMPRESSION_ERROR}),
    ("7541 5.2 Huffman padding of a byte and more", raw(b"\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff"), {COMPRESSION_ERROR}),
    ("7541 5.2 Huffman padding of zeros", raw(b"\x00\x85\xf2\xb2\x4a\x84\xff\x83\x49\x50\x90"), {COMPRESSION_ERROR}),
    ("7541 5.2 Huffman's EOS", raw(b"\x00\x85\xf2\xb2\x4a\x84\xff\x87\x49\x51\xff\xff\xff\xfa\x7f"), {COMPRESSION_ERROR}),
    ("7541 6.3 a table above what was allowed", raw(b"\x3f\xe2\x1f" + BLOCK), {COMPRESSION_ERROR}),
    ("7541 6.2.1 a literal that breaks off", raw(BLOCK + b"\x40\x01x"), {COMPRESSION_ERROR}),
]

# (what, bytes, codes): of stream 1; the server may end the connection for it (RFC 9113 5.4.1), which is said in `also`.
STREAM = [
    ("5.1 DATA behind END_STREAM", frame(HEADERS, END_HEADERS | END_STREAM, 1, block(GET)) + frame(DATA, 0, 1, b"x"), {STREAM_CLOSED}),
    ("5.1 HEADERS behind END_STREAM", request(1) + request(1), {STREAM_CLOSED}),
    ("6.9 WINDOW_UPDATE of 0 for a stream", OPEN + frame(WINDOW_UPDATE, 0, 1, number(0)), {PROTOCOL_ERROR}),
    ("6.9.1 a stream's window above 2^31-1", OPEN + frame(WINDOW_UPDATE, 0, 1, number(0x7fffffff)), {FLOW_CONTROL_ERROR}),
    ("8.1 a second head without END_STREAM", OPEN + head(1, [("x", "1")], 0), {PROTOCOL_ERROR}),
    ("8.1.1 a malformed Content-Length", get(("content-length", "+1"), flags=0), {PROTOCOL_ERROR}),
    ("8.1.1 two Content-Length fields", get(("content-length", "1"), ("content-length", "1"), flags=0), {PROTOCOL_ERROR}),
    ("8.1.1 Content-Length without content", get(("content-length", "1")), {PROTOCOL_ERROR}),
    ("8.1.1 more content than Content-Length", get(("content-length", "1"), flags=0) + frame(DATA, END_STREAM, 1, b"xx"), {PROTOCOL_ERROR}),
    ("8.1.1 less content than Content-Length", get(("content-length", "3"), flags=0) + frame(DATA, END_STREAM, 1, b"xx"), {PROTOCOL_ERROR}),
    ("8.1.1 less content, ended by trailers",
     get(("content-length", "3"), flags=0) + frame(DATA, 0, 1, b"xx") + head(1, [("x", "1")]), {PROTOCOL_ERROR}),
    ("8.2.1 an upper-case name", get(("X-Upper", "1")), {PROTOCOL_ERROR}),
    ("8.2.1 a space in a name", get(("x y", "1")), {PROTOCOL_ERROR}),
    ("8.2.1 a colon in a name", get(("x:y", "1")), {PROTOCOL_ERROR}),
    ("8.2.1 a control character in a name", get(("x\x01", "1")), {PROTOCOL_ERROR}),
    ("8.2.1 NUL in a name", get(("x\0", "1")), {PROTOCOL_ERROR}),
    ("8.2.1 CR and LF in a name", get(("x\r\ny", "1")), {PROTOCOL_ERROR}),
    ("8.2.1 DEL in a name", get(("x\x7f", "1")), {PROTOCOL_ERROR}),
    ("8.2.1 a name beyond ASCII", get(("x\xe4", "1")), {PROTOCOL_ERROR}),
    ("8.2.1 a name without bytes", get(("", "1")), {PROTOCOL_ERROR}),
    ("8.2.1 CR in a value", get(("x", "a\rb")), {PROTOCOL_ERROR}),
    ("8.2.1 LF in a value", get(("x", "a\nTransfer-Encoding: chunked")), {PROTOCOL_ERROR}),
    ("8.2.1 NUL in a value", get(("x", "a\0b")), {PROTOCOL_ERROR}),
    ("8.2.1 white space before a value", get(("x", " a")), {PROTOCOL_ERROR}),
    ("8.2.1 white space behind a value", get(("x", "a\t")), {PROTOCOL_ERROR}),
    ("8.2.1 LF in a trailer", OPEN + head(1, [("x", "a\nb")]), {PROTOCOL_ERROR}),
    ("8.2.2 Connection", get(("connection", "close")), {PROTOCOL_ERROR}),
    ("8.2.2 Keep-Alive", get(("keep-alive", "1")), {PROTOCOL_ERROR}),
    ("8.2.2 Proxy-Connection", get(("proxy-connection", "close")), {PROTOCOL_ERROR}),
    ("8.2.2 Transfer-Encoding", get(("transfer-encoding", "chunked"), flags=0), {PROTOCOL_ERROR}),
    ("8.2.2 Upgrade", get(("upgrade", "h2c")), {PROTOCOL_ERROR}),
    ("8.2.2 TE other than trailers", get(("te", "gzip")), {PROTOCOL_ERROR}),
    ("8.2.2 Transfer-Encoding in trailers", OPEN + head(1, [("transfer-encoding", "chunked")]), {PROTOCOL_ERROR}),
    ("8.3 an unknown pseudo-header field", head(1, [(":odd", "1"), *GET]), {PROTOCOL_ERROR}),
    ("8.3 a response's pseudo-header field", head(1, [(":status", "200"), *GET]), {PROTOCOL_ERROR}),
    ("8.3 a pseudo-header field behind others", head(1, [("x", "1"), *GET]), {PROTOCOL_ERROR}),
    ("8.3 a pseudo-header field in trailers", OPEN + head(1, [(":path", "/")]), {PROTOCOL_ERROR}),
    *[(f"8.3 {name} twice", head(1, [pair, *GET]), {PROTOCOL_ERROR}) for pair in GET for name in [pair[0]]],
    *[(f"8.3.1 no {name}", without(name), {PROTOCOL_ERROR}) for name in (":method", ":scheme", ":path")],
    ("8.3.1 no :authority and no Host", without(":authority"), {PROTOCOL_ERROR}),
    ("8.3.1 :path without bytes", with_(":path", ""), {PROTOCOL_ERROR}),
    ("8.3.1 :path that begins with no slash", with_(":path", "x"), {PROTOCOL_ERROR}),
    ("8.3.1 * without OPTIONS", with_(":path", "*"), {PROTOCOL_ERROR}),
    ("8.3.1 a space in :method", with_(":method", "GET /"), {PROTOCOL_ERROR}),
    ("8.3.1 :method without bytes", with_(":method", ""), {PROTOCOL_ERROR}),
    ("8.3.1 LF in :path", with_(":path", "/\nx"), {PROTOCOL_ERROR}),
    ("8.5 CONNECT with :path", with_(":method", "CONNECT"), {PROTOCOL_ERROR}),
    ("8.5 CONNECT without :authority", head(1, [(":method", "CONNECT")]), {PROTOCOL_ERROR}),
    ("8441 :protocol without its setting", head(1, [(":method", "CONNECT"), *GET[1:], (":protocol", "websocket")]), {PROTOCOL_ERROR}),
]
# What is of one stream, and ends the connection all the same; see docs/decisions.md.
ENDS_ALL = {"5.1 DATA behind END_STREAM", "5.1 HEADERS behind END_STREAM", "6.9 WINDOW_UPDATE of 0 for a stream"}


@pytest.mark.parametrize("what,data,codes", CONNECTION, ids=[row[0] for row in CONNECTION])
def test_a_connection_error_ends_the_connection(program, what, data, codes):
    with Http2Client(program.port(index=0)) as client:
        if b"|" in data and data.startswith(CLOSED):
            client.send(CLOSED)
            assert client.answer(1) == (200, b"pong")
            data = data.removeprefix(CLOSED + b"|")
        client.send(data)
        frames = client.rest()  # to the end, which comes by itself
        goaways = [got for got in frames if got.kind == GOAWAY]
        assert len(goaways) == 1 and goaways[0].code in codes, (what, frames, [got.code for got in goaways])
        assert frames[-1].kind == GOAWAY, what


@pytest.mark.parametrize("what,data,codes", STREAM, ids=[row[0] for row in STREAM])
def test_a_stream_error_resets_the_stream(program, what, data, codes):
    with Http2Client(program.port(index=0)) as client:
        client.send(data)
        if what in ENDS_ALL:
            assert client.goaway().code in codes, what
            client.rest()
            return
        reset = client.until(lambda got: got.kind == RST_STREAM and got.code != NO_ERROR)
        assert reset.stream == 1 and reset.code in codes, (what, reset.code)
        client.send(request(3))
        assert client.answer(3) == (200, b"pong"), what


def test_streams_above_the_limit_are_refused(program):
    """5.1.2: a stream error of either kind; nghttp2 ends the connection."""
    with Http2Client(program.port(index=0)) as client:
        client.until(lambda got: got.kind == SETTINGS and got.flags & ACK)
        client.send(b"".join(request(2 * index + 1, method="PUT", end=False) for index in range(129)))
        refusal = client.until(lambda got: got.kind in (GOAWAY, RST_STREAM) and got.code != NO_ERROR)
        assert refusal.code in (PROTOCOL_ERROR, REFUSED_STREAM)


@pytest.mark.parametrize("begin", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", PREFACE[:-1] + b"\x01", PREFACE + frame(PING, 0, 0, b"12345678"),
                                   PREFACE + request(1), PREFACE + frame(SETTINGS, ACK, 0)],
                         ids=["HTTP/1.1", "a wrong byte", "PING", "HEADERS", "an acknowledgement"])
def test_3_4_a_connection_begins_with_the_preface_and_settings(program, begin):
    settings = context()
    settings.set_alpn_protocols(["h2"])
    with TlsClient(program.port(index=1), settings=settings) as client:
        client.tls.settimeout(20 * SCALE)
        client.tls.sendall(begin)
        received = b""
        try:
            while piece := client.tls.recv(65536):
                received += piece
        except (ConnectionError, ssl.SSLError):
            pass
    kinds = []
    while len(received) >= 9:
        size = int.from_bytes(received[:3], "big")
        kinds.append((received[3], received[9:9 + size]))
        received = received[9 + size:]
    assert kinds[-1][0] == GOAWAY and struct.unpack(">I", kinds[-1][1][4:8])[0] == PROTOCOL_ERROR, kinds
    assert all(kind != HEADERS for kind, _ in kinds)


@pytest.mark.parametrize("late", [frame(DATA, 0, 1, b"x"), request(1)], ids=["DATA", "HEADERS"])
def test_5_1_what_comes_on_a_stream_that_is_over_is_no_request(program, late):
    """A server may end the connection for it, and may pass over it, as it must for what was on its way when it reset a stream."""
    with Http2Client(program.port(index=0)) as client:
        client.send(CLOSED)
        client.answer(1)
        before = len(client.frames)
        client.send(late + request(3))
        assert client.answer(3) == (200, b"pong")
        assert not any(got.stream == 1 for got in client.frames[before:])


def test_6_8_a_client_that_says_goodbye_is_answered_and_no_error(program):
    def errors():
        return sum(float(line.split(" ")[-1]) for line in program.metrics().splitlines() if line.startswith("weir_listener_http2_connection_errors_total"))
    before = errors()
    for goodbye in (request(1) + frame(GOAWAY, 0, 0, bytes(8)), frame(GOAWAY, 0, 0, bytes(8)) + request(1), frame(GOAWAY, 0, 0, bytes(8))):
        with Http2Client(program.port(index=0)) as client:
            client.send(goodbye)
            frames = client.rest()
            assert [got.code for got in frames if got.kind == GOAWAY] == [NO_ERROR], frames
            if len(goodbye) > 17:
                assert client.answer(1) == (200, b"pong")
    assert errors() == before


# What must be taken without an error.
TAKEN = [
    ("4.1 an unknown frame", frame(0x77, 0xff, 0, b"x" * 100) + frame(0x77, 0xff, 1, b"x")),
    ("4.1 a reserved bit", struct.pack(">I", 8)[1:] + bytes([PING, 0]) + struct.pack(">I", 0x80000000) + b"12345678"),
    ("5.1 PRIORITY on an idle stream", frame(PRIORITY, 0, 7, number(3) + b"\x10")),
    ("6.5.2 an unknown setting", setting(0x7777, 1)),
    ("6.9 a window of 2^31-1", frame(WINDOW_UPDATE, 0, 0, number(0x7fffffff - 65535))),
    ("7 an unknown error code", request(1, method="PUT", end=False) + frame(RST_STREAM, 0, 1, number(0x12345678))),
    ("5.1 RST_STREAM and WINDOW_UPDATE on a stream that is over", request(1) + b"|" + frame(RST_STREAM, 0, 1, number(0)) + frame(WINDOW_UPDATE, 0, 1, number(1))),
    ("6.2 padding and a priority", frame(HEADERS, END_HEADERS | END_STREAM | PADDED | PRIORITIZED, 1, b"\x03" + number(0) + b"\x10" + BLOCK + bytes(3))),
    ("6.10 a block in three frames", frame(HEADERS, END_STREAM, 1, BLOCK[:10]) + frame(CONTINUATION, 0, 1, BLOCK[10:20]) + frame(CONTINUATION, END_HEADERS, 1, BLOCK[20:])),
    ("7541 4.2 two table sizes before a block", raw(b"\x20\x3f\xe1\x1f" + BLOCK)),
]


@pytest.mark.parametrize("what,data", TAKEN, ids=[row[0] for row in TAKEN])
def test_what_is_allowed_is_taken(program, what, data):
    with Http2Client(program.port(index=0)) as client:
        first, _, rest = data.partition(b"|") if data.startswith(request(1) + b"|") else (data, b"", b"")
        client.send(first)
        if rest:
            client.answer(1)
        client.send(rest + request(9))
        assert client.answer(9) == (200, b"pong"), what
        assert not any(got.kind == GOAWAY for got in client.frames)
