"""weir_proxy_errors_total: each exchange that failed, by whose fault and why; none that succeeded."""

import re

from weir_e2e import Client, free_port, get, wait_for

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTP
        rules:
          - {{priority: 1, conditions: [{{path-pattern: [/none]}}], actions: [{{forward: {{target-group: none}}}}]}}
          - {{priority: 2, conditions: [{{path-pattern: [/refused]}}], actions: [{{forward: {{target-group: refused}}}}]}}
          - {{priority: 3, conditions: [{{path-pattern: [/fixed]}}], actions: [{{fixed-response: {{status-code: 503}}}}]}}
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - {{name: blue, targets: [{blue}], health-check: {{interval: 1h}}}}
  - {{name: none}}
  - {{name: refused, targets: [{{address: 127.0.0.1, port: {refused}}}], health-check: {{interval: 1h}}}}
admin: {{address: 127.0.0.1, port: 0}}
"""


def errors(weir):
    """{(source, reason): count} of what was counted at all."""
    found = re.findall(r'^weir_proxy_errors_total\{load_balancer="shop",listener="(\d+)",source="(\w+)",reason="(\w+)"\} (\d+)$',
                       weir.metrics(), re.M)
    assert {int(port) for port, *_ in found} == {weir.port()}
    return {(source, reason): int(count) for _, source, reason, count in found if count != "0"}


def test_every_failure_is_counted_once_with_its_reason(targets, run):
    weir = run(CONFIG.format(blue=targets("blue", script=breaks_off).yaml, refused=free_port()))
    port = weir.port()
    assert get(port).status == 200 and get(port, "/fixed").status == 503
    assert errors(weir) == {}, "an answer of 503 that a rule asks for is no error"
    assert get(port, "/none").status == 503
    for _ in range(2):
        assert get(port, "/refused").status == 502
    with Client(port) as client:
        assert client.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").response().status == 400
    with Client(port) as client:
        client.request("GET", "/broken")
        assert client.until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        wait_for(lambda: ("upstream", "TargetResponseIncomplete") in errors(weir), 10, "the broken response")
    assert errors(weir) == {("internal", "NoTarget"): 1, ("upstream", "TargetConnectionRefused"): 2, ("downstream", "MalformedRequest"): 1,
                            ("upstream", "TargetResponseIncomplete"): 1}


def breaks_off(request, wire):
    if request.target != "/broken":
        return None
    wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort")
    return False
