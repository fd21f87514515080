"""Listener rules: each condition and each action, asked with curl."""

import pytest
from weir_e2e import curl, get

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTP
        rules:
          - name: host
            priority: 10
            conditions: [{{host-header: ["*.beta.example.test", "exact.example.test"]}}]
            actions: [{{forward: {{target-group: green}}}}]
          - name: host-regex
            priority: 11
            conditions: [{{host-header: {{regex-values: ["^api[0-9]+\\\\.example\\\\.test$"]}}}}]
            actions: [{{forward: {{target-group: green}}}}]
          - name: header
            priority: 20
            conditions: [{{http-header: {{name: X-Beta, values: ["yes", "on*"]}}}}]
            actions: [{{forward: {{target-group: green}}}}]
          - name: header-regex
            priority: 21
            conditions: [{{http-header: {{name: User-Agent, regex-values: ["^Mozilla/5"]}}}}]
            actions: [{{forward: {{target-group: green}}}}]
          - name: path
            priority: 30
            conditions: [{{path-pattern: ["/cart/*", "/v?/item"]}}]
            actions: [{{forward: {{target-group: green}}}}]
          - name: path-regex
            priority: 31
            conditions: [{{path-pattern: {{regex-values: ["^/img/[a-z]+\\\\.png$"]}}}}]
            actions: [{{forward: {{target-group: green}}}}]
          - name: method
            priority: 40
            conditions: [{{http-request-method: [PUT, PURGE]}}]
            actions: [{{forward: {{target-group: green}}}}]
          - name: query
            priority: 50
            conditions: [{{query-string: [{{key: version, value: "2*"}}, {{value: debug}}]}}]
            actions: [{{forward: {{target-group: green}}}}]
          - name: both
            priority: 60
            conditions: [{{path-pattern: ["/both"]}}, {{source-ip: [127.0.0.0/8]}}]
            actions: [{{forward: {{target-group: green}}}}]
          - name: elsewhere
            priority: 61
            conditions: [{{path-pattern: ["/elsewhere"]}}, {{source-ip: [10.0.0.0/8, "2001:db8::/32"]}}]
            actions: [{{forward: {{target-group: green}}}}]
          - name: old
            priority: 70
            conditions: [{{path-pattern: ["/old/*"]}}]
            actions:
              - redirect: {{protocol: "#{{protocol}}", host: "#{{host}}", port: "#{{port}}", path: "/new/#{{path}}", query: "#{{query}}", status-code: HTTP_301}}
          - name: secure
            priority: 71
            conditions: [{{path-pattern: ["/secure"]}}]
            actions: [{{redirect: {{protocol: HTTPS, port: "443", status-code: HTTP_302}}}}]
          - name: ping
            priority: 80
            conditions: [{{path-pattern: [/ping]}}]
            actions: [{{fixed-response: {{status-code: 200, content-type: text/plain, message-body: pong}}}}]
          - name: teapot
            priority: 81
            conditions: [{{path-pattern: [/gone]}}]
            actions: [{{fixed-response: {{status-code: 410}}}}]
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - {{name: blue, targets: [{blue}]}}
  - {{name: green, targets: [{green}]}}
admin: {{address: 127.0.0.1, port: 0}}
"""


@pytest.fixture
def shop(targets, run):
    blue, green = targets("blue"), targets("green")
    weir = run(CONFIG.format(blue=blue.yaml, green=green.yaml))
    weir.wait_state("blue", blue, "healthy")
    weir.wait_state("green", green, "healthy")
    return weir


# name, curl arguments, path, who answers. Sections of the ALB inventory in the names of groups.
FORWARDS = [
    ("host wildcard (4.2)", ["-H", "Host: a.beta.example.test"], "/", "green"),
    ("host wildcard takes several labels (4.4)", ["-H", "Host: a.b.beta.example.test"], "/", "green"),
    ("host wildcard needs something before the dot (4.4)", ["-H", "Host: beta.example.test"], "/", "blue"),
    ("host is case-insensitive (4.2)", ["-H", "Host: EXACT.Example.TEST"], "/", "green"),
    ("host without its port (4.2)", ["-H", "Host: exact.example.test:8080"], "/", "green"),
    ("host regex", ["-H", "Host: api12.example.test"], "/", "green"),
    ("host regex is anchored as written", ["-H", "Host: xapi12.example.test"], "/", "blue"),
    ("header value", ["-H", "X-Beta: yes"], "/", "green"),
    ("header name and value are case-insensitive (4.2)", ["-H", "x-beta: YES"], "/", "green"),
    ("header wildcard", ["-H", "X-Beta: on-and-off"], "/", "green"),
    ("header wildcard covers the whole value (4.4)", ["-H", "X-Beta: not on"], "/", "blue"),
    ("header: each occurrence is tried (4.2)", ["-H", "X-Beta: no", "-H", "X-Beta: yes"], "/", "green"),
    ("header regex", ["-A", "Mozilla/5.0 (X11)"], "/", "green"),
    ("path wildcard", [], "/cart/1", "green"),
    ("path wildcard crosses slashes (4.4)", [], "/cart/1/2/3", "green"),
    ("path is case-sensitive (4.2)", [], "/Cart/1", "blue"),
    ("path question mark is one character (4.2)", [], "/v1/item", "green"),
    ("path question mark is not two", [], "/v12/item", "blue"),
    ("path is compared without the query (4.2)", [], "/cart/?x=/y", "green"),
    ("query alone does not match a path (4.2)", [], "/?/cart/1", "blue"),
    ("path regex", [], "/img/cat.png", "green"),
    ("path regex that fails", [], "/img/cat.png2", "blue"),
    ("method", ["-X", "PUT"], "/", "green"),
    ("custom method (4.2)", ["-X", "PURGE"], "/", "green"),
    ("method is case-sensitive (4.2)", ["-X", "put"], "/", "blue"),
    ("query key and value", [], "/?version=2.1", "green"),
    ("query is case-insensitive (4.2)", [], "/?VERSION=2", "green"),
    ("query value of any key (4.2)", [], "/?mode=debug", "green"),
    ("query second pair", [], "/?a=b&version=20", "green"),
    ("query value that differs", [], "/?version=1", "blue"),
    ("source address and path", [], "/both", "green"),
    ("source address elsewhere", [], "/elsewhere", "blue"),
    ("source address is the peer, not X-Forwarded-For (4.2)", ["-H", "X-Forwarded-For: 10.1.2.3"], "/elsewhere", "blue"),
    ("nothing matches: default rule", [], "/", "blue"),
]


def test_forward_conditions(shop):
    wrong = []
    for name, arguments, path, expected in FORWARDS:
        outcome = curl("-o", "-", "-D", "-", *arguments, f"http://127.0.0.1:{shop.port()}{path}")
        if f"X-Target: {expected}" not in outcome.stdout:
            wrong.append(f"{name}: expected {expected}\n{outcome.stdout}{outcome.stderr}")
    assert not wrong, "\n".join(wrong)


def test_redirect_fills_in_keywords(shop):
    answer = get(shop.port(), "/old/page?a=b", host=f"shop.example.test:{shop.port()}")
    assert answer.status == 301
    assert answer.field("Location") == f"http://shop.example.test:{shop.port()}/new/old/page?a=b"
    assert answer.field("Server") == "awselb/2.0"


def test_redirect_to_https_keeps_path_and_query(shop):
    answer = get(shop.port(), "/secure?x=1")
    assert answer.status == 302
    assert answer.field("Location") in ("https://shop.example.test:443/secure?x=1", "https://shop.example.test/secure?x=1")


def test_fixed_responses(shop):
    answer = get(shop.port(), "/ping")
    assert (answer.status, answer.body, answer.field("Content-Type")) == (200, b"pong", "text/plain")
    assert answer.field("Content-Length") == "4" and answer.field("Server") == "awselb/2.0"
    assert get(shop.port(), "/gone").status == 410 and get(shop.port(), "/gone").body == b""


def test_a_fixed_response_keeps_the_connection_and_reads_the_body(shop):
    outcome = curl("-v", "-d", "x" * 5000, f"http://127.0.0.1:{shop.port()}/ping", "--next", "-sS", f"http://127.0.0.1:{shop.port()}/ping")
    assert outcome.stdout == "pongpong", outcome.stderr
    assert "Re-using existing connection" in outcome.stderr


def test_status_counts_the_requests_of_each_rule(shop):
    for _ in range(3):
        get(shop.port(), "/ping")
    rules = shop.status()["load-balancers"][0]["listeners"][0]["rules"]
    assert next(rule["requests"] for rule in rules if rule["name"] == "ping") == 3
    assert [rule["priority"] for rule in rules][-1] == "default"


def test_response_fields_of_the_listener(targets, run):
    """Section 3: configured fields are on all responses, and overwrite the target's."""
    blue = targets("blue", script=lambda request, wire: wire.socket.sendall(
        b"HTTP/1.1 404 Not Found\r\nX-Frame-Options: ALLOWALL\r\nContent-Length: 0\r\n\r\n") or True)
    weir = run(f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTP
        attributes:
          routing.http.response.server.enabled: false
          routing.http.response.x_frame_options.header_value: DENY
          routing.http.response.strict_transport_security.header_value: max-age=60
        rules:
          - priority: 1
            conditions: [{{path-pattern: [/ping]}}]
            actions: [{{fixed-response: {{status-code: 200, content-type: text/plain, message-body: pong}}}}]
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - {{name: blue, targets: [{blue.yaml}]}}
admin: {{address: 127.0.0.1, port: 0}}
""")
    weir.wait_state("blue", blue, "healthy")
    for path, status in (("/ping", 200), ("/", 404)):
        answer = get(weir.port(), path)
        assert answer.status == status
        assert answer.values("X-Frame-Options") == ["DENY"]
        assert answer.values("Strict-Transport-Security") == ["max-age=60"]
        assert answer.field("Server") is None
