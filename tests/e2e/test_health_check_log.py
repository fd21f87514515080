"""The health check log (alb.md 16.4), and logs that the program puts aside."""

import gzip
import json
import re

from weir_e2e import free_port, get, wait_for


def config(log, good, bad, closed, more=""):
    return f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    health-check-log: {log}
{more}    listeners:
      - port: 0
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - name: blue
    health-check: {{path: /health, interval: 1s, timeout: 1s}}
    targets:
      - {{address: 127.0.0.1, port: {good}}}
      - {{address: 127.0.0.1, port: {bad}}}
      - {{address: 127.0.0.1, port: {closed}}}
  - name: idle
    targets: [{{address: 127.0.0.1, port: {good}}}]
admin: {{address: 127.0.0.1, port: 0}}
"""


def verdicts(file, ports):
    """The latest line of each port, once all have one."""
    def look():
        found = {}
        for line in file.read_text().splitlines() if file.exists() else ():
            fields = line.split(" ")
            found[int(fields[3].rpartition(":")[2])] = fields
        return found if set(found) == set(ports) else None
    return wait_for(look, 15, "a line for each target")


def test_each_check_has_a_line(targets, run, tmp_path):
    good, bad, closed = targets("good"), targets("bad"), free_port()
    bad.health_status = 503
    run(config("{path: health.log}", good.port, bad.port, closed))
    found = verdicts(tmp_path / "health.log", (good.port, bad.port, closed))
    assert all(len(fields) == 10 for fields in found.values()), found
    kind, time, latency, address, group, verdict, status, reason, balancer, node = found[good.port]
    assert (kind, address, group, verdict, status, reason, node) == ("http", f"127.0.0.1:{good.port}", "blue", "PASS", "200", "-", "127.0.0.1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", time) and re.fullmatch(r"\d+\.\d{9}", latency) and float(latency) > 0
    assert re.fullmatch(r"app/shop/[0-9a-f]{16}", balancer)
    assert found[bad.port][5:8] == ["FAIL", "503", "TargetError"]
    assert found[closed][5:8] == ["FAIL", "-", "ConnectionReset"]
    assert " idle " not in (tmp_path / "health.log").read_text()


def test_json_has_the_same_facts(targets, run, tmp_path):
    file, good = tmp_path / "health.json", targets("good")
    run(config("{path: health.json, format: json}", good.port, free_port(), free_port()))
    lines = wait_for(lambda: file.exists() and len(found := file.read_text().splitlines()) >= 3 and found, 10, "three lines")
    found = {row["target_addr"]: row for row in map(json.loads, lines)}
    row = found[f"127.0.0.1:{good.port}"]
    assert (row["type"], row["status"], row["status_code"], row["target_group_id"]) == ("http", "PASS", 200, "blue")
    assert "reason_code" not in row


def test_logs_are_put_aside_and_no_line_is_lost(targets, run, tmp_path):
    program = run(config("{path: health.log}", targets("good").port, free_port(), free_port(),
                         "    access-log: {path: access.log, rotate: {interval: 10s, keep: 50, compress: true}}\n"))
    asked = 0

    def aside():
        nonlocal asked
        get(program.port(), f"/{asked}")
        asked += 1
        return list(tmp_path.glob("access.log.*Z*.gz"))

    def lines():
        """Empty while a file becomes another one."""
        texts = []
        for file in (*tmp_path.glob("access.log.*Z"), *tmp_path.glob("access.log.*.gz"), tmp_path / "access.log"):
            try:
                texts.append(gzip.open(file, "rt").read() if file.suffix == ".gz" else file.read_text())
            except FileNotFoundError:
                return []
        return "".join(texts).splitlines()
    wait_for(aside, 30, "a log that was put aside")
    # A line that was lost would never come; one that stands twice is that of a file between its two names.
    wait_for(lambda: sorted(int(re.search(r"/(\d+) HTTP", line).group(1)) for line in lines()) == list(range(asked)), 15, "every line once")
