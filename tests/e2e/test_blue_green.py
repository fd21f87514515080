"""examples/blue-green.yaml before real nginx processes: exact shares, a shift under load, and what failures cost."""

import pytest
from weir_e2e import Client, Load, example, get, wait_for


@pytest.fixture
def shop(nginx, run):
    """The example with two blue targets and one green."""
    blue1, blue2, green = nginx("blue1"), nginx("blue2"), nginx("green")
    text, environment = example("blue-green.yaml", {
        "8080": 0, "9900": 0, "9001": blue1.port, "9002": blue2.port, "9003": green.port, "/": "/health"})
    weir = run(text.replace("http://shop.example.test:8080/", "http://shop.example.test/"), environment=environment,
               arguments=["--workers", "1"])
    for group, target in (("blue", blue1), ("blue", blue2), ("green", green)):
        weir.wait_state(group, target.id, "healthy")
    weir.blue1, weir.blue2, weir.green = blue1, blue2, green
    return weir


def port(weir):
    return weir.port("shop")


def weights(weir, **values):
    code, answer = weir.call("PUT", f"/v1/load-balancers/shop/listeners/{weir.port('shop')}/rules/default/weights", values)
    assert code == 200, answer


def shares(weir, count, client):
    seen = {}
    for _ in range(count):
        answer = client.get()
        assert answer.status == 200
        name = answer.field("X-Target")
        seen[name] = seen.get(name, 0) + 1
    return seen


def test_ten_thousand_requests_are_eight_to_two(shop):
    with Client(port(shop)) as client:
        seen = shares(shop, 10_000, client)
    # The language promises less than ten on one worker; the issue asks for one point (100).
    assert abs(seen["green"] - 2000) < 10, seen
    assert abs(seen["blue1"] - seen["blue2"]) <= 2, seen
    wait_for(lambda: shop.green.requests() == seen["green"] and shop.blue1.requests() == seen["blue1"], 10,
             "nginx's own logs to say the same")


def test_the_preview_rule(shop):
    assert {get(port(shop), fields={"X-Preview": "green"}).field("X-Target") for _ in range(10)} == {"green"}


def test_a_shift_to_green_fails_no_request(shop):
    with Load(port(shop), clients=4) as load:
        load.wait_count(200)
        weights(shop, blue=0, green=100)
        with Client(port(shop)) as client:
            assert shares(shop, 100, client) == {"green": 100}, "the answer of the call means that the shift is done"
        load.wait_count(200)
        weights(shop, blue=100, green=0)
        with Client(port(shop)) as client:
            assert set(shares(shop, 100, client)) == {"blue1", "blue2"}
        load.wait_count(200)
    assert not load.failures, load.failures[:5]
    assert load.connects == 4


def test_a_dead_green_fails_open_and_moves_nothing_to_blue(shop):
    """ALB 5.1: no failover between groups. All unhealthy means all are tried: refused connections are 502."""
    shop.green.kill()
    shop.wait_state("green", shop.green.id, "unhealthy")
    seen = [(answer.status, answer.field("X-Target")) for answer in (get(port(shop)) for _ in range(100))]
    assert seen.count((502, None)) == 20, seen
    assert sum(status == 200 and target.startswith("blue") for status, target in seen) == 80
    shop.green.start()
    shop.wait_state("green", shop.green.id, "healthy")
    assert all(get(port(shop)).status == 200 for _ in range(50))


def test_killing_one_of_two_targets_loses_at_most_what_was_in_flight(shop):
    clients = 4
    with Load(port(shop), clients=clients) as load:
        load.wait_count(200)
        shop.blue1.kill()
        shop.wait_state("blue", shop.blue1.id, "unhealthy")
        failed = len(load.failures)
        load.wait_count(500)
        assert len(load.failures) == failed, "after its probes failed nothing goes there"
        shop.blue1.start()
        shop.wait_state("blue", shop.blue1.id, "healthy")
        load.wait_count(200)
    # A request in flight is lost with its connection; one that was refused a connection goes to the other target.
    assert len(load.failures) <= clients, load.failures[:10]


def test_a_new_version_behind_green_while_it_is_off(shop):
    with Load(port(shop), clients=2) as load:
        weights(shop, blue=1, green=0)
        load.wait_count(50)
        shop.green.stop()
        shop.wait_state("green", shop.green.id, "unhealthy")
        shop.green.start()
        shop.wait_state("green", shop.green.id, "healthy")
        weights(shop, blue=1, green=1)
        load.wait_count(100)
    assert not load.failures, load.failures[:5]
