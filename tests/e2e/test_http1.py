"""HTTP/1.x on both sides: connections, framing, interim responses, limits, and what must be refused."""

import re
import threading

import pytest
from weir_e2e import SANITIZED, Client, Closed, FakeTarget, answering, curl, exchange, get, wait_for

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    attributes: {{{attributes}}}
    listeners:
      - port: 0
        protocol: HTTP
        rules:
          - priority: 1
            conditions: [{{path-pattern: [/ping]}}]
            actions: [{{fixed-response: {{status-code: 200, content-type: text/plain, message-body: pong}}}}]
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - {{name: blue, targets: [{blue}]}}
admin: {{address: 127.0.0.1, port: 0}}
"""


@pytest.fixture
def shop(targets, run):
    """shop(script) starts a target with that script and the program before it."""
    def start(script=None, attributes=""):
        blue = targets("blue", script=script)
        weir = run(CONFIG.format(blue=blue.yaml, attributes=attributes))
        weir.wait_state("blue", blue, "healthy")
        return weir, blue
    return start


# ---- connections


def test_a_connection_carries_many_requests(shop):
    weir, blue = shop()
    with Client(weir.port()) as client:
        for number in range(50):
            assert client.get(f"/{number}").json()["path"] == f"/{number}"
    assert blue.connections_accepted - len(blue.probes) < 5, "connections to targets are used again"


def test_pipelined_requests_are_answered_in_order(shop):
    weir, _ = shop()
    with Client(weir.port()) as client:
        client.send("".join(f"GET /{number} HTTP/1.1\r\nHost: a.test\r\n\r\n" for number in range(20)))
        assert [client.response().json()["path"] for _ in range(20)] == [f"/{number}" for number in range(20)]


def test_pipelined_fixed_responses_and_forwards_keep_their_order(shop):
    weir, _ = shop()
    with Client(weir.port()) as client:
        client.send(("GET /ping HTTP/1.1\r\nHost: a.test\r\n\r\n" "GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n") * 3)
        bodies = [client.response().body for _ in range(6)]
    assert bodies[0::2] == [b"pong"] * 3 and all(b'"/x"' in body for body in bodies[1::2])


def test_connection_close_is_honoured_after_the_response(shop):
    weir, _ = shop()
    with Client(weir.port()) as client:
        answer = client.get(fields={"Connection": "close"})
        assert answer.status == 200 and answer.field("Connection").lower() == "close" and client.is_closed()


def test_an_http10_client_gets_a_closed_connection(shop):
    weir, blue = shop()
    answer = exchange(weir.port(), b"GET /old HTTP/1.0\r\nHost: a.test\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ") and b'"/old"' in answer
    assert blue.requests[0].version == "HTTP/1.1"


def test_an_http10_client_gets_no_chunks(shop):
    weir, _ = shop(answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
    answer = exchange(weir.port(), b"GET / HTTP/1.0\r\nHost: a.test\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == b"hello" and b"chunked" not in head.lower()


def test_a_target_that_closes_after_each_answer_is_not_used_again(shop):
    def script(request, wire):
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        return False
    weir, _ = shop(script)
    with Client(weir.port()) as client:
        for _ in range(10):
            answer = client.get()
            assert answer.status == 200 and answer.body == b"ok" and (answer.field("Connection") or "keep-alive").lower() != "close"


def test_a_stale_pooled_connection_is_replaced_without_a_trace(shop):
    """The target closes an idle connection without saying so; the next request must not fail."""
    closing = []

    def script(request, wire):
        closing.append(request.connection)
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        return False
    weir, _ = shop(script)
    with Client(weir.port()) as client:
        for _ in range(20):
            assert client.get().status == 200
    assert len(closing) == 20


# ---- framing


def test_chunked_request_with_trailers(shop):
    weir, blue = shop()
    with Client(weir.port()) as client:
        client.send("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                    "5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n")
        answer = client.response()
        assert answer.json()["body"] == "hello world" and answer.json()["trailers"] == [["X-Sum", "11"]]
        assert client.get("/next").json()["path"] == "/next"
    assert blue.requests[0].field("Content-Length") is None


def test_chunked_response_with_trailers(shop):
    weir, _ = shop(answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                             "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n"))
    with Client(weir.port()) as client:
        for _ in range(2):
            answer = client.get()
            assert answer.body == b"hello world" and ("X-Sum", "11") in answer.trailers


def test_a_chunked_response_arrives_as_it_is_made(shop):
    proceed = threading.Event()

    def script(request, wire):
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        proceed.wait(20)
        wire.socket.sendall(b"4\r\nlast\r\n0\r\n\r\n")
        return True
    weir, _ = shop(script)
    with Client(weir.port()) as client:
        client.request("GET", "/")
        client.head()
        size = int(client.until(b"\r\n"), 16)
        assert client.exactly(size) == b"first"
        proceed.set()
        assert b"last" in client.until(b"0\r\n\r\n")


def test_a_response_that_ends_with_the_connection(shop):
    def script(request, wire):
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end")
        return False
    weir, _ = shop(script)
    with Client(weir.port()) as client:
        assert client.get().body == b"until the end"
    assert exchange(weir.port(), b"GET / HTTP/1.0\r\n\r\n").endswith(b"until the end")


def test_head_has_no_body_and_keeps_the_length(shop):
    weir, _ = shop()
    with Client(weir.port()) as client:
        answer = client.request("HEAD", "/x").response("HEAD")
        assert answer.status == 200 and int(answer.field("Content-Length")) > 10
        assert client.get("/y").json()["path"] == "/y"
        head = client.request("HEAD", "/ping").response("HEAD")
        assert head.status == 200 and head.field("Content-Length") == "4"
        assert client.get("/ping").body == b"pong"


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_answers_without_content(shop, status):
    weir, _ = shop(answering(f"HTTP/1.1 {status}\r\nETag: \"a\"\r\n\r\n"))
    with Client(weir.port()) as client:
        for _ in range(3):
            answer = client.get()
            assert answer.status == int(status[:3]) and answer.body == b"" and answer.field("ETag") == '"a"'
            assert answer.field("Transfer-Encoding") is None


def test_interim_responses_cross(shop):
    weir, _ = shop(answering("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    with Client(weir.port()) as client:
        for _ in range(2):
            answer = client.get()
            assert answer.status == 200 and answer.body == b"ok"
            assert [interim.status for interim in answer.interim] in ([103], [])


def test_expect_continue_is_answered_at_once_and_dropped(shop):
    """Section 12.1: the load balancer answers 100 Continue itself and does not forward the field."""
    weir, blue = shop()
    with Client(weir.port()) as client:
        client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        interim = client.response(interim=False)
        assert interim.status == 100
        client.send("hello")
        assert client.response().json()["body"] == "hello"
    assert blue.requests[0].field("Expect") is None


def test_curl_uploads_and_downloads(shop, tmp_path):
    weir, blue = shop()
    data = tmp_path / "data"
    data.write_bytes(bytes(range(256)) * 8192)
    outcome = curl("-T", data, "-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:{weir.port()}/up")
    assert outcome.stdout == "200", outcome.stderr
    assert blue.requests[0].body == data.read_bytes() and blue.requests[0].method == "PUT"


def test_an_early_answer_reaches_the_client(shop):
    """The target answers and closes before it has read the body."""
    def script(request, wire):
        wire.socket.sendall(b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig")
        return False
    weir, _ = shop(script)
    with Client(weir.port()) as client:
        client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\n" + "x" * 1000)
        answer = client.response()
        assert answer.status == 413 and answer.body == b"big"


def test_a_client_that_goes_away_ends_the_exchange_at_the_target(shop):
    broken = threading.Event()
    arrived = threading.Event()

    def script(request, wire):
        arrived.set()
        try:
            wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            while True:
                wire.socket.sendall(b"x" * 65536)
        except OSError:
            broken.set()
        return False
    weir, _ = shop(script)
    client = Client(weir.port())
    client.request("GET", "/")
    client.head()
    assert arrived.is_set()
    client.reset()
    assert broken.wait(10), "the target goes on writing to nobody"
    with Client(weir.port()) as other:
        assert other.get("/ping").body == b"pong"


def test_a_target_that_breaks_in_the_middle_breaks_the_response(shop):
    """A truncated body must not look complete."""
    def script(request, wire):
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
        return False
    weir, _ = shop(script)
    with Client(weir.port()) as client:
        client.request("GET", "/")
        with pytest.raises((Closed, ConnectionError)):
            client.response()


def test_truncated_chunks_are_not_completed(shop):
    def script(request, wire):
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        return False
    weir, _ = shop(script)
    with Client(weir.port()) as client:
        client.request("GET", "/")
        with pytest.raises((Closed, ConnectionError)):
            client.response()


# ---- what targets may do wrong (section 13: 502)

BAD_RESPONSES = [
    ("not HTTP", b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    ("closes without a word", b""),
    ("half a head", b"HTTP/1.1 200 OK\r\nContent-"),
    ("a bad status", b"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n"),
    ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    ("a negative length", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
    ("a field without colon", b"HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 0\r\n\r\n"),
    ("headers over 32 KiB (12.2)", b"HTTP/1.1 200 OK\r\n" + b"X-Pad: " + b"a" * 1000 + b"\r\n" + b"".join(
        b"X-Pad-%d: " % number + b"a" * 1000 + b"\r\n" for number in range(40)) + b"Content-Length: 0\r\n\r\n"),
]


@pytest.mark.parametrize("name,data", BAD_RESPONSES, ids=[row[0] for row in BAD_RESPONSES])
def test_a_worthless_response_is_502(shop, name, data):
    def script(request, wire):
        wire.socket.sendall(data)
        return False
    weir, _ = shop(script)
    answer = get(weir.port())
    assert answer.status == 502 and answer.field("Content-Type") == "text/html" and b"502 Bad Gateway" in answer.body
    assert answer.field("Server") == "awselb/2.0"


# ---- what clients may do wrong


def test_the_servers_own_field_stays(shop):
    """Section 12.5: what weir adds is on responses of its own."""
    def script(request, wire):
        own = b"Server: own/1\r\n" if request.target == "/own" else b""
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\n" + own + b"Content-Length: 0\r\n\r\n")
        return True
    weir, _ = shop(script=script)
    assert get(weir.port(), "/own").values("Server") == ["own/1"]
    assert get(weir.port(), "/none").values("Server") == []


def test_trace_is_405(shop):
    weir, blue = shop()
    assert get(weir.port(), method="TRACE").status == 405
    assert not blue.requests


def test_big_fields_cross_and_bigger_ones_are_refused(shop):
    """Section 12.2: a line of 16,384 bytes is refused, a little less is not; 64 KB of headers in all."""
    weir, _ = shop()
    assert get(weir.port(), fields={"X-Big": "a" * 16000}).status == 200
    assert get(weir.port(), fields={"X-Big": "a" * 16400}).status == 400
    assert get(weir.port(), fields=[(f"X-{number}", "a" * 15000) for number in range(4)]).status == 200
    assert get(weir.port(), fields=[(f"X-{number}", "a" * 15000) for number in range(5)]).status == 400
    assert get(weir.port(), "/" + "a" * 15000).status == 200
    assert get(weir.port(), "/" + "a" * 17000).status == 414


HEAD = "Host: a.test\r\n"
# name, bytes, status. Severe in section 14.2, or forbidden by RFC 9112 in a way that two readers would frame differently.
REFUSED = [
    ("two different lengths", f"POST / HTTP/1.1\r\n{HEAD}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400),
    ("a length list that differs", f"POST / HTTP/1.1\r\n{HEAD}Content-Length: 5, 6\r\n\r\nhello!", 400),
    ("a length with a sign", f"POST / HTTP/1.1\r\n{HEAD}Content-Length: +5\r\n\r\nhello", 400),
    ("a length in hexadecimal", f"POST / HTTP/1.1\r\n{HEAD}Content-Length: 0x5\r\n\r\nhello", 400),
    ("a length beyond 64 bits", f"POST / HTTP/1.1\r\n{HEAD}Content-Length: 99999999999999999999\r\n\r\n", 400),
    ("chunked that is spelt differently", f"POST / HTTP/1.1\r\n{HEAD}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", (400, 501)),
    ("a coding after chunked", f"POST / HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", (400, 501)),
    ("chunked twice", f"POST / HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("an unknown coding (12.1)", f"POST / HTTP/1.1\r\n{HEAD}Transfer-Encoding: gzip\r\n\r\n", (400, 501)),
    ("a space before the colon", f"POST / HTTP/1.1\r\n{HEAD}Content-Length : 5\r\n\r\nhello", 400),
    ("a NUL in a field", f"GET / HTTP/1.1\r\n{HEAD}X: a\0b\r\n\r\n", 400),
    ("a bare CR in a field", f"GET / HTTP/1.1\r\n{HEAD}X: a\rb\r\n\r\n", 400),
    ("a length and a suspicious coding", f"POST / HTTP/1.1\r\n{HEAD}Content-Length: 5\r\nTransfer-Encoding: \x0bchunked\r\n\r\nhello", (400, 501)),
    ("no Host", "GET / HTTP/1.1\r\n\r\n", 400),
    ("two Hosts", f"GET / HTTP/1.1\r\n{HEAD}{HEAD}\r\n", 400),
    ("a Host that is none", "GET / HTTP/1.1\r\nHost: a b/c\r\n\r\n", 400),
    ("a method with a bracket", f"GE(T / HTTP/1.1\r\n{HEAD}\r\n", 400),
    ("the preface of HTTP/2 (13)", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("a version that does not exist", f"GET / HTTP/3.0\r\n{HEAD}\r\n", (400, 505)),
    ("nonsense", "nonsense\r\n\r\n", 400),
]


def test_smuggling_and_nonsense_are_refused_and_the_connection_closed(shop):
    weir, blue = shop()
    wrong = []
    for name, data, status in REFUSED:
        # What follows must never be taken for a request.
        answer = exchange(weir.port(), data.encode("latin-1") + b"GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n", seconds=3)
        got = int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.") else None
        allowed = status if isinstance(status, tuple) else (status,)
        if got not in allowed or answer.count(b"HTTP/1.1 ") != 1:
            wrong.append(f"{name}: {answer[:300]!r}")
    assert not wrong, "\n".join(wrong)
    assert not [request.target for request in blue.requests if "smuggled" in request.target]


BAD_CHUNKS = [
    ("a size that is no number", "zz\r\nhello\r\n0\r\n\r\n"),
    ("a size with 0x", "0x5\r\nhello\r\n0\r\n\r\n"),
    ("a size beyond 64 bits", "fffffffffffffffff\r\nhello\r\n"),
    ("data longer than its size", "3\r\nhello\r\n0\r\n\r\n"),
    ("an empty size", "\r\nhello\r\n0\r\n\r\n"),
    ("a negative size", "-5\r\nhello\r\n0\r\n\r\n"),
]


def test_malformed_chunks_end_in_400_or_a_closed_connection(shop):
    weir, blue = shop()
    wrong = []
    for name, chunks in BAD_CHUNKS:
        answer = exchange(weir.port(), (f"POST / HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n" + chunks +
                                        "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n").encode(), seconds=3)
        if answer and not answer.startswith(b"HTTP/1.1 400"):
            wrong.append(f"{name}: {answer[:300]!r}")
        if answer.count(b"HTTP/1.1 ") > 1:
            wrong.append(f"{name}: answered twice {answer!r}")
    assert not wrong, "\n".join(wrong)
    assert not [request for request in blue.requests if request.target == "/smuggled"]


# name, bytes, mode: status, and whether the client's connection stays open afterwards (14.1).
AMBIGUOUS = f"POST /a HTTP/1.1\r\n{HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
ACCEPTABLE = f"GET /a HTTP/1.1\r\n{HEAD}Content-Length: 0\r\n\r\n"


@pytest.mark.parametrize("mode,data,status,stays", [
    ("monitor", ACCEPTABLE, 200, True),
    ("defensive", ACCEPTABLE, 200, True),
    ("strictest", ACCEPTABLE, 400, False),
    ("defensive", AMBIGUOUS, 200, False),
    ("strictest", AMBIGUOUS, 400, False),
], ids=["monitor acceptable", "defensive acceptable", "strictest acceptable", "defensive ambiguous", "strictest ambiguous"])
def test_desync_modes(shop, mode, data, status, stays):
    weir, blue = shop(attributes=f"routing.http.desync_mitigation_mode: {mode}")
    with Client(weir.port()) as client:
        answer = client.send(data).response()
        # RFC 9112 6.1 allows a proxy to refuse Content-Length beside Transfer-Encoding; ALB's defensive mode forwards it.
        assert answer.status == status
        if stays:
            assert client.get("/b").json()["path"] == "/b"
        else:
            assert client.is_closed()
    for request in blue.requests:
        assert not (request.field("Content-Length") and request.field("Transfer-Encoding")), "one framing only goes to a target"


def test_a_request_in_single_bytes(shop):
    weir, _ = shop()
    with Client(weir.port()) as client:
        for byte in b"POST /slow HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n":
            client.send(bytes([byte]))
        assert client.response().json()["body"] == "abc"


def test_a_response_in_single_bytes(shop):
    text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"

    def script(request, wire):
        for byte in text:
            wire.socket.sendall(bytes([byte]))
        return True
    weir, _ = shop(script)
    with Client(weir.port()) as client:
        for _ in range(3):
            assert client.get().body == b"abc"


def test_empty_lines_before_a_request_are_skipped(shop):
    weir, _ = shop()
    with Client(weir.port()) as client:
        assert client.send("\r\nGET /a HTTP/1.1\r\nHost: a.test\r\n\r\n").response().status == 200


def test_a_post_is_not_sent_twice(shop):
    """A target that takes a request and breaks may have acted on it."""
    def script(request, wire):
        FakeTarget.read_body(request, wire)
        return False
    weir, blue = shop(script)
    assert get(weir.port(), "/buy", method="POST", body=b"1").status == 502
    wait_for(lambda: blue.requests, what="the request at the target")
    assert len(blue.requests) == 1


def test_an_unknown_upgrade_is_not_taken_up_and_the_request_goes_on_as_it_is(shop):
    """RFC 9110 7.8: a recipient may ignore Upgrade; the field is hop-by-hop and stops here. WebSocket: test_websocket.py."""
    weir, blue = shop()
    with Client(weir.port()) as client:
        assert client.get("/chat", {"Upgrade": "irc/6.9", "Connection": "Upgrade"}).status == 200
        assert client.get("/next").status == 200
    assert blue.requests[0].field("Upgrade") is None


def test_an_idle_connection_keeps_no_buffer(shop):
    """A large head that arrives in two pieces is kept until it is whole, and no longer."""
    weir, _ = shop()
    head = b"GET / HTTP/1.1\r\nHost: shop.example.test\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 9000) for n in range(6)) + b"\r\n"

    def ask():
        client = Client(weir.port())
        client.send(head[:-2])
        wait_for(lambda: received(weir) >= sent[0] + len(head) - 2, 10, "the first piece")
        client.send(head[-2:])
        assert client.response().status == 200
        sent[0] += len(head)
        return client
    sent = [0]
    clients = [ask() for _ in range(20)]
    before = weir.vm_hwm_kib()
    clients += [ask() for _ in range(200)]
    grown = weir.vm_hwm_kib() - before
    for client in clients:
        client.close()
    if not SANITIZED:  # whose allocator keeps what is freed
        assert grown < 4 * 1024, f"{grown} KiB more"


def received(weir):
    return int(re.search(r"^weir_listener_received_bytes_total\{.*\} (\d+)$", weir.metrics(), re.M).group(1))
