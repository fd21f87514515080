"""Requests that were seen elsewhere: `weir explain curl, log, har, coverage` and `weir test --from`."""

import collections
import json
import random
import re

from weir_e2e import Client, wait_for, weir

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    access-log: {{path: access.log{format}}}
    listeners:
      - port: {port}
        rules:
          - {{name: beta, priority: 7, conditions: [{{path-pattern: [/beta*]}}], actions: [{{fixed-response: {{status-code: 410}}}}]}}
          - {{name: moved, priority: 8, conditions: [{{path-pattern: [/old]}}], actions: [{{redirect: {{path: /new, status-code: HTTP_301}}}}]}}
          - {{name: robots, priority: 9, conditions: [{{http-header: {{name: User-Agent, values: ['*bot*']}}}}], actions: [{{forward: {{target-group: green}}}}]}}
          - {{name: never, priority: {never}, conditions: [{{path-pattern: [/never]}}], actions: [{{fixed-response: {{status-code: 404}}}}]}}
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - {{name: blue, targets: [{blue}]}}
  - {{name: green, targets: [{blue}]}}
admin: {{address: 127.0.0.1, port: 0}}
"""
PATHS = ("/", "/beta/1", "/beta/2", "/old", "/a?b=c", "/x")


def served(targets, run, tmp_path, log_format=""):
    """A log of 60 requests, and the file by which they were answered with the port that it got."""
    blue = targets("blue")
    appliance = run(CONFIG.format(blue=blue.yaml, port=0, never=10, format=log_format))
    appliance.wait_state("blue", blue, "healthy")
    appliance.wait_state("green", blue, "healthy")
    rng = random.Random(7)
    with Client(appliance.port()) as client:
        for _ in range(60):
            agent = rng.choice(("curl", "a bot"))
            client.request("GET", rng.choice(PATHS), [("User-Agent", agent)], host=f"shop.test:{appliance.port()}").response("GET")
    log = tmp_path / "access.log"
    wait_for(lambda: log.exists() and len(log.read_text().splitlines()) == 60, 10, "60 lines")
    file = tmp_path / "now.yaml"
    file.write_text(CONFIG.format(blue=blue.yaml, port=appliance.port(), never=10, format=log_format))
    return file, log


def explain(*words, text=None, code=0):
    outcome = weir("explain", *words, text=text)
    assert outcome.returncode == code, outcome.stdout + outcome.stderr
    return outcome.stdout if code == 0 else outcome.stderr


def test_a_line_of_the_log_is_as_it_was_then(targets, run, tmp_path):
    file, log = served(targets, run, tmp_path)
    for line in log.read_text().splitlines()[:10]:
        assert "\nas it was then" in explain(file, "log", line)
    both = explain(file, "log", "-", text=log.read_text())
    assert both.count("as it was then") == 60 and "not as it was" not in both
    # A file that has changed since.
    changed = tmp_path / "changed.yaml"
    changed.write_text(file.read_text().replace("/beta*", "/gamma*"))
    line = next(line for line in log.read_text().splitlines() if "/beta/1" in line)
    assert re.search(r"not as it was then:\n  rule: 7 then, (default|9 \(robots\)) now\n  action: fixed-response then, forward now", explain(changed, "log", line))
    found = json.loads(explain(changed, "--json", "log", line))
    assert found["differences"][0]["what"] == "rule" and found["now"]["action"] == "forward"
    assert "neither a line of an access log" in explain(file, "log", "GET /", code=1)


def test_json_lines_name_their_rules(targets, run, tmp_path):
    file, log = served(targets, run, tmp_path, ", format: json")
    out = explain(file, "log", "-", text=log.read_text())
    assert out.count("as it was then") == 60 and "not as it was" not in out and "rule 7 (beta), status 410" in out


def test_coverage_counts_as_the_log_does(targets, run, tmp_path):
    file, log = served(targets, run, tmp_path)
    found = json.loads(explain(file, "--json", "coverage", log))
    counted = collections.Counter(re.findall(r'"[^"]*"|\S+', line)[20] for line in log.read_text().splitlines())
    rules = {rule["priority"]: rule["requests"] for rule in found["rules"]}
    assert rules == {"7": counted["7"], "8": counted["8"], "9": counted["9"], "10": 0, "default": counted["0"]}
    assert (found["requests"], found["changed"], found["left-out"]) == (60, 0, {})
    text = explain(file, "coverage", log)
    assert text.startswith("60 requests take 4 of 5 rules\n") and re.search(r"10 \(never\) +0 +never", text)
    changed = tmp_path / "changed.yaml"
    changed.write_text(file.read_text().replace("priority: 7", "priority: 70"))
    assert f"\n{counted['7']} requests took another rule then:\n" in explain(changed, "coverage", log)


def test_logs_of_another_port_are_led_to_the_only_listener(targets, run, tmp_path):
    file, log = served(targets, run, tmp_path)
    text = re.sub(r"http://shop.test:\d+/", "http://shop.test:80/", log.read_text())
    assert explain(file, "coverage", "-", text=text).startswith("60 requests take 4 of 5 rules\n")
    assert "port 80 is shop/" in explain(file, "log", text.splitlines()[0])


def test_tests_made_of_a_log_hold(targets, run, tmp_path):
    file, log = served(targets, run, tmp_path)
    made = weir("test", file, "--from", log)
    assert made.returncode == 0 and made.stderr == "", made.stderr
    assert re.match(r"# \d+ tests of 60 requests; 0 do not hold now\ntests:\n", made.stdout), made.stdout
    whole = tmp_path / "whole.yaml"
    whole.write_text(file.read_text() + made.stdout)
    outcome = weir("test", whole)
    assert outcome.returncode == 0, outcome.stdout
    count = int(re.search(r"# (\d+) tests", made.stdout).group(1))
    assert f"{count} passed, 0 failed" in outcome.stdout and count >= 5
    # Without a file the log is all that there is.
    alone = weir("test", "--from", log, "--per-rule", "1")
    assert alone.returncode == 0 and "do not hold" not in alone.stdout and "rule: \"7\"" in alone.stdout
    changed = tmp_path / "changed.yaml"
    changed.write_text(file.read_text().replace("/beta*", "/gamma*"))
    assert "  # now: rule " in weir("test", changed, "--from", log).stdout
    assert weir("test").returncode == 2


def test_curl_and_har(targets, run, tmp_path):
    file, _ = served(targets, run, tmp_path)
    out = explain(file, "curl", "curl -A 'a bot' 'http://shop.test/x'")
    assert "port 80 is shop/" in out and "green" in out
    assert "rule 7 (beta): matches" in explain(file, "curl", "-", text="curl \\\n  http://shop.test/beta/9\n")
    assert "that is no curl command" in explain(file, "curl", "wget x", code=2)
    har = tmp_path / "a.har"
    har.write_text(json.dumps({"log": {"entries": [
        {"request": {"method": "GET", "url": "http://shop.test/beta/1", "headers": []}, "response": {"content": {"text": "x" * 3_000_000}}},
        {"request": {"method": "GET", "url": "https://cdn.test/x.js", "headers": []}}]}}))
    out = explain(file, "har", har)
    assert re.search(r"GET http://shop.test/beta/1\n    shop/\d+ rule 7 \(beta\): fixed-response 410\n", out), out
    assert "GET https://cdn.test/x.js\n    no listener has port 443" in out
    har.write_text("{}")
    assert "no `log.entries`" in explain(file, "har", har, code=1)
