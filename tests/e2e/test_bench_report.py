"""What `weir bench` shows of an appliance that changes under load: events, shares, the JSON and the page."""

import json
import re
import subprocess
import threading

import pytest
from weir_e2e import BINARY, SCALE, wait_for, weir as command

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTP
        default-actions: [{{forward: {{target-groups: [{{name: blue, weight: 8}}, {{name: green, weight: 2}}]}}}}]
target-groups:
  - {{name: blue, targets: [{blue}], health-check: {check}}}
  - {{name: green, targets: [{green}], health-check: {check}}}
admin: {{address: 127.0.0.1, port: 0}}
"""
CHECK = "{path: /health, interval: 1s, timeout: 1s, healthy-threshold: 2, unhealthy-threshold: 2}"


@pytest.fixture
def shop(targets, run):
    blue, green = targets("blue"), targets("green")
    weir = run(CONFIG.format(blue=blue.yaml, green=green.yaml, check=CHECK))
    weir.wait_state("blue", blue, "healthy")
    weir.wait_state("green", green, "healthy")
    weir.blue, weir.green = blue, green
    return weir


class Load:
    """`weir bench http` while it runs; its progress is read line by line."""

    def __init__(self, shop, *arguments):
        self.process = subprocess.Popen(
            [BINARY, "bench", "http", f"http://127.0.0.1:{shop.port()}/", "--admin", "{}:{}".format(*shop.admin), "--rate", "200",
             "-c", "4", "--progress", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.progress = []
        self.output = ""
        self.readers = [threading.Thread(target=self._read_progress, daemon=True), threading.Thread(target=self._read_output, daemon=True)]
        for reader in self.readers:
            reader.start()

    def _read_progress(self):
        for line in self.process.stderr:
            self.progress.append(line)

    def _read_output(self):
        self.output = self.process.stdout.read()

    def saw(self, pattern):
        return wait_for(lambda: re.search(pattern, "".join(self.progress)), 20, f"progress like {pattern!r}")

    def finish(self, interrupt=True):
        if interrupt:
            self.process.send_signal(2)
        code = self.process.wait(30 * SCALE)
        for reader in self.readers:
            reader.join(10)
        return code


def test_changes_under_load_are_in_the_progress_the_json_and_the_page(shop, tmp_path):
    page = tmp_path / "run.html"
    load = Load(shop, "-d", "60s", "--json", "--report", page)
    load.saw(r"\[blue 8\d\.\d %  green [12]\d\.\d %\]")
    assert shop.call("POST", "/v1/reload")[0] == 200
    load.saw(r"event: configuration reloaded, revision 2")
    path = f"/v1/load-balancers/shop/listeners/{shop.port()}/rules/default/weights"
    assert shop.call("PUT", path, {"blue": 100, "green": 0})[0] == 200
    load.saw(r"event: shop/\d+ rule default: blue:8 green:2 -> blue:100 green:0")
    load.saw(r"\[blue 100\.0 %\]")
    shop.green.stop()
    load.saw(r"event: target \S+ of green: healthy -> unhealthy")
    assert load.finish() == 0, load.progress

    result = json.loads(load.output)
    assert result["format"] == "weir-bench-1" and result["interrupted"] and result["offered-rate"] == 200
    events = [event for event in result["events"] if event["kind"] in ("reload", "shift", "health")]
    assert [event["kind"] for event in events] == ["reload", "shift", "health"], result["events"]
    assert 0 < events[0]["seconds"] <= events[1]["seconds"] <= events[2]["seconds"] < result["seconds"] + 5
    assert set(result["shares"]) == {"blue", "green"}
    assert sum(bucket[1] for bucket in result["latency"]["buckets-ns"]) == result["latency"]["count"] == result["totals"]["completed"]
    assert sum(interval["completed"] for interval in result["intervals"]) == result["totals"]["completed"]

    text = page.read_text(encoding="utf-8")
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*)</script>', text).group(1))
    assert [event["kind"] for event in data["events"] if event["kind"] != "admin"][:3] == ["reload", "shift", "health"]
    assert len(data["intervals"]["start"]) == len(result["intervals"])
    assert "blue:8 green:2 -&gt; blue:100 green:0" in text


def test_an_appliance_that_dies_is_an_event(shop):
    load = Load(shop, "-d", "60s")
    load.saw(r"200|19\d|20\d")
    shop.process.kill()
    load.saw(r"event: the admin API does not answer")
    load.finish()
    assert re.search(r"admin +the admin API does not answer", load.output), load.output
    assert "Errors" in load.output


def test_a_wrong_admin_address_is_told_before_the_load(shop):
    outcome = command("bench", "http", f"http://127.0.0.1:{shop.port()}/", "-d", "1s", "--admin", "127.0.0.1:1")
    assert outcome.returncode != 0 and "127.0.0.1:1" in outcome.stderr and not outcome.stdout
    assert not shop.blue.requests and not shop.green.requests


def test_an_admin_address_of_something_else_is_told(shop):
    outcome = command("bench", "http", f"http://127.0.0.1:{shop.port()}/", "-d", "1s", "--admin", shop.blue.id)
    assert outcome.returncode != 0 and "/v1/events" in outcome.stderr, outcome.stderr
