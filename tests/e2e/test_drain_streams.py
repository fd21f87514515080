"""Deregistration with streams of every protocol in flight: none is cut before the delay, and what ends in time ends well (ALB 8.2)."""

import contextlib
import socket
import threading
import time
from concurrent import futures

import grpc
import pytest
from http2_e2e import DATA, END_STREAM, HEADERS, RST_STREAM, frame, request
from http2_target_e2e import Http2Target
from test_grpc import Service, talking
from test_http2_targets import DecodingClient
from test_websocket import RawTarget, open_raw
from weir_e2e import SCALE

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTP
        attributes: {{weir.http2.cleartext.enabled: true}}
        rules:
          - {{priority: 1, conditions: [{{path-pattern: [/shop.Cart/*]}}], actions: [{{forward: {{target-group: calls}}}}]}}
          - {{priority: 2, conditions: [{{path-pattern: [/chat]}}], actions: [{{forward: {{target-group: sockets}}}}]}}
        default-actions: [{{forward: {{target-group: streams}}}}]
target-groups:
  - {{name: streams, protocol-version: HTTP2, targets: [{streams}], health-check: {{interval: 1s, timeout: 900ms}}, attributes: {attributes}}}
  - {{name: calls, protocol-version: GRPC, targets: [{calls}], health-check: {{interval: 1s, timeout: 900ms}}, attributes: {attributes}}}
  - {{name: sockets, targets: [{sockets}], health-check: {{interval: 1s, timeout: 900ms}}, attributes: {attributes}}}
admin: {{address: 127.0.0.1, port: 0}}
"""
TALK, WAIT = 1, 3


class Talker(Http2Target):
    """/talk says what it is told, as it comes; /wait is answered when it is released."""

    def __init__(self, name):
        self.released = threading.Event()
        super().__init__(name, script=self.finish, on_head=self.begin, on_data=self.say)

    @staticmethod
    def begin(peer, got):
        if got.pseudo["path"] != "/talk":
            return False
        peer.respond(got, 200, end=False)
        return True

    @staticmethod
    def say(peer, got, data):
        peer.data(got, data)

    def finish(self, peer, got):
        if got.pseudo["path"] == "/talk":
            peer.data(got, b"", end=True)
        elif got.pseudo["path"] == "/wait":
            threading.Thread(target=self.wait, args=(peer, got)).start()
        else:
            return False
        return True

    def wait(self, peer, got):
        self.released.wait(60 * SCALE)
        with contextlib.suppress(OSError):  # nobody is there any more
            peer.answer(got)

    def stop(self):
        self.released.set()
        super().stop()


class InFlight:
    """Two streams of HTTP/2, a call of gRPC and a WebSocket through the program to the targets that will go."""

    def __init__(self, program, stack, target, tunnel):
        self.client = stack.enter_context(DecodingClient(program.port()))
        self.client.send(request(TALK, "/talk", method="POST", end=False) + request(WAIT, "/wait"))
        self.client.until(lambda got: got.stream == TALK and got.kind == HEADERS)
        self.target, self.talk = target, talking()
        channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{program.port()}"))
        self.answers = channel.stream_stream("/shop.Cart/Chat")(self.talk.messages())
        self.socket = open_raw(program)
        stack.callback(self.socket.socket.close)
        self.remote = tunnel.wire()
        self.turn = 0

    def exchange(self):
        """Something goes both ways on each of them."""
        self.turn += 1
        text = b"turn %d" % self.turn
        self.client.send(frame(DATA, 0, TALK, text))
        self.client.until(lambda got: got.stream == TALK and got.kind == DATA and got.payload == text)
        self.talk.say(text)
        assert next(self.answers) == b"re: " + text
        self.socket.socket.sendall(text)
        assert self.remote.exactly(len(text)) == text
        self.remote.socket.sendall(text)
        assert self.socket.exactly(len(text)) == text


@pytest.fixture
def shop(run, targets):
    """shop(delay) gives the program, what is in flight, and a function that takes all its targets away."""
    with contextlib.ExitStack() as stack:
        def start(delay):
            attributes = f"{{deregistration_delay.timeout_seconds: {delay}}}"
            old, new = (stack.enter_context(Talker(name)) for name in ("old", "new"))
            tunnel = RawTarget()
            stack.callback(tunnel.over.set)
            old_socket, new_socket = targets("old", script=tunnel), targets("new")
            server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), handlers=(Service(),))
            port = server.add_insecure_port("127.0.0.1:0")
            server.start()
            stack.callback(lambda: server.stop(0).wait())
            call = f"127.0.0.1:{port}"
            program = run(CONFIG.format(streams=old.yaml, calls=f"{{address: 127.0.0.1, port: {port}}}", sockets=old_socket.yaml, attributes=attributes))
            gone = {"streams": old, "calls": call, "sockets": old_socket}
            for group, each in gone.items():
                program.wait_state(group, each, "healthy")
            in_flight = InFlight(program, stack, old, tunnel)
            in_flight.exchange()

            def deregister():
                program.write(CONFIG.format(streams=new.yaml, calls=new.yaml, sockets=new_socket.yaml, attributes=attributes))
                assert program.call("POST", "/v1/reload")[0] == 200
                for group, each in gone.items():
                    program.wait_state(group, each, "draining")
                program.wait_state("streams", new, "healthy")
            return program, in_flight, deregister
        yield start


def failures(program):
    return [line for line in program.metrics().splitlines() if line.startswith("weir_proxy_errors_total") and not line.endswith(" 0")]


def test_nothing_in_flight_is_cut_before_the_delay_and_all_of_it_then(shop):
    delay = int(5 * SCALE)
    program, in_flight, deregister = shop(delay)
    begun = time.monotonic()
    deregister()
    turns = in_flight.turn
    while time.monotonic() - begun < 0.7 * delay:
        in_flight.exchange()
        time.sleep(0.05)
    assert in_flight.turn - turns > 5
    assert failures(program) == []
    in_flight.client.until(lambda got: got.stream == TALK and got.kind == RST_STREAM)
    assert time.monotonic() - begun > delay - 0.1
    assert in_flight.client.answer(WAIT)[0] == 502
    with pytest.raises(grpc.RpcError):
        next(in_flight.answers)
    assert in_flight.socket.rest() == b"" and in_flight.remote.rest() == b"", "both sides get an end"
    assert [line.split('reason="')[1] for line in failures(program)] == ['TargetDeregistered"} 4']


def test_what_ends_before_the_delay_ends_well(shop):
    program, in_flight, deregister = shop(300)
    deregister()
    in_flight.exchange()
    client = in_flight.client
    client.send(frame(DATA, END_STREAM, TALK, b""))
    assert client.answer(TALK) == (200, b"turn 1turn 2")
    in_flight.target.released.set()
    assert client.answer(WAIT)[0] == 200
    in_flight.talk.say(None)
    assert list(in_flight.answers) == [] and in_flight.answers.code() is grpc.StatusCode.OK
    in_flight.socket.socket.shutdown(socket.SHUT_WR)
    assert in_flight.remote.rest() == b""
    in_flight.remote.socket.shutdown(socket.SHUT_WR)
    assert in_flight.socket.rest() == b""
    # New requests of the same connection are the new target's.
    client.send(request(5, "/"))
    assert b'"target": "new"' in client.answer(5)[1]
    assert failures(program) == []
