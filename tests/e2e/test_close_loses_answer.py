"""An answer arrives whole, whatever the client sends between it and the close (RFC 9112 section 9.6).

The program runs with a `close` that begins late (tests/support/delayed_close.cc), so that bytes which arrive in between are
the rule and not the exception. WEIR_E2E_ROUNDS says how often each case is tried."""

import concurrent.futures
import os
import select
import signal
import socket
import threading
import time

import pytest
from weir_e2e import SCALE, Client, FakeTarget, wait_for

ROUNDS = int(os.environ.get("WEIR_E2E_ROUNDS", "24"))
DELAY_MS = 12

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTP
        rules:
          - {{priority: 1, conditions: [{{path-pattern: [/fixed]}}], actions: [{{fixed-response: {{status-code: 200, message-body: all of it}}}}]}}
          - {{priority: 2, conditions: [{{path-pattern: [/moved]}}], actions: [{{redirect: {{path: /new, status-code: HTTP_302}}}}]}}
          - {{priority: 3, conditions: [{{path-pattern: [/none]}}], actions: [{{forward: {{target-group: none}}}}]}}
        default-actions: [{{forward: {{target-group: blue}}}}]
  - name: quick
    addresses: [127.0.0.1]
    attributes: {{idle_timeout.timeout_seconds: 1, client_keep_alive.seconds: 1}}
    listeners:
      - {{port: 0, protocol: HTTP, default-actions: [{{forward: {{target-group: blue}}}}]}}
target-groups:
  - {{name: blue, targets: [{blue}], health-check: {{interval: 1h}}}}
  - {{name: none}}
admin: {{address: 127.0.0.1, port: 0}}
"""
LARGE = bytes(range(256)) * 4096


def target_script(request, wire):
    """Answers of several framings; /early does not wait for the content."""
    if request.target == "/early":
        wire.socket.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\n\r\ntoo much")
        return False
    FakeTarget.read_body(request, wire)
    if request.target == "/until-close":
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
        return False
    if request.target == "/chunked":
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
        return True
    body = LARGE if request.target == "/large" else b"answer"
    wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return True


@pytest.fixture
def shop(targets, run):
    def start():
        sanitizer = os.environ.get("ASAN_OPTIONS", "")
        weir = run(CONFIG.format(blue=targets("blue", script=target_script).yaml), environment={
            "LD_PRELOAD": os.environ["WEIR_DELAYED_CLOSE"], "WEIR_CLOSE_DELAY_MS": str(DELAY_MS),
            # The sanitizer wants to be first; what is loaded before it here needs nothing of it.
            "ASAN_OPTIONS": ":".join(filter(None, (sanitizer, "verify_asan_link_order=0")))})
        return weir
    return start


def is_readable(client, seconds):
    return bool(select.select([client.socket], [], [], seconds)[0])


def answer_to(port, first, late, pause):
    """Sends `first` and, after `pause` seconds, `late` again and again until an answer comes, and once more then. Gives the
    answer, and why the connection ended otherwise than by a plain close."""
    with Client(port, seconds=20) as client:
        received, why = b"", None
        try:
            client.send(first)
            deadline = time.monotonic() + 10 * SCALE
            while not is_readable(client, pause) and time.monotonic() < deadline:
                client.send(late)
                pause = 0.002
            client.send(late)
            while piece := client.socket.recv(65536):
                received += piece
        except OSError as error:
            why = error
        return received, why


def lose_none(port, first, late, is_whole, at_once=4):
    """Tries ROUNDS times, several at a time, with other pauses."""
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        answers = list(pool.map(lambda number: answer_to(port, first, late, 0.002 * (1 + number % 6)), range(ROUNDS)))
    lost = [(answer[-100:], why) for answer, why in answers if why is not None or not is_whole(answer)]
    assert not lost, f"{len(lost)} of {ROUNDS} lost: {lost[:3]}"


def begins_and_ends(status, end):
    return lambda answer: answer.startswith(b"HTTP/1.1 %d " % status) and answer.endswith(end)


PAGE = b"</html>\r\n"
BODY = b"x" * 3000
CASES = {
    "post_with_close_then_an_empty_line": (b"POST /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", b"\r\n",
                                           begins_and_ends(200, b"\r\n\r\nanswer")),
    "get_with_close_then_a_get": (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", b"GET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
                                  begins_and_ends(200, b"\r\n\r\nanswer")),
    "http10_then_an_empty_line": (b"GET / HTTP/1.0\r\n\r\n", b"\r\n", begins_and_ends(200, b"\r\n\r\nanswer")),
    "target_delimits_by_its_close": (b"GET /until-close HTTP/1.0\r\n\r\n", b"\r\n", begins_and_ends(200, b"\r\n\r\nuntil the end")),
    "target_delimits_by_its_close_http11": (b"GET /until-close HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", b"\r\n",
                                            begins_and_ends(200, b"0\r\n\r\n")),
    "chunked": (b"GET /chunked HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", b"\r\n", begins_and_ends(200, b"0\r\n\r\n")),
    "large": (b"GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", b"\r\n", begins_and_ends(200, LARGE)),
    "early_413_of_the_target": (b"POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n", BODY,
                                begins_and_ends(413, b"too much")),
    "malformed_400": (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", BODY, begins_and_ends(400, PAGE)),
    "bad_chunk_400": (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", BODY, begins_and_ends(400, PAGE)),
    "trace_405": (b"TRACE / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", b"\r\n", begins_and_ends(405, PAGE)),
    "long_target_414": (b"GET /" + b"a" * 17000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", b"\r\n", begins_and_ends(414, PAGE)),
    "expectation_417": (b"POST / HTTP/1.1\r\nHost: h\r\nExpect: magic\r\nContent-Length: 9999999\r\n\r\n", BODY, begins_and_ends(417, PAGE)),
    "coding_501": (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", BODY, begins_and_ends(501, PAGE)),
    "no_target_503": (b"GET /none HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", b"\r\n", begins_and_ends(503, PAGE)),
    "version_505": (b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", b"\r\n", begins_and_ends(505, PAGE)),
    "fixed_response_before_the_content": (b"POST /fixed HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n", BODY,
                                          begins_and_ends(200, b"\r\n\r\nall of it")),
    "redirect_before_the_content": (b"POST /moved HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n", BODY, begins_and_ends(302, PAGE)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_answer_is_whole(shop, name):
    weir = shop()
    first, late, is_whole = CASES[name]
    lose_none(weir.port("shop"), first, late, is_whole)
    weir.wait_log("close is delayed")


@pytest.mark.parametrize("name,first", [("half_a_head", b"GET / HTTP/1.1\r\nHo"),
                                        ("half_the_content", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc")])
def test_a_408_is_whole(shop, name, first):
    """The client wakes up when its time is over: it sends nothing until the answer may be there."""
    weir = shop()

    def try_once(_):
        with Client(weir.port("quick"), seconds=20) as client:
            client.send(first)
            time_left = time.monotonic() + 5 * SCALE
            received = b""
            while not is_readable(client, 0.5) and time.monotonic() < time_left:
                pass
            try:
                client.send(b"late").send(b"later")
                received = client.rest()
            except OSError as error:
                return received, error
            return received, None
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(try_once, range(ROUNDS)))
    lost = [pair for pair in answers if pair[1] is not None or not begins_and_ends(408, PAGE)(pair[0])]
    assert not lost, f"{name}: {len(lost)} of {ROUNDS} lost: {lost[:3]}"
    weir.wait_log("close is delayed")


def test_the_last_answer_of_a_long_connection_is_whole(shop):
    """The client keep-alive is over after a second: the next answer is the last."""
    weir = shop()
    get = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"

    def try_once(_):
        with Client(weir.port("quick"), seconds=20) as client:
            while True:
                client.send(get)
                try:
                    answer = client.response()
                    if (answer.field("Connection") or "").lower() == "close":
                        client.send(get).send(get)
                        return answer.body == b"answer" and client.rest() == b""
                except OSError as error:
                    return error
                is_readable(client, 0.3)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(try_once, range(ROUNDS)))
    assert outcomes == [True] * ROUNDS, [outcome for outcome in outcomes if outcome is not True][:3]
    weir.wait_log("close is delayed")


def test_answers_given_while_draining_are_whole(targets, run, shop):
    del targets, run
    left = ROUNDS
    while left > 0:
        count, left = min(left, 50), left - 50
        weir = shop()
        port = weir.port("shop")
        clients = [Client(port, seconds=30) for _ in range(count)]
        # Each request waits for the last byte of its content.
        for client in clients:
            client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nab")
        wait_for(lambda: f'weir_listener_requests_total{{load_balancer="shop",listener="{port}"}} {count}\n' in weir.metrics(), 10,
                 "every request to have begun")
        weir.signal(signal.SIGTERM)
        weir.wait_log("draining timeout")

        def finish(client):
            with client:
                client.send(b"c")
                try:
                    while not is_readable(client, 0.002):
                        client.send(b"\r\n")
                    client.send(b"\r\n")
                except OSError:
                    pass  # closed already; the answer counts
                return client.response()
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            answers = list(pool.map(finish, clients))
        assert [(answer.status, answer.body) for answer in answers] == [(200, b"answer")] * count
        assert weir.wait_exit() == 0


def test_the_admin_api_loses_none(shop):
    weir = shop()
    port = weir.admin[1]
    lose_none(port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"\r\n", begins_and_ends(200, b"ok\n"))
    lose_none(port, b"PUT /v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n\r\n", BODY,
              lambda answer: answer.startswith(b"HTTP/1.1 413 ") and answer.endswith(b"}"))
    lose_none(port, b"no request\r\n\r\n", BODY, lambda answer: answer.startswith(b"HTTP/1.1 400 ") and answer.endswith(b"}"))
    weir.wait_log("close is delayed")


# ---- what lingers is bounded


def active(weir):
    port = weir.port("shop")
    return int(weir.metrics().split(f'weir_listener_connections_active{{load_balancer="shop",listener="{port}"}} ')[1].split()[0])


CLOSING_GET = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


def test_a_client_that_does_not_close_is_closed_after_two_seconds(shop):
    weir = shop()
    with Client(weir.port("shop")) as client:
        client.send(CLOSING_GET)
        assert client.rest().endswith(b"answer")
        assert active(weir) == 1, "it lingers, and is counted"
        started = time.monotonic()
        wait_for(lambda: active(weir) == 0, 10, "the end of the linger")
        assert time.monotonic() - started < 4 * SCALE
        with pytest.raises(ConnectionError):
            for _ in range(100):
                client.send(b"x")
                is_readable(client, 0.05)
                client.socket.recv(1)


def test_a_client_that_never_stops_sending_is_closed(shop):
    weir = shop()
    sent = 0
    with Client(weir.port("shop")) as client:
        client.send(b"POST /fixed HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999999\r\n\r\n")
        with pytest.raises(ConnectionError):
            while sent < 1024 * 1024 * 1024:
                sent += client.socket.send(b"x" * 65536)
    assert sent < 64 * 1024 * 1024


def test_lingering_clients_do_not_hold_the_drain_up(shop):
    weir = shop()
    clients = [Client(weir.port("shop")) for _ in range(20)]
    for client in clients:
        client.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert client.response().status == 200
    started = time.monotonic()
    weir.signal(signal.SIGTERM)
    assert weir.wait_exit() == 0 and time.monotonic() - started < 1.9 * SCALE
    for client in clients:
        assert client.rest() == b"", "the end was announced"
        client.close()


def test_a_slow_reader_gets_all_of_a_large_answer(shop):
    """What the system holds of the answer outlives the linger."""
    weir = shop()
    sizes = socket.SO_RCVBUF
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, sizes, 4096)
        plain.connect(("127.0.0.1", weir.port("shop")))
        plain.settimeout(20 * SCALE)
        plain.sendall(b"GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        hold = threading.Event()
        received = b""
        started = time.monotonic()
        while piece := plain.recv(65536):
            received += piece
            if time.monotonic() - started < 4:
                hold.wait(0.02)
            plain.send(b"x")
        assert received.endswith(LARGE)
