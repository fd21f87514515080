"""HTTP/2 under load: reloads and new certificates every second, the limit of 10,000 requests, a slow reader beside fast ones."""

import concurrent.futures
import json
import os
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
        rules: [{{priority: 1, conditions: [{{path-pattern: [/answer]}}], actions: [{{fixed-response: {{status-code: 200, message-body: {answer}}}}}]}}]
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - {{name: blue, targets: [{blue}], health-check: {{interval: 2s, timeout: 1s}}}}
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
    blue = nginx("blue")
    pair = certificate(tmp_path, "shop")

    def config(answer):
        return CONFIG.format(certificates=yaml(pair), answer=answer, blue=blue.yaml)
    program = run(config("first"))
    program.wait_state("blue", blue.id, "healthy")
    return program, config


def test_no_request_fails_while_everything_is_replaced_every_second(shop, tmp_path):
    program, config = shop
    url = f"https://127.0.0.1:{program.port()}/"
    duration = ("-d", f"{SECONDS}s")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        loads = [pool.submit(bench, *words, *duration, url, seconds=SECONDS + 60) for words in (
            ("--http2", "-c", 2, "--streams", 16), ("--http2", "-c", 2, "--connection-per-request"),
            ("-c", 2), ("-c", 1, "--connection-per-request", "--tls-resume", 50))]
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
    """A client of 100 requests at a time on one connection, behind a large answer that it took, or beside it, where it is `slow`:
    then it leaves it waiting."""

    def __init__(self, port, slow):
        self.client = Http2Client(port)
        self.client.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 30)))
        self.stream = 1
        self.client.send(request(1, "/big"))
        if not slow:
            self.client.send(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", BIG)))
        size, wanted = 0, 65535 if slow else BIG
        while size < wanted:
            got = self.client.next()
            size += len(got.payload) if got.kind == DATA else 0
        self.client.frames.clear()
        self.stream = 3

    def seconds(self, batches):
        """How long so many times 100 requests take."""
        client, begun = self.client, time.monotonic()
        for _ in range(batches):
            client.send(b"".join(request(self.stream + 2 * index, "/ping") for index in range(STREAMS)))
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
        alone, beside = Fast(program.port(), slow=False), Fast(program.port(), slow=True)
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
    fast = Fast(program.port(), slow=False)
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
