"""Edits of one rule and of one record beside many: little work, and nobody who is served notices.

WEIR_E2E_HUGE=1 makes it 10,000 rules and a million records in 1,000 zones, loaded as fast as can be, and measures the work."""

import contextlib
import http.client
import json
import os
import pathlib
import subprocess
import time

from weir_e2e import BINARY, SCALE, free_port, get, wait_for

HUGE = "WEIR_E2E_HUGE" in os.environ
RULES, ZONES, RECORDS = (10_000, 1_000, 1_000) if HUGE else (200, 20, 20)
EDITS = 40 if HUGE else 6
CPU_SECONDS_MAX = 0.1


def config():
    # Where it is measured the listener's port is one of a file, as everywhere: with port 0 a table is built once more, when
    # the port is known.
    port = free_port() if HUGE else 0
    out = ["admin: {address: 127.0.0.1, port: 0}", "dns: {addresses: [127.0.0.1], port: 0}",
           "load-balancers:", "  - name: large", "    addresses: [127.0.0.1]", "    listeners:", f"      - port: {port}", "        rules:"]
    for i in range(RULES):
        action = "fixed-response: {status-code: 200, message-body: one}" if i == RULES // 2 else f"forward: {{target-group: g{i % 100}}}"
        out.append(f"          - {{priority: {i + 1}, conditions: [{{host-header: [h{i % 500}.example.test]}}, {{path-pattern: [/p{i}/*]}}], actions: [{{{action}}}]}}")
    out += ["        default-actions: [{fixed-response: {status-code: 200, message-body: default}}]", "target-groups:"]
    out += [f"  - {{name: g{i}, targets: [{{address: 127.0.0.1, port: 9}}]}}" for i in range(100)]
    out.append("zones:")
    for zone in range(ZONES):
        out += [f"  - name: z{zone}.test", "    name-servers: [ns1.elsewhere.test.]", "    records:"]
        out += [f"      - {{name: h{i}, type: A, ttl: 5m, values: [10.{zone % 250}.{i // 250}.{i % 250}]}}" for i in range(RECORDS)]
    return "\n".join(out) + "\n"


def patch(connection, path, value):
    connection.request("PATCH", "/v1/document", json.dumps([{"op": "replace", "path": path, "value": value}]))
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body


def control_cpu_seconds(weir):
    """Of the control thread, which is the program's first."""
    return int(pathlib.Path(f"/proc/{weir.process.pid}/task/{weir.process.pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9


def memory_mib(weir):
    for line in pathlib.Path(f"/proc/{weir.process.pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0


@contextlib.contextmanager
def load(*arguments):
    """`weir bench` in the background; yields a list that holds its result afterwards."""
    result = []
    process = subprocess.Popen([BINARY, "bench", *arguments, "--json", "--quiet", "-d", "600s"], stdout=subprocess.PIPE, text=True)
    try:
        yield result
    finally:
        process.send_signal(2)
        result.append(json.loads(process.communicate(timeout=60 * SCALE)[0]))


def test_edits_of_one_rule_and_one_record_cost_little_and_lose_nothing(run):
    weir = run(config(), wait=False)
    wait_for(weir.ready_line, 300, "the line `ready`")
    print(f"{RULES} rules, {ZONES} x {RECORDS} records: {memory_mib(weir):.0f} MiB")
    rule = f"/load-balancers/0/listeners/0/rules/{RULES // 2}/actions/0/fixed-response/message-body"
    record = f"/zones/{ZONES // 2}/records/{RECORDS // 2}/values/0"
    connection = http.client.HTTPConnection(*weir.admin, timeout=60)
    host, target = f"h{RULES // 2 % 500}.example.test", f"/p{RULES // 2}/x"
    spent = {rule: [], record: []}
    with load("http", "-c", "8", f"http://127.0.0.1:{weir.port()}/other") as requests, \
            load("dns", f"127.0.0.1:{weir.dns_port}", "--name", f"h1.z{ZONES // 2}.test") as queries:
        time.sleep(1)
        for i in range(EDITS):
            for path, value in ((rule, f"v{i}"), (record, f"192.0.2.{i + 1}")):
                before = control_cpu_seconds(weir)
                patch(connection, path, value)
                time.sleep(0.3)  # what served before is taken apart
                spent[path].append(control_cpu_seconds(weir) - before)
        wait_for(lambda: get(weir.port(), target, host=host).body == f"v{EDITS - 1}".encode(), 10, "the last edit")
    for path, seconds in spent.items():
        seconds.sort()
        print(f"{path}: median {1e3 * seconds[len(seconds) // 2]:.1f} ms, worst {1e3 * seconds[-1]:.1f} ms of {len(seconds)}")
        if HUGE:
            assert seconds[len(seconds) // 2] <= CPU_SECONDS_MAX
    for result in (*requests, *queries):
        assert result["totals"]["started"] > 0
        assert not result["errors"], result["errors"]
        print(f"{result['totals']} {result['outcomes']}")
    print(f"after {2 * EDITS} edits: {memory_mib(weir):.0f} MiB")
