"""Every call of the admin API, and every way to get it wrong."""

import http.client
import json
import re
import socket

import pytest
from weir_e2e import dig, get, quote, requires_loopback_ipv6, wait_for, weir as command

CONFIG = """
node: {{name: front-1}}
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTP
        rules:
          - name: beta
            priority: 10
            conditions: [{{path-pattern: ["/beta/*"]}}]
            actions: [{{forward: {{target-groups: [{{name: blue, weight: 1}}, {{name: green, weight: 1}}]}}}}]
          - name: ping
            priority: 20
            conditions: [{{path-pattern: [/ping]}}]
            actions: [{{fixed-response: {{status-code: 200, message-body: pong}}}}]
        default-actions: [{{forward: {{target-groups: [{{name: blue, weight: 8}}, {{name: green, weight: 2}}]}}}}]
target-groups:
  - {{name: blue, targets: [{blue}]}}
  - {{name: green, targets: [{green}]}}
dns: {{addresses: [127.0.0.1], port: 0}}
health-checks:
  - {{name: front, type: TCP, address: 127.0.0.1, port: {check_port}, request-interval: 1s, failure-threshold: 1}}
zones:
  - name: example.test
    name-servers: [ns1.example.test.]
    records:
      - {{name: ns1, type: A, ttl: 5m, values: [192.0.2.1]}}
      - {{name: eu, type: A, set: primary, failover: PRIMARY, ttl: 10s, values: [192.0.2.10], health-check: front}}
      - {{name: eu, type: A, set: secondary, failover: SECONDARY, ttl: 10s, values: [192.0.2.20]}}
admin: {{address: 127.0.0.1, port: 0}}
"""


@pytest.fixture
def shop(targets, run):
    blue, green = targets("blue"), targets("green")
    weir = run(CONFIG.format(blue=blue.yaml, green=green.yaml, check_port=blue.port))
    weir.wait_state("blue", blue, "healthy")
    weir.wait_state("green", green, "healthy")
    weir.blue, weir.green = blue, green
    return weir


def default_weights(weir):
    return f"/v1/load-balancers/shop/listeners/{weir.port()}/rules/default/weights"


def test_loaded_at_is_when_the_file_was_loaded_whatever_was_overridden_since(shop):
    loaded = shop.status()["configuration"]["loaded-at"]
    assert shop.call("PUT", default_weights(shop), {"blue": 0, "green": 1})[0] == 200
    after_shift = shop.status()
    assert after_shift["revision"] == 2 and after_shift["configuration"]["loaded-at"] == loaded
    assert shop.call("POST", "/v1/reload")[0] == 200
    assert shop.status()["configuration"]["loaded-at"] > loaded


def test_status_has_what_the_contract_names(shop):
    status = shop.status()
    assert {"version", "revision", "configuration", "load-balancers", "target-groups", "health-checks", "zones", "overrides"} <= set(status)
    assert status["configuration"]["file"].endswith("weir.yaml") and status["configuration"]["loaded-at"]
    balancer, = status["load-balancers"]
    assert balancer["name"] == "shop" and balancer["addresses"] == ["127.0.0.1"]
    listener, = balancer["listeners"]
    assert listener["port"] == shop.port() and listener["protocol"] == "HTTP"
    assert [rule["priority"] for rule in listener["rules"]] in ([10, 20, "default"], ["10", "20", "default"])
    assert {"priority", "name", "actions", "requests"} <= set(listener["rules"][0])
    target, = next(group for group in status["target-groups"] if group["name"] == "blue")["targets"]
    assert {"id", "zone", "state", "reason", "description", "since", "admin-state"} <= set(target)
    assert target["id"] == shop.blue.id and target["state"] == "healthy" and target["admin-state"] == "measured"
    check, = status["health-checks"]
    assert {"name", "type", "status", "since", "last-result"} <= set(check) and (check["name"], check["type"]) == ("front", "TCP")
    assert status["overrides"] == []


def test_weights_shift_traffic_and_come_back(shop):
    path = default_weights(shop)
    before = shop.status()["revision"]
    code, answer = shop.call("PUT", path, {"blue": 0, "green": 100})
    assert code == 200 and answer["revision"] > before
    assert {get(shop.port()).json()["target"] for _ in range(20)} == {"green"}
    assert len(shop.status()["overrides"]) == 1
    assert shop.call("POST", "/v1/reload")[0] == 200
    assert {get(shop.port()).json()["target"] for _ in range(20)} == {"green"}, "an override lives through a reload"
    assert shop.call("DELETE", path)[0] == 200
    seen = [get(shop.port()).json()["target"] for _ in range(20)]
    assert 14 <= seen.count("blue") <= 18 and shop.status()["overrides"] == []


def test_weights_of_a_numbered_rule(shop):
    path = f"/v1/load-balancers/shop/listeners/{shop.port()}/rules/10/weights"
    assert shop.call("PUT", path, {"blue": 0, "green": 1})[0] == 200
    assert {get(shop.port(), "/beta/1").json()["target"] for _ in range(10)} == {"green"}
    assert {get(shop.port(), "/other").json()["target"] for _ in range(20)} == {"blue", "green"}


WRONG = [
    ("no such load balancer", "PUT", "/v1/load-balancers/shop2/listeners/PORT/rules/default/weights", {"blue": 1, "green": 1}, 404),
    ("no such listener", "PUT", "/v1/load-balancers/shop/listeners/1/rules/default/weights", {"blue": 1, "green": 1}, 404),
    ("no such rule", "PUT", "/v1/load-balancers/shop/listeners/PORT/rules/11/weights", {"blue": 1, "green": 1}, 404),
    ("a rule that does not forward", "PUT", "/v1/load-balancers/shop/listeners/PORT/rules/20/weights", {"blue": 1}, (400, 409)),
    ("a group is missing", "PUT", "/v1/load-balancers/shop/listeners/PORT/rules/default/weights", {"blue": 1}, 400),
    ("a group too many", "PUT", "/v1/load-balancers/shop/listeners/PORT/rules/default/weights", {"blue": 1, "green": 1, "red": 1}, 400),
    ("a weight out of range", "PUT", "/v1/load-balancers/shop/listeners/PORT/rules/default/weights", {"blue": 1000, "green": 1}, 400),
    ("a negative weight", "PUT", "/v1/load-balancers/shop/listeners/PORT/rules/default/weights", {"blue": -1, "green": 1}, 400),
    ("a weight that is a text", "PUT", "/v1/load-balancers/shop/listeners/PORT/rules/default/weights", {"blue": "1", "green": 1}, 400),
    ("no JSON", "PUT", "/v1/load-balancers/shop/listeners/PORT/rules/default/weights", "{", 400),
    ("a list", "PUT", "/v1/load-balancers/shop/listeners/PORT/rules/default/weights", [1], 400),
    ("no body", "PUT", "/v1/load-balancers/shop/listeners/PORT/rules/default/weights", None, 400),
    ("no such group", "PUT", "/v1/target-groups/red/targets/BLUE/admin-state", {"state": "healthy"}, 404),
    ("no such target", "PUT", "/v1/target-groups/blue/targets/127.0.0.1:1/admin-state", {"state": "healthy"}, 404),
    ("a target that is no address", "PUT", "/v1/target-groups/blue/targets/somewhere/admin-state", {"state": "healthy"}, (400, 404)),
    ("an unknown state", "PUT", "/v1/target-groups/blue/targets/BLUE/admin-state", {"state": "sick"}, 400),
    ("no state", "PUT", "/v1/target-groups/blue/targets/BLUE/admin-state", {}, 400),
    ("no such check", "PUT", "/v1/health-checks/nothing/admin-state", {"state": "healthy"}, 404),
    ("checks do not drain", "PUT", "/v1/health-checks/front/admin-state", {"state": "draining"}, 400),
    ("an unknown path", "GET", "/v1/nothing", None, 404),
    ("the root", "GET", "/", None, 404),
    ("GET of a reload", "GET", "/v1/reload", None, 405),
    ("POST of the status", "POST", "/v1/status", None, 405),
    ("PATCH of an override", "PATCH", "/v1/health-checks/front/admin-state", {"state": "healthy"}, 405),
]


def test_every_mistake_has_its_status_and_a_sentence(shop):
    wrong = []
    for name, method, path, body, expected in WRONG:
        path = path.replace("PORT", str(shop.port())).replace("BLUE", shop.blue.id)
        code, answer = shop.call(method, path, body)
        allowed = expected if isinstance(expected, tuple) else (expected,)
        if code not in allowed or not isinstance(answer, dict) or not answer.get("error"):
            wrong.append(f"{name}: {code} {answer}")
    assert not wrong, "\n".join(wrong)
    assert shop.status()["overrides"] == [], "a refused call changes nothing"


def test_a_dns_health_check_is_forced(shop):
    path = "/v1/health-checks/front/admin-state"
    port = shop.dns_port
    wait_for(lambda: dig(port, "eu.example.test", "A").values == ["192.0.2.10"], what="the primary")
    assert shop.call("PUT", path, {"state": "unhealthy"})[0] == 200
    wait_for(lambda: dig(port, "eu.example.test", "A").values == ["192.0.2.20"], 5, "the secondary")
    assert shop.status()["health-checks"][0]["status"] == "unhealthy" and len(shop.status()["overrides"]) == 1
    assert shop.call("DELETE", path)[0] == 200
    wait_for(lambda: dig(port, "eu.example.test", "A").values == ["192.0.2.10"], 5, "the primary again")
    shop.call("PUT", path, {"state": "unhealthy"})
    assert shop.call("PUT", path, {"state": "measured"})[0] == 200
    assert shop.status()["overrides"] == []


def test_an_ipv6_target_in_brackets_plain_and_encoded(targets, run):
    if not requires_loopback_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    six, green = targets("six", address="::1"), targets("green")
    weir = run(CONFIG.format(blue=six.yaml, green=green.yaml, check_port=green.port))
    for name in (six.id, quote(six.id)):
        assert weir.call("PUT", f"/v1/target-groups/blue/targets/{name}/admin-state", {"state": "unhealthy"})[0] == 200
        weir.wait_state("blue", six, "unhealthy")
        assert weir.call("DELETE", f"/v1/target-groups/blue/targets/{name}/admin-state")[0] == 200
        weir.wait_state("blue", six, "healthy")


def test_metrics_are_prometheus_text(shop):
    for _ in range(5):
        get(shop.port(), "/ping")
    text = shop.metrics()
    for line in text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) .+|[a-z_:][a-z0-9_:]*(\{.*\})? [-+0-9.eEInfNa]+", line), line
    names = {re.split(r"[{ ]", line)[0] for line in text.splitlines() if not line.startswith("#")}
    assert all(name.startswith(("weir_", "process_")) for name in names)
    for family in re.findall(r"^# TYPE (\S+) histogram", text, re.M):
        assert {f"{family}_bucket", f"{family}_sum", f"{family}_count"} <= names
    assert any(re.search(r'rule="?(20|ping)', line) and line.endswith(" 5") for line in text.splitlines()), "requests per rule"
    assert "weir_health_target_state" in text


def test_healthz(shop):
    assert shop.call("GET", "/healthz", raw=True)[0] == 200


def test_a_connection_carries_many_calls(shop):
    connection = http.client.HTTPConnection(*shop.admin, timeout=10)
    for _ in range(20):
        connection.request("GET", "/v1/status")
        answer = connection.getresponse()
        assert answer.status == 200 and json.loads(answer.read())["revision"]
    connection.close()


def test_a_web_page_cannot_change_anything(shop):
    connection = http.client.HTTPConnection(*shop.admin, timeout=10)
    connection.request("PUT", default_weights(shop), json.dumps({"blue": 0, "green": 1}), {"Origin": "http://evil.example.test"})
    assert connection.getresponse().status in (400, 403)
    connection.close()
    assert shop.status()["overrides"] == []


def test_rubbish_and_huge_bodies_do_not_hurt(shop):
    with socket.create_connection(shop.admin, timeout=10) as sock:
        sock.sendall(b"\x16\x03\x01 rubbish\r\n\r\n")
        sock.recv(4096)
    code, _ = shop.call("PUT", "/v1/health-checks/front/admin-state", json.dumps({"state": "x" * 60000}))
    assert code == 400
    try:
        code, _ = shop.call("PUT", "/v1/health-checks/front/admin-state", "x" * 1_000_000, raw=True)
        assert code == 413
    except OSError:
        pass
    assert shop.call("GET", "/healthz", raw=True)[0] == 200


def test_changes_are_logged(shop):
    shop.call("PUT", default_weights(shop), {"blue": 0, "green": 1})
    shop.wait_log(r"(?i)weights?.*green")


def test_weir_status_shows_the_override(shop):
    shop.call("PUT", default_weights(shop), {"blue": 3, "green": 97})
    outcome = command("status", "--admin", "{}:{}".format(*shop.admin))
    assert outcome.returncode == 0 and "97" in outcome.stdout
