"""The HTTP scenarios whose figure is requests, or bytes, per CPU-second of the proxy."""

import contextlib
import dataclasses
import pathlib
import re

from .load import BROWSER_FIELDS, Load
from .peers_http import PEERS, ClosingRelay, Rules, Setup
from .process import PeerFailed, Process, free_port
from .questions import answers, stickiness_cookies
from .rounds import Bar, Limit, Variant, rate_result, run_rounds

BETTER = ("haproxy", "nginx")
ALGORITHM_TARGETS = 10
STICKY_CLIENTS = 64
TO_HTTP2 = ("haproxy", "nghttpx", "nginx")
REGEX_PATHS = 20_000  # twice what HAProxy's cache of results holds by default
CONTENT_BYTES = {"small": 13, "10k": 10 << 10, "1m": 1 << 20}  # of floor_backend
FLOOR = ("relay", "relay-pooled")


@dataclasses.dataclass(frozen=True)
class Scenario:
    """`request` names the target's answer; weir and the peers of `--peers` are compared."""
    key: str
    title: str
    request: str = "small"
    load: dict = dataclasses.field(default_factory=dict)
    setup: dict = dataclasses.field(default_factory=dict)
    bars: tuple = ()
    limits: tuple = ()
    by_bytes: bool = False
    # By `weir bench` whatever --generator says: a kept session is offered again by wrk, at each connection of a handle.
    by_weir_bench: bool = False


SCENARIOS = [
    Scenario("small", "HTTP/1.1 keep-alive, 64 connections, 13-byte responses",
             bars=(Bar("≥ 1.20 × the better of HAProxy and nginx", BETTER, 1.20),
                   Bar("≥ 0.87 of the relay", FLOOR, 0.87, is_stretch=True)),
             limits=(Limit("user share of the CPU ≤ 15 %", "user_percent", 15, "%"),
                     Limit("user share of the CPU ≤ 10 %", "user_percent", 10, "%", is_stretch=True))),
    Scenario("headers", "the same with a browser's request: 25 fields, 1.5 KB", load={"fields": tuple(BROWSER_FIELDS)},
             bars=(Bar("≥ 1.20 × the better of HAProxy and nginx", BETTER, 1.20),
                   Bar("≥ 1.35 × the better", BETTER, 1.35, is_stretch=True))),
    Scenario("10k", "10 KiB responses", request="10k",
             bars=(Bar("≥ 1.20 × the better of HAProxy and nginx", BETTER, 1.20),
                   Bar("≥ 0.85 of the relay", FLOOR, 0.85, is_stretch=True))),
    Scenario("post", "POST of 10 KiB", load={"method": "POST", "body_bytes": 10240},
             bars=(Bar("≥ 1.20 × the better of HAProxy and nginx", BETTER, 1.20),
                   Bar("≥ 0.85 of the relay", FLOOR, 0.85, is_stretch=True))),
    Scenario("log", "access log on: weir ALB format, HAProxy httplog, nginx combined", setup={"access_log": "file"},
             bars=(Bar("≥ 1.20 × the better of the two with their logs on", (*BETTER, "haproxy-syslog"), 1.20),)),
    Scenario("close", "a connection for each request", load={"connection_per_request": True},
             bars=(Bar("≥ 1.10 × the better of HAProxy and nginx", BETTER, 1.10), Bar("level with H2O", ("h2o",), 1.0),
                   Bar("≥ 1.0 × the pooled relay", ("relay-pooled",), 1.0, is_stretch=True))),
    Scenario("1m", "1 MiB responses, bytes per CPU-second", request="1m", setup={"large_bodies": True}, by_bytes=True,
             bars=(Bar("≥ 1.10 × nginx, the better of the two", BETTER, 1.10),
                   Bar("≥ 0.80 of the relay", FLOOR, 0.80, is_stretch=True))),
    Scenario("tls", "TLS 1.3 keep-alive, 64 connections, 13-byte responses", load={"tls": True}, setup={"certificate": "ecdsa"},
             bars=(Bar("≥ 1.20 × the better of HAProxy and nginx", BETTER, 1.20),
                   Bar("≥ 1.35 × the better", BETTER, 1.35, is_stretch=True))),
    Scenario("tls-1m", "TLS 1.3, 1 MiB responses, bytes per CPU-second", request="1m", load={"tls": True}, by_bytes=True,
             setup={"large_bodies": True, "certificate": "ecdsa"},
             bars=(Bar("≥ 1.10 × the better of HAProxy and nginx", BETTER, 1.10),)),
    Scenario("tls-ecdsa", "full TLS 1.3 handshakes, ECDSA P-256: a connection for each request",
             load={"tls": True, "connection_per_request": True}, by_weir_bench=True, setup={"certificate": "ecdsa"},
             bars=(Bar("≥ 1.10 × HAProxy", ("haproxy",), 1.10), Bar("≥ 1.25 × HAProxy", ("haproxy",), 1.25, is_stretch=True))),
    Scenario("tls-rsa", "full TLS 1.3 handshakes, RSA 2048: a connection for each request",
             load={"tls": True, "connection_per_request": True}, by_weir_bench=True, setup={"certificate": "rsa"},
             bars=(Bar("≥ 1.05 × HAProxy", ("haproxy",), 1.05), Bar("≥ 1.25 × HAProxy", ("haproxy",), 1.25, is_stretch=True))),
    Scenario("tls-resumed", "resumed TLS 1.3 handshakes: a connection for each request, 8 at a time",
             load={"tls": True, "connection_per_request": True, "resumes": True, "connections": 8}, by_weir_bench=True, setup={"certificate": "ecdsa"},
             bars=(Bar("≥ 1.15 × the better of HAProxy and nginx", BETTER, 1.15),
                   Bar("≥ 1.30 × the better", BETTER, 1.30, is_stretch=True))),
    Scenario("h2", "HTTP/2 over TLS, 8 connections with 32 streams each, 13-byte responses",
             load={"tls": True, "connections": 8, "streams": 32}, by_weir_bench=True, setup={"certificate": "ecdsa", "http2": True},
             bars=(Bar("≥ 1.20 × the best of HAProxy, nghttpx and H2O", ("haproxy", "nghttpx", "h2o"), 1.20),
                   Bar("≥ 1.40 × the best", ("haproxy", "nghttpx", "h2o"), 1.40, is_stretch=True))),
    Scenario("h2-targets", "the same to a target that speaks HTTP/2 with prior knowledge",
             load={"tls": True, "connections": 8, "streams": 32}, by_weir_bench=True,
             setup={"certificate": "ecdsa", "http2": True, "target_protocol": "HTTP2"},
             bars=(Bar("≥ 1.20 × the best of HAProxy, nghttpx and nginx", TO_HTTP2, 1.20),)),
    Scenario("grpc", "unary gRPC calls over TLS, 8 connections with 32 at a time each, messages of 100 bytes",
             load={"tls": True, "connections": 8, "streams": 32, "call_bytes": 100}, by_weir_bench=True,
             setup={"certificate": "ecdsa", "http2": True, "target_protocol": "GRPC"},
             bars=(Bar("≥ 1.20 × the best of HAProxy, nghttpx and nginx", TO_HTTP2, 1.20),)),
    Scenario("websocket", "WebSocket: messages of 100 bytes, one at a time on each of 1,000 connections, which each round opens",
             load={"websocket": True, "connections": 1000, "body_bytes": 100}, by_weir_bench=True, setup={"websocket": True},
             bars=(Bar("≥ 1.15 × the better of HAProxy and nginx", BETTER, 1.15),
                   Bar("≥ 0.87 of the relay", ("relay",), 0.87, is_stretch=True))),
]


@contextlib.contextmanager
def targets(options, cpus=None):
    """The backend, answering at every address of 127.0.0.0/8."""
    port = free_port()
    process = Process("backend", [options.floor / "floor_backend", "--port", port, "--any-loopback"],
                      cpus or options.load_cpus, options.folder)
    try:
        process.wait_until(lambda: answers(port, "backend", "/"), "an answer of the backend", 5)
        yield port
    finally:
        process.stop()


def load_of(options, setup, request="small", cpus=None, generator=None, **what):
    """The function that a Variant loads its process with, by `generator` or that of the options."""
    host, path = setup.rules.request(request)
    load = Load(path=path, host=host, **what)

    def run(process, seconds):
        sample = (generator or options.generator).run(process.port, load, seconds, cpus or options.load_cpus)
        if sample.bytes < sample.requests * CONTENT_BYTES[request]:
            raise PeerFailed(f"{process.name} answered with {sample.bytes / sample.requests:,.0f} bytes each; the target "
                             f"gives {CONTENT_BYTES[request]:,}")
        return sample
    return run


def variant(options, label, peer, setup, load, cpus=None):
    folder = pathlib.Path(options.folder) / re.sub("[^a-z0-9]+", "-", label)
    return Variant(label, lambda: peer.start(setup, folder, cpus or options.proxy_cpus, label), load)


def installed(options, names, feature=None):
    """The peers of `names` that are there, and can do what the scenario needs."""
    for name in names:
        peer = PEERS[name](options)
        if feature and feature not in peer.features:
            continue
        yield name, peer


def run_scenario(scenario, options):
    with targets(options) as port, contextlib.ExitStack() as stack:
        setup = Setup(targets=(f"127.0.0.1:{port}",), **scenario.setup)
        generator = options.weir_bench if scenario.by_weir_bench else None
        load = load_of(options, setup, scenario.request, generator=generator, **scenario.load)
        variants = []
        for name, peer in installed(options, options.peers, setup.feature):
            if scenario.load.get("connection_per_request"):
                if name == "relay":
                    continue  # it knows no requests, so it cannot end a connection after one
                peer = ClosingRelay(options) if name == "relay-pooled" else peer
            variants.append(variant(options, name, peer, setup, load))
            if setup.access_log and name == "haproxy":
                variants.append(_haproxy_to_syslog(options, stack, setup, load))
        results = run_rounds(variants, options, scenario.by_bytes)
    return rate_result(scenario.key, scenario.title, results, scenario.bars, "bytes" if scenario.by_bytes else "requests",
                       limits=scenario.limits)


def _haproxy_to_syslog(options, stack, setup, load):
    """HAProxy's other way to log: a datagram for each line, here to a program that throws them away."""
    port = free_port()
    sink = Process("syslog", [options.floor / "floor_udp_echo", "--port", port, "--discard"], options.load_cpus, options.folder)
    stack.callback(sink.stop)
    setup = dataclasses.replace(setup, access_log="syslog", log_port=port)
    return variant(options, "haproxy-syslog", PEERS["haproxy"](options), setup, load)


# ---- comparisons of a proxy with itself: rules, targets, algorithms, workers


def compare_rules(options, kind, large, minimum, stretch):
    """`large` rules of which the last matches, against RULES_DEFAULT."""
    key = "rules" if kind == "exact" else "regex"
    with targets(options) as port:
        variants = []
        for name, peer in installed(options, options.peers, key):
            for count in (10, large):
                rules = Rules(kind, count)
                setup = Setup(targets=(f"127.0.0.1:{port}",), rules=rules, has_rules=True)
                load = load_of(options, setup, paths=REGEX_PATHS if kind == "regex" else 1)
                variants.append(variant(options, f"{name}, {count:,} rules", peer, setup, load))
        results = run_rounds(variants, options)
    big, small = f"weir, {large:,} rules", "weir, 10 rules"
    bars = [Bar(f"≥ {minimum} of the same with 10", (small,), minimum, of=big),
            Bar(f"≥ {stretch} of the same with 10", (small,), stretch, of=big, is_stretch=True)]
    what = "host and path" if kind == "exact" else "regular expression"
    note = f"{REGEX_PATHS:,} different paths, so that no cache of results answers." if kind == "regex" else ""
    return rate_result(key, f"{large:,} rules by {what}, the last one matching", results, bars, base=big, note=note)


def compare_targets(options):
    """2,000 targets in a group against 2; each has its own address of the loopback interface."""
    with targets(options) as port:
        variants = []
        for name, peer in installed(options, options.peers, "targets"):
            for count in (2, 2000):
                addresses = tuple(f"127.1.{i // 200}.{i % 200 + 1}:{port}" for i in range(count))
                setup = Setup(targets=addresses, health_seconds=30, connections=16000)
                variants.append(variant(options, f"{name}, {count:,} targets", peer, setup, load_of(options, setup)))
        results = run_rounds(variants, options)
    big, small = "weir, 2,000 targets", "weir, 2 targets"
    return rate_result("targets", "2,000 targets in a group against 2", results,
                       [Bar("≥ 0.98 of the same with 2", (small,), 0.98, of=big)], base=big)


def compare_algorithms(options):
    """Least outstanding requests and a sticky client against round robin, ten targets each."""
    round_robin = Setup(health_seconds=30)
    ways = {
        "round robin": round_robin,
        "least outstanding": dataclasses.replace(
            round_robin, group_attributes="load_balancing.algorithm.type: least_outstanding_requests"),
        "sticky": dataclasses.replace(round_robin, group_attributes="stickiness.enabled: true"),
    }
    with targets(options) as port:
        addresses = tuple(f"127.1.0.{i + 1}:{port}" for i in range(ALGORITHM_TARGETS))
        variants = []
        for name, peer in installed(options, [name for name in options.peers if name in ("weir", "baseline")]):
            for way, setup in ways.items():
                setup = dataclasses.replace(setup, targets=addresses)
                load = load_with_cookies(options, setup) if way == "sticky" else load_of(options, setup)
                variants.append(variant(options, f"{name}, {way}", peer, setup, load))
        results = run_rounds(variants, options)
    bars = [Bar("a sticky request ≥ 0.90 of one in turn", ("weir, round robin",), 0.90, of="weir, sticky"),
            Bar("least outstanding requests ≥ 0.97 of round robin", ("weir, round robin",), 0.97, of="weir, least outstanding")]
    return rate_result("algorithms", f"sticky clients and least outstanding requests against round robin, {ALGORITHM_TARGETS} targets",
                       results, bars, base="weir, round robin",
                       note="A sticky request carries the two cookies that one before it was given, and is given two anew.")


def load_with_cookies(options, setup):
    """load_of, with the cookies of STICKY_CLIENTS clients in turn, which each process gives anew."""
    host, path = setup.rules.request("small")
    load = None

    def run(process, seconds):
        nonlocal load
        if load is None:
            cookies = tuple(stickiness_cookies(process.port, host, path) for _ in range(STICKY_CLIENTS))
            load = load_of(options, setup, cookies=cookies)
        return load(process, seconds)
    return run


def compare_workers(options):
    """One and two workers, generator and backend on the same CPUs: what a CPU-second gives must not fall."""
    cpus = f"{options.proxy_cpus},{options.load_cpus}"
    with targets(options, cpus) as port:
        variants = []
        for name, peer in installed(options, options.peers, "workers"):
            for count in (1, 2):
                setup = Setup(targets=(f"127.0.0.1:{port}",), workers=count)
                load = load_of(options, setup, cpus=cpus)
                variants.append(variant(options, f"{name}, {count} worker{'s' * (count > 1)}", peer, setup, load, cpus))
        results = run_rounds(variants, options)
    two, one = "weir, 2 workers", "weir, 1 worker"
    return rate_result("workers", "2 workers on 2 CPUs, generator and backend on the same CPUs", results,
                       [Bar("per CPU-second ≥ 0.90 of one worker: 1.8 × the work of one on two CPUs", (one,), 0.90, of=two)],
                       base=two, note="Both CPUs carry the generator and the backend too, so requests per second say little.")
