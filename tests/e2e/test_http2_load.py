"""HTTP/2 under load: reloads and new certificates every second, the limit of 10,000 requests, a slow reader beside fast ones, with
clients and with targets."""

import concurrent.futures
import json
import os
import re
import statistics
import struct
import time

import pytest
from http2_e2e import DATA, WINDOW_UPDATE, Http2Client, frame, request
from test_http2_floods import CONFIG as SLOW_CONFIG
from tls_e2e import certificate, yaml
from weir_e2e import SANITIZED, answering, wait_for
from weir_e2e import weir as run_weir

# scripts/test-long has a minute.
SECONDS = int(os.environ.get("WEIR_E2E_RENEWAL_SECONDS", "5"))
CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTPS
        ssl-policy: ELBSecurityPolicy-TLS13-1-2-2021-06
        certificates: {certificates}
        rules:
          - {{priority: 1, conditions: [{{path-pattern: [/answer]}}], actions: [{{fixed-response: {{status-code: 200, message-body: {answer}}}}}]}}
          - {{priority: 2, conditions: [{{path-pattern: [/h2]}}], actions: [{{forward: {{target-group: green}}}}]}}
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - {{name: blue, targets: [{blue}], health-check: {{interval: 2s, timeout: 1s}}}}
  - {{name: green, protocol: HTTPS, protocol-version: HTTP2, targets: [{green}], health-check: {{interval: 2s, timeout: 1s}}}}
admin: {{address: 127.0.0.1, port: 0}}
"""


def bench(*arguments, seconds=60):
    """The report of a run that had to end without an error."""
    done = run_weir("bench", "http", "--json", "--quiet", "--insecure", "--timeout", "20s", *arguments, seconds=seconds)
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert report["errors"] == {} and set(report["outcomes"]) == {"200"}, done.stdout[:2000]
    return report


@pytest.fixture
def shop(nginx, run, tmp_path):
    pair = certificate(tmp_path, "shop")
    # The targets' own, which nobody replaces.
    theirs = certificate(tmp_path, "target")
    blue = nginx("blue")
    green = nginx("green", listen_options="ssl http2", extra=f"ssl_certificate {theirs[0]}; ssl_certificate_key {theirs[1]};")

    def config(answer):
        return CONFIG.format(certificates=yaml(pair), answer=answer, blue=blue.yaml, green=green.yaml)
    program = run(config("first"))
    program.wait_state("blue", blue.id, "healthy")
    program.wait_state("green", green.id, "healthy")
    return program, config


def test_no_request_fails_while_everything_is_replaced_every_second(shop, tmp_path):
    program, config = shop
    url = f"https://127.0.0.1:{program.port()}"
    duration = ("-d", f"{SECONDS}s")
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        loads = [pool.submit(bench, *words, *duration, url + path, seconds=SECONDS + 60) for path, *words in (
            ("/", "--http2", "-c", 2, "--streams", 16), ("/", "--http2", "-c", 2, "--connection-per-request"),
            ("/", "-c", 2), ("/", "-c", 1, "--connection-per-request", "--tls-resume", 50),
            ("/h2", "--http2", "-c", 2, "--streams", 16))]
        turn = 0
        while not all(load.done() for load in loads):
            turn += 1
            certificate(tmp_path, "shop")
            before = program.status()["revision"]
            program.write(config(f"turn{turn}"))
            program.signal(1)
            wait_for(lambda before=before: program.status()["revision"] > before, 10, "the reload")
            concurrent.futures.wait(loads, timeout=1)
        reports = [load.result() for load in loads]
    print([report["totals"]["completed"] for report in reports], "answers,", turn, "reloads")
    assert turn >= min(SECONDS, 3) and all(report["totals"]["completed"] > 0 for report in reports)


def test_no_request_fails_at_the_limit_of_10000(shop):
    program, _ = shop
    report = bench("--http2", "-c", 2, "--streams", 32, "-n", 45000, f"https://127.0.0.1:{program.port()}/answer", seconds=120)
    assert report["outcomes"] == {"200": 45000}
    # Each connection ends after 10,000, or a few that were on their way; the two need not be equally fast.
    assert report["totals"]["connections"] in (5, 6)
    assert "weir_listener_http2_goaways_total" in program.metrics()


STREAMS = 100
BIG = 1 << 20


class Fast:
    """A client of 100 requests at a time on one connection."""

    def __init__(self, port, path="/ping"):
        self.client, self.path = Http2Client(port), path
        self.client.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 30)))
        self.stream = 1

    def ask_for_big(self, takes):
        """A large answer first, which it takes, or leaves waiting for as long as it lives."""
        self.client.send(request(1, "/big"))
        if takes:
            self.client.send(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", BIG)))
        size, wanted = 0, BIG if takes else 65535
        while size < wanted:
            got = self.client.next()
            size += len(got.payload) if got.kind == DATA else 0
        self.client.frames.clear()
        self.stream = 3
        return self

    def seconds(self, batches):
        """How long so many times 100 requests take."""
        client, begun = self.client, time.monotonic()
        for _ in range(batches):
            client.send(b"".join(request(self.stream + 2 * index, self.path) for index in range(STREAMS)))
            self.stream += 2 * STREAMS
            left = STREAMS
            while left:
                got = client.next()
                left -= got.kind == DATA and got.ends
            client.frames.clear()
        return time.monotonic() - begun


def test_a_slow_reader_costs_the_fast_ones_nothing(targets, run):
    body = f"HTTP/1.1 200 OK\r\nContent-Length: {BIG}\r\n\r\n".encode() + b"x" * BIG
    blue = targets("blue", script=answering(body))
    program = run(SLOW_CONFIG.format(blue=blue.yaml), arguments=("--workers", "1"))
    program.wait_state("blue", blue, "healthy")
    ratios = []
    before = program.vm_hwm_kib()
    # Side by side in short turns, because the machine does other things; the middle of their ratios counts.
    for turn in range(30):
        alone, beside = Fast(program.port()).ask_for_big(takes=True), Fast(program.port()).ask_for_big(takes=False)
        took = {alone: 0.0, beside: 0.0}
        for each in (alone, beside):
            each.seconds(5)
        for part in range(6):  # 9,500 requests of a connection at most: it ends after 10,000
            for each in (alone, beside) if (turn + part) % 2 else (beside, alone):
                took[each] += each.seconds(15)
        ratios.append(took[alone] / took[beside])
        alone.client.close()
        beside.client.close()
        if turn >= 6 and statistics.median(ratios) > 0.9:
            break
    print(f"beside a slow reader the fast have {statistics.median(ratios):.3f} of their rate, {len(ratios)} turns")
    assert statistics.median(ratios) > 0.9, ratios
    if not SANITIZED:
        assert program.vm_hwm_kib() - before < 4 * 1024


def test_many_slow_readers_cost_the_others_nothing_either(targets, run):
    """27 answers that nobody takes and 100 fast streams, on one connection: the fast all come to their end."""
    body = f"HTTP/1.1 200 OK\r\nContent-Length: {BIG}\r\n\r\n".encode() + b"x" * BIG
    blue = targets("blue", script=answering(body))
    program = run(SLOW_CONFIG.format(blue=blue.yaml), arguments=("--workers", "1"))
    program.wait_state("blue", blue, "healthy")
    before = program.vm_hwm_kib()
    fast = Fast(program.port()).ask_for_big(takes=True)
    slow = range(3, 57, 2)
    fast.client.send(b"".join(request(stream, "/big") for stream in slow))
    fast.stream = 57
    taken = dict.fromkeys(slow, 0)
    while min(taken.values()) < 65535:
        got = fast.client.next()
        if got.kind == DATA:
            taken[got.stream] += len(got.payload)
    fast.seconds(50)
    # One of them reads on, to its end.
    fast.client.send(frame(WINDOW_UPDATE, 0, 3, struct.pack(">I", BIG)))
    while taken[3] < BIG:
        got = fast.client.next()
        taken[3] += len(got.payload) if got.kind == DATA and got.stream == 3 else 0
    if not SANITIZED:
        assert program.vm_hwm_kib() - before < 16 * 1024
    fast.client.close()


TARGETS_CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    attributes: {{idle_timeout.timeout_seconds: 600}}
    listeners:
      - port: 0
        protocol: HTTP
        attributes: {{weir.http2.cleartext.enabled: true}}
        rules: [{{priority: 1, conditions: [{{path-pattern: [/beside/*]}}], actions: [{{forward: {{target-group: beside}}}}]}}]
        default-actions: [{{forward: {{target-group: alone}}}}]
target-groups:
  - {{name: alone, protocol-version: HTTP2, targets: [{alone}], health-check: {{interval: 1s, timeout: 900ms}}}}
  - {{name: beside, protocol-version: HTTP2, targets: [{beside}], health-check: {{interval: 1s, timeout: 900ms}}}}
admin: {{address: 127.0.0.1, port: 0}}
"""


def connections_opened(program, group):
    """To the targets of a group, as far as requests needed them."""
    text = re.findall(rf'^weir_target_connections_opened_total{{[^}}]*target_group="{group}"[^}}]*}} (\S+)$', program.metrics(), re.M)
    return sum(float(value) for value in text)


def test_a_slow_reader_costs_the_fast_ones_nothing_on_the_connection_to_the_target(nginx, run, tmp_path):
    """One connection to either target: what the slow reader does not take of its stream holds no other stream of it."""
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside/big").write_bytes(b"x" * (8 * BIG))
    extra = f"""http2_max_concurrent_streams 256; send_timeout 600s;
      location /alone/ping {{ return 200 "ok"; }} location /beside/ping {{ return 200 "ok"; }} location = /beside/big {{ root {tmp_path}; }}"""
    alone, beside = (nginx(name, listen_options="http2", extra=extra) for name in ("alone", "beside"))
    program = run(TARGETS_CONFIG.format(alone=alone.yaml, beside=beside.yaml), arguments=("--workers", "1"))
    for target in (alone, beside):
        program.wait_state(target.name, target.id, "healthy")
    before = program.vm_hwm_kib()
    slow = Http2Client(program.port())
    slow.send(request(1, "/beside/big"))
    size = 0
    while size < 65535:
        got = slow.next()
        size += len(got.payload) if got.kind == DATA else 0
    ratios = []
    for turn in range(30):
        fast = {name: Fast(program.port(), path=f"/{name}/ping") for name in ("alone", "beside")}
        took = dict.fromkeys(fast, 0.0)
        for each in fast.values():
            each.seconds(5)
        for part in range(6):
            for name in sorted(fast, reverse=(turn + part) % 2 == 1):
                took[name] += fast[name].seconds(15)
        ratios.append(took["alone"] / took["beside"])
        for each in fast.values():
            each.client.close()
        if turn >= 6 and statistics.median(ratios) > 0.9:
            break
    print(f"beside a slow reader the fast have {statistics.median(ratios):.3f} of their rate, {len(ratios)} turns")
    assert statistics.median(ratios) > 0.9, ratios
    assert [connections_opened(program, name) for name in ("alone", "beside")] == [1, 1]
    if not SANITIZED:
        assert program.vm_hwm_kib() - before < 4 * 1024
    # It was not forgotten: it reads on, to its end.
    slow.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 8 * BIG)) + frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 8 * BIG)))
    while size < 8 * BIG:
        got = slow.next()
        size += len(got.payload) if got.kind == DATA else 0
    slow.close()
