"""HTTP/2 to targets: multiplexing, both ways of everything, refused and broken streams, hostile targets (ALB 7.1, 12.7; RFC 9113)."""

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import ssl
import struct
import subprocess
import threading

import hpack
import pytest
from http2_e2e import (CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, REFUSED_STREAM, RST_STREAM, SETTINGS,
                       WINDOW_UPDATE, Http2Client, block, frame, request)
from http2_target_e2e import Http2Target
from tls_e2e import certificate, yaml
from weir_e2e import SANITIZED, SCALE, Client, Closed, curl, get, wait_for

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    attributes: {{idle_timeout.timeout_seconds: {idle}}}
    access-log: {{path: access.log}}
    listeners:
      - port: 0
        protocol: HTTP
        attributes: {{weir.http2.cleartext.enabled: true}}
        default-actions: [{{forward: {{target-group: blue}}}}]
      - port: 0
        protocol: HTTPS
        certificates: {certificates}
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - name: blue
    protocol: {protocol}
    protocol-version: {version}
    targets: [{targets}]
    attributes: {{{attributes}}}
    health-check: {{interval: 1s, timeout: 900ms}}
admin: {{address: 127.0.0.1, port: 0}}
"""
HTTP1 = "weir.http1_requests.enabled: true"
RESETS = "routing.http2.rst_stream_error_forwarding.enabled: true"
CLEARTEXT, SECURE = range(2)
ENHANCE_YOUR_CALM, INTERNAL_ERROR = 11, 2
MAX_STREAMS, INITIAL_WINDOW = 3, 4
# What a slow reader, or a hostile target, may cost: a sanitizer keeps what was freed for a while.
MEMORY_KIB = 200_000 if SANITIZED else 4096


def setting(key, value):
    return struct.pack(">HI", key, value)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("pki"), "shop")


@pytest.fixture
def target():
    with contextlib.ExitStack() as stack:
        yield lambda name="blue", **options: stack.enter_context(Http2Target(name, **options))


@pytest.fixture
def shop(run, pair, tmp_path):
    def start(*blues, attributes=HTTP1, protocol="HTTP", version="HTTP2", idle=60, arguments=("--workers", "1")):
        def text(*targets):
            return CONFIG.format(targets=", ".join(each.yaml for each in targets), attributes=attributes, protocol=protocol, version=version,
                                 idle=idle, certificates=yaml(pair))
        program = run(text(*blues), arguments=arguments)
        program.text = text
        for blue in blues:
            program.wait_state("blue", blue, "healthy")
        program.access_log = tmp_path / "access.log"
        return program
    return start


def log_lines(program, count=1):
    wait_for(lambda: program.access_log.exists() and program.access_log.read_text().count("\n") >= count, what="the log")
    return [shlex.split(line) for line in program.access_log.read_text().splitlines()]


def metric(program, name, labels=""):
    total = 0.0
    for line in program.metrics().splitlines():
        if re.match(rf"{name}(\{{|\s)", line) and labels in line:
            total += float(line.split(" ")[-1])
    return total


class DecodingClient(Http2Client):
    """Knows every status, by decoding what it gets."""

    def __init__(self, port):
        self.decoder = hpack.Decoder()
        super().__init__(port)

    def next(self):
        got = super().next()
        if got is not None and got.kind == HEADERS:
            got.fields = dict(self.decoder.decode(got.payload, raw=False))
        return got

    def answer(self, stream):
        _, content = super().answer(stream)
        heads = [got for got in self.frames if got.stream == stream and got.kind == HEADERS and ":status" in got.fields]
        return int(heads[-1].fields[":status"]), content


def client_of(program):
    return DecodingClient(program.port(index=CLEARTEXT))


# ---- HTTP/1.1 and HTTP/2 clients

def test_an_http1_client_and_an_http2_target(shop, target):
    blue = target()
    program = shop(blue)
    answer = get(program.port(), "/path?query", fields=[("X-Mixed-Case", "1"), ("Connection", "X-Hop"), ("X-Hop", "1"), ("TE", "trailers"), ("Cookie", "a=1; b=2"),
                                                        ("Keep-Alive", "5"), ("Proxy-Connection", "close")])
    assert answer.status == 200 and answer.version == "HTTP/1.1" and answer.field("x-target") == "blue"
    seen = answer.json()
    assert seen["pseudo"] == {"method": "GET", "scheme": "http", "authority": f"shop.example.test:{program.port()}", "path": "/path?query"}
    fields = dict(seen["fields"])
    assert fields["x-mixed-case"] == "1" and fields["te"] == "trailers" and fields["cookie"] == "a=1; b=2"
    assert fields["x-forwarded-for"] == "127.0.0.1" and fields["x-forwarded-proto"] == "http" and fields["x-amzn-trace-id"].startswith("Root=")
    assert not set(fields) & {"host", "connection", "x-hop", "keep-alive", "proxy-connection", "transfer-encoding"}
    line = log_lines(program)[0]
    assert line[0] == "http" and line[4] == blue.id and line[8:10] == ["200", "200"] and line[34:36] == ["-", "-"]


def test_content_of_http1_clients_becomes_data_and_back(shop, target):
    program = shop(target(script=lambda peer, request: peer.respond(request, 200, (), request.body, [("x-sum", str(len(request.body)))]) or True))
    with Client(program.port()) as client:
        answer = client.request("POST", "/", body=b"with a length").response()
        assert answer.body == b"with a length" and answer.trailers == [("x-sum", "13")] and answer.field("Transfer-Encoding") == "chunked"
        client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nchun\r\n3\r\nked\r\n0\r\nX-End: 1\r\n\r\n")
        answer = client.response()
        assert answer.body == b"chunked"
        assert client.request("POST", "/empty", [("Content-Length", "0")]).response().body == b""
        # A client of HTTP/1.0 knows no chunks.
        answer = client.request("POST", "/", body=b"old", version="HTTP/1.0").response()
        assert answer.body == b"old" and answer.field("Transfer-Encoding") is None


def test_request_trailers_lengths_and_cookies_reach_the_target(shop, target):
    blue = target()
    program = shop(blue)
    with client_of(program) as client:
        client.send(request(1, method="POST", fields=[("cookie", "a=1"), ("cookie", "b=2"), ("content-length", "2"), ("te", "trailers")], end=False) +
                    frame(DATA, 0, 1, b"ab") + frame(HEADERS, END_HEADERS | END_STREAM, 1, block([("x-end", "1")])))
        seen = json.loads(client.answer(1)[1])
    fields = dict(seen["fields"])
    assert seen["body"] == "ab" and seen["trailers"] == [["x-end", "1"]]
    assert fields["cookie"] == "a=1; b=2" and fields["content-length"] == "2" and fields["te"] == "trailers"
    assert log_lines(program)[0][0] == "h2"


def test_head_no_content_and_not_modified(shop, target):
    def script(peer, got):
        status = int(got.pseudo["path"][1:])
        peer.respond(got, status, [("content-length", "5")] if status != 204 else [], b"hello" if status == 200 and got.pseudo["method"] == "GET" else b"")
        return True
    program = shop(target(script=script))
    with Client(program.port()) as client:
        for method, status, body in (("HEAD", 200, b""), ("GET", 204, b""), ("GET", 304, b""), ("GET", 200, b"hello")):
            answer = client.request(method, f"/{status}").response(method)
            assert (answer.status, answer.body) == (status, body)
            assert answer.field("content-length") == (None if status == 204 else "5")


def test_interim_responses(shop, target):
    def script(peer, got):
        peer.send(frame(HEADERS, END_HEADERS, got.stream, block([(":status", "103"), ("link", "</a>")])))
        return False
    program = shop(target(script=script))
    with Client(program.port()) as client:
        answer = client.get("/")
        assert answer.status == 200 and [(each.status, each.field("link")) for each in answer.interim] == [(103, "</a>")]
    with client_of(program) as client:
        client.send(request(1))
        client.until(lambda got: got.ends)
        assert len([got for got in client.frames if got.kind == HEADERS]) == 2


def test_large_content_both_ways_by_every_combination(shop, target, tmp_path):
    program = shop(target(script=lambda peer, got: threading.Thread(target=echo_slowly, args=(peer, got)).start() or True))
    content = os.urandom(3 << 20)
    (tmp_path / "body").write_bytes(content)
    for options in (("--http1.1",), ("--http1.1", "-H", "Transfer-Encoding: chunked"), ("--http2-prior-knowledge",)):
        done = curl(*options, "-X", "POST", "--data-binary", f"@{tmp_path / 'body'}", "-H", "Expect:", "-o", tmp_path / "answer", "-w", "%{http_code}",
                    f"http://127.0.0.1:{program.port()}/", seconds=60)
        assert done.stdout == "200", (options, done)
        assert (tmp_path / "answer").read_bytes() == content


def echo_slowly(peer, got):
    """As far as weir's window reaches: it is given back as the client takes its bytes."""
    peer.respond(got, 200, (), b"", end=False)
    sent = 0
    with contextlib.suppress(OSError):
        while sent < len(got.body):
            given = 262144 + sum(struct.unpack(">I", each.payload)[0] for each in list(peer.frames) if each.kind == WINDOW_UPDATE and each.stream == got.stream)
            piece = got.body[sent:min(sent + 16384, given)]
            if not piece:
                threading.Event().wait(0.002)
                continue
            sent += len(piece)
            peer.data(got, piece, sent == len(got.body))


# ---- the matrix (ALB 7.1)

def test_http1_requests_get_464_without_the_addition(shop, target):
    blue = target()
    program = shop(blue, attributes="")
    assert get(program.port()).status == 464
    with client_of(program) as client:
        client.send(request(1) + request(3, method="POST", fields=[("content-type", "application/grpc")]))
        assert client.answer(1)[0] == 200 and client.answer(3)[0] == 200
    assert len(blue.requests) == 2
    lines = log_lines(program, 3)
    assert lines[0][8:10] == ["464", "-"] and lines[0][24] == "ProtocolVersionMismatch"


def test_a_group_of_grpc_takes_posts_of_http2_alone(shop, target):
    blue = target()
    blue.health = (200, [("grpc-status", "12")])
    program = shop(blue, attributes="", version="GRPC")
    with client_of(program) as client:
        client.send(request(1) + request(3, method="POST") + request(5, method="POST", fields=[("content-type", "application/grpc")]))
        client.until(lambda got: got.ends and got.stream == 5)
        assert client.answer(3)[0] == 200 and client.answer(5)[0] == 200
    assert [each.stream for each in blue.requests] == [1, 3]
    assert get(program.port(), method="POST").status == 464
    assert {line[8] for line in log_lines(program, 4)} == {"464", "200"}


# ---- connections

def test_streams_share_a_connection_and_a_full_one_gets_a_second(shop, target):
    release = threading.Event()

    def script(peer, got):
        threading.Thread(target=lambda: (release.wait(30), peer.answer(got))).start()
        return True
    blue = target(script=script, settings=setting(MAX_STREAMS, 10))
    program = shop(blue)
    with client_of(program) as client:
        for stream in range(1, 51, 2):
            client.send(request(stream))
        wait_for(lambda: len(blue.requests) == 25, what="all requests at the target")
        release.set()
        for stream in range(1, 51, 2):
            assert client.answer(stream)[0] == 200
    by_connection = sorted(len(peer.requests) for peer in blue.connections)
    assert by_connection == [5, 10, 10], by_connection
    with client_of(program) as client:
        for stream in range(1, 41, 2):
            client.send(request(stream))
            assert client.answer(stream)[0] == 200
    assert len(blue.connections) == 3  # one after the other needs no further one


def test_goaway_moves_what_was_not_processed(shop, target):
    first, complete = [], []

    def script(peer, got):
        first.append(peer)
        if peer is not first[0]:
            return False
        complete.append(got)
        if len(complete) == 3:
            peer.goaway(3)  # the third was not processed
            for each in sorted(complete, key=lambda request: request.stream)[:2]:
                peer.answer(each)
        return True
    blue = target(script=script)
    program = shop(blue)
    with client_of(program) as client:
        for stream in (1, 3, 5):
            client.send(request(stream, method="POST", end=False) + frame(DATA, END_STREAM, stream, b"content"))
        answers = [client.answer(stream) for stream in (1, 3, 5)]
    assert [status for status, _ in answers] == [200] * 3
    assert all(json.loads(text)["body"] == "content" for _, text in answers)
    assert {json.loads(text)["connection"] for _, text in answers} == {peer.number for peer in blue.connections}
    assert len(blue.connections) == 2
    assert blue.connections[0].closed.wait(10 * SCALE)


def test_a_refused_stream_goes_to_another_connection_or_is_502(shop, target):
    refusals = []

    def script(peer, got):
        if len(refusals) < limit[0]:
            refusals.append(got)
            peer.reset(got, REFUSED_STREAM)
            return True
        return False
    limit = [1]
    blue = target(script=script)
    program = shop(blue)
    with client_of(program) as client:
        client.send(request(1, method="POST", end=False) + frame(DATA, END_STREAM, 1, b"again"))
        status, text = client.answer(1)
        assert status == 200 and json.loads(text)["body"] == "again"
        limit[0] = 100
        client.send(request(3))
        assert client.answer(3)[0] == 502
    line = log_lines(program, 2)[1]
    assert line[8:10] == ["502", "-"] and line[24] == "TargetStreamRefused" and line[34] == "0x7"
    assert metric(program, "weir_proxy_errors_total", 'reason="TargetStreamRefused"') == 1
    assert len(refusals) == 1 + 4


def test_resets_of_targets(shop, target):
    def script(peer, got):
        path = got.pseudo["path"]
        if path.startswith("/late/"):
            peer.respond(got, 200, (), b"begin", end=False)
        peer.reset(got, int(path.split("/")[-1]))
        return True
    blue = target(script=script)
    program = shop(blue)
    assert get(program.port(), "/2").status == 502
    with Client(program.port()) as client:
        client.request("GET", "/late/2")
        assert client.head()[0].startswith("HTTP/1.1 200")
        with pytest.raises((ConnectionError, Closed)):
            client.chunked()
    with client_of(program) as client:
        client.send(request(1, "/8"))
        assert client.answer(1)[0] == 502
        client.send(request(3, "/late/8"))
        assert client.until(lambda got: got.kind == RST_STREAM).code == INTERNAL_ERROR
    lines = log_lines(program, 4)
    assert [(line[8], line[9], line[34], line[35]) for line in lines] == [
        ("502", "-", "0x2", "-"), ("200", "200", "0x2", "-"), ("502", "-", "0x8", "-"), ("200", "200", "0x8", "0x2")]
    assert lines[0][24] == "TargetStreamReset" and lines[1][24] == "TargetResponseIncomplete"


def test_forwarded_resets(shop, target):
    def script(peer, got):
        path = got.pseudo["path"]
        if path.startswith("/late/"):
            peer.respond(got, 200, (), b"begin", end=False)
        peer.reset(got, int(path.split("/")[-1]))
        return True
    program = shop(target(script=script), attributes=f"{HTTP1}, {RESETS}")
    with client_of(program) as client:
        for stream, code in ((1, REFUSED_STREAM), (3, CANCEL), (5, ENHANCE_YOUR_CALM), (7, INTERNAL_ERROR)):
            client.send(request(stream, f"/{code}"))
            reset = client.until(lambda got, stream=stream: got.stream == stream)
            assert (reset.kind, reset.code) == (RST_STREAM, code)
        client.send(request(9, f"/late/{CANCEL}"))
        assert client.until(lambda got: got.stream == 9 and got.kind == RST_STREAM).code == CANCEL
        client.send(request(11, "/1"))  # PROTOCOL_ERROR is not forwarded
        assert client.answer(11)[0] == 502
    assert get(program.port(), "/8").status == 502
    lines = log_lines(program, 7)
    assert [(line[8], line[34], line[35]) for line in lines[:4]] == [("000", code, code) for code in ("0x7", "0x8", "0xb", "0x2")]
    assert (lines[4][8], lines[4][34], lines[4][35]) == ("200", "0x8", "0x8")
    assert (lines[5][8], lines[5][34], lines[5][35]) == ("502", "0x1", "-")


def test_a_cancelled_request_is_cancelled_at_the_target(shop, target):
    blue = target(script=lambda peer, got: True)
    program = shop(blue)
    with client_of(program) as client:
        client.send(request(1))
        wait_for(lambda: blue.requests, what="the request")
        client.send(frame(RST_STREAM, 0, 1, struct.pack(">I", CANCEL)))
        wait_for(lambda: blue.requests[0].reset is not None, what="the reset")
        assert blue.requests[0].reset == CANCEL
    client = Client(program.port()).request("GET", "/")
    wait_for(lambda: len(blue.requests) == 2, what="the request")
    client.reset()
    wait_for(lambda: blue.requests[1].reset is not None, what="the reset")
    assert blue.requests[1].reset == CANCEL
    assert len(blue.connections) == 1


def test_an_early_answer_ends_the_request(shop, target):
    blue = target(on_head=lambda peer, got: got.pseudo["path"] == "/early" and (peer.respond(got, 403, (), b"no"), peer.reset(got, 0)) is not None)
    program = shop(blue)
    with client_of(program) as client:
        client.send(request(1, "/early", method="POST", end=False) + frame(DATA, 0, 1, b"x" * 100))
        client.until(lambda got: got.stream == 1 and got.ends)
        client.send(request(3))
        assert client.answer(3)[0] == 200
    assert log_lines(program, 2)[0][8:10] == ["403", "403"]


def test_a_slow_reader_holds_no_other_stream(shop, target):
    size = 4 << 20
    blue = target(script=lambda peer, got: got.pseudo["path"] == "/big" and (threading.Thread(target=echo_big, args=(peer, got, size)).start(), True)[1])
    program = shop(blue)
    slow = client_of(program)
    with slow, client_of(program) as fast:
        slow.send(request(1, "/big"))
        slow.until(lambda got: got.kind == DATA)
        fast.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 24)))
        before = program.vm_hwm_kib()
        for stream in range(1, 401, 2):
            fast.send(request(stream))
            assert fast.answer(stream)[0] == 200
        assert len(blue.connections) == 1
        assert program.vm_hwm_kib() - before < MEMORY_KIB
        slow.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", size)) + frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", size)))
        assert slow.answer(1) == (200, b"x" * size)


def echo_big(peer, got, size):
    got.body = b"x" * size
    echo_slowly(peer, got)


def test_a_target_that_takes_nothing_holds_no_other_stream(shop, target):
    def on_head(peer, got):
        peer.gives_windows = peer.gives_windows and got.pseudo["path"] != "/stuck"
        return False
    blue = target(on_head=on_head)
    program = shop(blue)
    with client_of(program) as stuck, client_of(program) as fast:
        # The stream's window of 65,535 bytes is used up, and the connection's with it: requests without content go on.
        stuck.send(request(1, "/stuck", method="POST", end=False) + frame(DATA, 0, 1, b"x" * 16000) * 4)
        wait_for(lambda: blue.requests and len(blue.requests[0].body) > 60000, what="content at the target")
        for stream in range(1, 101, 2):
            fast.send(request(stream))
            assert fast.answer(stream)[0] == 200


def test_an_idle_connection_ends_with_goaway(shop, target):
    blue = target()
    program = shop(blue, idle=1)
    assert get(program.port()).status == 200
    peer = blue.connections[0]
    assert peer.closed.wait(10 * SCALE)
    assert peer.frames[-1].kind == GOAWAY and peer.frames[-1].code == 0
    assert get(program.port()).status == 200 and len(blue.connections) == 2


def test_a_connection_that_has_gone_silent_is_left(shop, target):
    silent = threading.Event()
    blue = target(script=lambda peer, got: silent.is_set() and peer is blue.connections[0])
    program = shop(blue, idle=2)
    assert get(program.port()).status == 200
    silent.set()
    blue.answers_pings = False
    assert get(program.port()).status == 504
    assert any(each.kind == PING for each in wait_for(lambda: [each for each in blue.connections[0].frames if each.kind == PING], what="a PING"))
    assert get(program.port()).status == 200  # by another connection
    assert blue.connections[0].closed.wait(10 * SCALE)


def test_a_dead_connection_is_replaced_for_idempotent_requests(shop, target):
    blue = target()
    program = shop(blue)
    assert get(program.port()).status == 200
    first = blue.connections[0]
    blue.script = lambda peer, got: got.pseudo["path"] == "/die" and peer is first and (peer.socket.shutdown(socket.SHUT_RDWR), True)[1]
    assert get(program.port(), "/die").status == 200
    assert metric(program, "weir_target_group_retries_total") == 1


def test_streams_in_flight_outlive_a_reload_without_their_target_and_a_drain(shop, target):
    release = threading.Event()

    def script(peer, got):
        if got.pseudo["path"] != "/slow":
            return False
        threading.Thread(target=lambda: (release.wait(30), peer.answer(got))).start()
        return True
    blue, green = target("blue", script=script), target("green", script=script)
    program = shop(blue)
    with client_of(program) as client:
        client.send(request(1, "/slow"))
        wait_for(lambda: blue.requests, what="the request at blue")
        program.write(program.text(green))
        program.wait_state("blue", green, "healthy")
        client.send(request(3))
        assert json.loads(client.answer(3)[1])["target"] == "green"
        release.set()
        assert json.loads(client.answer(1)[1])["target"] == "blue"
        release.clear()
        client.send(request(5, "/slow"))
        wait_for(lambda: len(green.requests) == 2, what="the request at green")
        program.signal(signal.SIGTERM)
        client.goaway()
        release.set()
        assert json.loads(client.answer(5)[1])["target"] == "green"
    assert program.wait_exit() == 0


# ---- TLS and real servers

def context(pair, protocols=("h2",)):
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    settings.load_cert_chain(*pair)
    if protocols:
        settings.set_alpn_protocols(list(protocols))
    return settings


def test_tls_to_targets_by_alpn(shop, target, pair):
    blue = target(tls=context(pair))
    program = shop(blue, protocol="HTTPS")
    answer = get(program.port())
    assert answer.status == 200 and answer.json()["pseudo"]["scheme"] == "https"
    done = curl("-k", "--http2", "-w", "%{http_code}", "-o", os.devnull, f"https://127.0.0.1:{program.port(index=SECURE)}/")
    assert done.stdout == "200"
    assert len(blue.connections) == 1
    assert metric(program, "weir_target_group_tls_handshakes_total", 'target_group="blue"') == 1


def test_a_target_without_h2_is_unhealthy_and_502(shop, target, pair, run):
    blue = target(tls=context(pair, ("http/1.1",)))
    program = run(CONFIG.format(targets=blue.yaml, attributes=HTTP1, protocol="HTTPS", version="HTTP2", idle=60, certificates=yaml(pair)))
    program.wait_state("blue", blue, "unhealthy")
    assert "does not speak HTTP/2" in program.targets("blue")[blue.id]["description"]
    assert get(program.port()).status == 502  # all are unhealthy: it is asked nevertheless
    assert metric(program, "weir_proxy_errors_total", 'reason="TargetSpeaksNoHttp2"') == 1


def test_a_target_of_http1_behind_prior_knowledge_is_502(targets, run, pair):
    blue = targets("blue")
    program = run(CONFIG.format(targets=blue.yaml, attributes=HTTP1, protocol="HTTP", version="HTTP2", idle=60, certificates=yaml(pair)))
    program.wait_state("blue", blue, "unhealthy")
    assert get(program.port()).status == 502


def test_nginx_as_a_target(shop, nginx):
    blue = nginx("blue", listen_options="http2", extra='location /version { return 200 "$server_protocol $host $http_x_forwarded_for"; }')
    program = shop(blue)
    assert get(program.port(), "/version").body == b"HTTP/2.0 shop.example.test 127.0.0.1"
    with client_of(program) as client:
        for stream in range(1, 201, 2):
            client.send(request(stream))
        assert all(client.answer(stream) == (200, b"blue\n") for stream in range(1, 201, 2))


def test_nginx_that_says_goaway_loses_no_request(shop, nginx):
    blue = nginx("blue", listen_options="http2", keepalive_requests=100)
    program = shop(blue)
    done = subprocess.run(["h2load", "-n", "5000", "-c", "4", "-m", "25", f"http://127.0.0.1:{program.port()}/"], capture_output=True,
                          text=True, timeout=60 * SCALE, check=True)
    assert "5000 succeeded, 0 failed" in done.stdout, done.stdout
    assert "5000 2xx" in done.stdout, done.stdout


# ---- health

def test_health_checks_speak_http2(shop, target):
    blue = target()
    program = shop(blue)
    probe = blue.probes[0]
    assert probe.pseudo == {"method": "GET", "scheme": "http", "authority": blue.id, "path": "/"}
    assert probe.field("accept-encoding") == "gzip, compressed"
    blue.health = (503, None)
    program.wait_state("blue", blue, "unhealthy")
    assert program.targets("blue")[blue.id]["description"] == "Health checks failed with these codes: [503]"
    blue.health = None
    wait_for(lambda: program.targets("blue")[blue.id]["reason"] == "Target.Timeout", what="a time-out")


# ---- hostile targets

def flood(kind, flags=0, stream=0, payload=b""):
    return frame(kind, flags, stream, payload) * 5000


HOSTILE = {
    "garbage": lambda got: os.urandom(4096),
    "HTTP/1.1": lambda got: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "DATA before HEADERS": lambda got: frame(DATA, END_STREAM, got.stream, b"x"),
    "no status": lambda got: frame(HEADERS, 5, got.stream, block([("x", "1")])),
    "two statuses": lambda got: frame(HEADERS, 5, got.stream, block([(":status", "200"), (":status", "204")])),
    "status of letters": lambda got: frame(HEADERS, 5, got.stream, block([(":status", "abc")])),
    "101": lambda got: frame(HEADERS, END_HEADERS, got.stream, block([(":status", "101")])),
    "ends with 100": lambda got: frame(HEADERS, 5, got.stream, block([(":status", "100")])),
    "request pseudo-field": lambda got: frame(HEADERS, 5, got.stream, block([(":status", "200"), (":path", "/")])),
    "connection field": lambda got: frame(HEADERS, 5, got.stream, block([(":status", "200"), ("connection", "close")])),
    "transfer-encoding": lambda got: frame(HEADERS, 5, got.stream, block([(":status", "200"), ("transfer-encoding", "chunked")])),
    "upper case": lambda got: frame(HEADERS, 5, got.stream, block([(":status", "200"), ("X-Upper", "1")])),
    "CR LF in a value": lambda got: frame(HEADERS, 5, got.stream, block([(":status", "200"), ("x", "a\r\nset-cookie: b")])),
    "too little content": lambda got: frame(HEADERS, 4, got.stream, block([(":status", "200"), ("content-length", "9")])) + frame(DATA, 1, got.stream, b"x"),
    "a length without content": lambda got: frame(HEADERS, 5, got.stream, block([(":status", "200"), ("content-length", "9")])),
    "push": lambda got: frame(5, END_HEADERS, got.stream, struct.pack(">I", 2) + block([(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")])),
    "even stream": lambda got: frame(HEADERS, 5, 2, block([(":status", "200")])),
    "idle stream": lambda got: frame(DATA, 0, 99, b"x"),
    "bad HPACK": lambda got: frame(HEADERS, 5, got.stream, b"\xff\xff\xff\xff\xff\xff"),
    "frame too large": lambda got: frame(DATA, 0, got.stream, b"x" * 20000),
    "window overflow": lambda got: frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0x7fffffff)) * 2,
    "zero window update": lambda got: frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0)),
    "SETTINGS on a stream": lambda got: frame(SETTINGS, 0, got.stream),
    "PING flood": lambda got: flood(PING, payload=b"12345678"),
    "SETTINGS flood": lambda got: flood(SETTINGS, payload=setting(INITIAL_WINDOW, 65535)),
    "empty DATA flood": lambda got: frame(HEADERS, END_HEADERS, got.stream, block([(":status", "200")])) + flood(DATA, stream=got.stream),
    "CONTINUATION flood": lambda got: frame(HEADERS, 0, got.stream, block([(":status", "200")])) + flood(CONTINUATION, stream=got.stream),
    "interim flood": lambda got: frame(HEADERS, END_HEADERS, got.stream, block([(":status", "103")])) * 200,
    "head too large": lambda got: frame(HEADERS, 0, got.stream, block([(":status", "200")])) + frame(CONTINUATION, 0, got.stream, block([("x", "y" * 8000)])) * 4 +
                                 frame(CONTINUATION, END_HEADERS, got.stream, block([("x", "y" * 8000)])) ,
    # One entry of the dynamic table, named by one byte each: 4 KiB become 16 MiB.
    "HPACK bomb": lambda got: frame(HEADERS, 5, got.stream, block([(":status", "200")]) + b"\x40\x01x\x7f\x81\x1e" + b"y" * 3968 + b"\xbe" * 4096),
}
# What the client sees where the head may have been passed on already: 502, or a response that breaks off.
BROKEN = {"too little content": {None}, "empty DATA flood": {None, 502}}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_targets_are_502_and_bounded(shop, target, name):
    def script(peer, got):
        if got.pseudo["path"] != "/hostile":
            return False
        with contextlib.suppress(OSError):
            peer.send(HOSTILE[name](got))
        return True
    good = target("good")
    program = shop(target("bad", script=script), good, idle=5)
    # Both targets in turn: one of two answers is broken.
    before, statuses = program.vm_hwm_kib(), []
    with Client(program.port()) as client:
        for _ in range(4):
            with contextlib.suppress(ConnectionError, Closed):
                client.request("GET", "/hostile")
                statuses.append(client.response().status)
                continue
            client.close()
            client = Client(program.port())
            statuses.append(None)
    client.close()
    assert statuses.count(200) == 2, statuses
    assert set(statuses) - {200} <= BROKEN.get(name, {502}), statuses
    assert program.vm_hwm_kib() - before < MEMORY_KIB
    assert get(program.port(), "/fine").status == 200
