"""Interim responses are held back like content, and their number is bounded."""

import socket
import threading

import pytest
from weir_e2e import SANITIZED, Client, FakeTarget, get, wait_for

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    access-log: {{path: "{log}", format: json}}
    listeners:
      - {{port: 0, protocol: HTTP, default-actions: [{{forward: {{target-group: blue}}}}]}}
target-groups:
  - {{name: blue, targets: [{blue}], health-check: {{interval: 1h}}}}
admin: {{address: 127.0.0.1, port: 0}}
"""


@pytest.fixture
def shop(targets, run, tmp_path):
    def start(script):
        blue = targets("blue", script=script)
        return run(CONFIG.format(blue=blue.yaml, log=tmp_path / "access.log")), tmp_path / "access.log"
    return start


def flood(size, ended):
    """Repeats an interim response of about `size` bytes until the connection breaks."""
    interim = b"HTTP/1.1 103 Early Hints\r\nX: " + b"y" * size + b"\r\n\r\n"

    def script(request, wire):
        FakeTarget.read_body(request, wire)
        try:
            while True:
                wire.socket.sendall(interim * 20)
        except OSError:
            ended.set()
            return False
    return script


@pytest.mark.parametrize("size,count", [(10, 100), (4000, 16)])
def test_a_flood_ends_with_502(shop, size, count):
    ended = threading.Event()
    weir, log = shop(flood(size, ended))
    with Client(weir.port()) as client:
        answer = client.request("GET", "/").response()
    assert answer.status == 502
    assert len(answer.interim) == count and {interim.status for interim in answer.interim} == {103}
    assert ended.wait(10), "the target is cut off"
    wait_for(lambda: log.exists() and '"TooManyInterimResponses"' in log.read_text(), 10, "the reason in the log")
    assert 'source="upstream",reason="TooManyInterimResponses"} 1\n' in weir.metrics()


def test_clients_that_never_read_cost_no_memory(shop):
    ended = threading.Event()
    weir, _ = shop(flood(4000, ended))
    get(weir.port())
    before = weir.vm_hwm_kib()
    clients = [Client(weir.port()) for _ in range(20)]
    for client in clients:
        client.request("GET", "/")
    wait_for(lambda: 'source="upstream",reason="TooManyInterimResponses"} 21\n' in weir.metrics(), 20, "every flood to end")
    grown = weir.vm_hwm_kib() - before
    for client in clients:
        client.close()
    assert grown < (40 if SANITIZED else 8) * 1024, f"{grown} KiB more"


def test_interim_responses_wait_for_a_client_that_does_not_read(shop):
    """None is lost, and none overtakes another: many connections at once, each with less room than it is sent."""
    numbers = range(50)

    def script(request, wire):
        FakeTarget.read_body(request, wire)
        for number in numbers:
            wire.socket.sendall(b"HTTP/1.1 103 Early Hints\r\nNumber: %d\r\nX: " % number + b"y" * 1200 + b"\r\n\r\n")
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        return True
    weir, _ = shop(script)
    with socket.socket() as narrow:
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        narrow.connect(("127.0.0.1", weir.port()))
        client = Client.__new__(Client)
        client.socket, client.buffer = narrow, b""
        narrow.settimeout(20)
        for _ in range(3):
            answer = client.request("GET", "/").response()
            assert answer.status == 200 and answer.body == b"ok"
            assert [int(interim.field("Number")) for interim in answer.interim] == list(numbers)


def test_as_many_as_are_allowed_are_passed_on(shop):
    def script(request, wire):
        FakeTarget.read_body(request, wire)
        wire.socket.sendall(b"HTTP/1.1 103 E\r\n\r\n" * 100 + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        return True
    weir, _ = shop(script)
    with Client(weir.port()) as client:
        for _ in range(3):
            answer = client.request("GET", "/").response()
            assert answer.status == 200 and len(answer.interim) == 100
