"""HTTP/2 from clients: by ALPN, with prior knowledge, real clients and raw frames (ALB 12.1; RFC 9113)."""

import json
import os
import re
import shlex
import socket
import ssl
import struct
import subprocess
import threading

import pytest
from http2_e2e import (CANCEL, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, NO_ERROR, PING,
                       PREFACE, PROTOCOL_ERROR, RST_STREAM, SETTINGS, WINDOW_UPDATE, Http2Client, block, frame, request)
from tls_e2e import certificate, context, yaml
from weir_e2e import SCALE, Client, FakeTarget, answering, curl, exchange, free_port, wait_for

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    attributes: {{{attributes}}}
    access-log: {{path: access.log}}
    listeners:
      - port: 0
        protocol: HTTP
        attributes: {{weir.http2.cleartext.enabled: true}}
        rules: {rules}
        default-actions: [{{forward: {{target-group: blue}}}}]
      - {{port: 0, protocol: HTTP, default-actions: [{{forward: {{target-group: blue}}}}]}}
      - port: 0
        protocol: HTTPS
        certificates: {certificates}
        rules: {rules}
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - {{name: blue, targets: [{blue}], attributes: {{deregistration_delay.timeout_seconds: {delay}}}, health-check: {{interval: 2s, timeout: 1s}}}}
admin: {{address: 127.0.0.1, port: 0}}
"""
RULES = """[
          {priority: 10, conditions: [{path-pattern: [/old/*]}], actions: [{redirect: {path: /new, status-code: HTTP_301}}]},
          {priority: 20, conditions: [{path-pattern: [/ping]}], actions: [{fixed-response: {status-code: 200, message-body: pong}}]},
          {priority: 30, conditions: [{host-header: [beta.example.test]}], actions: [{fixed-response: {status-code: 204}}]}]"""
CLEARTEXT, PLAIN, SECURE = range(3)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("pki"), "shop")


@pytest.fixture
def shop(targets, run, pair, tmp_path):
    def start(script=None, attributes="", delay=300):
        blue = targets("blue", script=script)
        program = run(CONFIG.format(blue=blue.yaml, attributes=attributes, certificates=yaml(pair), delay=delay, rules=RULES))
        program.wait_state("blue", blue, "healthy")
        program.access_log = tmp_path / "access.log"
        return program, blue
    return start


def log_lines(program, count):
    wait_for(lambda: program.access_log.exists() and program.access_log.read_text().count("\n") >= count, what="the log")
    return [shlex.split(line) for line in program.access_log.read_text().splitlines()]


def metric(program, name, labels=""):
    total = 0.0
    for line in program.metrics().splitlines():
        if re.match(rf"{name}(\{{|\s)", line) and labels in line:
            total += float(line.split(" ")[-1])
    return total


def secure(port, protocols=("h2",)):
    settings = context()
    settings.set_alpn_protocols(list(protocols))
    return settings.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10 * SCALE), server_hostname="shop.example.test")


# ---- real clients

def test_curl_speaks_http2_by_alpn(shop):
    program, blue = shop()
    url = f"https://127.0.0.1:{program.port(index=SECURE)}"
    done = curl("-k", "--http2", "-w", "\n%{http_version} %{http_code}", "-H", "Cookie: a=1; b=2", "-d", "content", f"{url}/path?query")
    text, facts = done.stdout.rsplit("\n", 1)
    assert facts == "2 200", done
    seen = json.loads(text)
    assert seen["method"] == "POST" and seen["path"] == "/path?query" and seen["body"] == "content" and seen["version"] == "HTTP/1.1"
    fields = dict(seen["fields"])
    # spec: alb.md 12.1: lower case but for those.
    assert fields["Host"] == f"127.0.0.1:{program.port(index=SECURE)}" and fields["X-Forwarded-Proto"] == "https"
    assert fields["cookie"] == "a=1; b=2" and fields["Content-Length"] == "7"
    assert "user-agent" in fields and "connection" not in {name.lower() for name in fields}
    line = log_lines(program, 1)[0]
    assert line[0] == "h2" and line[12].endswith("HTTP/2.0") and line[12].startswith("POST https://127.0.0.1:")
    assert line[14] != "-" and line[15].startswith("TLSv1.") and line[8] == "200"


def test_curl_with_prior_knowledge_and_rules(shop):
    program, _ = shop()
    url = f"http://127.0.0.1:{program.port(index=CLEARTEXT)}"
    done = curl("--http2-prior-knowledge", "-w", "\n%{http_version} %{http_code}", f"{url}/ping")
    assert done.stdout == "pong\n2 200"
    done = curl("--http2-prior-knowledge", "-o", os.devnull, "-w", "%{http_version} %{http_code} %{redirect_url}", f"{url}/old/x")
    assert done.stdout.startswith("2 301 http://127.0.0.1:") and done.stdout.endswith("/new")
    done = curl("--http2-prior-knowledge", "-w", "%{http_code}", "-H", "Host: beta.example.test", url)
    assert done.stdout == "204"
    done = curl("--http2-prior-knowledge", "-I", f"{url}/ping")
    assert "HTTP/2 200" in done.stdout and "content-length: 4" in done.stdout and "connection" not in done.stdout.lower()
    # HTTP/1.1 goes on beside it, and an Upgrade to h2c is no wish that is granted.
    done = curl("--http2", "-w", "\n%{http_version}", f"{url}/ping")
    assert done.stdout == "pong\n1.1"
    assert {line[0] for line in log_lines(program, 5)} == {"h2", "http"}


def test_large_content_goes_both_ways(shop, tmp_path):
    program, _ = shop(script=lambda request, wire: echo(request, wire))
    content = os.urandom(8 << 20)
    (tmp_path / "body").write_bytes(content)
    for index, scheme in ((CLEARTEXT, "http"), (SECURE, "https")):
        for length in ((), ("-H", "Transfer-Encoding: chunked")):
            done = curl("-k", "--http2-prior-knowledge" if scheme == "http" else "--http2", *length, "-X", "POST", "--data-binary", f"@{tmp_path / 'body'}",
                        "-o", tmp_path / "answer", "-w", "%{http_version} %{http_code}", f"{scheme}://127.0.0.1:{program.port(index=index)}/")
            assert done.stdout == "2 200", done
            assert (tmp_path / "answer").read_bytes() == content


def echo(request, wire):
    FakeTarget.read_body(request, wire)
    wire.socket.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(request.body)}\r\n\r\n".encode() + request.body)
    return True


def test_nghttp_loads_a_page_with_many_assets(shop):
    program, _ = shop()
    url = f"https://127.0.0.1:{program.port(index=SECURE)}"
    done = subprocess.run(["nghttp", "-n", "--stat", "--no-verify-peer", *(f"{url}/asset/{i}" for i in range(200))], capture_output=True,
                          text=True, timeout=30 * SCALE, check=True)
    assert len(re.findall(r" 200 +\d+ /asset/", done.stdout)) == 200, done.stdout


def test_h2load_loses_no_request_at_the_limit_of_10000(shop):
    program, _ = shop()
    done = subprocess.run(["h2load", "-n", "25000", "-c", "2", "-m", "32", f"https://127.0.0.1:{program.port(index=SECURE)}/ping"],
                          capture_output=True, text=True, timeout=60 * SCALE, check=True)
    found = re.search(r"requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, (\d+) failed", done.stdout)
    total, _, _, succeeded, failed = map(int, found.groups())
    # h2load does not connect again, and counts what it did not send for failed: all that it did was answered.
    assert succeeded >= 20000 and succeeded + failed == total, done.stdout
    assert metric(program, "weir_listener_responses_total", 'class="2xx"') == succeeded
    assert metric(program, "weir_listener_requests_total") == succeeded
    assert metric(program, "weir_listener_http2_goaways_total") == 2


# ---- protocol choice

def test_alpn_offers_http2_unless_it_is_disabled(shop):
    program, _ = shop()
    for offered, chosen in ((("h2", "http/1.1"), "h2"), (("http/1.1",), "http/1.1"), (("http/1.1", "h2"), "h2")):
        with secure(program.port(index=SECURE), offered) as client:
            assert client.selected_alpn_protocol() == chosen


def test_alpn_without_http2(shop):
    program, _ = shop(attributes="routing.http2.enabled: false")
    with secure(program.port(index=SECURE), ("h2", "http/1.1")) as client:
        assert client.selected_alpn_protocol() == "http/1.1"


def test_a_preface_where_http2_is_not_taken_is_505(shop):
    program, _ = shop()
    answer = exchange(program.port(index=PLAIN), PREFACE)
    assert answer.startswith(b"HTTP/1.1 505")


def test_http1_that_begins_like_the_preface(shop):
    program, _ = shop()
    port = program.port(index=CLEARTEXT)
    with Client(port) as client:
        for piece in (b"P", b"O", b"ST /ping HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"):
            client.send(piece)
        assert client.response().status == 200
        assert client.get("/ping").status == 200
    assert exchange(port, b"PRI * HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 400")
    with Http2Client(port, hello=False) as client:
        for byte in PREFACE + frame(SETTINGS, 0, 0) + request(1, "/ping"):
            client.send(bytes([byte]))
        assert client.answer(1) == (200, b"pong")


# ---- streams

def test_a_slow_stream_holds_no_other(shop):
    size = 1 << 20
    big = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * size
    program, _ = shop(script=lambda request, wire: answering(big)(request, wire) if request.target == "/big" else None)
    with Http2Client(program.port(index=CLEARTEXT)) as client:
        client.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 64 << 20)) + request(1, "/big"))
        client.until(lambda got: got.kind == DATA and got.stream == 1)
        # Its window of 64 KiB stays used up, the others go on.
        for stream in range(3, 203, 2):
            client.send(request(stream, "/ping"))
            assert client.answer(stream) == (200, b"pong")
        assert sum(len(got.payload) for got in client.frames if got.stream == 1 and got.kind == DATA) == 65535
        client.send(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", size)))
        assert client.answer(1) == (200, b"x" * size)


def test_content_waits_for_a_slow_target_and_others_do_not(shop):
    release = threading.Event()

    def script(request, wire):
        if request.method != "PUT":
            return None
        release.wait(30)
        return echo(request, wire)
    program, _ = shop(script=script)
    with Http2Client(program.port(index=CLEARTEXT)) as client:
        client.send(request(1, "/slow", method="PUT", end=False) + frame(DATA, 0, 1, b"x" * 16000) * 4)
        client.send(request(3, "/ping"))
        assert client.answer(3) == (200, b"pong")
        client.send(frame(DATA, END_STREAM, 1))
        release.set()
        assert client.answer(1) == (200, b"x" * 64000)


def test_trailers_and_interim_responses(shop):
    answer = (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
              b"5\r\nhello\r\n0\r\nX-Sum: 5\r\nContent-Length: 9\r\n\r\n")
    program, _ = shop(script=answering(answer))
    with Http2Client(program.port(index=CLEARTEXT)) as client:
        client.send(request(1, method="POST", end=False) + frame(DATA, 0, 1, b"ab") + frame(HEADERS, END_HEADERS | END_STREAM, 1, block([("x-end", "1")])))
        client.until(lambda got: got.ends and got.stream == 1)
        heads = [got for got in client.frames if got.kind == HEADERS]
        assert len(heads) == 3 and heads[2].ends, heads
        assert [got.payload for got in client.frames if got.kind == DATA and got.payload] == [b"hello"]


def test_request_trailers_reach_the_target(shop):
    program, blue = shop()
    with Http2Client(program.port(index=CLEARTEXT)) as client:
        client.send(request(1, method="POST", end=False) + frame(DATA, 0, 1, b"ab") +
                    frame(HEADERS, END_HEADERS | END_STREAM, 1, block([("x-end", "1"), ("host", "evil")])))
        status, content = client.answer(1)
    assert status == 200 and json.loads(content)["body"] == "ab"
    assert json.loads(content)["trailers"] == [["x-end", "1"]]


def test_a_clients_reset_reaches_the_target(shop):
    closed = threading.Event()

    def script(request, wire):
        try:
            if not wire.socket.recv(1):
                closed.set()
        except ConnectionError:
            closed.set()
        return False
    program, _ = shop(script=script)
    with Http2Client(program.port(index=CLEARTEXT)) as client:
        client.send(request(1))
        wait_for(lambda: metric(program, "weir_target_group_requests_total"), what="the request at the target")
        client.send(frame(RST_STREAM, 0, 1, struct.pack(">I", CANCEL)) + request(3, "/ping"))
        assert client.answer(3) == (200, b"pong")
        wait_for(closed.is_set, what="the end of the target's connection")
    assert log_lines(program, 2)[0][8] == "460"


def test_a_response_that_breaks_off_resets_its_stream_alone(shop):
    program, _ = shop(script=lambda request, wire: (wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin"), False)[1])
    with Http2Client(program.port(index=CLEARTEXT)) as client:
        client.send(request(1))
        reset = client.until(lambda got: got.kind == RST_STREAM)
        assert reset.stream == 1 and reset.code == 2
        client.send(request(3, "/ping"))
        assert client.answer(3) == (200, b"pong")


def test_an_early_answer_ends_the_request_without_an_error(shop):
    program, _ = shop()
    with Http2Client(program.port(index=CLEARTEXT)) as client:
        client.send(request(1, "/ping", method="POST", end=False))
        client.until(lambda got: got.ends and got.stream == 1)
        assert client.until(lambda got: got.kind == RST_STREAM).code == NO_ERROR
        client.send(frame(DATA, END_STREAM, 1, b"late") + request(3, "/ping"))
        assert client.answer(3) == (200, b"pong")


# ---- what is refused

REFUSED = [
    ("Host beside another :authority", request(1, fields=[("host", "other.test")])),
    ("a scheme that is not HTTP's", frame(HEADERS, 5, 1, block([(":method", "GET"), (":scheme", "ftp"), (":authority", "a"), (":path", "/")]))),
    ("user information", request(1, authority="user@shop.example.test")),
]


@pytest.mark.parametrize("name,data", REFUSED, ids=[row[0] for row in REFUSED])
def test_heads_that_http1_would_refuse_are_400(shop, name, data):
    program, blue = shop()
    with Http2Client(program.port(index=CLEARTEXT)) as client:
        client.send(data)
        assert client.answer(1)[0] == 400, name
        client.send(request(3, "/ping"))
        assert client.answer(3) == (200, b"pong")
    assert not blue.requests
    assert log_lines(program, 2)[0][8] == "400"


@pytest.mark.parametrize("field", [("connection", "close"), ("transfer-encoding", "chunked"), ("X-Upper", "1"), ("x", "a\r\nb: c"), ("upgrade", "h2c"),
                                   ("te", "gzip"), ("content-length", "5")], ids=lambda field: field[0])
def test_malformed_requests_are_reset_counted_and_logged(shop, field):
    program, blue = shop()
    with Http2Client(program.port(index=CLEARTEXT)) as client:
        client.send(request(1, fields=[field]))
        assert client.until(lambda got: got.kind == RST_STREAM).code == PROTOCOL_ERROR
        client.send(request(3, "/ping"))
        assert client.answer(3) == (200, b"pong")
    assert not blue.requests
    assert metric(program, "weir_listener_http2_malformed_requests_total") == 1
    assert log_lines(program, 2)[0][8] == "400"


def test_trace_is_405_and_other_methods_go_through(shop):
    program, _ = shop()
    url = f"http://127.0.0.1:{program.port(index=CLEARTEXT)}"
    for method, status in (("TRACE", "405"), ("PATCH", "200"), ("QUERY", "200")):
        done = curl("--http2-prior-knowledge", "-X", method, "-o", os.devnull, "-w", "%{http_version} %{http_code}", url)
        assert done.stdout == f"2 {status}", method


def test_grpc_to_a_group_of_http1_is_464(shop):
    program, blue = shop()
    url = f"https://127.0.0.1:{program.port(index=SECURE)}/package.Service/Method"
    done = curl("-k", "--http2", "-H", "Content-Type: application/grpc+proto", "-H", "TE: trailers", "-d", "x", "-o", os.devnull, "-w", "%{http_version} %{http_code}", url)
    assert done.stdout == "2 464" and not blue.requests, done
    assert log_lines(program, 1)[0][8] == "464"
    # A rule that answers itself does not mind, nor does a client of HTTP/1.1.
    assert curl("-k", "--http1.1", "-H", "Content-Type: application/grpc", "-d", "x", "-o", os.devnull, "-w", "%{http_code}", url).stdout == "200"


FLOODS = [
    ("rapid_reset", "", lambda i: request(2 * i + 1, "/ping", end=False) + frame(RST_STREAM, 0, 2 * i + 1, struct.pack(">I", CANCEL))),
    ("ping", "", lambda i: frame(PING, 0, 0, b"12345678")),
    ("settings", "", lambda i: frame(SETTINGS, 0, 0)),
    ("empty_data", request(1, "/", method="PUT", end=False), lambda i: frame(DATA, 0, 1)),
    ("window_update", request(1, "/", method="PUT", end=False), lambda i: frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1))),
    ("priority", "", lambda i: frame(2, 0, 1, struct.pack(">IB", 3, 16))),
    ("continuation", "", lambda i: frame(HEADERS, 0, 1, b"") if i == 0 else frame(9, 0, 1, b"")),
]


@pytest.mark.parametrize("flood,before,each", FLOODS, ids=[row[0] for row in FLOODS])
def test_floods_end_the_connection_by_name(shop, flood, before, each):
    program, _ = shop()
    with Http2Client(program.port(index=CLEARTEXT)) as client:
        if before:
            client.send(before)
        client.send(b"".join(each(i) for i in range(10)))
        client.socket.settimeout(20 * SCALE)

        def pour():
            try:
                for i in range(10, 20000, 10):
                    client.socket.sendall(b"".join(each(i + k) for k in range(10)))
            except OSError:
                pass
        thread = threading.Thread(target=pour, daemon=True)
        thread.start()
        frames = client.rest()
        thread.join()
        goaways = [got for got in frames if got.kind == GOAWAY]
        assert goaways and goaways[-1].code == ENHANCE_YOUR_CALM, frames[-5:]
    assert metric(program, "weir_listener_http2_floods_total", f'flood="{flood}"') == 1
    # Others are served as before.
    with Http2Client(program.port(index=CLEARTEXT)) as client:
        client.send(request(1, "/ping"))
        assert client.answer(1) == (200, b"pong")


def test_provoked_resets_end_the_connection_by_name(shop):
    program, _ = shop()
    with Http2Client(program.port(index=CLEARTEXT)) as client:
        stream = 1
        while not any(got.kind == GOAWAY for got in client.frames):
            client.send(request(stream, fields=[("connection", "x")]))
            client.until(lambda got: got.kind == GOAWAY or (got.kind == RST_STREAM and got.stream == stream))
            stream += 2
            assert stream < 1000
        assert client.goaway().code == ENHANCE_YOUR_CALM
    assert metric(program, "weir_listener_http2_floods_total", 'flood="provoked_reset"') == 1


# ---- timers and ends

def test_a_stream_whose_target_says_nothing_is_504_whatever_the_others_do(shop):
    release = threading.Event()
    program, _ = shop(script=lambda request, wire: release.wait(30) and False, attributes="idle_timeout.timeout_seconds: 1")
    with Http2Client(program.port(index=CLEARTEXT)) as client:
        client.send(request(1))
        stream = 3
        while not any(got.stream == 1 and got.ends for got in client.frames):
            client.send(request(stream, "/ping") + frame(PING, 0, 0, b"12345678"))
            client.answer(stream)
            stream += 2
            assert stream < 200000
    release.set()
    wait_for(lambda: any(line[8] == "504" for line in log_lines(program, 2)), what="the line of the log")


def test_an_idle_connection_is_told_to_go_and_pings_do_not_keep_it(shop):
    program, _ = shop(attributes="idle_timeout.timeout_seconds: 1")
    with Http2Client(program.port(index=CLEARTEXT)) as client:
        client.send(request(1, "/ping"))
        client.answer(1)
        stop = threading.Event()

        def ping():
            while not stop.wait(0.2):
                try:
                    client.send(frame(PING, 0, 0, b"12345678"))
                except OSError:
                    return
        thread = threading.Thread(target=ping, daemon=True)
        thread.start()
        frames = client.rest()
        stop.set()
        thread.join()
        goaway = next(got for got in frames if got.kind == GOAWAY)
        assert goaway.code == NO_ERROR and goaway.last_stream == 1
        assert any(got.kind == PING and got.flags == 1 for got in frames)


def test_a_client_that_opens_no_window_is_let_go(shop):
    program, _ = shop(attributes="idle_timeout.timeout_seconds: 1")
    with Http2Client(program.port(index=CLEARTEXT), settings=struct.pack(">HI", 4, 0)) as client:
        client.send(request(1, "/ping"))
        assert client.until(lambda got: got.kind == RST_STREAM).stream == 1


def test_a_drain_serves_what_is_on_its_way(shop):
    release = threading.Event()

    def script(request, wire):
        release.wait(30)
        return None
    program, _ = shop(script=script)
    with Http2Client(program.port(index=CLEARTEXT)) as client:
        client.send(request(1))
        wait_for(lambda: metric(program, "weir_target_group_requests_total"), what="the request at the target")
        program.signal(15)
        notice = client.goaway()
        assert notice.last_stream == 0x7fffffff and notice.code == NO_ERROR
        client.send(request(3, "/ping"))  # it had not read the notice yet
        assert client.answer(3) == (200, b"pong")
        ping = client.until(lambda got: got.kind == PING)
        client.send(frame(PING, 1, 0, ping.payload))
        last = client.until(lambda got: got.kind == GOAWAY and got is not notice)
        assert last.last_stream == 3
        release.set()
        assert client.answer(1)[0] == 200
        client.rest()
    assert program.wait_exit() == 0


def test_a_reload_that_removes_the_listener_tells_its_clients_to_go(run):
    config = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
{listeners}
admin: {{address: 127.0.0.1, port: 0}}
"""
    ping = "default-actions: [{fixed-response: {status-code: 200, message-body: pong}}]"
    port = free_port()
    kept = f"      - {{port: {free_port()}, protocol: HTTP, {ping}}}"
    gone = f"      - {{port: {port}, protocol: HTTP, attributes: {{weir.http2.cleartext.enabled: true}}, {ping}}}"
    program = run(config.format(listeners=kept + "\n" + gone))
    with Http2Client(port) as client:
        client.send(request(1, "/ping"))
        assert client.answer(1) == (200, b"pong")
        program.write(config.format(listeners=kept))
        program.signal(1)
        assert client.goaway().code == NO_ERROR
        client.rest()


def test_metrics_and_log_of_both_protocols(shop):
    program, _ = shop()
    curl("--http2-prior-knowledge", f"http://127.0.0.1:{program.port(index=CLEARTEXT)}/ping")
    curl("--http1.1", f"http://127.0.0.1:{program.port(index=CLEARTEXT)}/ping")
    assert metric(program, "weir_listener_http2_requests_total") == 1
    assert metric(program, "weir_listener_http2_connections_total") == 1
    assert metric(program, "weir_listener_requests_total") == 2
    wait_for(lambda: metric(program, "weir_listener_http2_connections_active") == 0, what="the connection's end")
