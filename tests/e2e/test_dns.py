"""The DNS responder as dig and kdig see it: types, wildcards, negative answers, EDNS, TCP, refusals, policies."""

import socket
import struct
import subprocess

import pytest
from weir_e2e import Answer, Network, Weir, dig, requires_loopback_ipv6

CONFIG = """
regions:
  - {name: eu-west, latitude: 53.3, longitude: -6.2}
  - {name: us-east, latitude: 38.9, longitude: -77.4}
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    advertise: [192.0.2.10, "2001:db8::10"]
    listeners:
      - {port: 0, protocol: HTTP, default-actions: [{fixed-response: {status-code: 200}}]}
dns: {addresses: [ADDRESSES], port: 0}
health-checks:
  - {name: dead, type: TCP, address: 127.0.0.1, port: 1, request-interval: 1s, timeout: 1s, failure-threshold: 1}
latency: {table: latency.csv}
zones:
  - name: example.test
    soa: {mname: ns1.example.test., rname: hostmaster.example.test., minimum: 60s}
    name-servers: [ns1.example.test., ns2.example.test.]
    records:
      - {name: ns1, type: A, ttl: 5m, values: [192.0.2.1]}
      - {name: ns2, type: A, ttl: 5m, values: [192.0.2.2]}
      - {name: "@", type: A, ttl: 60s, values: [192.0.2.3]}
      - {name: "@", type: MX, ttl: 5m, values: [10 mail.example.test., 20 mail2.example.test.]}
      - {name: "@", type: TXT, ttl: 5m, values: ['"v=spf1 -all"', '"two" "strings"']}
      - {name: "@", type: CAA, ttl: 5m, values: ['0 issue "ca.example.test"']}
      - {name: mail, type: A, ttl: 5m, values: [192.0.2.25]}
      - {name: mail, type: AAAA, ttl: 5m, values: ["2001:db8::25"]}
      - {name: _sip._tcp, type: SRV, ttl: 5m, values: [10 20 5060 mail.example.test.]}
      - {name: "10", type: PTR, ttl: 5m, values: [mail.example.test.]}
      - {name: www, type: CNAME, ttl: 5m, values: [mail.example.test.]}
      - {name: chain, type: CNAME, ttl: 5m, values: [www.example.test.]}
      - {name: away, type: CNAME, ttl: 5m, values: [www.elsewhere.example.]}
      - {name: odd, type: TYPE65280, ttl: 5m, values: ['\\# 4 0a000001']}
      - {name: "*.wild", type: A, ttl: 5m, values: [192.0.2.99]}
      - {name: a.b.ent, type: A, ttl: 5m, values: [192.0.2.77]}
      - {name: big, type: TXT, ttl: 5m, values: [BIG]}
      - {name: lb, type: A, alias: {load-balancer: shop, evaluate-target-health: true}}
      - {name: lb, type: AAAA, alias: {load-balancer: shop, evaluate-target-health: true}}
      - {name: alias, type: A, alias: {record: mail, evaluate-target-health: false}}
      - {name: sub, type: NS, ttl: 1h, values: [ns.sub.example.test.]}
      - {name: ns.sub, type: A, ttl: 1h, values: [192.0.2.53]}
      - {name: w, type: A, set: blue, weight: 75, ttl: 10s, values: [192.0.2.31]}
      - {name: w, type: A, set: green, weight: 25, ttl: 10s, values: [192.0.2.32]}
      - {name: w0, type: A, set: blue, weight: 0, ttl: 10s, values: [192.0.2.33]}
      - {name: w0, type: A, set: green, weight: 1, ttl: 10s, values: [192.0.2.34]}
      - {name: fo, type: A, set: primary, failover: PRIMARY, ttl: 10s, values: [192.0.2.41], health-check: dead}
      - {name: fo, type: A, set: secondary, failover: SECONDARY, ttl: 10s, values: [192.0.2.42]}
      - {name: multi, type: A, set: one, multivalue-answer: true, ttl: 10s, values: [192.0.2.51]}
      - {name: multi, type: A, set: two, multivalue-answer: true, ttl: 10s, values: [192.0.2.52]}
      - {name: multi, type: A, set: dead, multivalue-answer: true, ttl: 10s, values: [192.0.2.53], health-check: dead}
      - {name: near, type: A, set: eu, region: eu-west, ttl: 10s, values: [192.0.2.61]}
      - {name: near, type: A, set: us, region: us-east, ttl: 10s, values: [192.0.2.62]}
admin: {address: 127.0.0.1, port: 0}
"""


@pytest.fixture
def server(run, tmp_path):
    (tmp_path / "latency.csv").write_text("client-cidr,region,milliseconds\n198.51.100.0/24,eu-west,90\n198.51.100.0/24,us-east,10\n"
                                          "0.0.0.0/0,eu-west,20\n0.0.0.0/0,us-east,80\n", encoding="utf-8")
    addresses = '127.0.0.1, "::1"' if requires_loopback_ipv6() else "127.0.0.1"
    big = ", ".join(f"'\"{number:02d}{'x' * 200}\"'" for number in range(20))
    return run(CONFIG.replace("ADDRESSES", addresses).replace("BIG", big))


SIMPLE = [
    ("mail.example.test", "A", ["192.0.2.25"]),
    ("MAIL.Example.TEST", "A", ["192.0.2.25"]),
    ("mail.example.test", "AAAA", ["2001:db8::25"]),
    ("example.test", "A", ["192.0.2.3"]),
    ("example.test", "NS", ["ns1.example.test.", "ns2.example.test."]),
    ("example.test", "MX", ["10 mail.example.test.", "20 mail2.example.test."]),
    ("example.test", "TXT", ['"two" "strings"', '"v=spf1 -all"']),
    ("example.test", "CAA", ['0 issue "ca.example.test"']),
    ("_sip._tcp.example.test", "SRV", ["10 20 5060 mail.example.test."]),
    ("10.example.test", "PTR", ["mail.example.test."]),
    ("odd.example.test", "TYPE65280", [r"\# 4 0A000001"]),
    ("www.example.test", "CNAME", ["mail.example.test."]),
    ("www.example.test", "A", ["192.0.2.25", "mail.example.test."]),
    ("chain.example.test", "A", ["192.0.2.25", "mail.example.test.", "www.example.test."]),
    ("away.example.test", "A", ["www.elsewhere.example."]),
    ("x.wild.example.test", "A", ["192.0.2.99"]),
    ("x.y.wild.example.test", "A", ["192.0.2.99"]),
    ("lb.example.test", "A", ["192.0.2.10"]),
    ("lb.example.test", "AAAA", ["2001:db8::10"]),
    ("alias.example.test", "A", ["192.0.2.25"]),
]


def test_types_and_names(server):
    wrong = []
    for name, kind, values in SIMPLE:
        for options in ([], ["+tcp"]):
            answer = dig(server.dns_port, name, kind, *options)
            if answer.status != "NOERROR" or answer.values != sorted(values) or "aa" not in answer.flags or "ra" in answer.flags:
                wrong.append(f"{name} {kind} {options}: {answer.text}")
    assert not wrong, "\n".join(wrong)


def test_the_case_of_the_question_is_echoed(server):
    answer = dig(server.dns_port, "MaIl.eXample.tEst", "A")
    assert answer.answer[0][0] == "MaIl.eXample.tEst."


def test_alias_ttls(server):
    assert dig(server.dns_port, "lb.example.test", "A").answer[0][1] == 60
    assert dig(server.dns_port, "alias.example.test", "A").answer[0][1] == 300


def test_the_soa(server):
    name, _, kind, value = dig(server.dns_port, "example.test", "SOA").answer[0]
    assert (name, kind) == ("example.test.", "SOA")
    assert value.split()[:2] == ["ns1.example.test.", "hostmaster.example.test."] and value.split()[-1] == "60"


NEGATIVE = [
    ("nothing.example.test", "A", "NXDOMAIN"),
    ("below.mail.example.test", "A", "NXDOMAIN"),
    ("mail.example.test", "TXT", "NOERROR"),
    ("ent.example.test", "A", "NOERROR"),
    ("b.ent.example.test", "A", "NOERROR"),
    ("x.wild.example.test", "AAAA", "NOERROR"),
    ("mail.example.test", "TYPE666", "NOERROR"),
]


@pytest.mark.parametrize("name,kind,status", NEGATIVE)
def test_negative_answers_carry_the_soa(server, name, kind, status):
    answer = dig(server.dns_port, name, kind)
    assert answer.status == status and not answer.answer and "aa" in answer.flags
    (owner, ttl, soa, _), = answer.authority
    assert (owner, soa) == ("example.test.", "SOA") and ttl == 60, "RFC 2308: the smaller of SOA TTL and MINIMUM"


def test_a_delegation_is_a_referral_with_glue(server):
    for name in ("sub.example.test", "host.sub.example.test"):
        answer = dig(server.dns_port, name, "A")
        assert answer.status == "NOERROR" and not answer.answer and "aa" not in answer.flags
        assert [(owner, kind, value) for owner, _, kind, value in answer.authority] == [
            ("sub.example.test.", "NS", "ns.sub.example.test.")]
        assert "192.0.2.53" in answer.text


def test_outside_the_zones_is_refused(server):
    answer = dig(server.dns_port, "www.elsewhere.example", "A")
    assert answer.status == "REFUSED" and "aa" not in answer.flags


def test_any_is_minimal(server):
    """RFC 8482."""
    answer = dig(server.dns_port, "mail.example.test", "ANY", "+notcp")
    assert answer.status == "NOERROR" and 1 <= len(answer.answer) <= 2


# RFC 6891, RFC 8906 and ISC's tests.
def test_edns(server):
    port = server.dns_port
    assert dig(port, "+noedns", "example.test", "SOA").edns is None, "OPT only when asked"
    answer = dig(port, "+edns=0", "+bufsize=4096", "example.test", "SOA")
    assert answer.edns.group(1) == "0" and answer.status == "NOERROR" and 512 <= int(answer.edns.group(3)) <= 1400
    answer = dig(port, "+edns=1", "+noednsnegotiation", "example.test", "SOA")
    assert answer.status == "BADVERS" and answer.edns.group(1) == "0" and not answer.answer
    answer = dig(port, "+ednsopt=100", "example.test", "SOA")
    assert answer.status == "NOERROR" and "OPT=100" not in answer.text
    answer = dig(port, "+ednsflags=0x0080", "example.test", "SOA")
    assert answer.status == "NOERROR" and "MBZ" not in answer.text


def test_header_bits(server):
    port = server.dns_port
    assert "rd" in dig(port, "+rec", "example.test", "SOA").flags
    assert "rd" not in dig(port, "+norec", "example.test", "SOA").flags
    for option in ("+zflag", "+adflag", "+aaflag", "+tcflag", "+raflag"):
        answer = dig(port, option, "example.test", "SOA")
        assert answer.status == "NOERROR" and not {"tc", "ra", "ad"} & answer.flags and "MBZ" not in answer.text, option


def test_opcodes_that_are_not_query_are_notimp(server):
    for opcode in ("15", "STATUS"):
        answer = dig(server.dns_port, f"+opcode={opcode}", "+header-only", "example.test")
        assert answer.status == "NOTIMP" and "aa" not in answer.flags
    for opcode in ("NOTIFY", "UPDATE"):
        assert dig(server.dns_port, f"+opcode={opcode}", "example.test", "SOA").status in ("NOTIMP", "REFUSED", "NOTAUTH")


def test_truncation_and_the_way_over_tcp(server):
    port = server.dns_port
    small = dig(port, "+noedns", "+ignore", "big.example.test", "TXT")
    assert "tc" in small.flags and small.size <= 512
    medium = dig(port, "+bufsize=4096", "+ignore", "big.example.test", "TXT")
    assert "tc" in medium.flags and medium.size <= 1232
    full = dig(port, "+tcp", "big.example.test", "TXT")
    assert "tc" not in full.flags and len(full.answer) == 20
    assert len(dig(port, "big.example.test", "TXT").answer) == 20, "dig goes over to TCP by itself"


def test_answers_must_not_be_fragmented_on_their_way(server):
    """RFC 9715 3.1: a path that is too narrow for an answer loses it, and the resolver asks again over TCP."""
    try:
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    except PermissionError:
        pytest.skip("only root may look at packets")
    client = "127.0.0.7"
    with raw, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        raw.bind((client, 0))
        raw.settimeout(5)
        sock.bind((client, 0))
        sock.sendto(query("mail.example.test"), ("127.0.0.1", server.dns_port))
        packet = raw.recv(1500)
        assert struct.unpack("!H", packet[20:22])[0] == server.dns_port
        assert struct.unpack("!H", packet[6:8])[0] == 0x4000, "DF alone"


def test_a_link_that_is_too_narrow_for_an_answer_gets_it_in_fragments(tmp_path):
    record = "{name: wide, type: TXT, ttl: 5m, values: [" + ", ".join(f"'\"{i}{'x' * 200}\"'" for i in range(5)) + "]}"
    text = f"""
dns: {{addresses: [127.0.0.1], port: 53}}
zones:
  - name: example.test
    soa: {{mname: ns1.example.test., rname: hostmaster.example.test., minimum: 60s}}
    name-servers: [ns1.example.test.]
    records: [{record}]
"""
    try:
        network = Network(mtu=700)
    except PermissionError as refused:
        pytest.skip(f"no network of its own: {refused}")
    with network, Weir(text, tmp_path, network=network):
        for _ in range(3):
            answer = dig(53, "+ignore", "+bufsize=1232", "wide.example.test", "TXT", network=network)
            assert answer.status == "NOERROR" and "tc" not in answer.flags, answer.text
            assert answer.size > 1000 and len(answer.answer) == 5


def test_queries_share_a_tcp_connection(server):
    answer = dig(server.dns_port, "+tcp", "+keepopen", "mail.example.test", "A", "+tcp", "+keepopen", "example.test", "A")
    assert answer.text.count("status: NOERROR") == 2


def query(name, kind=1, flags=0x0100, count=1):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    return struct.pack("!6H", 0x1234, flags, count, 0, 0, 0) + labels + struct.pack("!2H", kind, 1)


@pytest.fixture
def udp(server):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", server.dns_port))
        sock.settimeout(5)
        yield sock


def rcode(message):
    return struct.unpack("!H", message[2:4])[0] & 15


def test_malformed_queries_get_formerr_or_silence_and_never_hurt(udp):
    good = query("mail.example.test")
    for length in range(12, len(good)):
        udp.send(good[:length])
        assert rcode(udp.recv(1500)) == 1, length
    udp.send(good[:12] + b"\xc0\x0c" + good[-4:])  # a name that points at itself
    assert rcode(udp.recv(1500)) == 1
    udp.send(good)
    assert rcode(udp.recv(1500)) == 0


def test_answers_are_never_answered(udp):
    udp.send(query("mail.example.test", flags=0x8100))
    udp.send(b"short")
    udp.send(query("example.test", kind=6))
    first = udp.recv(1500)
    assert b"\x07example\x04test" in first and struct.unpack("!H", first[2:4])[0] & 0x8000
    udp.settimeout(0.2)
    with pytest.raises(TimeoutError):
        udp.recv(1500)


def test_two_tcp_queries_in_one_write_are_both_answered(server):
    with socket.create_connection(("127.0.0.1", server.dns_port), timeout=5) as sock:
        messages = [query("mail.example.test"), query("nothing.example.test")]
        sock.sendall(b"".join(struct.pack("!H", len(message)) + message for message in messages))
        seen = b""
        lengths = []
        while len(lengths) < 2:
            seen += sock.recv(4096)
            while len(seen) >= 2 and len(seen) >= 2 + struct.unpack("!H", seen[:2])[0]:
                size = struct.unpack("!H", seen[:2])[0]
                lengths.append(rcode(seen[2:2 + size]))
                seen = seen[2 + size:]
        assert sorted(lengths) == [0, 3]


# ---- policies


def test_weights(server):
    counts = {"192.0.2.31": 0, "192.0.2.32": 0}
    for _ in range(20):
        answer = dig(server.dns_port, *(["w.example.test", "A"] * 20))
        for value in counts:
            counts[value] += answer.text.count(value)
    assert sum(counts.values()) == 400
    assert 250 < counts["192.0.2.31"] < 350


def test_weight_0_is_not_served_beside_others(server):
    assert all(dig(server.dns_port, "w0.example.test", "A").values == ["192.0.2.34"] for _ in range(20))


def test_failover_and_multivalue_leave_the_dead_out(server):
    from weir_e2e import wait_for
    wait_for(lambda: dig(server.dns_port, "fo.example.test", "A").values == ["192.0.2.42"], 10, "the secondary")
    assert dig(server.dns_port, "multi.example.test", "A").values == ["192.0.2.51", "192.0.2.52"]


def test_latency_by_client_subnet_and_by_resolver(server):
    port = server.dns_port
    assert dig(port, "near.example.test", "A").values == ["192.0.2.61"], "the resolver's address: 0.0.0.0/0"
    answer = dig(port, "+subnet=198.51.100.0/24", "near.example.test", "A")
    assert answer.values == ["192.0.2.62"]
    assert "CLIENT-SUBNET: 198.51.100.0/24/24" in answer.text
    assert dig(port, "+subnet=203.0.113.0/24", "near.example.test", "A").values == ["192.0.2.61"]
    untailored = dig(port, "+subnet=198.51.100.0/24", "mail.example.test", "A")
    assert "CLIENT-SUBNET: 198.51.100.0/24/0" in untailored.text


def test_ipv6_transport(server):
    if not requires_loopback_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    endpoints = dict(map(lambda value: value.rsplit(":", 1), server.endpoints("dns")))
    port = int(endpoints.get("[::1]", server.dns_port))
    for options in ([], ["+tcp"]):
        assert dig(port, "mail.example.test", "A", *options, address="::1").values == ["192.0.2.25"]


def test_kdig_agrees(server):
    for options in ([], ["+tcp"], ["+bufsize=1232"]):
        outcome = subprocess.run(["kdig", "@127.0.0.1", "-p", str(server.dns_port), *options, "chain.example.test", "A"],
                                 capture_output=True, text=True, check=True, timeout=30)
        assert "status: NOERROR" in outcome.stdout and "192.0.2.25" in outcome.stdout and "WARNING" not in outcome.stdout


def test_status_and_metrics_know_the_zone(server):
    dig(server.dns_port, "mail.example.test", "A")
    assert any(zone["name"].rstrip(".") == "example.test" for zone in server.status()["zones"])
    assert "weir_dns_" in server.metrics()


def test_answers_are_parsed_at_all():
    assert Answer("").status is None
