"""gRPC through weir with npm's @grpc/grpc-js at both ends, and beside Python's grpcio: the cases of test_grpc.py (ALB 11, 13)."""

import contextlib
from concurrent import futures

import grpc
import pytest
from node_e2e import NodeServer, node
from test_grpc import CONFIG, OPTIONS, Service, channel, log_lines
from tls_e2e import certificate, yaml
from weir_e2e import SANITIZED, SCALE

SECONDS = 20 * SCALE
OK, CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, UNAVAILABLE = 0, 1, 2, 4, 12, 14
# That the servers here answer the health checks of ALB with 0.
HEALTHY = ", matcher: '0'"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("pki"), "shop")


@pytest.fixture
def shop(run, pair, tmp_path):
    """shop(…) starts the program before a server in Node.js, or the one on `port`."""
    with contextlib.ExitStack() as stack:
        def start(version="GRPC", protocol="HTTP", check=HEALTHY, port=None, state="healthy"):
            if port is None:
                secure = {"certificate": pair[0].read_text(), "key": pair[1].read_text()} if protocol == "HTTPS" else {}
                port = stack.enter_context(NodeServer("grpc_server", **secure)).port
            program = run(CONFIG.format(certificates=yaml(pair), version=version, protocol=protocol, port=port, check=check))
            program.access_log = tmp_path / "access.log"
            program.blue = f"127.0.0.1:{port}"
            program.wait_state("blue", program.blue, state)
            return program
        yield start


def client(program, what, pair=None, **options):
    secure = {"ca": pair[0].read_text()} if pair else {}
    return node("grpc_client", what=what, address=f"127.0.0.1:{program.port(index=1 if pair else 0)}", limit=SECONDS, **secure, **options)


def expect_kinds(seen):
    assert seen == {"echo": "hello", "count": list(range(100)), "first": "1", "last": "1", "code": OK, "sum": "100000",
                    "chat": ["re: one", "re: two", "re: three"], "chatCode": OK}


@pytest.mark.parametrize("version,protocol,secure", [("GRPC", "HTTP", False), ("GRPC", "HTTPS", True), ("HTTP2", "HTTP", True)])
def test_the_four_kinds_of_calls(shop, pair, version, protocol, secure):
    program = shop(version, protocol, HEALTHY if version == "GRPC" else ", protocol: TCP")
    expect_kinds(client(program, "kinds", pair if secure else None))
    lines = log_lines(program, 4)
    assert {line[0] for line in lines} == {"grpcs" if secure else "h2"} and {line[8] for line in lines} == {"200"}


def test_node_s_client_and_python_s_server(shop, pair):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), handlers=(Service(),), options=OPTIONS)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        program = shop(check="", port=port)  # 12, UNIMPLEMENTED
        expect_kinds(client(program, "kinds", pair))
    finally:
        server.stop(0).wait()


def test_python_s_client_and_node_s_server(shop, pair):
    program = shop()
    with channel(program, 1, pair) as opened:
        assert opened.unary_unary("/shop.Cart/Echo")(b"hello", timeout=SECONDS) == b"hello"
        call = opened.unary_stream("/shop.Cart/Count")(b"100", timeout=SECONDS)
        assert list(call) == [b"%d" % index for index in range(100)]
        assert dict(call.initial_metadata())["x-first"] == "1" and dict(call.trailing_metadata())["x-last"] == "1"
        assert opened.stream_unary("/shop.Cart/Sum")(iter([b"x" * 1000] * 100), timeout=SECONDS) == b"100000"
        assert list(opened.stream_stream("/shop.Cart/Chat")(iter([b"one", b"two"]), timeout=SECONDS)) == [b"re: one", b"re: two"]


def test_every_status_arrives_with_its_message_and_metadata(shop):
    seen = client(shop(), "statuses")
    assert [each["code"] for each in seen["statuses"]] == list(range(1, 17))
    assert {each["details"] for each in seen["statuses"]} == {"as told: 100 % \u00fcber"}
    assert {each["metadata"]["x-why"] for each in seen["statuses"]} == {"told"}
    # Trailers alone: the server knows no such method.
    assert seen["missing"] == {"code": UNIMPLEMENTED, "details": "The server does not implement the method /shop.Cart/Missing"}


def test_messages_of_eight_megabytes_in_little_memory(shop):
    program = shop()
    before = program.vm_hwm_kib()
    seen = client(program, "large", bytes=8 << 20, count=4)
    assert seen == {"echo": True, "stream": [True] * 4, "code": OK}
    if not SANITIZED:
        assert program.vm_hwm_kib() - before < 12 * 1024, "a third of what went through"


def test_deadlines_reach_the_server(shop):
    seen = client(shop(), "deadlines")
    assert 0 < seen.pop("left") <= SECONDS * 1000, "grpc-timeout is passed on"
    assert seen == {"code": DEADLINE_EXCEEDED, "cancelled": True, "after": "on"}


def test_cancellation_reaches_the_server(shop):
    assert client(shop(), "cancel") == {"codes": [CANCELLED] * 3, "cancelled": True, "after": "on"}


def test_more_calls_at_once_than_a_connection_has_streams(shop, pair):
    assert client(shop(), "crowd", pair, count=300) == {"same": True}


def test_what_a_client_sees_when_the_appliance_itself_fails(shop):
    seen = client(shop(), "appliance")
    assert {name: each["code"] for name, each in seen.items()} == {"unreachable": UNAVAILABLE, "http1": UNKNOWN}
    assert "502" in seen["unreachable"]["details"] and "464" in seen["http1"]["details"]


def test_health_by_the_standard_s_service(shop):
    program = shop(check=', path: /grpc.health.v1.Health/Check, matcher: "0"')
    assert client(program, "health") == {"serving": True}
    client(program, "setHealth", code=UNAVAILABLE)
    program.wait_state("blue", program.blue, "unhealthy")
    assert program.targets("blue")[program.blue]["description"] == f"Health checks failed with these codes: [{UNAVAILABLE}]"
    client(program, "setHealth", code=OK)  # the only target is asked nevertheless
    program.wait_state("blue", program.blue, "healthy")


def test_health_by_alb_s_method(shop):
    program = shop(check="", state="unhealthy")  # 12, UNIMPLEMENTED, is what is expected
    client(program, "setHealth", code=UNIMPLEMENTED)
    program.wait_state("blue", program.blue, "healthy")
    client(program, "setHealth", code=OK)
    program.wait_state("blue", program.blue, "unhealthy")
