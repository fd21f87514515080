"""GET /v1/events: what the appliance did, in the order in which it did it."""

import http.client
import time

import pytest
from weir_e2e import wait_for

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTP
        default-actions: [{{forward: {{target-groups: [{{name: blue, weight: 8}}, {{name: green, weight: 2}}]}}}}]
target-groups:
  - {{name: blue, targets: [{blue}], health-check: {check}}}
  - {{name: green, targets: [{green}], health-check: {check}}}
admin: {{address: 127.0.0.1, port: 0}}
{rest}
"""
CHECK = "{path: /health, interval: 1s, timeout: 1s, healthy-threshold: 2, unhealthy-threshold: 2}"


def text(blue, green, rest=""):
    return CONFIG.format(blue=blue.yaml, green=green.yaml, check=CHECK, rest=rest)


@pytest.fixture
def shop(targets, run):
    blue, green = targets("blue"), targets("green")
    weir = run(text(blue, green))
    weir.wait_state("blue", blue, "healthy")
    weir.wait_state("green", green, "healthy")
    weir.blue, weir.green = blue, green
    return weir


def events(weir, since=0, kinds=None):
    code, page = weir.call("GET", f"/v1/events?since={since}")
    assert code == 200, page
    return [event for event in page["events"] if kinds is None or event["kind"] in kinds]


def wait_event(weir, since, kind, **fields):
    """The first event of that kind with these fields after `since`."""
    def find():
        return next((event for event in events(weir, since, {kind})
                     if fields.items() <= event["fields"].items()), None)
    return wait_for(find, 30, f"the event {kind} {fields}")


def test_a_death_a_reload_and_a_shift_appear_in_order(shop):
    _, page = shop.call("GET", "/v1/events")
    start = page["last"]
    assert page["oldest"] == 1 and page["dropped"] == 0 and not page["more"]
    assert [event["sequence"] for event in page["events"]] == list(range(1, start + 1))
    assert any(event["kind"] == "life" and event["fields"]["state"] == "ready" for event in page["events"])

    shop.green.stop()
    death = wait_event(shop, start, "health", target=shop.green.id, to="unhealthy")
    assert death["fields"]["target-group"] == "green" and death["fields"]["from"] == "healthy"
    assert death["fields"]["reason"] and shop.green.id in death["text"]

    assert shop.call("POST", "/v1/reload")[0] == 200
    reload = wait_event(shop, start, "reload", result="accepted")

    path = f"/v1/load-balancers/shop/listeners/{shop.port()}/rules/default/weights"
    assert shop.call("PUT", path, {"blue": 100, "green": 0})[0] == 200
    shift = wait_event(shop, start, "shift", released="false")
    assert shift["fields"]["from"] == "blue:8 green:2" and shift["fields"]["to"] == "blue:100 green:0"
    assert shift["fields"]["rule"] == "default" and shift["fields"]["listener"] == str(shop.port())

    assert shop.call("DELETE", path)[0] == 200
    back = wait_event(shop, shift["sequence"], "shift", released="true")
    assert back["fields"]["to"] == "blue:8 green:2"

    order = [death, reload, shift, back]
    assert [event["sequence"] for event in order] == sorted(event["sequence"] for event in order)
    times = [event["unix-milliseconds"] for event in order]
    assert times == sorted(times) and abs(times[-1] - time.time() * 1000) < 60_000


def test_a_refused_reload_says_what_is_wrong(shop):
    start = shop.call("GET", "/v1/events")[1]["last"]
    shop.write(text(shop.blue, shop.green, "rubbish: 1"))
    refused = wait_event(shop, start, "reload", result="refused")
    assert "rubbish" in refused["fields"]["error"] and refused["fields"]["error"] in refused["text"]
    shop.write(text(shop.blue, shop.green))
    accepted = wait_event(shop, refused["sequence"], "reload", result="accepted")
    assert accepted["fields"]["file"].endswith("weir.yaml")


def test_overrides_appear_once_and_with_their_end(shop):
    start = shop.call("GET", "/v1/events")[1]["last"]
    path = f"/v1/target-groups/blue/targets/{shop.blue.id}/admin-state"
    for state in ("unhealthy", "unhealthy", "healthy"):
        assert shop.call("PUT", path, {"state": state})[0] == 200
    assert shop.call("DELETE", path)[0] == 200
    assert shop.call("DELETE", path)[0] == 200
    assert [event["fields"]["state"] for event in events(shop, start, {"override"})] == ["unhealthy", "healthy", "measured"]
    forced = events(shop, start, {"health"})[0]
    assert forced["fields"]["to"] == "unhealthy" and forced["fields"]["reason"] == "override"


def test_what_a_reload_takes_away_is_an_event(shop):
    path = f"/v1/load-balancers/shop/listeners/{shop.port()}/rules/default/weights"
    assert shop.call("PUT", path, {"blue": 1, "green": 1})[0] == 200
    state = f"/v1/target-groups/green/targets/{shop.green.id}/admin-state"
    assert shop.call("PUT", state, {"state": "unhealthy"})[0] == 200
    start = shop.call("GET", "/v1/events")[1]["last"]
    shop.write(text(shop.blue, shop.green).replace(", {name: green, weight: 2}", "")
               .replace(f"targets: [{shop.green.yaml}]", "targets: []"))
    wait_event(shop, start, "shift", dropped="true")
    wait_event(shop, start, "override", target=shop.green.id, state="measured")


def test_limits_and_mistakes(shop):
    code, page = shop.call("GET", "/v1/events?limit=1")
    assert code == 200 and len(page["events"]) == 1 and page["more"]
    assert shop.call("GET", "/v1/events?since=1000000")[1]["events"] == []
    for query in ("since=x", "limit=0", "nonsense=1"):
        code, answer = shop.call("GET", f"/v1/events?{query}")
        assert code == 400 and answer["error"] and answer["hint"], query
    assert shop.call("POST", "/v1/events")[0] == 405


def test_draining_is_the_last_event(shop):
    start = shop.call("GET", "/v1/events")[1]["last"]
    client = http.client.HTTPConnection("127.0.0.1", shop.port(), timeout=10)
    # A request that is not finished keeps the program draining while it is asked.
    client.putrequest("POST", "/slow")
    client.putheader("Content-Length", "5")
    client.endheaders(b"12")
    wait_for(lambda: shop.green.connections_accepted + shop.blue.connections_accepted, what="a connection to a target")
    shop.signal(15)
    wait_event(shop, start, "life", state="draining")
    client.send(b"345")
    client.getresponse().read()
    client.close()
