"""Timers of ALB 12.6 with an idle timeout of one second, and connections that cannot be made (section 13)."""

import socket
import threading
import time

import pytest
from weir_e2e import SCALE, Client, Closed, FakeTarget, exchange, free_port, get

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    attributes: {{idle_timeout.timeout_seconds: 1{attributes}}}
    listeners:
      - {{port: 0, protocol: HTTP, default-actions: [{{forward: {{target-group: blue}}}}]}}
target-groups:
  - {{name: blue, targets: [{blue}], health-check: {{interval: {interval}, timeout: 500ms}}}}
admin: {{address: 127.0.0.1, port: 0}}
"""


@pytest.fixture
def shop(targets, run):
    def start(script=None, attributes=""):
        blue = targets("blue", script=script)
        weir = run(CONFIG.format(blue=blue.yaml, attributes=attributes, interval="1h"))
        weir.wait_state("blue", blue, "healthy")
        return weir, blue
    return start


class Stopwatch:
    def __init__(self):
        self.started = time.monotonic()

    @property
    def seconds(self):
        return time.monotonic() - self.started


@pytest.fixture
def hang():
    """An event that ends every script that waits for it."""
    event = threading.Event()
    yield event
    event.set()


def test_a_target_that_says_nothing_is_504_after_the_idle_timeout(shop, hang):
    weir, _ = shop(lambda request, wire: hang.wait(60) and False)
    watch = Stopwatch()
    answer = get(weir.port())
    assert answer.status == 504 and b"504 Gateway Time-out" in answer.body
    assert 0.9 < watch.seconds < 3 * SCALE


def test_a_target_that_stalls_in_the_head_is_504(shop, hang):
    def script(request, wire):
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-")
        return hang.wait(60) and False
    weir, _ = shop(script)
    assert get(weir.port()).status == 504


def test_a_target_that_stalls_in_the_body_breaks_the_response(shop, hang):
    def script(request, wire):
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin")
        return hang.wait(60) and False
    weir, _ = shop(script)
    with Client(weir.port()) as client:
        client.request("GET", "/")
        with pytest.raises((Closed, ConnectionError)):
            client.response()


def test_a_body_that_trickles_within_the_timeout_goes_on(shop, hang):
    def script(request, wire):
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
        for _ in range(8):
            hang.wait(0.25)
            wire.socket.sendall(b"x")
        return True
    weir, _ = shop(script)
    assert get(weir.port()).body == b"x" * 8


def test_half_a_request_is_408(shop):
    weir, blue = shop()
    watch = Stopwatch()
    answer = exchange(weir.port(), b"GET / HTTP/1.1\r\nHost: a")
    assert answer.startswith(b"HTTP/1.1 408 ") and 0.9 < watch.seconds < 3 * SCALE
    assert not blue.requests


def test_a_body_that_does_not_come_is_408(shop):
    """The client is late, not the target."""
    weir, _ = shop()
    with Client(weir.port()) as client:
        client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhalf")
        assert client.response().status == 408 and client.is_closed()


def test_a_connection_without_a_request_is_closed(shop):
    weir, _ = shop()
    watch = Stopwatch()
    answer = exchange(weir.port(), b"")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")
    assert 0.9 < watch.seconds < 3 * SCALE


def test_an_idle_connection_is_closed_without_a_word(shop):
    weir, _ = shop()
    with Client(weir.port()) as client:
        assert client.get().status == 200
        watch = Stopwatch()
        assert client.is_closed(5) and 0.9 < watch.seconds < 3 * SCALE


def test_requests_keep_a_connection_open_beyond_the_idle_timeout(shop, hang):
    weir, _ = shop()
    with Client(weir.port()) as client:
        for _ in range(5):
            assert client.get().status == 200
            hang.wait(0.5)


def test_the_client_keep_alive_ends_with_an_announced_close(shop, hang):
    """Section 12.6: counted from the start of the connection; after it, one more request is answered, with Connection: close."""
    weir, _ = shop(attributes=", client_keep_alive.seconds: 1")
    with Client(weir.port()) as client:
        assert (client.get().field("Connection") or "keep-alive").lower() != "close"
        for _ in range(2):
            hang.wait(0.7)
            answer = client.get()
            assert answer.status == 200
            if (answer.field("Connection") or "").lower() == "close":
                break
        assert answer.field("Connection").lower() == "close" and client.is_closed()


def test_the_client_keep_alive_is_the_one_of_the_accept(targets, run, hang):
    """Section 12.6: fixed for each connection when it is accepted."""
    blue = targets("blue")

    def text(seconds):
        config = CONFIG.format(blue=blue.yaml, attributes=f", client_keep_alive.seconds: {seconds}", interval="1h")
        return config.replace("timeout_seconds: 1,", "timeout_seconds: 60,")  # nobody is to be idle for too long
    weir = run(text(3600))
    weir.wait_state("blue", blue, "healthy")
    with Client(weir.port()) as early:
        assert early.get().status == 200
        weir.write(text(1))
        weir.wait_log("configuration loaded")
        with Client(weir.port()) as late:
            for _ in range(3):
                hang.wait(0.7)
                answer, kept = late.get(), early.get()
                assert (kept.field("Connection") or "keep-alive").lower() != "close"
                if (answer.field("Connection") or "").lower() == "close":
                    break
            assert answer.field("Connection").lower() == "close"


def test_a_refused_connection_is_502(run):
    port = free_port()
    weir = run(CONFIG.format(blue=f"{{address: 127.0.0.1, port: {port}}}", attributes="", interval="1s"))
    watch = Stopwatch()
    answer = get(weir.port())
    assert answer.status == 502 and answer.field("Server") == "awselb/2.0" and watch.seconds < 2 * SCALE


def test_a_connection_that_is_not_answered_is_504_after_ten_seconds(run):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        # A full accept queue drops further connections without an answer, as a firewall does.
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
            fillers.append(filler)
        weir = run(CONFIG.format(blue=f"{{address: 127.0.0.1, port: {full.getsockname()[1]}}}", attributes="", interval="1h").replace(
            "timeout_seconds: 1", "timeout_seconds: 60"))
        watch = Stopwatch()
        with Client(weir.port(), seconds=20) as client:
            answer = client.get()
        assert answer.status == 504 and 9 < watch.seconds < 13 * SCALE
        for filler in fillers:
            filler.close()


def test_a_group_without_targets_is_503(run):
    weir = run(CONFIG.format(blue="", attributes="", interval="1s"))
    answer = get(weir.port())
    assert answer.status == 503
    assert answer.body == (b"<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center>"
                           b"<h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n")
    assert answer.field("Content-Length") == "162" and answer.field("Content-Type") == "text/html"


def test_a_target_that_resets_during_the_request_is_502(shop):
    def script(request, wire):
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        return False
    weir, _ = shop(script)
    assert get(weir.port(), "/", method="POST", body=b"x").status == 502


def test_a_get_is_tried_again_only_when_the_pooled_connection_was_stale(shop):
    """A fresh connection that breaks after the request was sent is the target's answer: 502."""
    seen = []

    def script(request, wire):
        FakeTarget.read_body(request, wire)
        seen.append(request)
        return False
    weir, _ = shop(script)
    assert get(weir.port()).status == 502
    assert len(seen) == 1
