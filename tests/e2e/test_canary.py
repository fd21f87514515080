"""A canary on a rule's forward (API Gateway's stage): percent, promote, disable, a log of its own; examples/lambda-alias.yaml."""

import json
import re

import pytest
from lambda_e2e import InvokeServer, says
from weir_e2e import Client, answering, example, get, wait_for, weir as command

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    access-log: {{path: {log}, format: json}}
    listeners:
      - port: 0
        rules:
          - {{name: api, priority: 7, conditions: [{{path-pattern: [/api]}}], actions: [{{forward: {{target-group: blue}}}}]}}
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - {{name: blue, targets: [{blue}]}}
  - {{name: green, targets: [{green}]}}
  - {{name: red, targets: []}}
admin: {{port: 0}}
"""


@pytest.fixture
def shop(run, targets, tmp_path):
    blue, green = (targets(name, script=answering(f"HTTP/1.1 200 OK\r\nContent-Length: {len(name)}\r\n\r\n{name}")) for name in ("blue", "green"))
    weir = run(CONFIG.format(log=tmp_path / "access.log", blue=blue.yaml, green=green.yaml), arguments=["--workers", "1"])
    weir.wait_state("blue", blue, "healthy")
    weir.log_file = tmp_path / "access.log"
    return weir


def canary(weir, *arguments, code=0):
    done = command("canary", *arguments[:1], f"shop:{weir.port()}", *arguments[1:], "--admin", "%s:%d" % weir.admin)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def shares(weir, count, target="/"):
    seen = {}
    with Client(weir.port()) as client:
        for _ in range(count):
            body = client.get(target).body.decode()
            seen[body] = seen.get(body, 0) + 1
    return seen


def forward(weir, rule=None):
    listener = weir.call("GET", "/v1/document")[1]["load-balancers"][0]["listeners"][0]
    return (listener["default-actions"] if rule is None else listener["rules"][rule]["actions"])[-1]["forward"]


def test_a_share_is_shifted_and_logged_apart(shop):
    assert "stage blue\nno canary" in canary(shop, "status", "default")
    assert "the canary gets 12.5 %" in canary(shop, "set", "default", "--percent", "12.5", "--group", "green")
    assert forward(shop) == {"target-groups": [{"name": "blue", "weight": 875}, {"name": "green", "weight": 125}], "canary": {"target-group": "green"}}
    # Shares by weight are exact.
    assert shares(shop, 800) == {"blue": 700, "green": 100}
    assert shares(shop, 20, "/api") == {"blue": 20}, "another rule"
    own = shop.log_file.with_name("access.log.canary")
    wait_for(lambda: own.exists() and len(own.read_text().splitlines()) == 100, 10, "the canary's lines")
    assert {json.loads(line)["target_group"] for line in own.read_text().splitlines()} == {"green"}
    wait_for(lambda: len(shop.log_file.read_text().splitlines()) == 720, 10, "the others' lines")
    status = json.loads(canary(shop, "status", "default", "--json"))
    assert status == {"stage": "blue", "canary": "green", "percent": 12.5, "overridden": False, "access-log": str(own)}
    canary(shop, "set", "default", "--percent", "100")
    assert shares(shop, 20) == {"green": 20}
    canary(shop, "set", "default", "--percent", "0")
    assert shares(shop, 20) == {"blue": 20}


def test_promote_makes_the_canary_the_stage(shop):
    canary(shop, "set", "api", "--percent", "10", "--group", "green")
    assert "the canary is the stage now" in canary(shop, "promote", "api")
    assert forward(shop, 0) == {"target-groups": [{"name": "green", "weight": 100}, {"name": "blue", "weight": 0}], "canary": {"target-group": "blue"}}
    assert shares(shop, 20, "/api") == {"green": 20}
    # What was the stage is the next canary.
    canary(shop, "set", "7", "--percent", "50")
    assert shares(shop, 20, "/api") == {"green": 10, "blue": 10}
    canary(shop, "disable", "7")
    assert forward(shop, 0) == {"target-groups": [{"name": "green", "weight": 100}, {"name": "blue", "weight": 0}]}
    assert shares(shop, 20, "/api") == {"green": 20}


def test_a_canary_gives_way_to_another_group(shop):
    canary(shop, "set", "default", "--percent", "10", "--group", "green")
    canary(shop, "set", "default", "--percent", "0", "--group", "red")
    assert forward(shop)["target-groups"] == [{"name": "blue", "weight": 100}, {"name": "red", "weight": 0}]


def test_what_cannot_be_done_is_said_and_changes_nothing(shop):
    before = forward(shop)
    assert "more than one digit behind the point" in canary(shop, "set", "default", "--percent", "0.04", "--group", "green", code=2)
    assert "the rule has no canary; say which target group" in canary(shop, "set", "default", "--percent", "10", code=3)
    assert "the rule has no canary" in canary(shop, "promote", "default", code=3)
    assert "the rule has no canary" in canary(shop, "disable", "default", code=3)
    assert "there is no target group gren" in canary(shop, "set", "default", "--percent", "10", "--group", "gren", code=3)
    assert "blue is the stage's target group" in canary(shop, "set", "default", "--percent", "10", "--group", "blue", code=3)
    assert "`101` is no percent" in canary(shop, "set", "default", "--percent", "101", "--group", "green", code=2)
    assert "has no rule apo; did you mean api?" in canary(shop, "set", "apo", "--percent", "1", "--group", "green", code=2)
    assert forward(shop) == before
    canary(shop, "set", "default", "--percent", "10", "--group", "green")
    path = f"/v1/load-balancers/shop/listeners/{shop.port()}/rules/default"
    assert shop.call("PUT", f"{path}/weights", {"blue": 1, "green": 1})[0] == 200
    assert "the weights of this rule are overridden" in canary(shop, "promote", "default", code=3)
    assert "canary green: 50 %\nby weights that `weir weights` set" in canary(shop, "status", "default")
    code, answer = shop.call("PUT", f"{path}/canary", {"percent": "ten"})
    assert code == 400 and "percent" in answer["error"]


@pytest.fixture
def alias(run, tmp_path):
    """examples/lambda-alias.yaml before two endpoints."""
    with InvokeServer(says("one")) as one, InvokeServer(says("two")) as two:
        log = tmp_path / "canary.log"
        text, environment = example("lambda-alias.yaml", {
            "8080": 0, "9900": 0, "9001": one.server.server_port, "9002": two.server.server_port, "canary.log": log})
        weir = run(text, environment=environment, arguments=["--workers", "1"])
        weir.canary_log = log
        yield weir


def versions(weir, count=200):
    seen = {}
    with Client(weir.port()) as client:
        for _ in range(count):
            answer = client.get()
            assert answer.status == 200
            pair = (answer.field("X-Amz-Executed-Version"), answer.body.decode())
            seen[pair] = seen.get(pair, 0) + 1
    return seen


def edit_weight(weir, before, after):
    done = command("edit", "/target-groups/0/function/versions/1", "--admin", "%s:%d" % weir.admin,
                   environment={"EDITOR": f"sed -i /weight/s/{before}/{after}/", "VISUAL": ""})
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alias_of_the_example_is_shifted_without_the_listener(alias):
    listener = alias.call("GET", "/v1/document")[1]["load-balancers"]
    seen = versions(alias)
    assert set(seen) <= {("1", "one"), ("2", "two")} and 2 <= seen["2", "two"] <= 50, seen
    edit_weight(alias, "0.1", "0.5")
    seen = versions(alias)
    assert 60 <= seen["2", "two"] <= 140, seen
    code, answer = alias.call("PATCH", "/v1/document", [{"op": "replace", "path": "/target-groups/0/function/versions/1/weight", "value": 1}])
    assert code == 200, answer
    assert versions(alias, 50) == {("2", "two"): 50}
    assert alias.call("GET", "/v1/document")[1]["load-balancers"] == listener
    explained = command("explain", alias.file, "http", "GET", f"http://shop.example.test:{alias.port()}/", "--live", "--admin", "%s:%d" % alias.admin)
    assert "versions 1: 0 %, 2: 100 %" in explained.stdout, explained.stdout + explained.stderr
    assert re.search(r"live \(lambda\) +live:live", command("status", "--admin", "%s:%d" % alias.admin).stdout)


def test_the_same_as_a_canary_is_promoted(alias):
    def stage(count):
        seen = {}
        for _ in range(count):
            body = get(alias.port(), "/stage").body.decode()
            seen[body] = seen.get(body, 0) + 1
        return seen

    assert stage(20) == {"one": 20}
    canary(alias, "set", "stage", "--percent", "10")
    assert stage(40) == {"one": 36, "two": 4}
    lines = wait_for(lambda: alias.canary_log.exists() and len(found := alias.canary_log.read_text().splitlines()) == 4 and found, 10, "lines")
    assert {json.loads(line)["target_group"] for line in lines} == {"v2"}
    canary(alias, "promote", "stage")
    assert stage(20) == {"two": 20}
    canary(alias, "disable", "stage")
    assert stage(20) == {"two": 20}
