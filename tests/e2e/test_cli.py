"""Every command: what it prints and with what it exits (0 done, 1 wrong input, 2 wrong command line, 3 refused by the system)."""

import json
import re
import socket
import subprocess

import pytest
from tls_e2e import certificate, yaml
from weir_e2e import BINARY, SOURCE, free_port, get, wait_for, weir

COMMANDS = ("run", "demo", "check", "explain", "test", "status", "schema", "version")

GOOD = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    advertise: [192.0.2.10]
    listeners:
      - port: 8080
        protocol: HTTP
        rules:
          - name: beta
            priority: 10
            conditions: [{http-header: {name: X-Beta, values: ["yes"]}}, {path-pattern: ["/cart/*"]}]
            actions: [{forward: {target-group: green}}]
          - name: ping
            priority: 20
            conditions: [{path-pattern: [/ping]}]
            actions: [{fixed-response: {status-code: 200, message-body: pong}}]
        default-actions: [{forward: {target-groups: [{name: blue, weight: 8}, {name: green, weight: 2}]}}]
target-groups:
  - {name: blue, targets: [{address: 127.0.0.1, port: 9001}]}
  - {name: green, targets: [{address: 127.0.0.1, port: 9002}]}
dns: {addresses: [127.0.0.1], port: 5353}
health-checks:
  - {name: cloud, type: TCP, address: 127.0.0.1, port: 1}
zones:
  - name: example.test
    name-servers: [ns1.example.test.]
    records:
      - {name: ns1, type: A, ttl: 5m, values: [192.0.2.1]}
      - {name: eu, type: A, set: primary, failover: PRIMARY, alias: {load-balancer: shop, evaluate-target-health: true}}
      - {name: eu, type: A, set: secondary, failover: SECONDARY, ttl: 10s, values: [198.51.100.10], health-check: cloud}
tests:
  - {request: GET http://shop.example.test:8080/cart/1, headers: {X-Beta: "yes"}, expect: {rule: beta, target-group: green}}
  - {query: eu.example.test A, unhealthy: [shop], expect: {values: [198.51.100.10]}}
"""

# Seven mistakes, each on a line of its own: the mark says which line and what the message must have.
BAD = """
load-balancers:
  - name: shop
    adresses: [127.0.0.1]                              # 1 addresses
    listeners:
      - port: 80800                                    # 2 65535
        protocol: HTTP
        rules:
          - priority: 1
            conditions: [{path-pattern: [/a]}]
            actions: [{forward: {target-group: gren}}]  # 3 green
          - priority: 1                                # 4 priority
            conditions: [{path-pattern: [/b]}]
            actions: [{forward: {target-group: green}}]
        default-actions: [{forward: {target-group: green}}]
target-groups:
  - name: green
    targets: [{address: 127.0.0.1, port: 9002}]
    health-check: {interval: 5}                        # 5 5s
  - name: green                                        # 6 green
    targets: []
    attributes: {deregistration_delay.timeout_seconds: soon}  # 7 soon
"""


@pytest.fixture
def good(tmp_path):
    file = tmp_path / "good.yaml"
    file.write_text(GOOD, encoding="utf-8")
    return file


def test_every_command_has_help_with_an_example():
    assert weir("--help").returncode == 0
    for command in COMMANDS:
        outcome = weir(command, "--help")
        assert outcome.returncode == 0, command
        assert f"weir {command}" in outcome.stdout and "xample" in outcome.stdout, outcome.stdout


@pytest.mark.parametrize("arguments", [
    (), ("dance",), ("run",), ("check",), ("check", "--no-such-option", "x.yaml"), ("explain",), ("status", "--admin", "nowhere"),
], ids=lambda row: " ".join(row) or "nothing")
def test_a_wrong_command_line_is_2(arguments):
    outcome = weir(*arguments)
    assert outcome.returncode == 2, outcome.stdout + outcome.stderr
    assert outcome.stderr.strip()


def test_unknown_words_on_the_command_line_are_2(good):
    for arguments in (("explain", good, "dns", "eu.example.test", "BOGUS"), ("explain", good, "dns", "eu.example.test", "A", "--from", "10.0.0.0/99"),
                      ("explain", good, "http", "GE T", "http://shop.example.test:8080/"), ("explain", good, "ftp", "a", "b")):
        assert weir(*arguments).returncode == 2, arguments


def test_check(good, tmp_path):
    outcome = weir("check", good)
    assert outcome.returncode == 0, outcome.stderr
    assert weir("check", tmp_path / "missing.yaml").returncode == 1


def test_seven_mistakes_are_seven_errors_with_their_places(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text(BAD, encoding="utf-8")
    outcome = weir("check", file)
    assert outcome.returncode == 1
    errors = re.findall(r"^(.*):(\d+):(\d+): error: (.*)$", outcome.stderr, re.M)
    assert len(errors) == 7, outcome.stderr
    expected = {}
    for number, line in enumerate(BAD.splitlines(), 1):
        if mark := re.search(r"# (\d) (\S+)$", line):
            expected[number] = mark.group(2)
    assert [int(line) for _, line, _, _ in errors] == sorted(expected)
    for name, line, _, message in errors:
        assert name.endswith("bad.yaml") and expected[int(line)] in message, (line, message)
    assert sum("did you mean" in message for *_, message in errors) >= 2


def test_an_access_log_that_cannot_be_written_here_is_a_warning_with_its_place(tmp_path):
    file = tmp_path / "log.yaml"
    file.write_text("load-balancers:\n  - name: lb\n    access-log: {path: none/access.log}\n"
                    "    listeners: [{port: 0, default-actions: [{fixed-response: {status-code: 200}}]}]\n", encoding="utf-8")
    outcome = weir("check", file)
    assert outcome.returncode == 0
    assert re.search(r"log\.yaml:3:\d+: warning: access log \S*none/access\.log cannot be written here: No such file or directory",
                     outcome.stderr), outcome.stderr
    file.write_text(file.read_text(encoding="utf-8").replace("none/access.log", "access.log"), encoding="utf-8")
    assert "access log" not in weir("check", file).stderr
    assert not (tmp_path / "access.log").exists(), "a check leaves nothing behind"


def test_a_warning_does_not_fail(tmp_path):
    file = tmp_path / "warn.yaml"
    file.write_text(GOOD.replace("{name: blue, weight: 8}, {name: green, weight: 2}", "{name: blue, weight: 0}, {name: green, weight: 0}"),
                    encoding="utf-8")
    outcome = weir("check", file)
    assert outcome.returncode == 0 and "warning:" in outcome.stderr


def test_check_aws_warns_of_what_aws_would_refuse(tmp_path):
    file = tmp_path / "aws.yaml"
    file.write_text(GOOD.replace("{name: blue, targets", "{name: blue, health-check: {interval: 1s, timeout: 500ms}, targets"), encoding="utf-8")
    assert "warning:" not in weir("check", file).stderr
    outcome = weir("check", "--aws", file)
    assert outcome.returncode == 0 and re.search(r"warning:.*5", outcome.stderr), outcome.stderr


def test_explain_http(good):
    outcome = weir("explain", good, "http", "GET", "http://shop.example.test:8080/cart/1", "-H", "X-Beta: no")
    assert outcome.returncode == 0, outcome.stderr
    assert "beta" in outcome.stdout and "X-Beta" in outcome.stdout, "why the earlier rule did not match"
    assert "blue" in outcome.stdout and "80" in outcome.stdout, "the share of each group"
    outcome = weir("explain", good, "http", "GET", "http://shop.example.test:8080/cart/1", "-H", "X-Beta: yes", "--from", "192.0.2.1")
    assert outcome.returncode == 0 and "green" in outcome.stdout and "127.0.0.1:9002" in outcome.stdout


def test_explain_foresees_464(tmp_path, run):
    pair = certificate(tmp_path, "shop")
    file = tmp_path / "versions.yaml"
    text = f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTP
        rules: [{{priority: 1, conditions: [{{path-pattern: [/plain/*]}}], actions: [{{forward: {{target-group: plain}}}}]}}]
        attributes: {{weir.http2.cleartext.enabled: true}}
        default-actions: [{{forward: {{target-group: blue}}}}]
      - {{port: 18443, protocol: HTTPS, certificates: {yaml(pair)}, default-actions: [{{forward: {{target-group: calls}}}}]}}
      - {{port: 18081, protocol: HTTP, default-actions: [{{forward: {{target-group: blue}}}}]}}
target-groups:
  - {{name: plain, targets: [{{address: 127.0.0.1, port: 9001}}]}}
  - {{name: blue, protocol-version: HTTP2, targets: [{{address: 127.0.0.1, port: 9001}}]}}
  - {{name: calls, protocol-version: GRPC, targets: [{{address: 127.0.0.1, port: 9001}}]}}
admin: {{address: 127.0.0.1, port: 0}}
"""
    file.write_text(text.replace("port: 0", "port: 18080", 1), encoding="utf-8")
    grpc = ("-H", "Content-Type: application/grpc")
    for arguments, expected in (
            (("GET", "http://shop:18080/"), "takes no HTTP/1.1: 464"),
            (("GET", "http://shop:18080/", "--http-version", "1.0"), "takes no HTTP/1.0: 464"),
            (("GET", "http://shop:18080/", "--http-version", "2"), "target 127.0.0.1:9001: healthy, share 100%"),
            (("POST", "http://shop:18080/plain/a", "--http-version", "2", *grpc), "takes no gRPC: 464"),
            (("POST", "http://shop:18080/plain/a", *grpc), "share 100%"),
            (("POST", "https://shop:18443/shop.Cart/Echo", *grpc), "target 127.0.0.1:9001: healthy, share 100%"),
            (("GET", "https://shop:18443/"), "takes no GET: 464"),
            (("POST", "https://shop:18443/", "--http-version", "1.1"), "takes no HTTP/1.1: 464")):
        outcome = weir("explain", file, "http", *arguments)
        assert outcome.returncode == 0 and expected in outcome.stdout, (arguments, outcome.stdout, outcome.stderr)
    for arguments in (("--http-version", "3"), ("--http-version", "2")):
        outcome = weir("explain", file, "http", "GET", "http://shop:18081/", *arguments)
        assert outcome.returncode == 2 and "HTTP" in outcome.stderr, outcome
    # The running appliance says the same, and does it.
    appliance = run(text.replace("port: 18443", "port: 0").replace("port: 18081", "port: 0"))
    url = f"http://127.0.0.1:{appliance.port()}/"
    explained = json.loads(weir("explain", "--live", "--json", "--admin", admin_option(appliance), "http", "GET", url, "--http-version", "1.1").stdout)
    assert (explained["http-version"], explained["status-code"], explained["target-groups"][0]["refusal"]) == ("1.1", 464, "takes no HTTP/1.1")
    assert get(appliance.port()).status == 464


def test_explain_dns(good):
    outcome = weir("explain", good, "dns", "eu.example.test", "A")
    assert outcome.returncode == 0, outcome.stderr
    assert "192.0.2.10" in outcome.stdout and "failover" in outcome.stdout.lower()


def test_tests_of_the_file(good, tmp_path):
    outcome = weir("test", good)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(GOOD.replace("expect: {rule: beta, target-group: green}", "expect: {rule: ping, target-group: blue}"), encoding="utf-8")
    outcome = weir("test", wrong)
    text = outcome.stdout + outcome.stderr
    assert outcome.returncode == 1 and "ping" in text and "beta" in text, text


def test_tests_need_no_socket(good):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        file = good.with_name("taken.yaml")
        file.write_text(GOOD.replace("port: 8080", f"port: {taken.getsockname()[1]}").replace(":8080/", f":{taken.getsockname()[1]}/"),
                        encoding="utf-8")
        assert weir("test", file).returncode == 0


def test_schema_is_json_and_accepts_the_examples():
    outcome = weir("schema")
    assert outcome.returncode == 0
    schema = json.loads(outcome.stdout)
    assert "2020-12" in schema["$schema"] and "load-balancers" in schema["properties"]
    jsonschema, yaml = pytest.importorskip("jsonschema"), pytest.importorskip("yaml")
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    examples = sorted((SOURCE / "examples").glob("*.yaml"))
    assert examples
    for example in examples:
        errors = [f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(yaml.safe_load(example.read_text(encoding="utf-8")))]
        assert not errors, f"{example.name}: {errors}"
    assert list(validator.iter_errors({"load-balancer": []})), "an unknown key is an error to the schema too"


def test_version_names_the_libraries():
    outcome = weir("version")
    assert outcome.returncode == 0
    assert re.search(r"weir \d+\.\d+\.\d+", outcome.stdout) and "OpenSSL" in outcome.stdout and "oost" in outcome.stdout


def test_run_of_a_wrong_or_missing_file_is_1(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text(BAD, encoding="utf-8")
    assert weir("run", file).returncode == 1
    assert weir("run", tmp_path / "missing.yaml").returncode == 1


def test_an_address_in_use_is_3(tmp_path):
    file = tmp_path / "taken.yaml"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file.write_text(f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners: [{{port: {port}, protocol: HTTP, default-actions: [{{fixed-response: {{status-code: 200}}}}]}}]
admin: {{address: 127.0.0.1, port: 0}}
""", encoding="utf-8")
        outcome = weir("run", file)
    assert outcome.returncode == 3 and str(port) in outcome.stderr


def test_status_without_an_appliance_is_3():
    outcome = weir("status", "--admin", f"127.0.0.1:{free_port()}")
    assert outcome.returncode == 3 and outcome.stderr.strip()


@pytest.fixture
def shop(targets, run):
    blue = targets("blue")
    appliance = run(f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners: [{{port: 0, protocol: HTTP, default-actions: [{{forward: {{target-group: blue}}}}]}}]
target-groups: [{{name: blue, targets: [{blue.yaml}]}}]
admin: {{address: 127.0.0.1, port: 0}}
""")
    appliance.wait_state("blue", blue, "healthy")
    return appliance, blue


def admin_option(appliance):
    return "{}:{}".format(*appliance.admin)


def test_status_as_a_table_and_as_json(shop):
    appliance, blue = shop
    outcome = weir("status", "--admin", admin_option(appliance))
    assert outcome.returncode == 0
    for word in ("shop", "blue", blue.id, "healthy"):
        assert word in outcome.stdout
    assert "\x1b" not in outcome.stdout, "colours are for terminals only"
    outcome = weir("status", "--json", environment={"WEIR_ADMIN": admin_option(appliance)})
    assert outcome.returncode == 0 and json.loads(outcome.stdout)["target-groups"][0]["name"] == "blue"


def test_status_watch_goes_on_until_it_is_interrupted(shop):
    import signal
    appliance, _ = shop
    watch = subprocess.Popen([BINARY, "status", "--watch", "--admin", admin_option(appliance)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    seen = b""
    while seen.count(b"shop") < 2:
        piece = watch.stdout.read1(4096)
        assert piece, "it ended by itself"
        seen += piece
    watch.send_signal(signal.SIGINT)
    watch.communicate(timeout=20)
    assert watch.returncode in (0, 130, -signal.SIGINT)


def test_explain_live_knows_the_health(shop):
    appliance, blue = shop
    url = f"http://shop.example.test:{appliance.port()}/"
    outcome = weir("explain", appliance.file, "http", "GET", url, "--live", "--admin", admin_option(appliance))
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert blue.id in outcome.stdout and "healthy" in outcome.stdout
    blue.health_status = 500
    appliance.call("PUT", f"/v1/target-groups/blue/targets/{blue.id}/admin-state", {"state": "unhealthy"})
    wait_for(lambda: "unhealthy" in weir("explain", appliance.file, "http", "GET", url, "--live", "--admin", admin_option(appliance)).stdout,
             10, "the unhealthy target in the explanation")
