"""The access log: 36 fields of ALB 16.1, JSON, reopening, standard output."""

import json
import re
import signal
import shlex

from weir_e2e import Client, answering, exchange, free_port, get, wait_for

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
SECONDS = r"(?:\d+\.\d{3}|-1)"
ARN = r"arn:aws:elasticloadbalancing:[a-z0-9-]+:\d{12}:targetgroup/blue/[0-9a-f]{16}"
# Name, pattern of a forwarded request; quoted fields without their quotes.
FIELDS = [
    ("type", r"http"),
    ("time", TIME),
    ("elb", r"app/shop/[0-9a-f]{16}"),
    ("client:port", r"127\.0\.0\.1:\d+"),
    ("target:port", r"127\.0\.0\.1:\d+"),
    ("request_processing_time", SECONDS),
    ("target_processing_time", SECONDS),
    ("response_processing_time", SECONDS),
    ("elb_status_code", r"\d{3}"),
    ("target_status_code", r"\d{3}"),
    ("received_bytes", r"\d+"),
    ("sent_bytes", r"\d+"),
    ("request", r'[A-Z]+ http://[^ ]+:\d+/[^ ]* HTTP/1\.[01]'),
    ("user_agent", r".+"),
    ("ssl_cipher", r"-"),
    ("ssl_protocol", r"-"),
    ("target_group_arn", ARN),
    ("trace_id", r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}"),
    ("domain_name", r"-"),
    ("chosen_cert_arn", r"-"),
    ("matched_rule_priority", r"\d+"),
    ("request_creation_time", TIME),
    ("actions_executed", r"forward"),
    ("redirect_url", r"-"),
    ("error_reason", r"-"),
    ("target:port_list", r"127\.0\.0\.1:\d+"),
    ("target_status_code_list", r"\d{3}"),
    ("classification", r"-"),
    ("classification_reason", r"-"),
    ("conn_trace_id", r"TID_[0-9a-f]{32}"),
    ("transformed_host", r"-"),
    ("transformed_uri", r"-"),
    ("request_transform_status", r"-"),
    ("ip_address", r"127\.0\.0\.1"),
    ("target_error_code", r"-"),
    ("elb_error_code", r"-"),
]
QUOTED = {13, 14, 18, 19, 20, 23, 24, 25, 26, 27, 28, 29, 31, 32, 33}
LINE = re.compile(" ".join(f'"(?P<f{n}>[^"]*)"' if n in QUOTED else f"(?P<f{n}>[^ \"]+)" for n in range(1, 37)))


def config(target, log, port=0):
    return f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    access-log: {log}
    listeners:
      - port: {port}
        protocol: HTTP
        rules:
          - {{priority: 7, conditions: [{{path-pattern: [/ping]}}], actions: [{{fixed-response: {{status-code: 200, message-body: pong}}}}]}}
          - {{priority: 8, conditions: [{{path-pattern: [/old]}}], actions: [{{redirect: {{path: /new, status-code: HTTP_302}}}}]}}
          - {{priority: 9, conditions: [{{path-pattern: [/empty]}}], actions: [{{forward: {{target-group: empty}}}}]}}
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - {{name: blue, targets: [{target.yaml}]}}
  - {{name: empty, targets: []}}
admin: {{address: 127.0.0.1, port: 0}}
"""


def start(targets, run, log="{path: access.log, format: alb}", script=None, port=0):
    blue = targets("blue", script=script)
    weir = run(config(blue, log, port))
    weir.wait_state("blue", blue, "healthy")
    return weir, blue


def wait_lines(path, count):
    """The lines, once there are `count`."""
    def lines():
        found = path.read_text(encoding="latin-1").splitlines() if path.exists() else []
        return found if len(found) >= count else None
    return wait_for(lines, 10, f"{count} lines in {path.name}")


def fields(line):
    found = LINE.fullmatch(line)
    assert found, f"not 36 fields: {line}"
    return {name: found.group(f"f{number}") for number, (name, _) in enumerate(FIELDS, 1)}


def test_each_of_the_36_fields_of_a_forwarded_request(targets, run, tmp_path):
    weir, blue = start(targets, run)
    answer = get(weir.port(), "/a/b?c=d", {"User-Agent": "curl/8.9.1"}, host="Shop.example.test:8080")
    line = wait_lines(tmp_path / "access.log", 1)[0]
    values = fields(line)
    wrong = [f"{name}: {values[name]}" for name, pattern in FIELDS if not re.fullmatch(pattern, values[name])]
    assert not wrong, "\n".join(wrong) + "\n" + line
    assert values["target:port"] == blue.id == values["target:port_list"]
    assert values["elb_status_code"] == values["target_status_code"] == "200"
    assert values["user_agent"] == "curl/8.9.1" and values["matched_rule_priority"] == "0"
    assert re.fullmatch(r"GET http://shop\.example\.test:\d+/a/b\?c=d HTTP/1\.1", values["request"], re.I)
    assert int(values["sent_bytes"]) > len(answer.body) and int(values["received_bytes"]) > 60
    assert values["trace_id"] == blue.requests[0].field("X-Amzn-Trace-Id")
    assert len(shlex.split(line)) == 36


def test_answers_of_the_load_balancer_itself(targets, run, tmp_path):
    weir, _ = start(targets, run)
    get(weir.port(), "/ping", {"User-Agent": "a"})
    get(weir.port(), "/old?x=1", {"User-Agent": "a"})
    get(weir.port(), "/empty", {"User-Agent": "a"})
    lines = {values["matched_rule_priority"]: values for values in map(fields, wait_lines(tmp_path / "access.log", 3))}
    ping, old, empty = lines["7"], lines["8"], lines["9"]  # three connections: their workers write in any order
    for values, status, priority, action in ((ping, "200", "7", "fixed-response"), (old, "302", "8", "redirect"), (empty, "503", "9", "forward")):
        assert (values["elb_status_code"], values["matched_rule_priority"], values["actions_executed"]) == (status, priority, action)
        assert values["target:port"] == values["target_status_code"] == values["target:port_list"] == "-"
        assert values["request_processing_time"] == values["target_processing_time"] == values["response_processing_time"] == "-1"
    assert re.fullmatch(r"http://shop\.example\.test:\d+/new\?x=1", old["redirect_url"])


def test_a_malformed_request_is_logged(targets, run, tmp_path):
    weir, _ = start(targets, run)
    exchange(weir.port(), b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")
    values = fields(wait_lines(tmp_path / "access.log", 1)[0])
    assert values["elb_status_code"] == "400" and values["target:port"] == "-"
    assert (values["classification"], values["classification_reason"]) == ("Severe", "MultipleContentLength")
    assert values["request_processing_time"] == "-1"


def test_an_ambiguous_request_is_classified_and_forwarded(targets, run, tmp_path):
    weir, _ = start(targets, run)
    exchange(weir.port(), b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    values = fields(wait_lines(tmp_path / "access.log", 1)[0])
    assert (values["classification"], values["classification_reason"], values["elb_status_code"]) == ("Ambiguous", "BothTeClPresent", "200")


def test_a_refused_target_is_502_and_was_not_dispatched(targets, run, tmp_path):
    weir, blue = start(targets, run)
    blue.stop()
    assert get(weir.port()).status == 502
    values = fields(wait_lines(tmp_path / "access.log", 1)[0])
    assert values["elb_status_code"] == "502" and values["target_status_code"] == "-" and values["target:port"] == "-"
    assert values["request_processing_time"] == values["target_processing_time"] == values["response_processing_time"] == "-1"


def test_a_client_that_goes_away_is_460(targets, run, tmp_path):
    import threading
    asked, proceed = threading.Event(), threading.Event()

    def script(request, wire):
        asked.set()
        proceed.wait(20)
        return False
    weir, _ = start(targets, run, script=script)
    client = Client(weir.port())
    client.request("GET", "/")
    assert asked.wait(10)
    client.reset()
    values = fields(wait_lines(tmp_path / "access.log", 1)[0])
    proceed.set()
    assert values["elb_status_code"] == "460"


def test_quotes_and_control_characters_cannot_forge_a_line(targets, run, tmp_path):
    weir, _ = start(targets, run)
    get(weir.port(), '/a"b', {"User-Agent": 'x" 1 "y\\'})
    line = wait_lines(tmp_path / "access.log", 1)[0]
    values = fields(line)
    assert '\\x22' in values["user_agent"]


def test_json_lines(targets, run, tmp_path):
    weir, blue = start(targets, run, log="{path: access.log, format: json}")
    get(weir.port(), "/a?b=\"c", {"User-Agent": "gr\xfc\xdfe"})
    get(weir.port(), "/ping")
    first, second = sorted(map(json.loads, wait_lines(tmp_path / "access.log", 2)), key=lambda line: line["matched_rule_priority"])
    assert first["type"] == "http" and first["elb_status_code"] == 200 and first["target"] == blue.id
    assert re.fullmatch(TIME, first["time"]) and first["actions_executed"] == "forward" and first["matched_rule_priority"] == 0
    assert first["target_processing_time"] >= 0 and first["trace_id"].startswith("Root=1-")
    assert second["matched_rule_priority"] == 7 and second["actions_executed"] == "fixed-response"


def test_sigusr1_reopens_the_file(targets, run, tmp_path):
    weir, _ = start(targets, run)
    get(weir.port(), "/first")
    log, rotated = tmp_path / "access.log", tmp_path / "access.log.1"
    wait_lines(log, 1)
    log.rename(rotated)
    get(weir.port(), "/second")
    wait_lines(rotated, 2)
    weir.signal(signal.SIGUSR1)
    wait_for(lambda: get(weir.port(), "/third").status == 200 and log.exists(), what="the new file")
    assert "/third" in wait_lines(log, 1)[0]
    settled = wait_lines(rotated, 2)
    get(weir.port(), "/fourth")
    wait_for(lambda: "/fourth" in log.read_text(encoding="latin-1"), what="the next line in the new file")
    assert wait_lines(rotated, 2) == settled


def test_a_dash_is_standard_output(targets, run):
    weir, _ = start(targets, run, log='{path: "-", format: json}')
    get(weir.port(), "/out")
    wait_for(lambda: any("/out" in line for line in weir.stdout), what="the line on standard output")
    assert json.loads(next(line for line in weir.stdout if "/out" in line))["elb_status_code"] == 200


def test_each_request_of_a_connection_has_a_line_and_shares_its_connection_id(targets, run, tmp_path):
    weir, _ = start(targets, run)
    with Client(weir.port()) as client:
        for number in range(20):
            client.get(f"/{number}")
    lines = [fields(line) for line in wait_lines(tmp_path / "access.log", 20)]
    assert len(lines) == 20 and len({line["conn_trace_id"] for line in lines}) == 1
    assert [line["request"].split("/")[3].split()[0] for line in lines] == [str(number) for number in range(20)]


def test_the_port_in_the_request_line_is_always_printed(targets, run, tmp_path):
    port = free_port()
    weir, _ = start(targets, run, port=port, script=answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    get(weir.port(), "/p", host="plain.example.test")
    assert fields(wait_lines(tmp_path / "access.log", 1)[0])["request"] == f"GET http://plain.example.test:{port}/p HTTP/1.1"
