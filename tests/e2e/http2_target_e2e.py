"""A target that speaks HTTP/2 frame by frame: what it gets is kept, what it answers is told by a script, right or wrong."""

import contextlib
import json
import socket
import struct
import threading

import hpack
from http2_e2e import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE,
                       Frame, block, frame)

MAX_FRAME = 16384


class Request:
    """One request: fields in order, pseudo-fields by name without the colon."""

    def __init__(self, stream, fields, connection, ended):
        self.stream, self.connection, self.ended = stream, connection, ended
        self.pseudo = {name[1:]: value for name, value in fields if name.startswith(":")}
        self.fields = [(name, value) for name, value in fields if not name.startswith(":")]
        self.body, self.trailers, self.reset = b"", [], None

    def values(self, name):
        return [value for key, value in self.fields if key == name]

    def field(self, name):
        return next(iter(self.values(name)), None)


class Peer:
    """One connection of weir's."""

    def __init__(self, target, connection, number):
        self.target, self.socket, self.number = target, connection, number
        self.decoder = hpack.Decoder()
        self.decoder.max_header_list_size = 1 << 20
        self.requests, self.frames = {}, []
        self.received, self.lock = b"", threading.Lock()
        self.closed = threading.Event()
        self.gives_windows = True

    def send(self, data):
        with self.lock:
            self.socket.sendall(data)

    def exactly(self, count):
        while len(self.received) < count:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("closed")
            self.received += data
        data, self.received = self.received[:count], self.received[count:]
        return data

    def next(self):
        head = self.exactly(9)
        got = Frame(head[3], head[4], int.from_bytes(head[5:9], "big") & 0x7fffffff, self.exactly(int.from_bytes(head[:3], "big")))
        self.frames.append(got)
        return got

    def give(self, stream, count):
        if count > 0:
            self.send(frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", count)) if stream else
                      frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", count)))

    def respond(self, request, status=200, fields=(), body=b"", trailers=None, end=True):
        """A whole response; with `end` false it goes on."""
        only_head = end and not body and trailers is None
        stream = request.stream
        data = frame(HEADERS, END_HEADERS | (END_STREAM if only_head else 0), stream, block([(":status", str(status)), *fields]))
        pieces = [body[at:at + MAX_FRAME] for at in range(0, len(body), MAX_FRAME)]
        for index, piece in enumerate(pieces):
            last = end and trailers is None and index == len(pieces) - 1
            data += frame(DATA, END_STREAM if last else 0, stream, piece)
        if trailers is not None:
            data += frame(HEADERS, END_HEADERS | END_STREAM, stream, block(trailers))
        self.send(data)

    def data(self, request, body, end=False):
        self.send(frame(DATA, END_STREAM if end else 0, request.stream, body))

    def reset(self, request, code):
        self.send(frame(RST_STREAM, 0, request.stream, struct.pack(">I", code)))

    def goaway(self, last, code=0):
        self.send(frame(GOAWAY, 0, 0, struct.pack(">II", last, code)))

    def serve(self):
        assert self.exactly(len(PREFACE)) == PREFACE
        if self.target.hello:
            self.send(frame(SETTINGS, 0, 0, self.target.settings))
        while True:
            self.take(self.next())

    def take(self, got):
        if got.kind == SETTINGS and not got.flags & ACK:
            self.send(frame(SETTINGS, ACK, 0))
        elif got.kind == PING and not got.flags & ACK and self.target.answers_pings:
            self.send(frame(PING, ACK, 0, got.payload))
        elif got.kind == HEADERS:
            payload, ends = got.payload, bool(got.flags & END_STREAM)
            while not got.flags & END_HEADERS:
                got = self.next()
                assert got.kind == CONTINUATION
                payload += got.payload
            self.head(got.stream, self.decoder.decode(payload, raw=False), ends)
        elif got.kind == DATA:
            request = self.requests[got.stream]
            request.body += got.payload
            if self.gives_windows:
                self.give(got.stream, len(got.payload))
                self.give(0, len(got.payload))
            if got.flags & END_STREAM:
                self.end(request)
            elif self.target.on_data:
                self.target.on_data(self, request, got.payload)
        elif got.kind == RST_STREAM and got.stream in self.requests:
            self.requests[got.stream].reset = got.code

    def head(self, stream, fields, ends):
        if stream in self.requests:
            self.requests[stream].trailers = fields
            self.end(self.requests[stream])
            return
        request = self.requests[stream] = Request(stream, fields, self, False)
        if request.field("user-agent") == "ELB-HealthChecker/2.0":
            self.target.probes.append(request)
        else:
            self.target.requests.append(request)
            if self.target.on_head and self.target.on_head(self, request):
                request.ended = ends
                return
        if ends:
            self.end(request)

    def end(self, request):
        request.ended = True
        if request in self.target.probes:
            if self.target.health is None:
                return
            status, trailers = self.target.health
            self.respond(request, status, trailers or ())
            return
        if self.target.script is not None and self.target.script(self, request):
            return
        self.answer(request)

    def answer(self, request):
        body = json.dumps({"target": self.target.name, "pseudo": request.pseudo, "fields": request.fields, "body": request.body.decode("latin-1"),
                           "trailers": request.trailers, "connection": self.number, "stream": request.stream}).encode()
        self.respond(request, 200, [("content-type", "application/json"), ("x-target", self.target.name), ("content-length", str(len(body)))],
                     b"" if request.pseudo["method"] == "HEAD" else body)


class Http2Target:
    """By default it answers 200 with the request as JSON, once that is complete. `script(peer, request)` may take a complete request over,
    `on_head` one of which only the head is there: both say whether they did. `health`: (status, fields) that probes get; None: nothing."""

    def __init__(self, name, script=None, on_head=None, on_data=None, settings=b"", tls=None, hello=True):
        self.name, self.script, self.on_head, self.on_data = name, script, on_head, on_data
        self.settings, self.tls, self.hello = settings, tls, hello
        self.answers_pings = True
        self.health = (200, None)
        self.requests, self.probes, self.peers = [], [], []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def id(self):
        return f"127.0.0.1:{self.port}"

    @property
    def yaml(self):
        return f"{{address: 127.0.0.1, port: {self.port}}}"

    @property
    def connections(self):
        """Those that carried requests."""
        return [peer for peer in self.peers if any(request in self.requests for request in peer.requests.values())]

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = None
        try:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            peer = Peer(self, connection, len(self.peers) + 1)
            self.peers.append(peer)
            peer.serve()
        except (OSError, ValueError):
            pass
        finally:
            if peer is not None:
                peer.closed.set()
            with contextlib.suppress(OSError):
                connection.close()

    def stop(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for peer in self.peers:
            with contextlib.suppress(OSError):
                peer.socket.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
