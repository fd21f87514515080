"""Functions as targets (ALB 7.4), by endpoints that speak the Invoke call: events, responses, limits, failures, versions, health."""

import base64
import json
import re
import socket
import threading

import pytest
from lambda_e2e import InvokeServer, config, says
from weir_e2e import SCALE, Client, free_port, get, wait_for

MEGABYTE = 1 << 20


@pytest.fixture
def function():
    """function(handler) starts an endpoint; all are stopped at the end."""
    servers = []

    def start(handler, **options):
        servers.append(InvokeServer(handler, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.__exit__()


def metric(weir, name):
    """The sum over all that the labels tell apart."""
    found = re.findall(rf"^weir_{name}(?:{{[^}}]*}})? ([0-9.e+]+)$", weir.metrics(), re.MULTILINE)
    return sum(map(float, found))


def test_the_event_is_alb_s_and_the_response_is_the_function_s(run, function):
    server = function(lambda event: {
        "statusCode": 201, "statusDescription": "201 Made", "isBase64Encoded": False, "body": "done\n",
        "headers": {"Content-Type": "text/plain", "Set-Cookie": "a=1", "Connection": "close", "Content-Length": "999", "Transfer-Encoding": "chunked"}})
    weir = run(config(f'{{invoke: "{server.url}"}}'))
    with Client(weir.port()) as client:
        client.request("POST", "/a%20b/%C3%A9?x=1&x=w%20d&flag", {"X-Custom": "first", "x-custom": "last", "Content-Type": "text/plain"}, b"body \"1\"")
        answer = client.response()
        assert (answer.status, answer.reason, answer.body) == (201, "Made", b"done\n")
        assert answer.field("Set-Cookie") == "a=1" and answer.field("Content-Length") == "5"
        assert answer.field("Server") == "awselb/2.0" and answer.field("Date") and answer.field("Transfer-Encoding") is None
        assert answer.field("X-Amz-Executed-Version") is None, "only a function with versions says which one ran"
        assert client.get("/again").status == 201, "the connection goes on"
    event = server.requests()[0]
    assert list(event) == ["requestContext", "httpMethod", "path", "queryStringParameters", "headers", "body", "isBase64Encoded"]
    assert re.fullmatch(r"arn:aws:elasticloadbalancing:local:000000000000:targetgroup/fn/[0-9a-f]{16}", event["requestContext"]["elb"]["targetGroupArn"])
    assert (event["httpMethod"], event["path"]) == ("POST", "/a%20b/%C3%A9")
    assert event["queryStringParameters"] == {"x": "w%20d", "flag": ""}
    fields = event["headers"]
    assert list(fields) == sorted(fields) and all(name == name.lower() for name in fields)
    assert fields["x-custom"] == "last" and fields["host"] == f"shop.example.test:{weir.port()}" and fields["content-length"] == "8"
    assert fields["x-forwarded-for"] == "127.0.0.1" and fields["x-forwarded-proto"] == "http" and fields["x-forwarded-port"] == str(weir.port())
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", fields["x-amzn-trace-id"])
    assert (event["body"], event["isBase64Encoded"]) == ('body "1"', False)
    assert server.requests()[1]["body"] == ""


def test_binary_content_is_base64_both_ways(run, function):
    server = function(lambda event: {"statusCode": 200, "isBase64Encoded": True, "headers": {"Content-Type": "application/octet-stream"},
                                     "body": base64.b64encode(base64.b64decode(event["body"])[::-1]).decode()})
    weir = run(config(f'{{invoke: "{server.url}"}}'))
    content = bytes(range(256)) * 3
    assert get(weir.port(), "/", {"Content-Type": "image/png"}, method="POST", body=content).body == content[::-1]
    assert server.requests()[0]["isBase64Encoded"] is True
    # An encoding makes a text binary.
    get(weir.port(), "/", {"Content-Type": "text/plain", "Content-Encoding": "gzip"}, method="POST", body=content)
    assert server.requests()[1]["isBase64Encoded"] is True


def test_all_values_where_they_are_enabled(run, function):
    server = function(lambda event: {"statusCode": 200, "isBase64Encoded": False, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}, "body": ""})
    weir = run(config(f'{{invoke: "{server.url}"}}', "attributes: {lambda.multi_value_headers.enabled: true}"))
    answer = get(weir.port(), "/?k=1&k=2", [("X-A", "1"), ("X-A", "2")])
    assert answer.values("Set-Cookie") == ["a=1", "b=2"]
    event = server.requests()[0]
    assert event["multiValueQueryStringParameters"] == {"k": ["1", "2"]} and event["multiValueHeaders"]["x-a"] == ["1", "2"]
    assert "headers" not in event and "queryStringParameters" not in event


def test_head_and_statuses_without_content(run, function):
    server = function(lambda event: {"statusCode": int(event["path"][1:]), "isBase64Encoded": False, "headers": {}, "body": "text"})
    weir = run(config(f'{{invoke: "{server.url}"}}'))
    with Client(weir.port()) as client:
        answer = client.request("HEAD", "/200").response("HEAD")
        assert (answer.status, answer.field("Content-Length")) == (200, "4")
        assert client.get("/204").status == 204
        assert client.get("/304").status == 304
        assert client.get("/503").body == b"text", "a status of the function is its own"


def test_one_megabyte_each_way_and_not_more(run, function):
    def handler(event):
        size = int(event["path"][1:])
        empty = json.dumps({"statusCode": 200, "isBase64Encoded": False, "headers": {}, "body": ""})
        return json.dumps({"statusCode": 200, "isBase64Encoded": False, "headers": {}, "body": "x" * (size - len(empty))}).encode()

    server = function(handler)
    weir = run(config(f'{{invoke: "{server.url}"}}'))
    text = {"Content-Type": "text/plain"}
    assert get(weir.port(), "/100", text, method="POST", body=b"a" * MEGABYTE).status == 200
    assert len(server.requests()[-1]["body"]) == MEGABYTE
    count = len(server.events)
    assert get(weir.port(), "/100", text, method="POST", body=b"a" * (MEGABYTE + 1)).status == 413
    with Client(weir.port()) as client:  # not announced
        client.send("POST /100 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(17):
                client.send(b"10000\r\n" + b"a" * 65536 + b"\r\n")
        except ConnectionError:
            pass
        assert client.response().status == 413
    assert len(server.events) == count, "what is too large is not invoked"
    answer = get(weir.port(), f"/{MEGABYTE}")
    assert answer.status == 200 and len(answer.body) > MEGABYTE - 100
    assert get(weir.port(), f"/{MEGABYTE + 1}").status == 502


def test_chunked_content_arrives_whole(run, function):
    server = function(says("ok"))
    weir = run(config(f'{{invoke: "{server.url}"}}'))
    with Client(weir.port()) as client:
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        client.send("2\r\nde\r\n0\r\n\r\n")
        assert client.response().body == b"ok"
    assert server.requests()[0]["body"] == "abcde"
    assert "content-length" not in server.requests()[0]["headers"]


LOG = re.compile(r'"[^"]*"|\S+')


def test_failures_their_codes_reasons_and_metrics(run, function, tmp_path):
    answers = {
        "/error": (502, "LambdaUnhandled"), "/text": (502, "LambdaInvalidResponse"), "/bare": (502, "LambdaInvalidResponse"),
        "/broken": (502, "LambdaInvalidResponse"),
    }

    def handler(event):
        if event["path"] == "/error":
            raise RuntimeError("on purpose")
        return {"/text": b"no JSON", "/bare": {"statusCode": 200}, "/broken": {"statusCode": 200, "isBase64Encoded": True, "headers": {}, "body": "%%"}}[event["path"]]

    server = function(handler)
    log = tmp_path / "access.log"
    weir = run(config(f'{{invoke: "{server.url}"}}', log=f"access-log: {{path: {log}}}"))
    for path, (status, _) in answers.items():
        assert get(weir.port(), path).status == status, path
    lines = wait_for(lambda: log.exists() and len(found := log.read_text().splitlines()) >= len(answers) and found, 10, "lines")
    for path, (status, reason) in answers.items():
        # Each worker writes its lines when it gets to it.
        line = next(one for one in lines if f"{path} HTTP/1.1" in one)
        words = LOG.findall(line)
        assert words[4] == "-" and words[8] == str(status) and words[9] == "-", line
        assert words[16].startswith("arn:aws:elasticloadbalancing:local:000000000000:targetgroup/fn/"), line
        assert words[24] == f'"{reason}"' and words[25] == '"-"', line
    assert metric(weir, "target_group_lambda_user_errors_total") == len(answers)
    assert metric(weir, "target_group_lambda_internal_errors_total") == 0
    assert metric(weir, "target_group_lambda_processed_bytes_total") >= sum(map(len, server.events))
    assert metric(weir, "target_group_requests_total") == len(answers)


@pytest.mark.parametrize("answered, status, reason", [
    (429, 502, "LambdaThrottling"), (500, 502, "LambdaServiceException"), (403, 502, "LambdaAccessDenied"),
    (404, 502, "LambdaResourceNotFound"), (400, 502, "LambdaBadRequest")])
def test_what_the_endpoint_itself_says(run, function, tmp_path, answered, status, reason):
    server = function(says("never"), status=answered)
    log = tmp_path / "access.log"
    weir = run(config(f'{{invoke: "{server.url}"}}', log=f"access-log: {{path: {log}, format: json}}"))
    assert get(weir.port()).status == status
    line = json.loads(wait_for(lambda: log.exists() and log.read_text(), 10, "a line"))
    assert line["error_reason"] == reason and line["function_version"] == "$LATEST" and line["function_error"] == f"HTTP {answered}"


def test_nobody_answers(run, tmp_path):
    log = tmp_path / "access.log"
    url = f"http://127.0.0.1:{free_port()}/x"
    weir = run(config(f'{{invoke: "{url}"}}', log=f"access-log: {{path: {log}}}"))
    assert get(weir.port()).status == 504
    wait_for(lambda: log.exists() and '"LambdaConnectionError"' in log.read_text(), 10, "the reason")
    assert metric(weir, "target_group_lambda_internal_errors_total") == 1


def test_the_time_out_of_the_function(run, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        log = tmp_path / "access.log"
        weir = run(config(f'{{invoke: "http://127.0.0.1:{silent.getsockname()[1]}/x", timeout: 300ms}}', log=f"access-log: {{path: {log}}}"))
        assert get(weir.port()).status == 504
        wait_for(lambda: log.exists() and '"LambdaConnectionTimeout"' in log.read_text(), 10, "the reason")


def test_the_idle_timeout_ends_the_wait(run, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        log = tmp_path / "access.log"
        weir = run(config(f'{{invoke: "http://127.0.0.1:{silent.getsockname()[1]}/x"}}', log=f"access-log: {{path: {log}}}",
                          balancer="attributes: {idle_timeout.timeout_seconds: 1}"))
        assert get(weir.port()).status == 504
        wait_for(lambda: log.exists() and '"LambdaConnectionTimeout"' in log.read_text(), 10, "the reason")
        assert metric(weir, "target_group_lambda_internal_errors_total") == 1


def test_websockets_are_refused(run, function):
    server = function(says("never"))
    weir = run(config(f'{{invoke: "{server.url}"}}'))
    answer = get(weir.port(), "/", {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                                    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    assert answer.status == 400 and not server.events


def test_concurrency_is_bounded(run, function):
    held, release = threading.Semaphore(0), threading.Event()

    def handler(_):
        held.release()
        release.wait(30 * SCALE)
        return says("late")(None)

    server = function(handler)
    weir = run(config(f'{{invoke: "{server.url}", concurrency: 2}}'))
    with Client(weir.port(), seconds=40) as first, Client(weir.port(), seconds=40) as second:
        for client in (first, second):
            client.request("GET", "/")
            assert held.acquire(timeout=10 * SCALE)
        assert get(weir.port()).status == 502, "throttled"
        release.set()
        assert first.response().body == second.response().body == b"late"
    assert get(weir.port()).status == 200, "there is room again"


def test_a_client_that_leaves_ends_nothing_else(run, function):
    held, release = threading.Semaphore(0), threading.Event()

    def handler(event):
        if event["path"] == "/slow":
            held.release()
            release.wait(30 * SCALE)
        return says("ok")(event)

    server = function(handler)
    weir = run(config(f'{{invoke: "{server.url}"}}'))
    client = Client(weir.port())
    client.request("GET", "/slow")
    assert held.acquire(timeout=10 * SCALE)
    client.reset()
    assert get(weir.port()).body == b"ok"
    release.set()
    assert get(weir.port()).body == b"ok"


def test_versions_are_drawn_by_weight_and_said(run, function):
    one, two = function(says("one")), function(says("two"))
    weir = run(config(f'{{alias: live, versions: [{{name: "1", invoke: "{one.url}"}}, {{name: "2", weight: 0.25, invoke: "{two.url}"}}]}}'))
    seen = {}
    with Client(weir.port()) as client:
        for _ in range(400):
            answer = client.get()
            pair = (answer.field("X-Amz-Executed-Version"), answer.body)
            seen[pair] = seen.get(pair, 0) + 1
    assert set(seen) == {("1", b"one"), ("2", b"two")}
    assert 50 <= seen["2", b"two"] <= 150, "a quarter on average: 5 standard deviations"


def test_a_reload_keeps_what_is_under_way(run, function):
    held, release = threading.Semaphore(0), threading.Event()

    def handler(event):
        if event["path"] == "/slow":
            held.release()
            release.wait(30 * SCALE)
        return says("old")(event)

    old, new = function(handler), function(says("new"))
    weir = run(config(f'{{invoke: "{old.url}"}}'))
    with Client(weir.port(), seconds=40) as client:
        client.request("GET", "/slow")
        assert held.acquire(timeout=10 * SCALE)
        code, answer = weir.call("PATCH", "/v1/document", [{"op": "replace", "path": "/target-groups/0/function", "value": {"invoke": new.url}}])
        assert code == 200, answer
        assert get(weir.port()).body == b"new"
        release.set()
        assert client.response().body == b"old"


def test_a_function_without_checks_is_unavailable_and_used(run, function):
    server = function(says("ok"))
    weir = run(config(f'{{invoke: "{server.url}"}}'))
    target = wait_for(lambda: weir.targets("fn").get("fn"), 10, "the function in the status")
    assert (target["state"], target["reason"]) == ("unavailable", "Target.HealthCheckDisabled")
    assert get(weir.port()).body == b"ok"
    assert len(server.events) == 1, "nothing is invoked but by requests"


def test_health_checks_are_invocations(run, function):
    status = {"code": 200}
    server = function(lambda event: {"statusCode": status["code"], "isBase64Encoded": False, "headers": {}})
    weir = run(config(f'{{invoke: "{server.url}"}}', "health-check: {enabled: true, path: '/up?a=b', interval: 100ms, timeout: 100ms, healthy-threshold: 2}"))
    weir.wait_state("fn", "fn", "healthy")
    event = server.requests()[0]
    assert event["headers"] == {"user-agent": "ELB-HealthChecker/2.0"} and event["httpMethod"] == "GET"
    assert event["path"] == "/up" and event["queryStringParameters"] == {"a": "b"} and event["body"] == ""
    status["code"] = 503
    weir.wait_state("fn", "fn", "unhealthy")
    assert weir.targets("fn")["fn"]["description"] == "Health checks failed with these codes: [503]"
    assert get(weir.port()).status == 503, "there is no other: it is asked all the same"
    status["code"] = 200
    weir.wait_state("fn", "fn", "healthy")
    assert metric(weir, "target_group_requests_total") == 1, "checks are no requests"


def test_two_hundred_at_once(run, function):
    server = function(says("ok"))
    weir = run(config(f'{{invoke: "{server.url}"}}'))
    failures = []

    def ask():
        try:
            if get(weir.port()).body != b"ok":
                failures.append("another answer")
        except OSError as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[:3]
