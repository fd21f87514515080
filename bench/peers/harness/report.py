"""Results as Markdown: a table for each scenario, and the table of bars."""

import pathlib

BEGIN = "<!-- figures: written by bench/peers/run, do not edit -->"
END = "<!-- figures: end -->"


def number(value, digits=0):
    return "" if value is None else f"{value:,.{digits}f}"


def errors_text(row):
    if not row["errors"]:
        return "0"
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(row["errors"].items()))
    return f"{kinds} in {row['rounds_with_errors']} of {row['rounds']} rounds"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def rate_table(result):
    in_bytes = result["unit"] == "bytes"
    scale, unit = (1e6, "MB") if in_bytes else (1, result["unit"])
    head = ["", f"{unit}/s", f"{unit}/CPU-s", "spread %", "µs CPU each", "busy", "user %", "p50 µs", "p99 µs", "errors",
            f"{result['base']} / it"]
    rows = [[row["label"], number(row["per_second"] / scale), number(row["per_cpu_second"] / scale),
             number(row["spread_percent"]), number(row["cpu_us"], 1), number(row["busy"], 2), number(row["user_percent"]),
             number(row["p50"]), number(row["p99"]), errors_text(row), number(row["ratio"], 2)] for row in result["rows"]]
    return table(head, rows)


def plain_table(result):
    return table(result["head"], [[cell if isinstance(cell, str) else number(cell, result.get("digits", 0)) for cell in row]
                                  for row in result["rows"]])


def verdict_text(verdict):
    if verdict["value"] is None:
        return verdict["verdict"]
    digits = 3 if verdict["unit"].startswith("×") else 2 if abs(verdict["value"]) < 100 else 0
    figure = number(verdict["value"], digits)
    rounds = " (rounds {:.2f} to {:.2f})".format(*verdict["rounds"]) if "rounds" in verdict else ""
    return f"{figure} {verdict['unit']}{rounds}: {verdict['verdict']}"


def section(result):
    """One scenario: heading, table, what its bars say."""
    figures = rate_table(result) if result["kind"] == "rate" else plain_table(result)
    parts = [f"### {result['scenario']}: {result['title']}", figures]
    if result.get("note"):
        parts.append(result["note"])
    if result["verdicts"]:
        parts.append("\n".join(f"- {'stretch' if verdict['stretch'] else 'bar'} {verdict['bar']}: {verdict_text(verdict)}"
                               for verdict in result["verdicts"]))
    return "\n\n".join(parts)


def bars_table(results):
    rows = []
    for result in results:
        for verdict in result["verdicts"]:
            measured = "" if verdict["value"] is None else verdict_text(verdict).rpartition(":")[0]
            rows.append([result["scenario"], ("stretch: " if verdict["stretch"] else "") + verdict["bar"], measured,
                         verdict["verdict"] if verdict["verdict"] != "missed" else "**missed**"])
    return table(["scenario", "bar", "measured", "verdict"], rows)


def machine_text(run):
    facts = run["machine"]
    versions = "; ".join(f"{name}: {version}" for name, version in run["versions"].items())
    return (f"{facts['when']}, {facts['cpu']}, {facts['memory_gib']} GiB, Linux {facts['kernel']}, {facts['system']}, TCP "
            f"congestion control {facts['congestion']}. {run['rounds']} rounds of {run['seconds']:g} s for each variant, "
            f"interleaved; proxies on CPU {run['proxy_cpus']}, generator and backend on CPU {run['load_cpus']}; generator "
            f"{run['generator']}.\n\n{versions}.")


def markdown(runs):
    """The figures of several runs; a scenario that was run again counts once, as the later run has it."""
    latest = {}
    for run in runs:
        for result in run["scenarios"]:
            latest[result["scenario"]] = (result, run)
    results = [result for result, _ in latest.values()]
    parts = ["## Bars", bars_table(results), "## Figures"]
    described = None
    for result, run in latest.values():
        if run is not described:
            parts.append(machine_text(run))
            described = run
        parts.append(section(result))
    return "\n\n".join(parts) + "\n"


def write_markdown(path, text):
    """Puts `text` between the markers of the file; a file without them gets both at its end."""
    path = pathlib.Path(path)
    old = path.read_text() if path.exists() else ""
    if BEGIN in old and END in old:
        before, after = old.split(BEGIN, 1)[0], old.split(END, 1)[1]
    else:
        before, after = (old.rstrip("\n") + "\n\n" if old else ""), "\n"
    path.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")
