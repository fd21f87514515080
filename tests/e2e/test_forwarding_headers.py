"""What targets see of a request besides the request: Host, X-Forwarded-*, trace id, hop-by-hop fields (ALB 12.3 - 12.5)."""

import re
import time

import pytest
from weir_e2e import Client, exchange, free_port, get, requires_loopback_ipv6


def config(target, attributes="", port=0, addresses="[127.0.0.1]"):
    return f"""
load-balancers:
  - name: shop
    addresses: {addresses}
    attributes: {{{attributes}}}
    listeners:
      - port: {port}
        protocol: HTTP
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - {{name: blue, targets: [{target.yaml}]}}
admin: {{address: 127.0.0.1, port: 0}}
"""


def start(run, blue, **options):
    weir = run(config(blue, **options))
    weir.wait_state("blue", blue, "healthy")
    return weir


# Section 12.3, listener on a port that is neither 80 nor 443: what the target sees for a Host.
HOSTS = [
    ("a name gets the listener's port", "GET / HTTP/1.1\r\nHost: example.test\r\n", "example.test:{port}"),
    ("name and port stay", "GET / HTTP/1.1\r\nHost: example.test:{port}\r\n", "example.test:{port}"),
    ("lower case (12.1)", "GET / HTTP/1.1\r\nHost: EXAMPLE.Test:{port}\r\n", "example.test:{port}"),
    ("absolute form wins over Host", "GET http://dns.example.test/ HTTP/1.1\r\nHost: example.test\r\n", "dns.example.test"),
]


def test_host_is_rewritten(targets, run):
    blue, port = targets("blue"), free_port()
    weir = start(run, blue, port=port)
    wrong = []
    for name, head, expected in HOSTS:
        with Client(weir.port()) as client:
            answer = client.send(head.format(port=port) + "\r\n").response()
        seen = [value for key, value in answer.json()["fields"] if key.lower() == "host"]
        # The absolute form is documented without a port; with the listener's port it means the same.
        if seen not in ([expected.format(port=port)], [f"{expected}:{port}"] if "{" not in expected else []):
            wrong.append(f"{name}: {seen}")
    assert not wrong, "\n".join(wrong)


def test_host_is_preserved_when_asked(targets, run):
    blue = targets("blue")
    weir = start(run, blue, attributes="routing.http.preserve_host_header.enabled: true")
    for host in ("example.test", "EXAMPLE.test:80", "example.test:8080"):
        fields = get(weir.port(), host=host).json()["fields"]
        assert ["Host", host] in fields or ["host", host] in fields


def test_http10_without_host_gets_one(targets, run):
    blue = targets("blue")
    weir = start(run, blue)
    answer = exchange(weir.port(), b"GET / HTTP/1.0\r\n\r\n")
    assert answer.split(b" ")[1] == b"200"
    assert len(blue.requests[0].values("Host")) == 1 and blue.requests[0].field("Host")


# Section 12.4. name, attributes, what the client sends, what the target sees.
FORWARDED_FOR = [
    ("append: created", "", None, ["127.0.0.1"]),
    ("append: appended", "", "203.0.113.7", ["203.0.113.7, 127.0.0.1"]),
    ("append: appended to a list", "", "203.0.113.7, 198.51.100.1", ["203.0.113.7, 198.51.100.1, 127.0.0.1"]),
    ("preserve: untouched", "routing.http.xff_header_processing.mode: preserve", "203.0.113.7", ["203.0.113.7"]),
    ("preserve: not created", "routing.http.xff_header_processing.mode: preserve", None, []),
    ("remove: deleted", "routing.http.xff_header_processing.mode: remove", "203.0.113.7", []),
    ("client port: appended", "routing.http.xff_client_port.enabled: true", "203.0.113.7", [r"203.0.113.7, 127.0.0.1:PORT"]),
    ("client port is ignored in preserve",
     "routing.http.xff_client_port.enabled: true, routing.http.xff_header_processing.mode: preserve", "203.0.113.7", ["203.0.113.7"]),
]


@pytest.mark.parametrize("name,attributes,sent,expected", FORWARDED_FOR, ids=[row[0] for row in FORWARDED_FOR])
def test_x_forwarded_for(targets, run, name, attributes, sent, expected):
    blue = targets("blue")
    weir = start(run, blue, attributes=attributes)
    with Client(weir.port()) as client:
        port = str(client.socket.getsockname()[1])
        client.get(fields={"X-Forwarded-For": sent} if sent else {})
    assert blue.requests[0].values("X-Forwarded-For") == [value.replace("PORT", port) for value in expected]


def test_several_x_forwarded_for_lines_become_one_list(targets, run):
    blue = targets("blue")
    weir = start(run, blue)
    get(weir.port(), fields=[("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-For", "198.51.100.1")])
    joined = ", ".join(blue.requests[0].values("X-Forwarded-For"))
    assert joined == "203.0.113.7, 198.51.100.1, 127.0.0.1"


def test_more_than_thirty_addresses_are_refused(targets, run):
    blue = targets("blue")
    weir = start(run, blue)
    assert get(weir.port(), fields={"X-Forwarded-For": ", ".join(["203.0.113.7"] * 30)}).status == 200
    assert get(weir.port(), fields={"X-Forwarded-For": ", ".join(["203.0.113.7"] * 31)}).status == 463
    assert len(blue.requests) == 1


def test_an_ipv6_client_is_a_bare_address_without_port_and_bracketed_with_it(targets, run):
    if not requires_loopback_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    blue = targets("blue")
    weir = start(run, blue, addresses='["::1"]')
    get(weir.port(), address="::1")
    assert blue.requests[0].values("X-Forwarded-For") == ["::1"]


def test_an_ipv6_client_with_port_is_in_brackets(targets, run):
    if not requires_loopback_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    blue = targets("blue")
    weir = start(run, blue, addresses='["::1"]', attributes="routing.http.xff_client_port.enabled: true")
    get(weir.port(), address="::1")
    assert re.fullmatch(r"\[::1\]:\d+", blue.requests[0].field("X-Forwarded-For"))


def test_proto_and_port_are_replaced(targets, run):
    blue, port = targets("blue"), free_port()
    weir = start(run, blue, port=port)
    get(weir.port(), fields={"X-Forwarded-Proto": "https", "X-Forwarded-Port": "1"})
    assert blue.requests[0].values("X-Forwarded-Proto") == ["http"]
    assert blue.requests[0].values("X-Forwarded-Port") == [str(port)]


ROOT = r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}"


def trace(run, blue, sent):
    weir = start(run, blue)
    get(weir.port(), fields={"X-Amzn-Trace-Id": sent} if sent else {})
    values = blue.requests[-1].values("X-Amzn-Trace-Id")
    assert len(values) == 1
    return values[0]


def test_a_trace_id_is_made(targets, run):
    value = trace(run, targets("blue"), None)
    assert re.fullmatch(ROOT, value)
    assert abs(int(value[7:15], 16) - time.time()) < 60


def test_a_traceparent_is_made_where_asked_and_passed_on_everywhere(targets, run):
    blue = targets("blue")
    theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    weir = run(config(blue, "weir.traceparent.enabled: true"))
    weir.wait_state("blue", blue, "healthy")
    fields = dict(get(weir.port()).json()["fields"])
    trace, made = fields["X-Amzn-Trace-Id"], fields["traceparent"]
    assert re.fullmatch("00-" + trace.removeprefix("Root=1-").replace("-", "") + "-[0-9a-f]{16}-00", made), (trace, made)
    fields = get(weir.port(), fields=[("traceparent", theirs), ("tracestate", "a=1")]).json()["fields"]
    assert [value for name, value in fields if name == "traceparent"] == [theirs] and ["tracestate", "a=1"] in fields


def test_a_trace_id_with_root_gets_self_in_front(targets, run):
    sent = "Root=1-67891233-abcdef012345678912345678;CalledFrom=app"
    assert re.fullmatch(r"Self=1-[0-9a-f]{8}-[0-9a-f]{24};" + re.escape(sent), trace(run, targets("blue"), sent))


def test_a_trace_id_with_self_has_it_replaced(targets, run):
    value = trace(run, targets("blue"), "Self=1-00000000-000000000000000000000000;Root=1-67891233-abcdef012345678912345678")
    assert re.fullmatch(r"Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-67891233-abcdef012345678912345678", value)
    assert "Self=1-00000000-0" not in value


def test_hop_by_hop_fields_stop_here(targets, run):
    blue = targets("blue")
    weir = start(run, blue)
    get(weir.port(), fields={"Connection": "keep-alive, X-Private", "X-Private": "1", "Keep-Alive": "timeout=5", "TE": "trailers",
                             "Proxy-Connection": "keep-alive", "X-Public": "2"})
    seen = blue.requests[0]
    assert seen.field("X-Public") == "2"
    for name in ("X-Private", "Keep-Alive", "Proxy-Connection", "TE"):
        assert seen.field(name) is None, name


def test_other_fields_cross_in_order_and_unchanged(targets, run):
    blue = targets("blue")
    weir = start(run, blue)
    fields = [("X-One", "a"), ("Cookie", "k=v; k2=v2"), ("X-One", "b"), ("X-Utf8", "gr\xfc\xdfe"), ("X-Empty", "")]
    get(weir.port(), fields=fields)
    names = {name for name, _ in fields}
    assert [pair for pair in blue.requests[0].fields if pair[0] in names] == fields


def test_invalid_field_names_are_dropped_when_asked(targets, run):
    """Section 2: a valid name is [-A-Za-z0-9]+; others are forwarded by default."""
    blue = targets("blue")
    weir = start(run, blue)
    get(weir.port(), fields={"X_Under": "1"})
    assert blue.requests[-1].field("X_Under") == "1"
    weir = start(lambda text: run(text, name="second.yaml"), blue, attributes="routing.http.drop_invalid_header_fields.enabled: true")
    get(weir.port(), fields={"X_Under": "1", "X-Fine": "2"})
    assert blue.requests[-1].field("X_Under") is None and blue.requests[-1].field("X-Fine") == "2"
