"""`weir bench` judges a run: answers by class, expected answers, conditions; its rates and shares are those of one window."""

import json
import re
import socket
import subprocess
import threading
import time

import pytest
from weir_e2e import BINARY, SCALE, FakeTarget, answering, wait_for, weir

SHOP = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTP
        default-actions: [{{forward: {{target-groups: [{{name: blue, weight: 1}}, {{name: green, weight: 1}}]}}}}]
target-groups:
  - {{name: blue, targets: [{blue}], health-check: {{path: /health, interval: 60s}}}}
  - {{name: green, targets: [{green}], health-check: {{path: /health, interval: 60s}}}}
admin: {{address: 127.0.0.1, port: 0}}
"""


def bench(*arguments, code=0, protocol="http"):
    outcome = weir("bench", protocol, *arguments)
    assert outcome.returncode == code, outcome.stdout + outcome.stderr
    return outcome


def result_of(*arguments, **options):
    return json.loads(bench("--json", *arguments, **options).stdout)


@pytest.fixture
def failing(targets):
    """A target that answers three of ten requests with 502, and one with 404."""
    seen = iter(range(10 ** 9))
    lock = threading.Lock()

    def script(request, wire):
        FakeTarget.read_body(request, wire)
        with lock:
            number = next(seen) % 10
        status = b"502 Bad Gateway" if number < 3 else b"404 Not Found" if number == 3 else b"200 OK"
        wire.socket.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
        return True
    return targets("failing", script=script)


@pytest.fixture
def shop(targets, run):
    blue, green = targets("blue"), targets("green")
    appliance = run(SHOP.format(blue=blue.yaml, green=green.yaml))
    for target in (blue, green):
        appliance.wait_state(target.name, target, "healthy")
    appliance.blue, appliance.green = blue, green
    return appliance


# ---- answers and errors


def test_answers_of_the_server_that_failed_are_errors(failing, tmp_path):
    page = tmp_path / "load.html"
    outcome = bench("-n", 1000, "-c", 2, "--report", page, f"http://{failing.id}/")
    assert "Answers\n  2xx  600  60.00 %\n  4xx  100  10.00 %\n  5xx  300  30.00 %\n" in outcome.stdout
    assert re.search(r"^  errors +300 +30.00 %$", outcome.stdout, re.M), outcome.stdout
    assert "Errors\n  answer 502  300  30.00 %\n" in outcome.stdout
    text = page.read_text(encoding="utf-8")
    assert '<div class="bad"><dt>5xx</dt><dd>30.00 %' in text and '<div class="bad"><dt>errors</dt><dd>300' in text
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*)</script>', text).group(1))
    assert {one["name"]: sum(one["values"]) for one in data["outcomes"]} == {"200": 600, "404": 100, "502": 300}


def test_the_json_has_classes_and_the_outcomes_of_every_second(failing):
    result = result_of("-n", 100, "-c", 1, f"http://{failing.id}/")
    assert result["classes"] == {"2xx": 60, "4xx": 10, "5xx": 30}
    assert result["totals"]["completed"] == 100 and result["totals"]["errors"] == 30
    assert sum(interval["outcomes"]["502"] for interval in result["intervals"]) == 30


def test_expect_says_which_answers_are_errors(failing):
    assert result_of("-n", 100, "-c", 1, "--expect", "2xx,4xx,502", f"http://{failing.id}/")["errors"] == {}
    assert result_of("-n", 100, "-c", 1, "--expect", "200", f"http://{failing.id}/")["errors"] == {"answer 404": 10, "answer 502": 30}


def test_a_run_without_an_expected_answer_has_failed(targets):
    broken = targets("broken", script=answering("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"))
    outcome = bench("-n", 10, "-c", 1, f"http://{broken.id}/", code=1)
    assert outcome.stderr == "weir: no answer was expected\n"
    bench("-n", 10, "-c", 1, "--expect", "5xx", f"http://{broken.id}/")


def test_a_condition_that_holds_is_exit_1(failing):
    url = f"http://{failing.id}/"
    outcome = bench("-n", 100, "-c", 1, "--fail-if", "errors>0.1%", "--fail-if", "p99>1s, completed<100%", url, code=1)
    assert "Fail if\n  errors>0.1%      30.00 %  failed\n" in outcome.stdout
    assert re.search(r"^  completed<100%  100.00 %  passed$", outcome.stdout, re.M), outcome.stdout
    assert outcome.stderr == "weir: the run has failed: errors>0.1%: 30.00 %\n"
    bench("-n", 100, "-c", 1, "--fail-if", "errors>30%,answers:5xx>=31%,errors:timeout>0", url)
    assert result_of("-n", 100, "-c", 1, "--fail-if", "p50>0us", url, code=1)["fail-if"][0]["holds"] is True


@pytest.mark.parametrize("option, text, said", [
    ("--fail-if", "errors>0.1%,p99>50", "weir: --fail-if 'errors>0.1%,p99>50': column 17: `50` is no limit; write a time, as 800us, 50ms or 1.5s"),
    ("--fail-if", "eroors>1", "column 1: `eroors` is no metric"),
    ("--fail-if", "", "column 1: a condition is missing"),
    ("--expect", "2xx,twohundred", "weir: --expect '2xx,twohundred': column 5: `twohundred` is no status; write 2xx, 304 or 500-504"),
    ("--expect", "", "column 1: `` is no status"),
])
def test_a_mistake_is_located_before_anything_is_sent(targets, option, text, said):
    blue = targets("blue")
    assert said in bench("-n", 1, "-c", 1, option, text, f"http://{blue.id}/", code=2).stderr
    assert not blue.requests


# ---- DNS


class Responder:
    """Answers every query with an empty message of this response code."""

    def __init__(self, rcode):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.05)
        self.rcode = rcode
        self.stopping = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stopping:
            try:
                query, peer = self.socket.recvfrom(4096)
            except TimeoutError:
                continue
            self.socket.sendto(query[:2] + bytes([query[2] | 0x80, self.rcode]) + query[4:], peer)

    def __enter__(self):
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()
        self.socket.close()


@pytest.mark.parametrize("rcode, name, fails", [(0, "NOERROR", False), (2, "SERVFAIL", True), (3, "NXDOMAIN", False), (5, "REFUSED", True)])
def test_response_codes_that_mean_a_failure_are_errors(rcode, name, fails):
    with Responder(rcode) as server:
        result = result_of(server, "--name", "www.example.test", "-n", 40, protocol="dns", code=1 if fails else 0)
        assert result["outcomes"] == {name: 40} == result["classes"]
        assert result["errors"] == ({f"answer {name}": 40} if fails else {})
        assert sum(result["shares"].values()) == 40
        expected = result_of(server, "--name", "www.example.test", "-n", 40, "--expect", name, protocol="dns")
        assert expected["errors"] == {}


def test_conditions_and_their_mistakes_are_those_of_dns_too():
    with Responder(0) as server:
        name = ("--name", "www.example.test", "-n", 10)
        bench(server, *name, "--fail-if", "answers:SERVFAIL>0,errors:timeout>0", protocol="dns")
        bench(server, *name, "--fail-if", "answers:NOERROR>=10", protocol="dns", code=1)
        outcome = bench(server, *name, "--expect", "NOERROR,NXDOMIAN", protocol="dns", code=2)
        assert outcome.stderr == "weir: --expect 'NOERROR,NXDOMIAN': column 9: `NXDOMIAN` is no response code; did you mean NXDOMAIN?\n"
        assert "column 8: `backlog` is no kind of error" in bench(server, *name, "--fail-if", "errors:backlog>0", protocol="dns", code=2).stderr


# ---- one window


def test_the_last_answers_do_not_thin_out_the_rates(targets):
    """The last of 20 requests a second is answered a second and a half after the end."""
    first = []

    def script(request, wire):
        FakeTarget.read_body(request, wire)
        first.append(time.monotonic())
        if time.monotonic() - first[0] > 1.5:
            time.sleep(1.5)
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        return True
    blue = targets("blue", script=script)
    result = result_of("--rate", 20, "--arrivals", "constant", "-d", "2s", "-c", 20, f"http://{blue.id}/")
    assert result["totals"]["completed"] == 40
    assert result["seconds"] == 2
    assert result["totals"]["started-per-second"] == result["totals"]["completed-per-second"] == 20


def test_offered_is_what_came_due_and_not_only_what_was_asked_for(targets):
    blue = targets("blue")
    outcome = bench("--rate", 200, "-d", "1s", "-c", 4, f"http://{blue.id}/")
    offered = re.search(r"^  offered +(\d+)  requests/s, 200/s asked for$", outcome.stdout, re.M)
    started = re.search(r"^  started +(\d+)  requests$", outcome.stdout, re.M)
    assert offered and started and offered[1] == started[1], outcome.stdout


def test_shares_add_up_to_the_requests(shop):
    result = result_of("--rate", 300, "-d", "1500ms", "-c", 8, "--admin", "{}:{}".format(*shop.admin), f"http://127.0.0.1:{shop.port()}/")
    assert sum(result["shares"].values()) == result["totals"]["completed"]
    for group in ("blue", "green"):
        assert sum(interval["shares"].get(group, 0) for interval in result["intervals"]) == result["shares"][group]


def test_shares_of_the_warm_up_are_left_out(targets, run):
    def script(request, wire):
        FakeTarget.read_body(request, wire)
        time.sleep(0.01)
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        return True
    blue, green = targets("blue", script=script), targets("green", script=script)
    appliance = run(SHOP.format(blue=blue.yaml, green=green.yaml))
    for target in (blue, green):
        appliance.wait_state(target.name, target, "healthy")
    result = result_of("-d", "1s", "--warmup", "3s", "-c", 2, "--admin", "{}:{}".format(*appliance.admin),
                       f"http://127.0.0.1:{appliance.port()}/")
    in_all = len(blue.requests) + len(green.requests)
    completed, shares = result["totals"]["completed"], sum(result["shares"].values())
    # The end of the warm-up is told apart by one call to the appliance, which a busy machine makes late.
    assert abs(shares - completed) < (in_all - completed) / 3, (in_all, completed, result["shares"])


# ---- events


def test_every_event_of_a_second_is_in_its_line(shop):
    load = subprocess.Popen(
        [BINARY, "bench", "http", "--rate", "100", "-d", "60s", "-c", "2", "--progress", "--json", "--admin", "{}:{}".format(*shop.admin),
         f"http://127.0.0.1:{shop.port()}/"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(iter(load.stderr.readline, "")), daemon=True)
    reader.start()
    wait_for(lambda: lines, 20, "progress")
    weights = f"/v1/load-balancers/shop/listeners/{shop.port()}/rules/default/weights"
    for blue in range(1, 6):
        assert shop.call("PUT", weights, {"blue": blue, "green": 10})[0] == 200
    wait_for(lambda: "blue:4 green:10 -> blue:5 green:10" in "".join(lines), 20, "the last event")
    load.send_signal(2)
    result = json.loads(load.communicate(timeout=30 * SCALE)[0])
    assert load.returncode == 0
    text = "".join(lines)
    for blue in range(1, 6):
        assert text.count(f"-> blue:{blue} green:10") == 1, text
    assert len([event for event in result["events"] if event["kind"] == "shift"]) == 5


def test_a_failure_is_bad_a_recovery_good_and_a_refused_reload_bad(targets, run):
    blue, green = targets("blue"), targets("green")
    shop = run(SHOP.replace("interval: 60s", "interval: 1s, timeout: 1s, healthy-threshold: 2, unhealthy-threshold: 2").format(
        blue=blue.yaml, green=green.yaml))
    for target in (blue, green):
        shop.wait_state(target.name, target, "healthy")
    load = subprocess.Popen(
        [BINARY, "bench", "http", "--rate", "50", "-d", "60s", "-c", "2", "--progress", "--json", "--admin", "{}:{}".format(*shop.admin),
         f"http://127.0.0.1:{shop.port()}/"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = []
    threading.Thread(target=lambda: lines.extend(iter(load.stderr.readline, "")), daemon=True).start()
    wait_for(lambda: lines, 20, "progress")
    for status, state in ((500, "unhealthy"), (200, "healthy")):
        blue.health_status = status
        wait_for(lambda state=state: f"-> {state}" in "".join(lines), 30, f"blue to be {state}")
    assert shop.call("POST", "/v1/reload")[0] == 200
    shop.write("load-balancers: 7\n")
    assert shop.call("POST", "/v1/reload")[0] != 200
    wait_for(lambda: "configuration refused" in "".join(lines), 20, "the refusal")
    load.send_signal(2)
    events = json.loads(load.communicate(timeout=30 * SCALE)[0])["events"]
    health = [(event["tone"], blue.id in event["text"]) for event in events if event["kind"] == "health"]
    assert health == [("bad", True), ("good", True)], events
    tones = [event["tone"] for event in events if event["kind"] == "reload"]
    assert tones[0] == "plain" and tones[-1] == "bad", events
