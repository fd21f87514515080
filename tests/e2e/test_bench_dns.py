"""`weir bench dns`: what it counts, against the real responder and against servers that lie or stay silent."""

import json
import signal
import socket
import subprocess
import threading
import time

import pytest
from weir_e2e import BINARY, SCALE, Weir, free_port, wait_for

CONFIG = """
dns: {addresses: [127.0.0.1], port: 0}
admin: {port: 0}
zones:
  - name: example.test
    soa: {mname: ns1.example.test., rname: hostmaster.example.test., minimum: 60s}
    name-servers: [ns1.example.test.]
    records:
      - {name: ns1, type: A, ttl: 5m, values: [192.0.2.1]}
      - {name: www, type: A, ttl: 5m, values: [192.0.2.1]}
      - {name: w, type: A, set: blue, weight: 75, ttl: 10s, values: [192.0.2.31]}
      - {name: w, type: A, set: green, weight: 25, ttl: 10s, values: [192.0.2.32]}
      - {name: alias, type: CNAME, ttl: 5m, values: [www.example.test.]}
"""


@pytest.fixture(name="weir")
def fixture_weir(tmp_path):
    with Weir(CONFIG, tmp_path, arguments=("--workers", "1")) as weir:
        yield weir


def bench(*arguments, seconds=60):
    """(exit code, standard output, standard error)."""
    run = subprocess.run([BINARY, "bench", "dns", *map(str, arguments)], capture_output=True, text=True, check=False,
                         timeout=seconds * SCALE)
    return run.returncode, run.stdout, run.stderr


def result_of(*arguments, code=0):
    exit_code, output, errors = bench(*arguments, "--json", "--quiet")
    assert exit_code == code, errors
    return json.loads(output)


def server(weir):
    return f"127.0.0.1:{weir.dns_port}"


@pytest.mark.parametrize("transport", [[], ["--tcp", "-c", "3"], ["--sockets", "4", "-t", "2"], ["--tcp", "-c", "2", "-t", "2"]])
def test_every_query_is_answered_and_shares_are_the_weights(weir, transport):
    result = result_of(server(weir), "--name", "w.example.test", "-n", 4000, "--outstanding", 100, *transport)
    assert result["totals"]["started"] == 4000
    assert result["outcomes"] == {"NOERROR": 4000}
    assert result["errors"] == {}
    assert result["shares"] == {"192.0.2.31": 3000, "192.0.2.32": 1000}
    assert result["latency"]["count"] == 4000


def test_a_zone_sweep_asks_for_everything(weir):
    result = result_of(server(weir), "--zone", weir.file, "-n", 600, "--outstanding", 50)
    assert result["outcomes"] == {"NOERROR": 600}
    # SOA, NS, ns1, www, w, alias: six questions.
    assert result["shares"]["192.0.2.1"] == 200
    assert result["shares"]["192.0.2.31"] + result["shares"]["192.0.2.32"] == 100
    assert result["shares"]["www.example.test."] == 100


def test_a_query_file_with_edns_and_subnets(weir, tmp_path):
    (tmp_path / "queries").write_text("www.example.test A\nno.example.test A\nelsewhere.example A\n")
    (tmp_path / "subnets").write_text("198.51.100.0/24\n2001:db8::/32\n")
    result = result_of(server(weir), "--queries", tmp_path / "queries", "-n", 300, "--outstanding", 30, "--dnssec-ok",
                       "--client-subnet", "192.0.2.0/24", "--client-subnets", tmp_path / "subnets")
    assert result["outcomes"] == {"NOERROR": 100, "NXDOMAIN": 100, "REFUSED": 100}


def test_an_open_loop_keeps_its_rate(weir):
    result = result_of(server(weir), "--name", "www.example.test", "--rate", 500, "--arrivals", "constant", "-d", "1s",
                       "--warmup", "200ms")
    assert result["totals"]["started"] == 500
    assert result["offered-rate"] == 500
    assert result["outcomes"] == {"NOERROR": 500}


def test_a_silent_server_costs_timeouts():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        result = result_of(f"127.0.0.1:{silent.getsockname()[1]}", "--name", "www.example.test", "-n", 20, "--timeout", "100ms",
                           code=1)
    assert result["errors"] == {"timeout": 20}
    assert result["totals"]["completed"] == 0


def test_nobody_listens():
    port = free_port(socket.SOCK_DGRAM)
    result = result_of(f"127.0.0.1:{port}", "--name", "www.example.test", "-n", 50, code=1)
    assert result["errors"] == {"refused": 50}
    result = result_of(f"127.0.0.1:{free_port()}", "--name", "www.example.test", "-n", 50, "--tcp", "--timeout", "300ms", code=1)
    assert result["errors"]["connect failed"] >= 1


class Liar:
    """Answers every query with what `change` makes of it."""

    def __init__(self, change):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.05)
        self.change = change
        self.stopping = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stopping:
            try:
                query, peer = self.socket.recvfrom(4096)
            except TimeoutError:
                continue
            self.socket.sendto(self.change(query), peer)

    def __enter__(self):
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()
        self.socket.close()


def answered(query):
    return query[:2] + bytes([query[2] | 0x80]) + query[3:]


@pytest.mark.parametrize("change, kind", [
    (lambda query: answered(query)[:-3], "malformed"),
    (lambda query: query, "malformed"),
    (lambda query: answered(query) + b"x", "malformed"),
    (lambda query: answered(query).replace(b"www", b"wwx"), "mismatch"),
])
def test_answers_that_are_wrong_are_errors(change, kind):
    with Liar(change) as address:
        result = result_of(address, "--name", "www.example.test", "-n", 40, code=1)
    assert result["errors"] == {kind: 40}


def test_answers_to_nothing_are_mismatches():
    with Liar(lambda query: bytes([query[0] ^ 0xFF]) + answered(query)[1:]) as address:
        result = result_of(address, "--name", "www.example.test", "-n", 10, "--timeout", "200ms", code=1)
    assert result["errors"] == {"mismatch": 10, "timeout": 10}


def test_interrupting_a_run_reports(weir, tmp_path):
    page = tmp_path / "page.html"
    with subprocess.Popen([BINARY, "bench", "dns", server(weir), "--name", "www.example.test", "--rate", "200", "-d", "60s", "--json",
                           "--progress", "--report", str(page)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        first = run.stderr.readline()
        assert first
        run.send_signal(signal.SIGINT)
        started = time.monotonic()
        output, _ = run.communicate(timeout=20 * SCALE)
        assert time.monotonic() - started < 10 * SCALE
    result = json.loads(output)
    assert run.returncode == 0
    assert result["interrupted"] is True
    assert 0 < result["seconds"] < 50
    assert wait_for(lambda: "</html>" in page.read_text(), 5, "the page")


@pytest.mark.parametrize("arguments, code, said", [
    (["127.0.0.1"], 2, "nothing to ask for"),
    (["127.0.0.1:0", "--name", "a.test"], 2, "is no server"),
    (["127.0.0.1:99999", "--name", "a.test"], 2, "is no server"),
    (["127.0.0.1", "--name", "a..test"], 2, "is not a domain name"),
    (["127.0.0.1", "--name", "a.test", "--type", "AB"], 2, "is no record type"),
    (["127.0.0.1", "--name", "a.test", "--client-subnet", "10.0.0.1/8"], 2, "--client-subnet"),
    (["127.0.0.1", "--name", "a.test", "-d", "10"], 2, "is no duration"),
    (["127.0.0.1", "--name", "a.test", "-t", "4", "--sockets", "2"], 2, "4 threads with 2 sockets"),
    (["127.0.0.1", "--name", "a.test", "--arrivals", "constant"], 2, "--rate"),
    (["127.0.0.1", "--queries", "/nonexistent/queries"], 1, "cannot read /nonexistent/queries"),
])
def test_mistakes_are_told(arguments, code, said):
    exit_code, _, errors = bench(*arguments)
    assert exit_code == code
    assert said in errors


def test_wrong_lines_of_files_are_located(tmp_path):
    queries = tmp_path / "queries"
    queries.write_text("www.example.test A\nwww.example.test\n")
    code, _, errors = bench("127.0.0.1", "--queries", queries)
    assert code == 1
    assert f"{queries}:2: error: a name without a type" in errors
    config = tmp_path / "weir.yaml"
    config.write_text("zones: 7\n")
    code, _, errors = bench("127.0.0.1", "--zone", config)
    assert code == 1
    assert f"{config}:1:" in errors
