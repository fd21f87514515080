"""Latency at fixed rates, counted from the time at which a request was due: a stall is seen by all that it delays."""

import contextlib

from .load import Load
from .peers_http import Setup
from .process import PeerFailed
from .rounds import judge_value, present, say
from .scenarios_rate import installed, targets
from .scenarios_state import plain, started
from .statistics import median, spread_percent

SHARES = (0.3, 0.7)
PERCENTILES = ("p50", "p99", "p99.9")
UNSENT = "unsent at the end"  # the generator's word for requests that were due and found no free connection
NOT_PEERS = ("weir", "relay", "relay-pooled")


def peak_rate(options, processes, load):
    """Requests a second that HAProxy answers in a closed loop, and of which the rates are shares."""
    process = processes.get("haproxy")
    if not process:
        raise PeerFailed("the rates are shares of HAProxy's peak, and haproxy is not among the running peers")
    samples = [options.weir_bench.run(process.port, load, max(1.0, options.seconds), options.load_cpus) for _ in range(3)]
    return median([sample.requests / sample.seconds for sample in samples])


def measure_rate(options, processes, load, rate):
    """{peer: [Sample]} of interleaved rounds."""
    samples = {name: [] for name in processes}
    for number in range(options.rounds):
        for name, process in processes.items():
            sample = options.weir_bench.run(process.port, load, options.seconds, options.load_cpus, rate)
            if not sample.requests:
                say(f"  round {number + 1} {name:16} nothing answered: {sample.errors}")
                continue
            samples[name].append(sample)
            say(f"  round {number + 1} {name:16} p99 {sample.latency_us['p99']:,.0f} µs {sample.errors or ''}")
    return {name: taken for name, taken in samples.items() if taken}


def open_loop(options):
    rows, verdicts, raw = [], [], {}
    with targets(options) as port, contextlib.ExitStack() as stack:
        setup = Setup(targets=(f"127.0.0.1:{port}",))
        host, path = setup.rules.request("small")
        load = Load(path=path, host=host)
        processes = {}
        for name, peer in installed(options, options.peers):
            process = stack.enter_context(started(options, name, peer, setup))
            if process:
                processes[name] = process
        peak = peak_rate(options, processes, load)
        for share in SHARES:
            samples = measure_rate(options, processes, load, peak * share)
            label = f"{share:.0%} ({peak * share:,.0f}/s)"
            middles = {name: {key: median([one.latency_us[key] for one in taken]) for key in PERCENTILES}
                       for name, taken in samples.items()}
            for name, taken in samples.items():
                unsent = sum(one.errors.get(UNSENT, 0) for one in taken)
                errors = sum(one.error_count for one in taken) - unsent
                answered = median([one.requests / one.seconds for one in taken])
                spread = spread_percent([one.latency_us["p99"] for one in taken])
                rows.append([name, label, answered, *(middles[name][key] for key in PERCENTILES), f"{spread:.0f}", str(unsent),
                             str(errors)])
            raw[label] = {name: [vars(one) for one in taken] for name, taken in samples.items()}
            verdicts += judge_latency(label, middles)
    return plain("open-loop", "open loop, 64 connections, Poisson arrivals at shares of HAProxy's peak",
                 ["", "rate", "answers/s", "p50 µs", "p99 µs", "p99.9 µs", "p99 spread %", "unsent", "errors"], rows, verdicts,
                 rounds=raw, note=f"HAProxy's peak here: {peak:,.0f} requests a second, on one CPU, generator and backend on "
                                  "the other. Unsent: due, but no connection was free before the round ended; their wait is "
                                  "not in the percentiles.")


def judge_latency(label, middles):
    """weir against the lowest of the proxies; the relays are no proxies."""
    verdicts = []
    for key in PERCENTILES:
        others = present([middle[key] for name, middle in middles.items() if name not in NOT_PEERS])
        own = middles.get("weir", {}).get(key)
        value = own / min(others) if own is not None and others else None
        verdicts.append(judge_value(f"{key} at {label} ≤ 1.05 × the best peer's", value, "× the best",
                                    lambda ratio: ratio <= 1.05))
    return verdicts
