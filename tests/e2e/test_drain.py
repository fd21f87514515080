"""Ending well: SIGTERM and SIGINT, and targets that are taken away."""

import signal
import socket
import threading
import time

import pytest
from weir_e2e import SCALE, Client, get, wait_for


def config(targets, delay=30):
    return f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - {{port: 0, protocol: HTTP, default-actions: [{{forward: {{target-group: blue}}}}]}}
target-groups:
  - name: blue
    targets: [{", ".join(target.yaml for target in targets)}]
    health-check: {{interval: 1s}}
    attributes: {{deregistration_delay.timeout_seconds: {delay}}}
admin: {{address: 127.0.0.1, port: 0}}
"""


class Gate:
    """A script that answers when it is opened; other paths than /slow are answered at once."""

    def __init__(self):
        self.arrived, self.opened = threading.Event(), threading.Event()

    def __call__(self, request, wire):
        if request.target != "/slow":
            return None
        self.arrived.set()
        if not self.opened.wait(60):
            return False
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow")
        return True


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.opened.set()


def refuses(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
            return client.recv(1) == b""
    except OSError:
        return True


def test_sigterm_finishes_what_is_in_flight_and_exits_0(targets, run, gate):
    blue = targets("blue", script=gate)
    weir = run(config([blue]))
    port = weir.port()
    with Client(port) as busy, Client(port) as idle:
        idle.get("/first")
        busy.request("GET", "/slow")
        assert gate.arrived.wait(10)
        weir.signal(signal.SIGTERM)
        wait_for(lambda: refuses(port), 10, "new connections to be refused")
        assert idle.is_closed(), "idle connections are closed"
        assert weir.process.poll() is None, "it waits for the request in flight"
        gate.opened.set()
        answer = busy.response()
        assert answer.status == 200 and answer.body == b"slow"
        assert answer.field("Connection").lower() == "close"
    assert weir.wait_exit() == 0


def test_sigterm_without_traffic_exits_at_once(targets, run):
    weir = run(config([targets("blue")]))
    started = time.monotonic()
    weir.signal(signal.SIGTERM)
    assert weir.wait_exit() == 0 and time.monotonic() - started < 3 * SCALE


def test_healthz_is_503_while_draining(targets, run, gate):
    blue = targets("blue", script=gate)
    weir = run(config([blue]))
    assert weir.call("GET", "/healthz", raw=True)[0] == 200
    with Client(weir.port()) as client:
        client.request("GET", "/slow")
        assert gate.arrived.wait(10)
        weir.signal(signal.SIGTERM)
        wait_for(lambda: weir.call("GET", "/healthz", raw=True)[0] == 503, 10, "503 from /healthz")
        gate.opened.set()
        assert client.response().status == 200
    assert weir.wait_exit() == 0


def test_sigint_twice_ends_at_once(targets, run, gate):
    blue = targets("blue", script=gate)
    weir = run(config([blue]))
    with Client(weir.port()) as client:
        client.request("GET", "/slow")
        assert gate.arrived.wait(10)
        weir.signal(signal.SIGINT)
        wait_for(lambda: refuses(weir.port()), 10, "the drain to begin")
        assert weir.process.poll() is None
        started = time.monotonic()
        weir.signal(signal.SIGINT)
        weir.wait_exit()
        assert time.monotonic() - started < 3 * SCALE


def test_a_removed_target_finishes_its_requests_and_gets_no_new_ones(targets, run, gate):
    """ALB 8.2: draining until the deregistration delay is over, at most."""
    old, new = targets("old", script=gate), targets("new")
    weir = run(config([old]))
    weir.wait_state("blue", old, "healthy")
    with Client(weir.port()) as client:
        client.request("GET", "/slow")
        assert gate.arrived.wait(10)
        weir.write(config([new]))
        assert weir.call("POST", "/v1/reload")[0] == 200
        state = weir.targets("blue")[old.id]
        assert (state["state"], state["reason"]) == ("draining", "Target.DeregistrationInProgress")
        weir.wait_state("blue", new, "healthy")
        before = len(old.requests)
        for _ in range(20):
            assert get(weir.port()).json()["target"] == "new"
        assert len(old.requests) == before
        gate.opened.set()
        answer = client.response()
        assert answer.status == 200 and answer.body == b"slow"


def test_after_the_deregistration_delay_a_request_in_flight_is_502(targets, run, gate):
    """ALB 13: 502 when the deregistration delay elapses."""
    old, new = targets("old", script=gate), targets("new")
    weir = run(config([old], delay=1))
    weir.wait_state("blue", old, "healthy")
    with Client(weir.port()) as client:
        client.request("GET", "/slow")
        assert gate.arrived.wait(10)
        weir.write(config([new], delay=1))
        assert weir.call("POST", "/v1/reload")[0] == 200
        assert client.response().status == 502
    wait_for(lambda: old.id not in weir.targets("blue"), 10, "the removed target to be forgotten")


def test_a_target_that_an_operator_drains_gets_no_new_requests(targets, run):
    one, two = targets("one"), targets("two")
    weir = run(config([one, two]))
    weir.wait_state("blue", one, "healthy")
    weir.wait_state("blue", two, "healthy")
    assert weir.call("PUT", f"/v1/target-groups/blue/targets/{one.id}/admin-state", {"state": "draining"})[0] == 200
    weir.wait_state("blue", one, "draining")
    assert {get(weir.port()).json()["target"] for _ in range(10)} == {"two"}
