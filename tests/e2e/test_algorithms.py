"""How targets are chosen (ALB 8): fewest requests under way, by chance, slowly at first; what `weir explain` says of it."""

import threading
import time

import pytest
from weir_e2e import Client, FakeTarget, get, wait_for, weir as command


def config(targets, attributes, interval="1s"):
    return f"""
load-balancers: [{{name: shop, addresses: [127.0.0.1], listeners: [{{port: 0, default-actions: [{{forward: {{target-group: blue}}}}]}}]}}]
target-groups:
  - name: blue
    targets: [{", ".join(target.yaml for target in targets)}]
    health-check: {{protocol: TCP, interval: {interval}, timeout: 500ms, healthy-threshold: 1, unhealthy-threshold: 1}}
    attributes: {{{attributes}}}
admin: {{address: 127.0.0.1, port: 0}}
"""


def start(run, group, attributes, **options):
    weir = run(config(group, attributes, **options))
    for target in group:
        weir.wait_state("blue", target, "healthy")
    return weir


def explain(weir):
    return command("explain", weir.file, "http", "GET", f"http://127.0.0.1:{weir.port()}/", "--live", "--admin", "%s:%d" % weir.admin).stdout


def test_a_busy_target_is_passed_over(targets, run):
    """Least outstanding requests: what one target holds up, the others answer."""
    release = threading.Event()

    def hold(request, wire):
        if request.target == "/hold":
            release.wait(60)
        return None
    group = [targets(name, script=hold) for name in ("a", "b", "c")]
    weir = start(run, group, "load_balancing.algorithm.type: least_outstanding_requests")
    try:
        with Client(weir.port()) as first, Client(weir.port()) as second:
            first.request("GET", "/hold")
            wait_for(lambda: explain(weir).count(", 1 requests under way") == 1, 10, "the first request under way")
            second.request("GET", "/hold")
            wait_for(lambda: explain(weir).count(", 1 requests under way") == 2, 10, "a second one at another target")
            assert "target by least_outstanding_requests" in explain(weir)
            with Client(weir.port()) as third:  # one connection: its next request comes after the last one was counted off
                answered = {third.get("/").json()["target"] for _ in range(20)}
            assert len(answered) == 1, "the one that holds nothing"
    finally:
        release.set()


def test_chance_reaches_every_target(targets, run):
    group = [targets(name) for name in ("a", "b", "c")]
    weir = start(run, group, "load_balancing.algorithm.type: weighted_random")
    answers = [get(weir.port()).json()["target"] for _ in range(120)]
    assert {"a", "b", "c"} == set(answers) and min(answers.count(name) for name in "abc") > 15, answers
    assert any(answers[i] == answers[i + 1] for i in range(len(answers) - 1)), "not in turn"
    group[1].stop()
    assert {get(weir.port()).status for _ in range(30)} == {200}, "a refused connection goes to another target"


def test_a_target_that_comes_back_starts_slowly(targets, run):
    group = [targets(name) for name in ("a", "b")]
    weir = start(run, group, "slow_start.duration_seconds: 900", interval="500ms")
    assert "slow start" not in explain(weir), "a batch of new targets has its shares at once"
    group[1].stop()
    weir.wait_state("blue", group[1], "unhealthy")
    group[1].start()
    weir.wait_state("blue", group[1], "healthy")
    assert "growing: slow start" in explain(weir), explain(weir)
    answers = [get(weir.port()).json()["target"] for _ in range(200)]
    assert answers.count("b") < 20, answers.count("b")
