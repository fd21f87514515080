"""Choices of targets that AWS does not have: weights of targets, the less busy of two, consistent hash; what `weir explain` says of them."""

import threading

import pytest
from test_algorithms import explain, start
from weir_e2e import Client, get, wait_for, weir as command

HASH = "load_balancing.algorithm.type: weir.consistent_hash"


def weighted(run, group, weights, attributes=""):
    for target, weight in zip(group, weights):
        target.weight = weight
    members = ", ".join(f'{{address: "{target.address}", port: {target.port}, weight: {target.weight}}}' for target in group)
    weir = run(f"""
load-balancers: [{{name: shop, addresses: [127.0.0.1], listeners: [{{port: 0, default-actions: [{{forward: {{target-group: blue}}}}]}}]}}]
target-groups:
  - name: blue
    targets: [{members}]
    health-check: {{protocol: TCP, interval: 1s, timeout: 500ms, healthy-threshold: 1, unhealthy-threshold: 1}}
    attributes: {{{attributes}}}
admin: {{address: 127.0.0.1, port: 0}}
""")
    for target in group:
        weir.wait_state("blue", target, "healthy")
    return weir


def shares(port, count):
    with Client(port) as client:
        answers = [client.get().json()["target"] for _ in range(count)]
    return {name: answers.count(name) for name in set(answers)}


@pytest.mark.parametrize("algorithm", ["round_robin", "weighted_random", "least_outstanding_requests", "weir.power_of_two_choices"])
def test_targets_take_requests_by_their_weights(targets, run, algorithm):
    weir = weighted(run, [targets("a"), targets("b")], (1, 4), f"load_balancing.algorithm.type: {algorithm}")
    taken = shares(weir.port(), 500)
    if algorithm == "weir.power_of_two_choices":
        assert set(taken) == {"a", "b"}, "of two targets both are drawn each time"
    else:
        assert abs(taken["a"] - 100) <= (5 if algorithm == "round_robin" else 50), taken
    said = explain(weir)
    assert ", weight 4" in said, said
    if algorithm == "round_robin":
        assert "share 20%\n" in said and "share 80%, weight 4" in said, said
    assert [target.get("weight") for target in weir.status()["target-groups"][0]["targets"]] == [None, 4]


def test_of_two_the_less_busy_one_is_taken(targets, run):
    release = threading.Event()

    def hold(request, wire):
        if request.target == "/hold":
            release.wait(60)
        return None
    group = [targets(name, script=hold) for name in ("a", "b")]
    weir = start(run, group, "load_balancing.algorithm.type: weir.power_of_two_choices")
    try:
        with Client(weir.port()) as first:
            first.request("GET", "/hold")
            wait_for(lambda: explain(weir).count(", 1 requests under way") == 1, 10, "the request under way")
            assert "target by weir.power_of_two_choices" in explain(weir)
            # One connection, so one worker: it counts an answered request off before it reads the next one.
            with Client(weir.port()) as second:
                assert len({second.get().json()["target"] for _ in range(20)}) == 1, "the one that holds nothing"
    finally:
        release.set()


def test_a_header_leads_to_the_same_target_until_it_is_gone(targets, run):
    group = [targets(name) for name in "abcde"]
    weir = start(run, group, f"{HASH}, weir.consistent_hash.key: header, weir.consistent_hash.name: X-User")

    def owners():
        with Client(weir.port()) as client:
            return [client.get(fields=[("X-User", f"user-{i}")]).json()["target"] for i in range(100)]
    before = owners()
    assert set(before) == set("abcde") and owners() == before
    url = f"http://127.0.0.1:{weir.port()}/"
    live = ("--live", "--admin", "%s:%d" % weir.admin)
    said = command("explain", weir.file, "http", "GET", url, "-H", "X-User: user-0", *live).stdout
    home = next(target for target in group if target.name == before[0])
    assert f"hash: header X-User chooses {home.id}\n" in said and f"target {home.id}: healthy, share 100%" in said, said
    assert "hash: the request has no header X-User: in turn" in explain(weir)
    # What the one had goes to the others; what they had stays.
    home.stop()
    weir.wait_state("blue", home, "unhealthy")
    after = owners()
    assert home.name not in after
    assert [new for old, new in zip(before, after) if old != home.name] == [old for old in before if old != home.name]
    home.start()
    weir.wait_state("blue", home, "healthy")
    assert owners() == before


@pytest.mark.parametrize("key, path, fields", [("cookie, weir.consistent_hash.name: sid", "/", {"Cookie": "a=b; sid=%d"}),
                                               ("uri", "/item/%d?a=b", {})])
def test_cookies_and_uris_lead_to_targets_too(targets, run, key, path, fields):
    group = [targets(name) for name in "abc"]
    weir = start(run, group, f"{HASH}, weir.consistent_hash.key: {key}")

    def owner(i):
        return get(weir.port(), path.replace("%d", str(i)), {name: value % i for name, value in fields.items()}).json()["target"]
    before = [owner(i) for i in range(30)]
    assert set(before) == set("abc") and [owner(i) for i in range(30)] == before


def test_a_client_has_its_target(targets, run):
    group = [targets(name) for name in "abcd"]
    weir = start(run, group, HASH)
    assert len({get(weir.port()).json()["target"] for _ in range(20)}) == 1


def test_a_key_that_everybody_asks_for_spills_over(targets, run):
    """No target has more than 1.25 times its part of the requests under way."""
    release = threading.Event()

    def hold(request, wire):
        if request.target == "/hold":
            release.wait(60)
        return None
    group = [targets(name, script=hold) for name in "abcd"]
    weir = start(run, group, HASH)
    clients = []
    try:
        for number in range(11):
            clients.append(Client(weir.port()))
            clients[-1].request("GET", "/hold")
            wait_for(lambda: sum(target["active-requests"] for target in weir.status()["target-groups"][0]["targets"]) == number + 1, 10, "the requests under way")
        assert max(target["active-requests"] for target in weir.status()["target-groups"][0]["targets"]) <= 4
        said = command("explain", weir.file, "http", "GET", f"http://127.0.0.1:{weir.port()}/", "--from", "127.0.0.1", "--live", "--admin", "%s:%d" % weir.admin).stdout
        assert "hash: the client's address prefers " in said and "1.25 times its part of the requests under way" in said, said
    finally:
        release.set()
        for client in clients:
            client.close()
