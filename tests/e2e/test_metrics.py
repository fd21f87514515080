"""GET /metrics: clean to promtool, scraped by a real Prometheus, and cheap for ten thousand rules and five thousand targets."""

import concurrent.futures
import json
import re
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import pytest
from weir_e2e import SANITIZED, SCALE, free_port, get, stop_process, wait_for

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    attributes: {{routing.http.drop_invalid_header_fields.enabled: true}}
    listeners:
      - port: 0
        rules:
          - {{priority: 1, conditions: [{{path-pattern: [/fixed]}}], actions: [{{fixed-response: {{status-code: 200}}}}]}}
          - {{priority: 2, conditions: [{{path-pattern: [/moved]}}], actions: [{{redirect: {{status-code: HTTP_302, path: /new}}}}]}}
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - {{name: blue, targets: [{blue}], health-check: {{interval: 1s, timeout: 1s}}}}
dns: {{addresses: [127.0.0.1], port: 0}}
zones: [{{name: a.test, name-servers: [ns1.a.test.], records: [{{name: www, type: A, ttl: 5s, values: [192.0.2.1]}}]}}]
admin: {{address: 127.0.0.1, port: 0}}
"""


@pytest.fixture
def shop(run, targets):
    blue = targets("blue")
    weir = run(CONFIG.format(blue=blue.yaml))
    weir.wait_state("blue", blue, "healthy")
    port = weir.port()
    assert get(port, "/fixed").status == 200 and get(port, "/moved").status == 302 and get(port, "/x").status == 200
    assert get(port, "/x", fields=[("X_Under", "1")]).status == 200
    return weir


def test_promtool_finds_nothing_to_object_to(shop):
    done = subprocess.run(["promtool", "check", "metrics"], input=shop.metrics(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_prometheus_scrapes_what_cloudwatch_counts(shop, tmp_path):
    port = free_port()
    (tmp_path / "prometheus.yml").write_text(json.dumps({
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{"job_name": "weir", "static_configs": [{"targets": ["%s:%d" % shop.admin]}]}]}), encoding="utf-8")
    process = subprocess.Popen(["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/tsdb",
                                f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn", "--enable-feature=exemplar-storage"], cwd=tmp_path, stderr=subprocess.PIPE, text=True)

    def api(call):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{call}", timeout=5) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    def ask(query):
        found = api(f"query?query={urllib.parse.quote(query)}")
        return found and {float(sample["value"][1]) for sample in found["result"]}

    def traces():
        found = api("query_exemplars?query=weir_proxy_exchange_duration_seconds_bucket&start=0&end=9999999999")
        return {exemplar["labels"]["trace_id"] for series in found or () for exemplar in series["exemplars"]}
    try:
        wait_for(lambda: ask("up") == {1.0}, 30, "the first scrape")
        assert ask("weir_listener_fixed_responses_total") == {1.0}
        assert ask("weir_listener_redirects_total") == {1.0}
        assert ask("weir_listener_rule_evaluations_total") == {1.0 + 2.0 + 2.0 + 2.0}
        assert ask('weir_listener_invalid_header_requests_total{action="dropped"}') == {1.0}
        assert ask("weir_target_group_requests_total") == {2.0}
        # Prometheus asks for OpenMetrics, which has the trace of a request that was sent to a target.
        wait_for(lambda: traces() and all(re.fullmatch("1-[0-9a-f]{8}-[0-9a-f]{24}", trace) for trace in traces()), 10, "an exemplar")
        assert ask("histogram_quantile(1, weir_target_group_response_time_seconds_bucket) > 0") != set()
    finally:
        stop_process(process)
        process.stderr.close()


def test_ten_thousand_rules_and_five_thousand_targets_cost_a_scrape_little(run):
    """CPU time of a scrape; requests go on meanwhile, each answered at once."""
    rules = "".join(f"          - {{priority: {i + 1}, conditions: [{{path-pattern: [/app{i}/*]}}], actions: [{{forward: {{target-group: g{i % 50}}}}}]}}\n"
                    for i in range(10_000))
    groups = "".join(f"  - {{name: g{g}, health-check: {{interval: 300s}}, targets: ["
                     + ", ".join(f"{{address: 127.1.{g}.{t + 1}, port: 9}}" for t in range(100)) + "]}\n" for g in range(50))
    weir = run("admin: {address: 127.0.0.1, port: 0}\nload-balancers:\n  - name: shop\n    addresses: [127.0.0.1]\n    listeners:\n"
               "      - port: 0\n        rules:\n" + rules + "        default-actions: [{fixed-response: {status-code: 200}}]\n"
               "target-groups:\n" + groups, wait=False)
    wait_for(weir.ready_line, 60, "the line `ready`")
    port, over = weir.port(), threading.Event()

    def ask():
        """How long each request took."""
        took = []
        while not over.is_set():
            began = time.monotonic()
            assert get(port, "/").status == 200
            took.append(time.monotonic() - began)
        return took
    # Where nobody asks, so that only the scrape is measured.
    before = weir.cpu_seconds()
    text = weir.metrics()
    cost = weir.cpu_seconds() - before
    assert text.count("weir_rule_requests_total{") == 10_001 and text.count("weir_target_requests_total{") == 5_000
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            for _ in range(5):
                weir.metrics()
        finally:
            over.set()
        took = asking.result()
    print(f"{len(text) / 1e6:.1f} MB for {cost:.3f} s of CPU; the slowest of {len(took)} requests beside it took {max(took):.3f} s")
    assert cost <= (3 if SANITIZED else 0.3)
    assert max(took) < 1 * SCALE, "this client shares its CPUs with the scrape"
