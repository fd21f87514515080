"""Target states, thresholds, fail-open and overrides, as status shows them and as requests feel them (ALB 10.2, 11)."""

import json
import re
import threading

import pytest
from weir_e2e import Client, curl, free_port, get, wait_for
from weir_e2e import weir as command


def config(targets, check="", attributes="", rules=""):
    return f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTP
        {rules}
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - name: blue
    targets: [{", ".join(target if isinstance(target, str) else target.yaml for target in targets)}]
    health-check: {{path: /health, interval: 1s, timeout: 500ms, healthy-threshold: 2, unhealthy-threshold: 2{check}}}
    attributes: {{{attributes}}}
  - name: unused
    targets: [{{address: 127.0.0.1, port: 1}}]
admin: {{address: 127.0.0.1, port: 0}}
"""


def override(weir, target, state):
    code, answer = weir.call("PUT", f"/v1/target-groups/blue/targets/{target.id}/admin-state", {"state": state})
    assert code == 200, answer


def test_a_target_becomes_healthy_after_one_success_and_probes_look_like_albs(targets, run):
    blue = targets("blue")
    weir = run(config([blue]))
    weir.wait_state("blue", blue, "healthy", 3)
    probe = blue.probes[0]
    assert (probe.method, probe.target, probe.version) == ("GET", "/health", "HTTP/1.1")
    assert probe.field("Host") == blue.id and probe.field("User-Agent") == "ELB-HealthChecker/2.0"
    assert weir.targets("blue")[blue.id]["reason"] in ("", None)


def test_a_target_goes_after_its_threshold_and_comes_back_after_the_other(targets, run):
    blue, other = targets("blue"), targets("other")
    weir = run(config([blue, other]))
    weir.wait_state("blue", blue, "healthy")
    weir.wait_state("blue", other, "healthy")
    count = len(blue.probes)
    blue.health_status = 503
    weir.wait_state("blue", blue, "unhealthy", 6)
    assert len(blue.probes) - count >= 2, "one failure is not enough"
    status = weir.targets("blue")[blue.id]
    assert status["reason"] == "Target.ResponseCodeMismatch" and status["description"] == "Health checks failed with these codes: [503]"
    assert {get(weir.port()).json()["target"] for _ in range(10)} == {"other"}
    count = len(blue.probes)
    blue.health_status = 200
    weir.wait_state("blue", blue, "healthy", 6)
    assert len(blue.probes) - count >= 2, "one success is not enough"
    assert {get(weir.port()).json()["target"] for _ in range(10)} == {"blue", "other"}
    weir.wait_log(r"target state changed.*from=healthy.*to=unhealthy")


def test_reasons_of_failure(targets, run):
    hang = threading.Event()

    class Silent:
        """Accepts and says nothing."""

    silent = targets("silent", script=lambda request, wire: hang.wait(60) and False)
    silent._one = lambda wire, peer, number: hang.wait(60) and False  # not even probes are answered
    closed = f"{{address: 127.0.0.1, port: {free_port()}}}"
    blue = targets("blue")
    weir = run(config([blue, silent, closed]))
    weir.wait_state("blue", silent, "unhealthy")
    assert weir.targets("blue")[silent.id]["reason"] == "Target.Timeout"
    refused = next(value for name, value in weir.targets("blue").items() if name not in (blue.id, silent.id))
    wait_for(lambda: weir.targets("blue")[refused["id"]]["state"] == "unhealthy", what="the refusing target unhealthy")
    assert weir.targets("blue")[refused["id"]]["reason"] == "Target.FailedHealthChecks"
    hang.set()


def test_the_matcher_decides(targets, run):
    blue = targets("blue")
    blue.health_status = 404
    weir = run(config([blue], check=', matcher: "200,400-404"'))
    weir.wait_state("blue", blue, "healthy")


def test_an_unused_group_is_not_probed(targets, run):
    weir = run(config([targets("blue")]))
    states = weir.targets("unused")
    assert [(value["state"], value["reason"]) for value in states.values()] == [("unused", "Target.NotInUse")]


def test_fail_open_when_no_target_is_healthy(targets, run):
    """ALB 10.2: when fewer are healthy than asked for (default one), requests go to all of them."""
    one, two = targets("one"), targets("two")
    one.health_status = two.health_status = 500
    weir = run(config([one, two]))
    weir.wait_state("blue", one, "unhealthy")
    weir.wait_state("blue", two, "unhealthy")
    assert {get(weir.port()).json()["target"] for _ in range(10)} == {"one", "two"}


def test_fail_open_at_a_configured_count(targets, run):
    one, two, three = targets("one"), targets("two"), targets("three")
    three.health_status = 500
    weir = run(config([one, two, three], attributes="target_group_health.unhealthy_state_routing.minimum_healthy_targets.count: 3"))
    weir.wait_state("blue", three, "unhealthy")
    assert {get(weir.port()).json()["target"] for _ in range(12)} == {"one", "two", "three"}


def test_no_failover_to_another_group(targets, run):
    """ALB 5.1: the weighted draw stands; a group that is all unhealthy fails open."""
    blue, green = targets("blue"), targets("green")
    green.health_status = 500
    weir = run(config([blue]).replace("default-actions: [{forward: {target-group: blue}}]",
                                      "default-actions: [{forward: {target-groups: [{name: blue, weight: 1}, {name: green, weight: 1}]}}]")
               .replace("  - name: unused", f"  - {{name: green, targets: [{green.yaml}], health-check: {{interval: 1s, unhealthy-threshold: 1}}}}\n"
                        "  - name: unused"))
    weir.wait_state("green", green, "unhealthy")
    with Client(weir.port()) as client:  # one connection, so one worker: its draws are exact
        seen = [client.get().json()["target"] for _ in range(20)]
    assert seen.count("blue") == 10 and seen.count("green") == 10


def test_an_operator_forces_states(targets, run):
    one, two = targets("one"), targets("two")
    weir = run(config([one, two]))
    weir.wait_state("blue", one, "healthy")
    weir.wait_state("blue", two, "healthy")
    override(weir, one, "unhealthy")
    weir.wait_state("blue", one, "unhealthy")
    assert weir.targets("blue")[one.id]["admin-state"] == "unhealthy"
    assert {get(weir.port()).json()["target"] for _ in range(10)} == {"two"}
    override(weir, one, "measured")
    weir.wait_state("blue", one, "healthy")
    two.health_status = 500
    weir.wait_state("blue", two, "unhealthy")
    override(weir, two, "healthy")
    weir.wait_state("blue", two, "healthy")
    assert {get(weir.port()).json()["target"] for _ in range(10)} == {"one", "two"}
    code, _ = weir.call("DELETE", f"/v1/target-groups/blue/targets/{two.id}/admin-state")
    assert code == 200
    weir.wait_state("blue", two, "unhealthy")


def test_a_dead_target_loses_only_what_was_in_flight(targets, run):
    """Before its probes fail, each connection that is refused costs one request at most; after, none."""
    one, two = targets("one"), targets("two")
    weir = run(config([one, two]))
    weir.wait_state("blue", one, "healthy")
    weir.wait_state("blue", two, "healthy")
    one.stop()
    weir.wait_state("blue", one, "unhealthy")
    assert {get(weir.port()).json()["target"] for _ in range(20)} == {"two"}
    one.start()
    weir.wait_state("blue", one, "healthy")
    assert {get(weir.port()).json()["target"] for _ in range(20)} == {"one", "two"}


def test_round_robin_is_even(targets, run):
    names = ["a", "b", "c"]
    group = [targets(name) for name in names]
    weir = run(config(group))
    for target in group:
        weir.wait_state("blue", target, "healthy")
    outcome = curl("-Z", "--parallel-max", "1", *(f"http://127.0.0.1:{weir.port()}/{number}" for number in range(30)))
    counts = {name: outcome.stdout.count(f'"target": "{name}"') for name in names}
    assert counts == {"a": 10, "b": 10, "c": 10}


@pytest.mark.parametrize("protocol", ["TCP", "tcp"])
def test_a_tcp_probe_is_content_with_a_connection(targets, run, protocol):
    silent = targets("silent", script=lambda request, wire: False)
    silent.health_status = 500
    weir = run(config([silent], check=f", protocol: {protocol}").replace("path: /health, ", ""))
    if weir.process.poll() is None:
        weir.wait_state("blue", silent, "healthy")


def test_the_history_says_what_changed_and_why(targets, run):
    blue, other = targets("blue"), targets("other")
    program = run(config([blue, other]))
    program.wait_state("blue", blue, "healthy")
    program.wait_state("blue", other, "healthy")
    blue.health_status = 503
    program.wait_state("blue", blue, "unhealthy")
    outcome = command("status", "--history", "--admin", "{}:{}".format(*program.admin))
    assert outcome.returncode == 0, outcome.stderr
    _, of_blue, of_other = outcome.stdout.split("blue ")
    if other.id in of_blue:
        of_blue, of_other = of_other, of_blue
    assert re.search(r"Z  initial -> healthy.*\n.*Z  healthy -> unhealthy: Target.ResponseCodeMismatch, HTTP 503\n", of_blue)
    assert "unhealthy" not in of_other
    found = json.loads(command("status", "--history", "--json", "--admin", "{}:{}".format(*program.admin)).stdout)
    assert [each["fields"]["to"] for each in found[f"blue {blue.id}"]][-1] == "unhealthy"
