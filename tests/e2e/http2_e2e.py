"""Raw HTTP/2 frames for the end-to-end cases: what a client puts on the wire, right or wrong, and what it reads there."""

import socket
import struct

from weir_e2e import SCALE

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 0x1, 0x1, 0x4
NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 0, 1, 7, 8, 11
# Indexes of HPACK's static table (RFC 7541 appendix A).
STATUS = {0x88: 200, 0x89: 204, 0x8a: 206, 0x8b: 304, 0x8c: 400, 0x8d: 404, 0x8e: 500}


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def block(fields):
    """Literals without indexing and without Huffman coding (RFC 7541 6.2.2)."""
    out = b""
    for pair in fields:
        out += b"\0"
        for text in pair:
            data = text.encode("latin-1")
            if len(data) < 127:
                out += bytes([len(data)])
            else:
                rest = len(data) - 127
                out += b"\x7f"
                while rest >= 128:
                    out += bytes([0x80 | rest & 0x7f])
                    rest >>= 7
                out += bytes([rest])
            out += data
    return out


def request(stream, path="/", fields=(), method="GET", end=True, authority="shop.example.test"):
    pseudo = [(":method", method), (":scheme", "http"), (":authority", authority), (":path", path)]
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, block([*pseudo, *fields]))


class Frame:
    def __init__(self, kind, flags, stream, payload):
        self.kind, self.flags, self.stream, self.payload = kind, flags, stream, payload

    @property
    def code(self):
        """Of RST_STREAM and GOAWAY."""
        at = 4 if self.kind == GOAWAY else 0
        return struct.unpack(">I", self.payload[at:at + 4])[0]

    @property
    def last_stream(self):
        return struct.unpack(">I", self.payload[:4])[0] & 0x7fffffff

    @property
    def ends(self):
        return self.kind in (DATA, HEADERS) and bool(self.flags & END_STREAM)

    @property
    def status(self):
        """Of the first head of a stream, where HPACK has it as one byte (a size update may stand before it)."""
        data = self.payload
        while data and data[0] & 0xe0 == 0x20:
            data = data[1:]
        return STATUS.get(data[0]) if data else None

    def __repr__(self):
        return f"<{self.kind} flags {self.flags} stream {self.stream} {len(self.payload)} bytes>"


class Http2Client:
    """A connection that speaks HTTP/2 frame by frame, over `connection` or a new one to `port`."""

    def __init__(self, port=None, connection=None, settings=b"", hello=True):
        self.socket = connection or socket.create_connection(("127.0.0.1", port), timeout=10 * SCALE)
        self.received = b""
        self.frames = []
        if hello:
            self.send(PREFACE + frame(SETTINGS, 0, 0, settings))

    def send(self, data):
        self.socket.sendall(data)

    def next(self):
        """The next frame; None at the end of the connection. SETTINGS are acknowledged, and what comes is kept in `frames`."""
        while True:
            if len(self.received) >= 9:
                size = int.from_bytes(self.received[:3], "big")
                if len(self.received) >= 9 + size:
                    break
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                return None
            if not data:
                return None
            self.received += data
        head, payload = self.received[:9], self.received[9:9 + size]
        self.received = self.received[9 + size:]
        got = Frame(head[3], head[4], int.from_bytes(head[5:9], "big") & 0x7fffffff, payload)
        if got.kind == SETTINGS and not got.flags & ACK:
            self.send(frame(SETTINGS, ACK, 0))
        self.frames.append(got)
        return got

    def until(self, accept):
        """The first frame that `accept` says yes to, kept ones included."""
        for got in self.frames:
            if accept(got):
                return got
        while True:
            got = self.next()
            assert got is not None, f"the connection ended after {self.frames}"
            if accept(got):
                return got

    def answer(self, stream):
        """(status, content) of a stream that ends well."""
        self.until(lambda got: got.stream == stream and (got.ends or got.kind == RST_STREAM))
        mine = [got for got in self.frames if got.stream == stream]
        assert not any(got.kind == RST_STREAM and got.code != NO_ERROR for got in mine), mine
        head = next(got for got in mine if got.kind == HEADERS)
        return head.status, b"".join(got.payload for got in mine if got.kind == DATA)

    def goaway(self):
        return self.until(lambda got: got.kind == GOAWAY)

    def rest(self):
        """Reads to the end of the connection."""
        while self.next() is not None:
            pass
        return self.frames

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
