"""WebSocket through the program with npm's ws at both ends, by itself and beside python3-websockets."""

import logging

import pytest
import tls_e2e
from node_e2e import NodeServer, node
from test_websocket import CONFIG, Endpoint, access_log, metric
from weir_e2e import wait_for


@pytest.fixture
def pair(tmp_path):
    return tls_e2e.certificate(tmp_path, "shop")


@pytest.fixture
def shop(run, pair):
    """shop(target) starts the program before it."""
    return lambda target, idle=60: run(CONFIG.format(certificates=tls_e2e.yaml(pair), targets=target.yaml, protocol="HTTP", idle=idle, delay=300, http=""))


@pytest.fixture
def server():
    with NodeServer("ws_server") as started:
        yield started


def client(weir, pair, what, secure=False, **options):
    scheme, index = ("wss", 1) if secure else ("ws", 0)
    return node("ws_client", what=what, url=f"{scheme}://127.0.0.1:{weir.port(index=index)}/chat", ca=pair[0].read_text(), **options)


@pytest.mark.parametrize("deflate", [False, True], ids=["plain", "deflate"])
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_messages_pass_both_ways(shop, pair, secure, deflate):
    with NodeServer("ws_server", deflate=deflate) as target:
        weir = shop(target)
        seen = client(weir, pair, "messages", secure, bytes=16 << 20, deflate=deflate)
    assert seen == {"seen": [True] * 7, "end": {"code": 4321, "reason": "as asked"}}
    assert access_log(weir)[0].startswith("wss " if secure else "ws ")


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_every_close_code_comes_back(shop, pair, server, secure):
    codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 1014, 3000, 4999]
    weir = shop(server)
    assert client(weir, pair, "codes", secure, codes=codes) == [{"code": code, "reason": f"code {code}"} for code in codes]
    wait_for(lambda: metric(weir, "websockets_active") == 0, 10, "no tunnel left")


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_client_that_ended_its_direction_still_gets_everything(shop, pair, server, secure):
    weir = shop(server)
    seen = client(weir, pair, "halfClose", secure, count=200)
    assert seen == {"end": {"code": 1006, "reason": ""}, "bytes": 200 * 65536}
    wait_for(lambda: metric(weir, "websockets_active") == 0, 10, "no tunnel left")


def test_a_thousand_at_once(shop, pair, server):
    weir = shop(server, idle=120)
    assert client(weir, pair, "crowd", True, count=1000, seconds=90) == {"open": 1000, "spoken": 2000, "codes": [1000]}
    assert metric(weir, "websockets_total") == 1000
    wait_for(lambda: metric(weir, "websockets_active") == 0, 10, "no tunnel left")


def test_ws_speaks_with_python_s_server(shop, pair):
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    endpoint = Endpoint()
    try:
        seen = client(shop(endpoint), pair, "messages", True, bytes=1 << 20)
    finally:
        endpoint.stop()
    assert seen == {"seen": [True] * 7, "end": {"code": 4321, "reason": "as asked"}}
