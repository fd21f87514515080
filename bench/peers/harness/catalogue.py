"""Every scenario and every peer by name."""

import dataclasses
import functools

from . import peers_dns, peers_http, scenarios_calls, scenarios_dns, scenarios_open_loop, scenarios_rate
from . import scenarios_state
from .dnsperf import Dnsperf
from .load import Wrk
from .weir_bench import WeirBenchDns, WeirBenchHttp


@dataclasses.dataclass(frozen=True)
class Entry:
    """A scenario of the command line: `run(options)` gives its result."""
    key: str
    title: str
    run: object
    family: str = "http"
    needs: tuple = ("http",)  # load: http, dns, weir-bench


def _rate_entries():
    for scenario in scenarios_rate.SCENARIOS:
        yield Entry(scenario.key, scenario.title, functools.partial(scenarios_rate.run_scenario, scenario),
                    needs=("weir-bench",) if scenario.by_weir_bench else ("http",))


def _dns_entries():
    for scenario in scenarios_dns.SCENARIOS:
        yield Entry(scenario.key, scenario.title, functools.partial(scenarios_dns.run_scenario, scenario), "dns", ("dns",))
    yield Entry("dns-many", "1,000,000 records against 100", scenarios_dns.many_records, "dns", ("dns",))


SCENARIOS = {entry.key: entry for entry in (
    *_rate_entries(),
    Entry("rules", "10,000 host and path rules, the last one matching",
          functools.partial(scenarios_rate.compare_rules, kind="exact", large=10000, minimum=0.95, stretch=0.99)),
    Entry("regex", "1,000 regular expressions, the last one matching",
          functools.partial(scenarios_rate.compare_rules, kind="regex", large=1000, minimum=0.5, stretch=0.8)),
    Entry("targets", "2,000 targets in a group against 2", scenarios_rate.compare_targets),
    Entry("algorithms", "sticky clients and least outstanding requests against round robin", scenarios_rate.compare_algorithms),
    Entry("workers", "2 workers on 2 CPUs against 1", scenarios_rate.compare_workers),
    Entry("rule-memory", "memory of 10,000 rules", scenarios_state.rule_memory, needs=()),
    Entry("idle", "memory of 19,000 idle connections", scenarios_state.idle_connections, needs=()),
    Entry("idle-tls", "memory of 5,000 idle TLS connections", scenarios_state.idle_tls_connections, needs=()),
    Entry("syscalls", "system calls of a small request and of 1 MiB", scenarios_calls.system_calls),
    Entry("reload", "20 reloads of 10,000 rules under load, three times", scenarios_state.reloads),
    Entry("open-loop", "latency at 30 % and 70 % of HAProxy's peak", scenarios_open_loop.open_loop,
          needs=("weir-bench",)),
    *_dns_entries(),
)}

PEERS = {"http": peers_http.PEERS, "dns": peers_dns.PEERS}
BASELINE = "baseline"
HTTP_GENERATORS = ("wrk", "weir")
DNS_GENERATORS = ("dnsperf", "weir")


def scenario_keys(family):
    return [key for key, entry in SCENARIOS.items() if family in ("all", entry.family)]


def peer_names(family):
    """Those that --peers may name: all but the baseline, which has an option of its own."""
    return [name for name in every_peer_name(family) if name != BASELINE]


def every_peer_name(family):
    return list(dict.fromkeys(name for one, peers in PEERS.items() if family in ("all", one) for name in peers))


def peer(name, options):
    return next(peers[name] for peers in PEERS.values() if name in peers)(options)


def set_generators(options, http, dns, scenarios):
    """Sets the load generators that the scenarios need, as `generator`, `dns_generator` and `weir_bench` (absent: None); their versions."""
    needed = {need for key in scenarios for need in SCENARIOS[key].needs}
    options.generator = options.dns_generator = options.weir_bench = None
    if "http" in needed:
        options.generator = Wrk() if http == "wrk" else WeirBenchHttp(options.bench, options.folder)
    if "dns" in needed:
        options.dns_generator = Dnsperf() if dns == "dnsperf" else WeirBenchDns(options.bench)
    if "weir-bench" in needed:
        options.weir_bench = WeirBenchHttp(options.bench, options.folder)
    used = [one.version() for one in (options.generator, options.dns_generator, options.weir_bench) if one]
    return ", ".join(dict.fromkeys(used)) or "none"


def listing(options):
    lines = ["scenarios:"]
    lines += [f"  {entry.family:5}{key:16}{entry.title}" for key, entry in SCENARIOS.items()]
    lines.append("peers:")
    for family, peers in PEERS.items():
        for name in peer_names(family):
            kind = peers[name]
            path = kind(options).path()
            lines.append(f"  {family:5}{name:16}{path if path else kind.program_name + ' is not installed'}")
    return "\n".join(lines)
