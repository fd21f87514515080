"""`weir logs` reads what the appliance writes and what an ALB writes, and its counts are those of a plain reader."""

import collections
import datetime
import gzip
import json
import os
import random
import re
import subprocess
import time

import pytest
from weir_e2e import BINARY, Client, wait_for, weir

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    access-log: {{path: access.log}}
    listeners:
      - port: 0
        protocol: HTTP
        rules:
          - {{name: beta, priority: 7, conditions: [{{path-pattern: [/beta*]}}], actions: [{{fixed-response: {{status-code: 503}}}}]}}
        default-actions: [{{forward: {{target-group: blue}}}}]
  - name: twin
    addresses: [127.0.0.1]
    access-log: {{path: access.json, format: json}}
    listeners:
      - port: 0
        protocol: HTTP
        rules:
          - {{name: beta, priority: 7, conditions: [{{path-pattern: [/beta*]}}], actions: [{{fixed-response: {{status-code: 503}}}}]}}
        default-actions: [{{forward: {{target-group: green}}}}]
target-groups:
  - {{name: blue, targets: [{blue}]}}
  - {{name: green, targets: [{blue}]}}
admin: {{address: 127.0.0.1, port: 0}}
"""


def logs(*words):
    outcome = weir("logs", *words)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stderr == ""
    return outcome.stdout


@pytest.fixture
def shop(targets, run, tmp_path):
    blue = targets("blue")
    appliance = run(CONFIG.format(blue=blue.yaml))
    appliance.wait_state("blue", blue, "healthy")
    appliance.wait_state("green", blue, "healthy")
    for name in ("shop", "twin"):
        with Client(appliance.port(name)) as client:
            for path in ("/", "/beta/1", "/a?b=c"):
                client.send(f"GET {path} HTTP/1.1\r\nHost: {name}.test\r\nUser-Agent: a \"b\"\r\n\r\n".encode())
                client.response()
    appliance.files = [tmp_path / "access.log", tmp_path / "access.json"]
    wait_for(lambda: all(file.exists() and file.read_bytes().count(b"\n") == 3 for file in appliance.files), 10, "the lines")
    return appliance


def test_both_formats_are_read_together(shop):
    lines = logs(*shop.files).splitlines()
    assert len(lines) == 6
    assert re.fullmatch(r"\S+Z 503 - 127\.0\.0\.1:\d+ GET http://shop\.test:\d+/beta/1 rule 7", lines[1]), lines[1]
    assert " rule beta" in lines[4], "JSON knows the name"
    assert " rule default green " in lines[5]


def test_filters_choose(shop):
    assert len(logs(*shop.files, "--status", "5xx").splitlines()) == 2
    assert len(logs(*shop.files, "--status", "503", "--host", "twin.test").splitlines()) == 1
    assert len(logs(*shop.files, "--rule", "default", "--path", "/a").splitlines()) == 2
    assert len(logs(*shop.files, "--group", "green").splitlines()) == 2
    assert len(logs(*shop.files, "--since", "1h").splitlines()) == 6
    assert logs(*shop.files, "--until", "1h") == ""


def test_raw_gives_the_lines_and_json_their_fields(shop):
    assert logs(*shop.files, "--raw") == "".join(file.read_text() for file in shop.files)
    entries = [json.loads(line) for line in logs(*shop.files, "--json").splitlines()]
    assert [entry["elb_status_code"] for entry in entries] == [200, 503, 200] * 2
    assert {entry["user_agent"] for entry in entries} == {'a "b"'}
    assert entries[5]["target_group"] == "green"


def test_a_replay_of_any_format_is_sent_again(shop, tmp_path):
    said = logs(*shop.files, "--replay-into", tmp_path / "day.bench")
    assert said.startswith("6 requests in ")
    outcome = weir("bench", "http", "--replay", tmp_path / "day.bench", "-c", 1, "--json", f"http://127.0.0.1:{shop.port('shop')}/")
    assert outcome.returncode == 0, outcome.stderr
    wait_for(lambda: shop.files[0].read_bytes().count(b"\n") == 9, 10, "six further lines")
    again = [json.loads(line)["request"].split()[1].split("/", 3)[3] for line in logs(shop.files[0], "--json").splitlines()[3:]]
    assert sorted(again) == ["", "", "a?b=c", "a?b=c", "beta/1", "beta/1"]


def test_follow_shows_what_comes_over_a_rotation(shop, tmp_path):
    file = shop.files[0]
    follower = subprocess.Popen([BINARY, "logs", "-f", file, "--status", "503"], stdout=subprocess.PIPE, text=True)
    try:
        assert "/beta/1" in follower.stdout.readline()
        line = file.read_text().splitlines()[1]
        with file.open("a") as out:
            out.write(line.replace("/beta/1", "/beta/2")[:200])
            out.flush()
            out.write(line.replace("/beta/1", "/beta/2")[200:] + "\n")
        assert "/beta/2" in follower.stdout.readline()
        os.rename(file, tmp_path / "access.log.1")
        file.write_text(line.replace("/beta/1", "/beta/3") + "\n")
        assert "/beta/3" in follower.stdout.readline()
    finally:
        follower.kill()
        follower.wait()


@pytest.mark.parametrize("words, message", [
    (["missing.log"], "cannot read missing.log: No such file or directory"),
    (["/dev/null", "--status", "5y"], "`5y` is no status"),
    (["/dev/null", "--since", "soon"], "`soon` is no moment"),
    (["/dev/null", "--slower", "3"], "`3` is no duration"),
])
def test_what_is_wrong_is_said(words, message):
    outcome = weir("logs", *words)
    assert outcome.returncode != 0
    assert message in outcome.stderr


def test_lines_of_something_else_are_named(tmp_path):
    file = tmp_path / "nginx.log"
    file.write_text('127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326\n' * 7)
    outcome = weir("logs", file)
    assert outcome.returncode == 1
    assert f"{file}:1: `127.0.0.1` begins neither" in outcome.stderr
    assert "2 further lines are no log" in outcome.stderr


# ---- a day of a real ALB, as far as AWS says what its lines are

LINE = ('{type} {time}Z app/edge/0123456789abcdef 198.51.100.{client}:40112 {target} {request} {service} 0.000 {status} {target_status} '
        '412 {sent} "GET https://shop.example.net:443{path} HTTP/2.0" "curl/8.9.1" TLS_AES_128_GCM_SHA256 TLSv1.3 '
        'arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/{group}/fedcba9876543210 '
        '"Root=1-69072f22-0123456789abcdef01234567" "shop.example.net" "-" {rule} {time}Z "forward" "-" "{reason}" "{target}" '
        '"{target_status}" "-" "-" TID_0123456789abcdef0123456789abcdef "-" "-" "-" 10.1.0.5 - -\n')


def write_day(file, lines, seed):
    """Writes a log; what its own counts are."""
    random_ = random.Random(seed)
    counts = {"statuses": collections.Counter(), "rules": collections.Counter(), "targets": collections.Counter(),
              "target_groups": collections.Counter(), "reasons": collections.Counter(), "sent": 0}
    start = datetime.datetime(2026, 11, 2)
    for number in range(lines):
        fails = random_.random() < 0.01
        status = 502 if fails else random_.choice((200, 200, 200, 304, 404))
        target = "-" if fails else f"10.0.{random_.randrange(4)}.{random_.randrange(250)}:8080"
        group = random_.choice(("blue", "green"))
        rule = random_.randrange(60)
        reason = "LambdaUnhandled" if fails and random_.random() < 0.5 else "-"
        sent = random_.randrange(100_000)
        moment = start + datetime.timedelta(microseconds=86_400_000_000 * number // lines)
        file.write(LINE.format(type=random_.choice(("h2", "https")), time=moment.isoformat(timespec="microseconds"),
                               client=random_.randrange(250), target=target, request="-1" if fails else "0.001",
                               service="-1" if fails else f"{random_.expovariate(20):.3f}", status=status,
                               target_status="-" if fails else status, sent=sent, path=f"/rule-{rule}/{random_.randrange(1000)}?a=b",
                               group=group, rule=rule, reason=reason))
        counts["statuses"][str(status)] += 1
        counts["rules"]["default" if rule == 0 else str(rule)] += 1
        counts["target_groups"][group] += 1
        if target != "-":
            counts["targets"][target] += 1
        if fails:
            counts["reasons"][f"{status} {reason}"] += 1
        counts["sent"] += sent
    return counts


def test_the_summary_is_the_generators_own_count(tmp_path):
    lines = 5_000_000 if "WEIR_E2E_HUGE" in os.environ else 20_000
    halves = [tmp_path / "first.log", tmp_path / "second.log.gz"]
    with halves[0].open("w") as file:
        first = write_day(file, lines // 2, 1)
    with gzip.open(halves[1], "wt", compresslevel=1) as file:
        second = write_day(file, lines - lines // 2, 2)
    summary = measured(lines, "logs", "--summary", "--json", *halves)
    for kind in ("statuses", "reasons"):
        assert summary[kind] == first[kind] + second[kind]
    for kind in ("rules", "targets", "target_groups"):
        assert {name: tally["requests"] for name, tally in summary[kind].items()} == first[kind] + second[kind], kind
    assert summary["all"]["requests"] == lines
    assert summary["all"]["sent_bytes"] == first["sent"] + second["sent"]
    assert sum(interval["requests"] for interval in summary["intervals"]) == lines
    # The same rules, as a file: what the log's requests take now.
    rules = "".join(f"          - {{priority: {number}, conditions: [{{path-pattern: [/rule-{number}/*]}}], actions: [{{fixed-response: {{status-code: 200}}}}]}}\n"
                    for number in range(1, 60))
    config = tmp_path / "edge.yaml"
    config.write_text("load-balancers:\n  - name: edge\n    listeners:\n      - port: 443\n        default-actions: [{fixed-response: {status-code: 404}}]\n"
                      f"        rules:\n{rules}")
    coverage = measured(lines, "explain", config, "--json", "coverage", *halves)
    assert {rule["priority"]: rule["requests"] for rule in coverage["rules"]} == first["rules"] + second["rules"]
    assert (coverage["requests"], coverage["changed"], coverage["left-out"]) == (lines, 0, {})


def measured(lines, *words):
    """What a command prints as JSON, in little memory."""
    begin = time.monotonic()
    process = subprocess.Popen([BINARY, *words], stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    print(f"{words[0]} of {lines} lines: {used.ru_utime + used.ru_stime:.2f} s of CPU, {used.ru_maxrss / 1024:.0f} MB, {time.monotonic() - begin:.2f} s")
    if not os.environ.get("WEIR_SANITIZE"):
        assert used.ru_maxrss < 100 * 1024, "kilobytes"
    return json.loads(output)
