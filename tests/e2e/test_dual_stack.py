"""Clients and targets of both families, in every combination."""

import pytest
from weir_e2e import Client, curl, get, requires_loopback_ipv6

pytestmark = pytest.mark.skipif(not requires_loopback_ipv6(), reason="this machine has no IPv6 loopback")

CONFIG = """
load-balancers:
  - name: shop
    ip-address-type: dualstack
    addresses: [127.0.0.1, "::1"]
    listeners:
      - port: 0
        protocol: HTTP
        rules:
          - {{priority: 1, conditions: [{{path-pattern: ["/four*"]}}], actions: [{{forward: {{target-group: four}}}}]}}
          - {{priority: 2, conditions: [{{path-pattern: ["/six*"]}}], actions: [{{forward: {{target-group: six}}}}]}}
          - {{priority: 3, conditions: [{{source-ip: ["::1/128"]}}, {{path-pattern: [/source]}}],
             actions: [{{fixed-response: {{status-code: 200, message-body: six}}}}]}}
          - {{priority: 4, conditions: [{{source-ip: [127.0.0.0/8]}}, {{path-pattern: [/source]}}],
             actions: [{{fixed-response: {{status-code: 200, message-body: four}}}}]}}
        default-actions: [{{forward: {{target-group: mixed}}}}]
target-groups:
  - {{name: four, targets: [{four}]}}
  - {{name: six, targets: [{six}]}}
  - {{name: mixed, targets: [{four}, {six}]}}
admin: {{address: 127.0.0.1, port: 0}}
"""


@pytest.fixture
def shop(targets, run):
    four, six = targets("four"), targets("six", address="::1")
    weir = run(CONFIG.format(four=four.yaml, six=six.yaml))
    for group, target in (("four", four), ("six", six), ("mixed", four), ("mixed", six)):
        weir.wait_state(group, target, "healthy")
    weir.four, weir.six = four, six
    return weir


def port(weir, address):
    return next(bound for _, _, bound_address, bound in weir.listeners("shop") if bound_address == address)


def test_every_family_of_client_reaches_every_family_of_target(shop):
    for option, address, client in (("-4", "127.0.0.1", "127.0.0.1"), ("-6", "::1", "::1")):
        host = f"[{address}]" if ":" in address else address
        for path, seen_by in (("four", shop.four), ("six", shop.six)):
            outcome = curl(option, f"http://{host}:{port(shop, address)}/{path}")
            assert f'"target": "{path}"' in outcome.stdout, outcome.stderr
            request = seen_by.requests[-1]
            assert request.values("X-Forwarded-For") == [client]
            assert request.peer[0] == ("127.0.0.1" if path == "four" else "::1")


def test_a_mixed_group_uses_both(shop):
    for address in ("127.0.0.1", "::1"):
        with Client(port(shop, address), address) as client:  # one connection, so one worker: its round robin is exact
            seen = [client.get().json()["target"] for _ in range(20)]
        assert seen.count("four") == seen.count("six") == 10


def test_source_conditions_tell_the_families_apart(shop):
    assert get(port(shop, "127.0.0.1"), "/source").body == b"four"
    assert get(port(shop, "::1"), "/source", address="::1").body == b"six"


def test_the_host_of_an_ipv6_literal(shop):
    bound = port(shop, "::1")
    with Client(bound, "::1") as client:
        assert client.get("/six", host=f"[::1]:{bound}").status == 200
    assert shop.six.requests[-1].field("Host") == f"[::1]:{bound}"


def test_one_port_for_both_families_when_it_is_free(shop):
    assert len(shop.listeners("shop")) == 2


def test_the_wildcards_serve_both_families(targets, run):
    four = targets("four")
    weir = run(f"""
load-balancers:
  - name: shop
    listeners:
      - {{port: 0, protocol: HTTP, default-actions: [{{forward: {{target-group: four}}}}]}}
target-groups: [{{name: four, targets: [{four.yaml}]}}]
admin: {{address: 127.0.0.1, port: 0}}
""")
    weir.wait_state("four", four, "healthy")
    assert get(port(weir, "0.0.0.0")).status == 200
    assert get(port(weir, "::"), address="::1").status == 200
    # An IPv4 client on the IPv6 wildcard would show as ::ffff:127.0.0.1: the sockets are separate.
    assert [request.field("X-Forwarded-For") for request in four.requests] == ["127.0.0.1", "::1"]


@pytest.mark.parametrize("kind,expected", [("ipv4", ["0.0.0.0"]), ("ipv6", ["::"])])
def test_the_address_type_limits_what_is_bound(run, kind, expected):
    weir = run(f"""
load-balancers:
  - name: shop
    ip-address-type: {kind}
    listeners:
      - {{port: 0, protocol: HTTP, default-actions: [{{fixed-response: {{status-code: 200}}}}]}}
admin: {{address: 127.0.0.1, port: 0}}
""")
    assert [address for _, _, address, _ in weir.listeners("shop")] == expected
