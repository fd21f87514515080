"""The DNS scenarios: answers per CPU-second over UDP, one worker or thread each."""

import dataclasses
import pathlib
import random
import time

from .dnsperf import Questions
from .peers_dns import NOERROR, NXDOMAIN, PEERS, DnsSetup, Echo
from .rounds import Bar, Variant, judge_value, rate_result, run_rounds, say
from .scenarios_rate import targets, variant
from .scenarios_state import settled_pss

OTHERS = ("knot", "nsd")
STATIC_BARS = (Bar("≥ 0.97 × gdnsd", ("gdnsd",), 0.97), Bar("≥ 1.2 × the better of Knot and NSD", OTHERS, 1.2),
               Bar("≥ 1.03 × gdnsd", ("gdnsd",), 1.03, is_stretch=True))
DYNAMIC_BARS = (Bar("≥ 0.97 × gdnsd", ("gdnsd",), 0.97), Bar("≥ 1.2 × Knot with geoip", ("knot",), 1.2),
                Bar("≥ 0.95 of weir's own static answer", ("weir-static",), 0.95),
                Bar("≥ 1.05 × gdnsd", ("gdnsd",), 1.05, is_stretch=True))
RECORDS_MANY = 1_000_000


@dataclasses.dataclass(frozen=True)
class Scenario:
    """`ask` gives the lines of the query file for a setup; `subnets`: from the clients of its networks."""
    key: str
    title: str
    ask: object
    edns: bool = False
    subnets: bool = False
    sockets: int = 1
    expected: str = "NOERROR"
    probe: tuple = ("h0.example.test", "A", NOERROR)
    dynamic: str = ""
    bars: tuple = STATIC_BARS


def hosts(record_type):
    return lambda setup: [f"h{index}.example.test {record_type}" for index in range(setup.hosts)]


SCENARIOS = [
    Scenario("dns-a", "static A records, 100 names", hosts("A")),
    Scenario("dns-aaaa", "static AAAA records, 100 names", hosts("AAAA"), probe=("h0.example.test", "AAAA", NOERROR)),
    Scenario("dns-nxdomain", "names that do not exist", lambda setup: [f"x{i}.example.test A" for i in range(setup.hosts)],
             expected="NXDOMAIN", probe=("x0.example.test", "A", NXDOMAIN)),
    Scenario("dns-edns", "static A records, queries with EDNS", hosts("A"), edns=True),
    Scenario("dns-sockets", "static A records, asked from 128 sockets in turn", hosts("A"), sockets=128),
    Scenario("dns-weighted", "weighted over four records, each governed by a health check", lambda _: ["w.example.test A"],
             probe=("w.example.test", "A", NOERROR), dynamic="weighted", bars=DYNAMIC_BARS),
    Scenario("dns-failover", "primary and secondary governed by health checks", lambda _: ["f.example.test A"],
             probe=("f.example.test", "A", NOERROR), dynamic="failover",
             bars=tuple(bar for bar in DYNAMIC_BARS if "knot" not in bar.against)),  # Knot knows no health
    Scenario("dns-ecs", "latency by client subnet over 1,000 networks, governed by health checks",
             lambda _: ["ecs.example.test A"], edns=True, subnets=True, probe=("ecs.example.test", "A", NOERROR), dynamic="ecs",
             bars=DYNAMIC_BARS),
    Scenario("dns-cidr", "CIDR records by client subnet over 1,000 networks, governed by health checks",
             lambda _: ["cidr.example.test A"], edns=True, subnets=True, probe=("cidr.example.test", "A", NOERROR), dynamic="cidr",
             bars=DYNAMIC_BARS),
]


def write_queries(options, name, lines):
    path = pathlib.Path(options.folder) / f"{name}.queries"
    path.write_text("\n".join(lines) + "\n")
    return path


def load_of(options, questions):
    def load(process, seconds):
        asked = dataclasses.replace(questions, expected=None) if isinstance(process.peer, Echo) else questions
        return options.dns_generator.run(process.port, asked, seconds, options.load_cpus)
    return load


def questions_of(options, scenario, setup):
    asked = Questions(write_queries(options, scenario.key, scenario.ask(setup)), scenario.expected, scenario.edns,
                      sockets=scenario.sockets)
    if not scenario.subnets:
        return asked
    nets = [setup.net(index)[0] for index in range(setup.nets)]
    return dataclasses.replace(asked, subnets=write_queries(options, f"{scenario.key}-subnets", nets), subnet=nets[617])


def run_scenario(scenario, options):
    with targets(options) as check_port:
        setup = DnsSetup(check_port=check_port, probe=scenario.probe, dynamic=scenario.dynamic)
        questions = questions_of(options, scenario, setup)
        load = load_of(options, questions)
        variants = []
        for name in options.peers:
            peer = PEERS[name](options)
            if scenario.dynamic and scenario.dynamic not in peer.features:
                continue
            variants.append(variant(options, name, peer, setup, load))
        if scenario.dynamic and "weir" in options.peers:
            static = dataclasses.replace(questions, file=write_queries(options, "static", hosts("A")(setup)))
            variants.append(variant(options, "weir-static", PEERS["weir"](options), setup, load_of(options, static)))
        results = run_rounds(variants, options)
    return rate_result(scenario.key, scenario.title, results, scenario.bars, "answers")


def many_records(options):
    """1,000,000 records against 100: load time, memory, answers."""
    verdicts, rows, rounds_of = [], [], {}
    names = [name for name in options.peers if name != "echo"]
    random_names = random.Random(1)
    with targets(options) as check_port:
        running = []
        for name in names:
            for records in (100, RECORDS_MANY):
                setup = DnsSetup(hosts=records // 2, nets=10, check_port=check_port)
                picked = [random_names.randrange(setup.hosts) for _ in range(min(setup.hosts, 100_000))]
                queries = write_queries(options, f"many-{records}", [f"h{i}.example.test A" for i in picked])
                label = f"{name}, {records:,} records"
                load = load_of(options, Questions(queries))
                running.append(_timed(variant(options, label, PEERS[name](options), setup, load), rows))
        rounds_of = run_rounds(running, options)
    facts = {label: (seconds, pss) for label, seconds, pss in rows}
    big, small = f"weir, {RECORDS_MANY:,} records", "weir, 100 records"
    result = rate_result("dns-many", "1,000,000 records against 100, random names", rounds_of,
                         [Bar("answers ≥ 0.9 of those with 100", (small,), 0.9, of=big)], "answers", base=big)
    each = (facts[big][1] - facts[small][1]) / RECORDS_MANY if big in facts and small in facts else None
    verdicts = [judge_value("≤ 200 B a record", each, "B", lambda value: value <= 200),
                judge_value("loaded in ≤ 10 s", facts[big][0] if big in facts else None, "s",
                            lambda value: value <= 10)]
    lines = [f"{label}: first right answer {seconds:.1f} s after start, {pss / 1e6:.1f} MB"
             for label, (seconds, pss) in facts.items()]
    return {**result, "verdicts": result["verdicts"] + verdicts, "note": "; ".join(lines) + ".", "loading": rows}


def _timed(one, rows):
    """The variant, which also notes how long its start took and what memory it has then."""
    def start():
        begin = time.monotonic()
        process = one.start()
        seconds = time.monotonic() - begin
        rows.append([one.label, seconds, settled_pss(process)])
        say(f"  {one.label}: {seconds:.1f} s, {rows[-1][2] / 1e6:.1f} MB")
        return process
    return Variant(one.label, start, one.load)
