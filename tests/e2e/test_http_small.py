"""Small verdicts of HTTP/1.1: whose fault a request is, and what a field that asks for little or nothing means."""

import pytest
from weir_e2e import Client, FakeTarget, get, wait_for

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    attributes: {{idle_timeout.timeout_seconds: 1}}
    access-log: {{path: "{log}", format: json}}
    listeners:
      - {{port: 0, protocol: HTTP, default-actions: [{{forward: {{target-group: blue}}}}]}}
target-groups:
  - {{name: blue, targets: [{blue}], health-check: {{interval: 1h}}}}
admin: {{address: 127.0.0.1, port: 0}}
"""


@pytest.fixture
def shop(targets, run, tmp_path):
    def start(script=None):
        blue = targets("blue", script=script)
        return run(CONFIG.format(blue=blue.yaml, log=tmp_path / "access.log")), blue, tmp_path / "access.log"
    return start


def wait_reason(log, reason):
    wait_for(lambda: log.exists() and f'"error_reason":"{reason}"' in log.read_text().replace(" ", ""), 10, f"{reason} in the log")


def answer_to(port, request):
    with Client(port) as client:
        answer = client.send(request).response()
        if answer.field("Connection") == "close":
            assert client.is_closed()
        return answer


@pytest.mark.parametrize("head", ["Content-Length: 20\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"])
def test_content_that_stops_coming_is_408(shop, head):
    """RFC 9110 section 15.5.9; ALB's 504 is about the target's length."""
    weir, _, log = shop()
    answer = answer_to(weir.port(), f"POST / HTTP/1.1\r\nHost: a.test\r\n{head}")
    assert answer.status == 408 and answer.field("Connection") == "close"
    wait_reason(log, "RequestContentStalled")


@pytest.mark.parametrize("value", ["magic", "100-continue, magic", "y 100-continue", 'a="100-continue"'])
def test_an_unknown_expectation_is_417(shop, value):
    """RFC 9110 section 10.1.1."""
    weir, blue, log = shop()
    answer = answer_to(weir.port(), f"GET / HTTP/1.1\r\nHost: a.test\r\nExpect: {value}\r\n\r\n")
    assert answer.status == 417 and b"417 Expectation Failed" in answer.body and not blue.requests
    wait_reason(log, "UnknownExpectation")


@pytest.mark.parametrize("value", ["", ",", " , ,"])
def test_an_empty_expect_asks_for_nothing(shop, value):
    weir, blue, _ = shop()
    answer = answer_to(weir.port(), f"POST / HTTP/1.1\r\nHost: a.test\r\nExpect:{value}\r\nContent-Length: 3\r\n\r\nabc")
    assert answer.status == 200 and not answer.interim
    assert blue.requests[0].field("Expect") is None and blue.requests[0].body == b"abc"


def test_100_continue_in_a_list_is_answered(shop):
    weir, _, _ = shop()
    with Client(weir.port()) as client:
        client.send("POST / HTTP/1.1\r\nHost: a.test\r\nExpect: , 100-Continue\r\nContent-Length: 3\r\n\r\n")
        assert client.response(interim=False).status == 100
        assert client.send("abc").response().status == 200


@pytest.mark.parametrize("codings,status", [("deflate, identity, chunked", 501), ("identity, deflate, chunked", 501),
                                            ("gzip, chunked", 501), ("identity, chunked", 400), ("chunked, gzip", 400)])
def test_a_coding_that_is_not_known_is_501(shop, codings, status):
    """RFC 9112 section 6.1; `chunked` that is not the last is malformed (section 6.3)."""
    weir, blue, _ = shop()
    answer = answer_to(weir.port(), f"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: {codings}\r\n\r\n0\r\n\r\n")
    assert answer.status == status and not blue.requests


@pytest.mark.parametrize("head", ["X: " + "y" * 33000, "\r\n".join(f"X-{n}: y" for n in range(1001)), "A: " + "\r\nA: ".join(["y" * 900] * 40)],
                         ids=["a_line", "fields", "all_lines"])
def test_a_response_head_that_is_too_large_has_its_own_reason(shop, head):
    def script(request, wire):
        FakeTarget.read_body(request, wire)
        wire.socket.sendall(f"HTTP/1.1 200 OK\r\n{head}\r\nContent-Length: 2\r\n\r\nok".encode())
        return False
    weir, _, log = shop(script)
    assert get(weir.port()).status == 502
    wait_reason(log, "TargetResponseHeadTooLarge")
    assert 'source="upstream",reason="TargetResponseHeadTooLarge"} 1\n' in weir.metrics()


def test_a_request_head_that_is_too_large_has_its_own_reason(shop):
    weir, _, log = shop()
    answer = answer_to(weir.port(), "GET / HTTP/1.1\r\nHost: a.test\r\n" + "".join(f"X-{n}: y\r\n" for n in range(1001)) + "\r\n")
    assert answer.status == 400
    wait_reason(log, "RequestHeadTooLarge")


@pytest.mark.parametrize("lines,expected", [
    ("X-Forwarded-For:\r\n", "127.0.0.1"),
    ("X-Forwarded-For: ,\r\n", "127.0.0.1"),
    ("X-Forwarded-For: \r\nX-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1, 127.0.0.1"),
    ("X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For:\r\n", "192.0.2.1, 127.0.0.1"),
    ("X-Forwarded-For: 192.0.2.1,,192.0.2.2\r\n", "192.0.2.1,,192.0.2.2, 127.0.0.1")])
def test_xff_empty_yields_no_empty_element(shop, lines, expected):
    """RFC 9110 section 5.6.1.1."""
    weir, blue, _ = shop()
    assert answer_to(weir.port(), f"GET / HTTP/1.1\r\nHost: a.test\r\n{lines}\r\n").status == 200
    assert blue.requests[0].values("X-Forwarded-For") == [expected]
