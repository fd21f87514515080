"""Interleaved rounds: every variant is measured once in each round, A B C A B C, so that what disturbs the machine for a
while disturbs all of them."""

import contextlib
import dataclasses
import sys
import time

from .process import PeerFailed
from .statistics import median, paired_ratio, paired_ratios, spread_percent


def say(text):
    print(text, file=sys.stderr, flush=True)


@dataclasses.dataclass(frozen=True)
class Bar:
    """`of` must reach `minimum` times the best of `against` (labels of variants)."""
    text: str
    against: tuple
    minimum: float
    of: str = "weir"
    is_stretch: bool = False


@dataclasses.dataclass(frozen=True)
class Limit:
    """A figure of the row of `of` that must not be above `maximum`."""
    text: str
    key: str
    maximum: float
    unit: str
    of: str = "weir"
    is_stretch: bool = False


@dataclasses.dataclass
class Variant:
    """Something that is measured: `start(stack)` gives the running Process, `load(process, seconds)` a Sample."""
    label: str
    start: object
    load: object


def measure(process, load, seconds, by_bytes=False):
    """One round: what was answered, and the CPU time that the process spent in it."""
    user, system = process.user_and_system_seconds()
    cpu = process.cpu_seconds()
    started = time.monotonic()
    sample = load(process, seconds)
    wall = time.monotonic() - started
    cpu = process.cpu_seconds() - cpu
    user_after, system_after = process.user_and_system_seconds()
    process.check_alive()
    if not sample.requests or cpu <= 0:
        raise PeerFailed(f"{process.name} answered {sample.requests} requests: errors {sample.errors}")
    amount = sample.bytes if by_bytes else sample.requests
    return {"requests": sample.requests, "bytes": sample.bytes, "seconds": sample.seconds, "cpu_seconds": cpu,
            "busy": cpu / wall, "user_seconds": user_after - user, "system_seconds": system_after - system,
            "per_second": amount / sample.seconds, "per_cpu_second": amount / cpu, "errors": sample.errors,
            "latency_us": sample.latency_us}


def run_rounds(variants, options, by_bytes=False):
    """{label: [round or None, ...]} of the variants that started. What fails is said, and missing from its round."""
    results = {}
    with contextlib.ExitStack() as stack:
        running = {}
        for variant in variants:
            try:
                process = variant.start()
                stack.callback(process.stop)
                variant.load(process, min(0.3, options.seconds))  # fills the pools of connections; not counted
                running[variant.label] = (variant, process)
            except PeerFailed as failure:
                say(f"  {variant.label}: skipped: {failure}")
        for number in range(options.rounds):
            for label, (variant, process) in running.items():
                results.setdefault(label, [])
                try:
                    one = measure(process, variant.load, options.seconds, by_bytes)
                    mark = f"   errors: {one['errors']}" if one["errors"] else ""
                    say(f"  round {number + 1} {label:24} {one['per_cpu_second']:14,.0f} per CPU-second{mark}")
                except PeerFailed as failure:
                    say(f"  round {number + 1} {label}: {failure}")
                    one = None
                results[label].append(one)
    return results


def figures(rounds, key="per_cpu_second"):
    return [one[key] if one else None for one in rounds]


def present(values):
    return [value for value in values if value is not None]


def summary(rounds):
    """The medians of one variant's rounds."""
    good = present(rounds)
    if not good:
        return None
    user, system = (sum(one[key] for one in good) for key in ("user_seconds", "system_seconds"))
    errors = {}
    for one in good:
        for kind, count in one["errors"].items():
            errors[kind] = errors.get(kind, 0) + count
    per_cpu = present(figures(rounds))
    row = {"rounds": len(good), "per_second": median(present(figures(rounds, "per_second"))), "per_cpu_second": median(per_cpu),
           "cpu_us": 1e6 * median([one["cpu_seconds"] / one["requests"] for one in good]),
           "spread_percent": spread_percent(per_cpu), "busy": median([one["busy"] for one in good]),
           "user_percent": 100 * user / (user + system) if user + system else None, "errors": errors,
           "rounds_with_errors": sum(1 for one in good if one["errors"])}
    for name in ("p50", "p99", "p99.9"):
        row[name] = median(present([one["latency_us"].get(name) for one in good]))
    return row


def judge_value(text, value, unit, reached, is_stretch=False):
    """A verdict about `value`; None was not measured."""
    verdict = "not measured" if value is None else "reached" if reached(value) else "missed"
    return {"bar": text, "value": value, "unit": unit, "stretch": is_stretch, "verdict": verdict}


def judge_limit(limit, rows):
    value = next((row[limit.key] for row in rows if row["label"] == limit.of), None)
    return judge_value(limit.text, value, limit.unit, lambda figure: figure <= limit.maximum, limit.is_stretch)


def judge(bar, results):
    """The verdict of a bar: the paired ratio to the best of those it is against, or why there is none."""
    own = figures(results.get(bar.of, []))
    ratios = {label: paired_ratios(own, figures(results.get(label, []))) for label in bar.against}
    middles = {label: median(one) for label, one in ratios.items() if one}
    best = min(middles, key=middles.get, default=None)
    verdict = judge_value(bar.text, middles.get(best), f"× {best}", lambda ratio: ratio >= bar.minimum, bar.is_stretch)
    return {**verdict, "rounds": [min(ratios[best]), max(ratios[best])]} if best else verdict


def rate_result(scenario, title, results, bars, unit="requests", base="weir", note="", limits=()):
    """A scenario's result: one row for each variant, ratios of `base` to it, verdicts, and the rounds themselves."""
    rows = []
    for label, rounds in results.items():
        row = summary(rounds)
        if row:
            ratio = paired_ratio(figures(results.get(base, [])), figures(rounds))
            rows.append({"label": label, **row, "ratio": ratio})
    return {"scenario": scenario, "title": title, "kind": "rate", "unit": unit, "base": base, "note": note, "rows": rows,
            "verdicts": [judge(bar, results) for bar in bars] + [judge_limit(limit, rows) for limit in limits],
            "rounds": results}
