"""CIDR records as dig sees them: the longest block, what unhealthy records give way to, scopes, reloads, explanations."""

import signal

import pytest
from weir_e2e import dig, wait_for
from weir_e2e import weir as command

CONFIG = """
dns: {addresses: [127.0.0.1], port: 0}
health-checks:
  - {name: lab, type: TCP, address: 127.0.0.1, port: 1, disabled: true}
  - {name: hq, type: TCP, address: 127.0.0.1, port: 1, disabled: true}
cidr-collections:
  - name: offices
    locations:
      - {name: hq, cidrs: [198.51.100.0/24, "2001:db8:100::/48"]}
      - {name: lab, cidrs: [LAB]}
zones:
  - name: example.test
    name-servers: [ns1]
    records:
      - {name: ns1, type: A, ttl: 5m, values: [192.0.2.1]}
      - {name: ip, type: A, set: hq, cidr: {collection: offices, location: hq}, ttl: 60s, values: [192.0.2.61], health-check: hq}
      - {name: ip, type: A, set: lab, cidr: {collection: offices, location: lab}, ttl: 10s, values: [192.0.2.62], health-check: lab}
      - {name: ip, type: A, set: rest, cidr: {collection: offices, location: "*"}, ttl: 60s, values: [192.0.2.63]}
      - {name: some, type: A, set: hq, cidr: {collection: offices, location: hq}, alias: {record: ip}}
admin: {address: 127.0.0.1, port: 0}
"""


def config(lab="198.51.100.64/26"):
    return CONFIG.replace("LAB", lab)


@pytest.fixture
def server(run):
    return run(config())


def values(server, subnet, name="ip.example.test"):
    return dig(server.dns_port, f"+subnet={subnet}", name, "A").values


@pytest.mark.parametrize(("subnet", "answer", "scope"), [
    ("198.51.100.0/26", "192.0.2.61", 26),
    ("198.51.100.64/26", "192.0.2.62", 26),
    ("198.51.100.77/32", "192.0.2.62", 26),
    ("198.51.100.0/24", "192.0.2.61", 26),
    ("203.0.113.0/24", "192.0.2.63", 5),
    ("2001:db8:100:7::/64", "192.0.2.61", 48),
    ("2001:db8::/32", "192.0.2.63", 40),
])
def test_the_longest_block_answers_with_its_scope(server, subnet, answer, scope):
    got = dig(server.dns_port, f"+subnet={subnet}", "ip.example.test", "A")
    assert got.values == [answer]
    assert f"CLIENT-SUBNET: {subnet}/{scope}" in got.text


def test_without_a_subnet_the_resolver_counts(server):
    assert dig(server.dns_port, "ip.example.test", "A").values == ["192.0.2.63"]
    assert dig(server.dns_port, "+tcp", "ip.example.test", "A").values == ["192.0.2.63"]


def test_unhealthy_records_give_way_to_the_next_shorter_block(server):
    def set_state(check, state):
        assert server.call("PUT", f"/v1/health-checks/{check}/admin-state", {"state": state})[0] == 200

    assert values(server, "198.51.100.77/32") == ["192.0.2.62"]
    set_state("lab", "unhealthy")
    wait_for(lambda: values(server, "198.51.100.77/32") == ["192.0.2.61"], 10, "the block around it")
    set_state("hq", "unhealthy")
    wait_for(lambda: values(server, "198.51.100.77/32") == ["192.0.2.63"], 10, "the record for everybody else")
    set_state("lab", "measured")
    wait_for(lambda: values(server, "198.51.100.77/32") == ["192.0.2.62"], 10, "its own block again")


def test_a_client_of_no_record_gets_no_data_for_its_network_only(server):
    got = dig(server.dns_port, "+subnet=203.0.113.0/24", "some.example.test", "A")
    assert got.status == "NOERROR" and got.values == [] and len(got.authority) == 1
    assert "CLIENT-SUBNET: 203.0.113.0/24/5" in got.text
    assert values(server, "198.51.100.64/26", "some.example.test") == ["192.0.2.62"], "through the alias"


def test_a_reload_moves_a_network(server):
    assert values(server, "203.0.113.0/24") == ["192.0.2.63"]
    server.write(config("203.0.113.0/24"))
    server.signal(signal.SIGHUP)
    wait_for(lambda: values(server, "203.0.113.0/24") == ["192.0.2.62"], 10, "the block's new location")
    assert values(server, "198.51.100.77/32") == ["192.0.2.61"]
    server.write(config("198.51.100.0/24"))  # two locations
    server.signal(signal.SIGHUP)
    server.wait_log("block 198.51.100.0/24 belongs to location `hq` already")
    assert values(server, "203.0.113.0/24") == ["192.0.2.62"], "the old configuration serves on"


def test_explanations_name_the_block(server):
    question = ("explain", server.file, "dns", "ip.example.test", "A")
    outcome = command(*question, "--from", "198.51.100.77")
    assert outcome.returncode == 0, outcome.stderr
    assert "-> up   lab (lab by 198.51.100.64/26) 192.0.2.62: chosen" in outcome.stdout
    assert "the answer holds for the client's /26" in outcome.stdout
    assert server.call("PUT", "/v1/health-checks/lab/admin-state", {"state": "unhealthy"})[0] == 200
    live = (*question, "--from", "198.51.100.77", "--live", "--admin", "{}:{}".format(*server.admin))
    outcome = wait_for(lambda: (o := command(*live)) and "DOWN lab" in o.stdout and o, 10, "the live health")
    assert "-> up   hq (hq by 198.51.100.0/24) 192.0.2.61: chosen" in outcome.stdout
    outcome = command("explain", server.file, "dns", "some.example.test", "A", "--from", "203.0.113.7")
    assert "NODATA: no record is for this client" in outcome.stdout


def test_status_and_the_explanation_api_show_the_location(server):
    records = {(record["name"], record["set"]): record for record in server.status()["zones"][0]["records"]}
    assert records["ip.example.test.", "lab"]["policy"] == "cidr"
    assert records["ip.example.test.", "lab"]["routing"] == "offices/lab"
    assert records["ip.example.test.", "rest"]["routing"] == "offices/*"
    code, answer = server.call("GET", "/v1/explain/dns?name=ip.example.test&type=A&from=198.51.100.77")
    assert code == 200
    blocks = [candidate.get("block") for candidate in answer["decisions"][0]["candidates"]]
    assert blocks == ["198.51.100.0/24", "198.51.100.64/26", None]


def test_tests_of_a_file_decide_by_network(tmp_path):
    file = tmp_path / "tests.yaml"
    file.write_text(config() + """
tests:
  - {query: ip.example.test A, from: 198.51.100.70, expect: {values: [192.0.2.62], ttl: 10s}}
  - {query: ip.example.test A, from: 198.51.100.70, unhealthy: [lab], expect: {values: [192.0.2.61]}}
  - {query: ip.example.test A, from: 198.51.100.70, unhealthy: [lab, hq], expect: {values: [192.0.2.63]}}
  - {query: some.example.test A, from: 203.0.113.1, expect: {rcode: NOERROR, values: []}}
""", encoding="utf-8")
    outcome = command("test", file)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
