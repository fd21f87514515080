"""gRPC through weir with Python's grpcio on both sides: four kinds of calls, deadlines, cancellation, statuses, sizes, health (ALB 11, 13)."""

import contextlib
import shlex
import threading
from concurrent import futures

import grpc
import pytest
from tls_e2e import certificate, yaml
from weir_e2e import SCALE, get, wait_for

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    access-log: {{path: access.log}}
    listeners:
      - port: 0
        protocol: HTTP
        attributes: {{weir.http2.cleartext.enabled: true}}
        rules:
          - {{priority: 10, conditions: [{{path-pattern: [/shop.Other/*]}}], actions: [{{forward: {{target-group: none}}}}]}}
          - {{priority: 20, conditions: [{{path-pattern: [/shop.Plain/*]}}], actions: [{{forward: {{target-group: plain}}}}]}}
        default-actions: [{{forward: {{target-group: blue}}}}]
      - port: 0
        protocol: HTTPS
        certificates: {certificates}
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - name: blue
    protocol-version: {version}
    protocol: {protocol}
    targets: [{{address: 127.0.0.1, port: {port}}}]
    health-check: {{interval: 1s, timeout: 900ms, unhealthy-threshold: 1{check}}}
  - {{name: none, protocol-version: GRPC, targets: [{{address: 127.0.0.1, port: 1}}]}}
  - {{name: plain, targets: [{{address: 127.0.0.1, port: 1}}]}}
admin: {{address: 127.0.0.1, port: 0}}
"""
OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Service(grpc.GenericRpcHandler):
    """Messages are bytes. The method's name says what it does."""

    def __init__(self):
        self.cancelled = threading.Event()
        self.health = grpc.StatusCode.UNIMPLEMENTED
        self.probes = 0

    def service(self, details):
        name = details.method.rsplit("/", 1)[-1]
        if name == "healthcheck":
            return grpc.unary_unary_rpc_method_handler(self.check)
        return {
            "Echo": grpc.unary_unary_rpc_method_handler(lambda message, context: message),
            "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "Count": grpc.unary_stream_rpc_method_handler(self.count),
            "Sum": grpc.stream_unary_rpc_method_handler(lambda messages, context: b"%d" % sum(len(each) for each in messages)),
            "Chat": grpc.stream_stream_rpc_method_handler(self.chat),
            "Hang": grpc.unary_unary_rpc_method_handler(self.hang),
        }.get(name)

    def check(self, message, context):
        assert message == b""
        self.probes += 1
        if self.health is not grpc.StatusCode.OK:
            context.abort(self.health, "so it is")
        return b"well"

    @staticmethod
    def fail(message, context):
        context.set_trailing_metadata((("x-why", "told"),))
        context.abort(next(code for code in grpc.StatusCode if code.value[0] == int(message)), "as told")

    @staticmethod
    def count(message, context):
        context.send_initial_metadata((("x-first", "1"),))
        for index in range(int(message)):
            yield b"%d" % index
        context.set_trailing_metadata((("x-last", "1"),))

    @staticmethod
    def chat(messages, context):
        for message in messages:
            yield b"re: " + message

    def hang(self, message, context):
        context.add_callback(self.cancelled.set)
        self.cancelled.wait(30)
        return b""


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("pki"), "shop")


@pytest.fixture
def shop(run, pair, tmp_path):
    with contextlib.ExitStack() as stack:
        def start(version="GRPC", protocol="HTTP", check=""):
            service = Service()
            server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), handlers=(service,), options=OPTIONS)
            if protocol == "HTTPS":
                port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(pair[1].read_bytes(), pair[0].read_bytes())]))
            else:
                port = server.add_insecure_port("127.0.0.1:0")
            server.start()
            stack.callback(lambda: server.stop(0).wait())
            program = run(CONFIG.format(certificates=yaml(pair), version=version, protocol=protocol, port=port, check=check))
            program.access_log = tmp_path / "access.log"
            program.blue = f"127.0.0.1:{port}"
            return program, service
        yield start


@contextlib.contextmanager
def channel(program, index=0, pair=None):
    address = f"127.0.0.1:{program.port(index=index)}"
    if pair is None:
        with grpc.insecure_channel(address, OPTIONS) as opened:
            yield opened
    else:
        options = [*OPTIONS, ("grpc.ssl_target_name_override", "shop.example.test")]
        with grpc.secure_channel(address, grpc.ssl_channel_credentials(pair[0].read_bytes()), options) as opened:
            yield opened


def log_lines(program, count=1):
    wait_for(lambda: program.access_log.exists() and program.access_log.read_text().count("\n") >= count, what="the log")
    return [shlex.split(line) for line in program.access_log.read_text().splitlines()]


SECONDS = 20 * SCALE


@pytest.mark.parametrize("version,protocol,secure", [("GRPC", "HTTP", False), ("GRPC", "HTTPS", True), ("HTTP2", "HTTP", False)])
def test_the_four_kinds_of_calls(shop, pair, version, protocol, secure):
    program, _ = shop(version, protocol, "" if version == "GRPC" else ", protocol: TCP")
    program.wait_state("blue", program.blue, "healthy")
    with channel(program, int(secure), pair if secure else None) as opened:
        assert opened.unary_unary("/shop.Cart/Echo")(b"hello", timeout=SECONDS) == b"hello"
        call = opened.unary_stream("/shop.Cart/Count")(b"100", timeout=SECONDS)
        assert dict(call.initial_metadata())["x-first"] == "1"
        assert list(call) == [b"%d" % index for index in range(100)]
        assert dict(call.trailing_metadata())["x-last"] == "1" and call.code() is grpc.StatusCode.OK
        assert opened.stream_unary("/shop.Cart/Sum")(iter([b"x" * 1000] * 100), timeout=SECONDS) == b"100000"
        talk = talking()
        answers = opened.stream_stream("/shop.Cart/Chat")(talk.messages(), timeout=SECONDS)
        for text in (b"one", b"two", b"three"):  # each is answered before the next is said
            talk.say(text)
            assert next(answers) == b"re: " + text
        talk.say(None)
        assert list(answers) == []
    lines = log_lines(program, 4)
    assert {line[0] for line in lines} == {"grpcs" if secure else "h2"} and {line[8] for line in lines} == {"200"}


class talking:
    def __init__(self):
        self.ready, self.said = threading.Condition(), []

    def say(self, text):
        with self.ready:
            self.said.append(text)
            self.ready.notify()

    def messages(self):
        while True:
            with self.ready:
                self.ready.wait_for(lambda: self.said)
                text = self.said.pop(0)
            if text is None:
                return
            yield text


def test_every_status_arrives_with_its_message_and_metadata(shop):
    program, _ = shop()
    program.wait_state("blue", program.blue, "healthy")
    with channel(program) as opened:
        for code in grpc.StatusCode:
            if code is grpc.StatusCode.OK:
                continue
            with pytest.raises(grpc.RpcError) as failed:
                opened.unary_unary("/shop.Cart/Fail")(b"%d" % code.value[0], timeout=SECONDS)
            assert failed.value.code() is code and failed.value.details() == "as told"
            assert dict(failed.value.trailing_metadata())["x-why"] == "told"
        # Trailers alone: the server knows no such method.
        with pytest.raises(grpc.RpcError) as failed:
            opened.unary_unary("/shop.Cart/Missing")(b"", timeout=SECONDS)
        assert failed.value.code() is grpc.StatusCode.UNIMPLEMENTED and failed.value.details() == "Method not found!"


def test_messages_of_eight_megabytes(shop):
    program, _ = shop()
    program.wait_state("blue", program.blue, "healthy")
    message = bytes(range(256)) * (8 << 12)
    with channel(program) as opened:
        assert opened.unary_unary("/shop.Cart/Echo")(message, timeout=60 * SCALE) == message


def test_deadlines_and_cancellation_reach_the_server(shop):
    program, service = shop()
    program.wait_state("blue", program.blue, "healthy")
    with channel(program) as opened:
        with pytest.raises(grpc.RpcError) as failed:
            opened.unary_unary("/shop.Cart/Hang")(b"", timeout=0.5)
        assert failed.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert service.cancelled.wait(10 * SCALE)
        service.cancelled.clear()
        call = opened.unary_unary("/shop.Cart/Hang").future(b"", timeout=SECONDS)
        threading.Event().wait(0.2)
        call.cancel()
        assert service.cancelled.wait(10 * SCALE)
        assert opened.unary_unary("/shop.Cart/Echo")(b"on", timeout=SECONDS) == b"on"


def test_what_a_client_sees_when_the_appliance_itself_fails(shop):
    program, _ = shop()
    program.wait_state("blue", program.blue, "healthy")
    with channel(program) as opened:
        for method, code, text in (("/shop.Other/Echo", grpc.StatusCode.UNAVAILABLE, "502"), ("/shop.Plain/Echo", grpc.StatusCode.UNKNOWN, "464")):
            with pytest.raises(grpc.RpcError) as failed:
                opened.unary_unary(method)(b"", timeout=SECONDS)
            assert failed.value.code() is code and text in failed.value.details(), failed.value
    assert get(program.port(), "/shop.Cart/Echo", method="POST").status == 464


def test_health_by_method_and_code(shop):
    program, service = shop()
    program.wait_state("blue", program.blue, "healthy")  # 12, UNIMPLEMENTED, is what is expected
    assert service.probes > 0
    service.health = grpc.StatusCode.OK
    program.wait_state("blue", program.blue, "unhealthy")
    assert program.targets("blue")[program.blue]["description"] == "Health checks failed with these codes: [0]"


def test_health_with_a_method_and_a_matcher(shop):
    program, service = shop(check=', path: /grpc.health.v1.Health/healthcheck, matcher: "0,5-7"')
    service.health = grpc.StatusCode.NOT_FOUND
    program.wait_state("blue", program.blue, "healthy")
    service.health = grpc.StatusCode.UNAVAILABLE
    program.wait_state("blue", program.blue, "unhealthy")
    assert program.targets("blue")[program.blue]["description"] == "Health checks failed with these codes: [14]"
