"""Availability zones (ALB 10): a node of a load balancer in each, cross-zone on and off over HTTP and DNS, and zonal shifts under load."""

import http.client
import json
import re
import threading
import time

from weir_e2e import SCALE, SOURCE, Client, Load, dig, get, wait_for, weir as command

A, B = "127.0.1.1", "127.0.2.1"
EXAMPLE = "target_group_health.dns_failover.minimum_healthy_targets.percentage: 50, " \
          "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage: 50"
OFF = "load_balancing.cross_zone.enabled: false"
SHIFT_SECONDS = round(8 * SCALE)


class Farm:
    """Targets of one process on ports of their own: they answer with their name, and checks with what `sick` says."""

    def __init__(self, targets, zones):
        self.targets = {zone: [targets(f"{zone}{i}") for i in range(count)] for zone, count in zones.items()}

    @property
    def yaml(self):
        return ", ".join(f"{{address: 127.0.0.1, port: {target.port}, zone: {zone}}}" for zone, all_ in self.targets.items() for target in all_)

    def names(self, zone):
        return {target.name for target in self.targets[zone]}


def config(farm, port, attributes="", balancer="zonal_shift.config.enabled: true", more=""):
    return f"""
load-balancers:
  - name: shop
    zones:
      - {{name: a, addresses: [{A}], advertise: [192.0.2.1, "2001:db8::1"]}}
      - {{name: b, addresses: [{B}], advertise: [192.0.2.2, "2001:db8::2"]}}
    attributes: {{{balancer}}}
    listeners: [{{port: {port}, default-actions: [{{forward: {{target-group: blue}}}}]}}]
target-groups:
  - name: blue
    targets: [{farm.yaml}]
    health-check: {{path: /health, interval: 500ms, timeout: 400ms, healthy-threshold: 2, unhealthy-threshold: 2}}
    attributes: {{{attributes}}}
dns: {{addresses: [127.0.0.1], port: 0}}
zones:
  - name: example.test
    name-servers: [ns1]
    records:
      - {{name: ns1, type: A, ttl: 5m, values: [192.0.2.53]}}
      - {{name: shop, type: A, alias: {{load-balancer: shop, evaluate-target-health: true}}}}
      - {{name: shop, type: AAAA, alias: {{load-balancer: shop, evaluate-target-health: true}}}}
admin: {{address: 127.0.0.1, port: 0}}
{more}
"""


def addresses(weir, kind="A"):
    return sorted(dig(weir.dns_port, "shop.example.test", kind).values)


def shares(weir, address, count):
    """Requests by target, over one connection: one worker's turns are exact."""
    seen = {}
    connection = http.client.HTTPConnection(address, weir.port(), timeout=10 * SCALE)
    for _ in range(count):
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert answer.status == 200
        name = json.loads(answer.read())["target"]
        seen[name] = seen.get(name, 0) + 1
    connection.close()
    return seen


def metric(text, name, zone):
    return int(re.search(rf'^{name}\{{load_balancer="shop",zone="{zone}"\}} (\d+)$', text, re.M).group(1))


def all_healthy(weir, farm):
    for all_ in farm.targets.values():
        for target in all_:
            weir.wait_state("blue", target, "healthy")


def fail(weir, targets):
    for target in targets:
        target.health_status = 500
    for target in targets:
        weir.wait_state("blue", target, "unhealthy")


def zonal(weir, *arguments):
    address, port = weir.admin
    return command("zonal-shift", *arguments, "--admin", f"{address}:{port}")


def explain(weir, *question):
    address, port = weir.admin
    return command("explain", "--live", "--admin", f"{address}:{port}", *question).stdout


def test_the_example_of_the_guide_with_cross_zone_off(targets, run):
    """10.2: two zones of ten, thresholds of 50 %, six of b fail: b leaves DNS, and b's node uses all ten of its targets."""
    farm = Farm(targets, {"a": 10, "b": 10})
    weir = run(config(farm, 0, f"{EXAMPLE}, {OFF}"))
    all_healthy(weir, farm)
    assert shares(weir, A, 40) == {name: 4 for name in farm.names("a")}
    assert shares(weir, B, 40) == {name: 4 for name in farm.names("b")}
    assert addresses(weir) == ["192.0.2.1", "192.0.2.2"]
    assert dig(weir.dns_port, "shop.example.test", "A").answer[0][1] == 60
    fail(weir, farm.targets["b"][:6])
    wait_for(lambda: addresses(weir) == ["192.0.2.1"], 5, "zone b out of DNS")
    assert addresses(weir, "AAAA") == ["2001:db8::1"]
    assert shares(weir, A, 40) == {name: 4 for name in farm.names("a")}
    assert shares(weir, B, 40) == {name: 4 for name in farm.names("b")}
    group = weir.status()["target-groups"][0]
    assert group["zones"] == [{"name": "a", "healthy": 10, "registered": 10, "fail-open": False},
                              {"name": "b", "healthy": 4, "registered": 10, "fail-open": True}]
    zones = weir.status()["load-balancers"][0]["zones"]
    assert [(zone["name"], zone["healthy"], zone["answers"]) for zone in zones] == [("a", True, True), ("b", False, False)]
    metrics = weir.metrics()
    assert 'weir_zone_fail_open{target_group="blue",zone="b"} 1' in metrics
    assert 'weir_zone_answers{load_balancer="shop",zone="b"} 0' in metrics
    assert metric(metrics, "weir_zone_requests_total", "a") == 80 and metric(metrics, "weir_zone_requests_total", "b") == 80
    assert metric(metrics, "weir_zone_fail_open_requests_total", "a") == 0 and metric(metrics, "weir_zone_fail_open_requests_total", "b") == 40
    assert metric(metrics, "weir_zone_connections_accepted_total", "a") == 2
    assert 'weir_zone_responses_total{load_balancer="shop",zone="b",class="2xx"} 80' in metrics
    assert 'weir_zone_target_response_time_seconds_count{target_group="blue",zone="a"} 80' in metrics
    for target in farm.targets["b"][:1]:
        target.health_status = 200
    wait_for(lambda: addresses(weir) == ["192.0.2.1", "192.0.2.2"], 10, "zone b in DNS with five of ten")
    assert set(shares(weir, B, 40)) == {target.name for target in farm.targets["b"][6:] + farm.targets["b"][:1]}


def test_the_example_of_the_guide_with_cross_zone_on(targets, run):
    """10.2: 14 of 20 is 70 %: nothing happens, and traffic goes to the 14, wherever it comes in."""
    farm = Farm(targets, {"a": 10, "b": 10})
    weir = run(config(farm, 0, EXAMPLE))
    all_healthy(weir, farm)
    fail(weir, farm.targets["b"][:6])
    healthy = {target.name for target in farm.targets["a"] + farm.targets["b"][6:]}
    for address in (A, B):
        assert shares(weir, address, 56) == {name: 4 for name in healthy}
    assert addresses(weir) == ["192.0.2.1", "192.0.2.2"]
    assert "zones" not in weir.status()["target-groups"][0]


def test_all_zones_unhealthy_all_answer(targets, run):
    farm = Farm(targets, {"a": 1, "b": 1})
    weir = run(config(farm, 0, OFF))
    all_healthy(weir, farm)
    fail(weir, farm.targets["a"])
    wait_for(lambda: addresses(weir) == ["192.0.2.2"], 5, "zone a out of DNS")
    fail(weir, farm.targets["b"])
    wait_for(lambda: addresses(weir) == ["192.0.2.1", "192.0.2.2"], 5, "both in DNS")
    assert shares(weir, A, 2) == {"a0": 2}


def test_an_empty_zone_answers_503(targets, run):
    farm = Farm(targets, {"a": 1})
    weir = run(config(farm, 0, OFF))
    all_healthy(weir, farm)
    assert get(weir.port(), address=B).status == 503
    assert get(weir.port(), address=A).status == 200
    assert addresses(weir) == ["192.0.2.1"]


def test_a_reload_turns_cross_zone_off_and_on(targets, run):
    farm, port = Farm(targets, {"a": 1, "b": 1}), 0
    weir = run(config(farm, port))
    all_healthy(weir, farm)
    assert set(shares(weir, A, 4)) == {"a0", "b0"}
    weir.write(config(farm, port, balancer=OFF))
    wait_for(lambda: set(shares(weir, A, 4)) == {"a0"}, 10, "zone a for itself")
    weir.write(config(farm, port))
    wait_for(lambda: set(shares(weir, A, 4)) == {"a0", "b0"}, 10, "both zones")


def test_explain_says_what_a_node_uses(targets, run):
    farm = Farm(targets, {"a": 2, "b": 1})
    weir = run(config(farm, 0, OFF))
    all_healthy(weir, farm)
    said = explain(weir, "http", "GET", f"http://shop.example.test:{weir.port()}/")
    assert "node in zone a, which uses targets of its own zone: 2 of 2 healthy\n" in said, said
    assert "share 50% in zone a" in said and "share 100% in zone b" in said, said
    said = explain(weir, "dns", "shop.example.test", "A")
    assert "zone a: answers, zone b: answers" in said, said


# ---- zonal shift, 10.3


def test_a_shift_under_load_loses_nothing_and_expires_by_itself(targets, run):
    farm = Farm(targets, {"a": 2, "b": 2})
    weir = run(config(farm, 0))
    all_healthy(weir, farm)
    slow = threading.Event()

    def hold(request, wire):
        if request.target != "/slow":
            return None
        slow.wait(60 * SCALE)
        return None
    for target in farm.targets["a"]:
        target.script = hold
    # Requests under way in the zone when the shift begins.
    held = []

    def ask():
        with Client(weir.port(), A, 60) as client:
            held.append(client.get("/slow").status)
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_for(lambda: sum(request.target == "/slow" for target in farm.targets["a"] for request in target.requests) >= 1, what="held requests")
    loads = [Load(weir.port(), clients=3, address=address) for address in (A, B)]
    wait_for(lambda: all(load.count > 50 for load in loads), what="load")
    started = time.monotonic()
    outcome = zonal(weir, "start", "a", "--expires", f"{SHIFT_SECONDS}s", "--comment", "drill")
    assert outcome.returncode == 0 and outcome.stdout.startswith("new requests leave zone a for "), outcome
    before = sum(len(target.requests) for target in farm.targets["a"])
    assert addresses(weir) == ["192.0.2.2"] and addresses(weir, "AAAA") == ["2001:db8::2"]
    counts = [load.count for load in loads]
    wait_for(lambda: all(load.count > count + 100 for load, count in zip(loads, counts)), what="load during the shift")
    # A request that was being sent when the shift began may arrive a moment later, one for each client.
    assert sum(len(target.requests) for target in farm.targets["a"]) - before <= 6
    assert "expires" in zonal(weir, "status").stdout
    status = weir.status()
    assert status["zonal-shift"]["zone"] == "a" and status["zonal-shift"]["status"] == "ACTIVE"
    assert weir.targets("blue")[farm.targets["a"][0].id]["administrative-override"] == "zonal_shift_active"
    assert weir.targets("blue")[farm.targets["a"][0].id]["state"] == "healthy"
    assert 'weir_zone_shifted{load_balancer="shop",zone="a"} 1' in weir.metrics()
    said = explain(weir, "http", "GET", f"http://shop.example.test:{weir.port()}/")
    assert "zonal shift away from a, takes no requests" in said, said
    slow.set()
    for thread in threads:
        thread.join(60 * SCALE)
    assert held == [200] * 8, "nothing in flight is cut"
    weir.wait_log("zonal shift ended zone=a status=EXPIRED", 2 * SHIFT_SECONDS)
    assert time.monotonic() - started >= SHIFT_SECONDS
    assert addresses(weir) == ["192.0.2.1", "192.0.2.2"]
    before = sum(len(target.requests) for target in farm.targets["a"])
    wait_for(lambda: sum(len(target.requests) for target in farm.targets["a"]) > before + 20, what="requests in the zone again")
    for load in loads:
        load.stop()
        assert load.failures == []
    assert zonal(weir, "status").stdout.startswith("zone a: EXPIRED")


def test_with_cross_zone_off_the_shift_is_delegated_to_dns(targets, run):
    farm = Farm(targets, {"a": 1, "b": 1})
    weir = run(config(farm, 0, OFF))
    all_healthy(weir, farm)
    assert zonal(weir, "start", "a", "--expires", "1h").returncode == 0
    assert addresses(weir) == ["192.0.2.2"]
    assert shares(weir, A, 2) == {"a0": 2}, "what still comes in there is served"
    assert weir.targets("blue")[farm.targets["a"][0].id]["administrative-override"] == "zonal_shift_delegated_to_dns"
    outcome = zonal(weir, "cancel")
    assert outcome.returncode == 0 and outcome.stdout.startswith("the zonal shift is cancelled, revision "), outcome
    assert addresses(weir) == ["192.0.2.1", "192.0.2.2"]
    events = [event["fields"]["status"] for event in weir.call("GET", "/v1/events")[1]["events"] if event["kind"] == "zonal-shift"]
    assert events == ["ACTIVE", "CANCELED"]


def test_a_shift_survives_a_restart_and_a_reload_until_it_expires(targets, run, tmp_path):
    farm, port = Farm(targets, {"a": 1, "b": 1}), 0
    text = config(farm, port, more="state: {directory: state}")
    first = run(text)
    all_healthy(first, farm)
    assert zonal(first, "start", "b", "--expires", "1h", "--comment", "power").returncode == 0
    assert (tmp_path / "state" / "zonal-shift").exists()
    first.stop()
    second = run(text, name="second.yaml")
    all_healthy(second, farm)
    assert addresses(second) == ["192.0.2.1"]
    assert set(shares(second, B, 4)) == {"a0"}
    assert "comment: power" in zonal(second, "status").stdout
    second.write(text + "# changed\n")
    second.wait_log("configuration loaded", count=1)
    assert addresses(second) == ["192.0.2.1"]
    # Nobody can be shifted any more.
    second.write(config(farm, port, balancer="", more="state: {directory: state}"))
    second.wait_log('zonal shift ended zone=b status=CANCELED reason="no load balancer lets the zone be left any more"')
    wait_for(lambda: addresses(second) == ["192.0.2.1", "192.0.2.2"], 5, "both in DNS")
    wait_for(lambda: not (tmp_path / "state" / "zonal-shift").exists(), what="nothing kept")
    second.stop()
    kept = {"zone": "b", "started-unix-milliseconds": 1, "expires-unix-milliseconds": 2, "comment": ""}
    (tmp_path / "state" / "zonal-shift").write_text(json.dumps(kept), encoding="utf-8")
    third = run(text, name="third.yaml")
    third.wait_log("zonal shift ended zone=b status=EXPIRED")
    assert addresses(third) == ["192.0.2.1", "192.0.2.2"]
    assert not (tmp_path / "state" / "zonal-shift").exists()
    third.stop()
    (tmp_path / "state" / "zonal-shift").write_text("nonsense", encoding="utf-8")
    fourth = run(text, name="fourth.yaml")
    fourth.wait_log("zonal-shift is no zonal shift; there is none")
    assert addresses(fourth) == ["192.0.2.1", "192.0.2.2"]


def test_what_cannot_be_shifted_is_refused(targets, run):
    farm, port = Farm(targets, {"a": 1, "b": 1}), 0
    weir = run(config(farm, port))
    all_healthy(weir, farm)

    def refused(code, said, *arguments):
        outcome = zonal(weir, *arguments)
        assert outcome.returncode == code and said in outcome.stderr, outcome
    refused(3, "no zonal shift is under way", "cancel")
    assert zonal(weir, "status").stdout == "no zonal shift\n"
    refused(2, "no load balancer has a zone c", "start", "c", "--expires", "1h")
    for expires in ("0s", "01h", "1", "73h", "1d", "-1h", "1h30m"):
        refused(2, f"`{expires}` is no time until a zonal shift expires", "start", "a", f"--expires={expires}")
    refused(2, "the comment is too long", "start", "a", "--expires", "1h", "--comment", "x" * 129)
    fail(weir, farm.targets["b"])
    refused(3, "target group blue has no healthy target outside of zone a", "start", "a", "--expires", "1h")
    assert zonal(weir, "start", "a", "--expires", "1h", "--force").returncode == 0
    refused(3, "a zonal shift leads away from zone a until", "start", "a", "--expires", "1h")
    refused(3, "one zone at a time", "start", "b", "--expires", "1h")
    weir.write(config(farm, port, balancer=""))
    weir.wait_log("zonal shift ended")
    wait_for(lambda: zonal(weir, "start", "a", "--expires", "1h", "--force").returncode == 3, what="a refusal")
    refused(3, "no load balancer lets zone a be left", "start", "a", "--expires", "1h")
    only = config(farm, port).replace(f'      - {{name: b, addresses: [{B}], advertise: [192.0.2.2, "2001:db8::2"]}}\n', "")
    weir.write(only)
    wait_for(lambda: len(weir.status()["load-balancers"][0]["zones"]) == 1, 10, "one zone")
    refused(3, "zone a is the only one of load balancer shop", "start", "a", "--expires", "1h")
    for body, said in (("{}", "missing"), ('{"away-from": "a", "expires-in": "1h", "zone": "a"}', "no member"), ('{"away-from": 1}', "another type"),
                       ("[]", "no JSON object")):
        code, answer = weir.call("PUT", "/v1/zonal-shift", body)
        assert code == 400 and said in answer["error"], answer
    assert weir.call("POST", "/v1/zonal-shift", "{}")[0] == 405
    assert weir.call("GET", "/v1/zonal-shift")[0] == 200


def test_the_examples_own_tests_pass():
    outcome = command("test", SOURCE / "examples/zones.yaml")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
