"""examples/hybrid-failover.yaml with dig: the answer follows the health of the data centre, through the alias tree too."""

import shutil
import time

import pytest
from weir_e2e import SCALE, SOURCE, dig, example, free_port, wait_for, weir as command

THRESHOLD, INTERVAL = 2, 1.0

ON_PREM, CLOUD = ["192.0.2.20"], ["198.51.100.20"]


@pytest.fixture
def site(targets, run, tmp_path):
    shutil.copy(SOURCE / "examples/latency.csv", tmp_path)
    primary = targets("on-prem")

    # Route 53's checks do not use ALB's user agent: both kinds of probe ask for / and get `health_status`.
    def script(request, wire):
        if not (request.field("User-Agent") or "").startswith("curl"):
            wire.socket.sendall(f"HTTP/1.1 {primary.health_status} Health\r\nContent-Length: 0\r\n\r\n".encode())
            return True
        return None
    primary.script = script
    text, environment = example("hybrid-failover.yaml", {"8080": 0, "9900": 0, "9001": primary.port, "5353": 0})
    weir = run(text, environment=environment)
    weir.primary = primary
    return weir


def values(weir, name, *options):
    return dig(weir.dns_port, name, "A", *options).values


def wait_answer(weir, name, expected, seconds):
    """Seconds until the answer was `expected`."""
    started = time.monotonic()
    wait_for(lambda: values(weir, name) == expected, seconds, f"{name} answered with {expected}")
    return time.monotonic() - started


def test_failover_and_back_within_threshold_times_interval(site):
    wait_answer(site, "app.example.test", ON_PREM, 5)
    assert dig(site.dns_port, "app.example.test", "A").answer[0][1] == 10
    limit = THRESHOLD * INTERVAL + 1
    site.primary.stop()
    assert wait_answer(site, "app.example.test", CLOUD, limit) <= limit * SCALE
    site.wait_log(r"state changed.*on-prem.*to=unhealthy")  # the target group has checks of its own
    site.primary.start()
    assert wait_answer(site, "app.example.test", ON_PREM, limit) <= limit * SCALE


def test_a_status_that_is_no_success_counts_as_down(site):
    wait_answer(site, "app.example.test", ON_PREM, 5)
    site.primary.health_status = 503
    wait_answer(site, "app.example.test", CLOUD, THRESHOLD * INTERVAL + 1)
    site.primary.health_status = 200
    wait_answer(site, "app.example.test", ON_PREM, THRESHOLD * INTERVAL + 1)


def test_the_alias_tree_looks_through_to_the_load_balancer(site):
    """Latency over failover over a load balancer: eu fails over inside its branch."""
    site.wait_state("on-prem", site.primary, "healthy")
    wait_answer(site, "eu.example.test", ["192.0.2.10"], 5)
    wait_answer(site, "example.test", ["192.0.2.10"], 5)
    assert dig(site.dns_port, "eu.example.test", "A").answer[0][1] == 60
    site.primary.stop()
    wait_answer(site, "eu.example.test", ["198.51.100.10"], 6)
    wait_answer(site, "example.test", ["198.51.100.10"], 6)
    assert values(site, "example.test", "+subnet=203.0.113.0/24") == ["198.51.100.30"]
    site.primary.start()
    wait_answer(site, "example.test", ["192.0.2.10"], 6)


def test_latency_chooses_by_the_clients_network(site):
    site.wait_state("on-prem", site.primary, "healthy")
    wait_answer(site, "example.test", ["192.0.2.10"], 5)
    assert values(site, "example.test", "+subnet=192.0.2.0/24") == ["192.0.2.10"]
    assert values(site, "example.test", "+subnet=203.0.113.0/24") == ["198.51.100.30"]
    assert values(site, "www.example.test", "+subnet=203.0.113.0/24") == ["198.51.100.30", "example.test."]


def test_explain_says_why(site):
    site.primary.stop()
    wait_answer(site, "app.example.test", CLOUD, 6)
    admin = "{}:{}".format(*site.admin)
    environment = {"PRIMARY_PORT": str(free_port()), "HTTP_PORT": "0", "DNS_PORT": "0", "ADMIN_PORT": "0"}
    outcome = command("explain", site.file, "dns", "app.example.test", "A", "--live", "--admin", admin, environment=environment)
    assert outcome.returncode == 0, outcome.stderr
    assert "198.51.100.20" in outcome.stdout and "unhealthy" in outcome.stdout and "on-prem" in outcome.stdout
    outcome = command("explain", site.file, "dns", "example.test", "A", "--from", "203.0.113.0/24", environment=environment)
    assert outcome.returncode == 0, outcome.stderr
    assert "198.51.100.30" in outcome.stdout and "latency" in outcome.stdout.lower() and "us" in outcome.stdout


def test_the_examples_own_tests_pass():
    for name in ("hybrid-failover.yaml", "blue-green.yaml"):
        outcome = command("test", SOURCE / "examples" / name)
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
