"""`weir bench http`: real loads against scripted targets, nginx (HTTPS, HTTP/2) and the program itself."""

import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
from tls_e2e import certificate as make_certificate
from weir_e2e import BINARY, SCALE, FakeTarget, answering, free_port, stop_process, wait_for, weir


def bench(*arguments, code=0, seconds=60):
    """Runs a load to its end and gives its JSON; standard error is kept in `stderr`."""
    outcome = weir("bench", "http", "--json", *arguments, seconds=seconds)
    assert outcome.returncode == code, outcome.stdout + outcome.stderr
    result = json.loads(outcome.stdout)
    result["stderr"] = outcome.stderr
    return result


def outcomes(result):
    return result["outcomes"]


def errors(result):
    return result["errors"]


def shares(result):
    return result["shares"]


def refused(*arguments, code=2):
    outcome = weir("bench", "http", *arguments)
    assert outcome.returncode == code, outcome.stdout + outcome.stderr
    return outcome.stdout + outcome.stderr


# ---- the loops


def test_a_closed_loop_sends_exactly_so_many_requests(targets):
    blue = targets("blue")
    result = bench("-n", 500, "-c", 8, "-t", 2, "--group-header", "X-Target", f"http://{blue.id}/a?b=c")
    assert outcomes(result) == {"200": 500}
    assert shares(result) == {"blue": 500}
    assert errors(result) == {}
    assert len(blue.requests) == 500
    assert blue.connections_accepted == 8
    first = blue.requests[0]
    assert (first.method, first.target, first.field("Host")) == ("GET", "/a?b=c", blue.id)


def test_an_open_loop_keeps_its_rate(targets):
    blue = targets("blue")
    result = bench("--rate", 200, "--arrivals", "constant", "-d", "1s", "-c", 4, f"http://{blue.id}/")
    assert result["totals"]["started"] == 200
    assert outcomes(result) == {"200": 200}


def test_a_stall_is_seen_by_every_request_that_came_due(targets):
    """One connection, 100 requests a second, and one answer that takes a second: a hundred requests were late."""
    stalled = threading.Event()

    def script(request, wire):
        if request.target == "/" and not stalled.is_set():
            stalled.set()
            time.sleep(1)
        FakeTarget.read_body(request, wire)
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        return True
    blue = targets("blue", script=script)
    result = bench("--rate", 100, "--arrivals", "constant", "-d", "2s", "-c", 1, f"http://{blue.id}/")
    assert result["totals"]["started"] == 200 == result["totals"]["completed"]
    latency = result["latency"]
    assert latency["max-ms"] >= 950
    assert latency["percentiles-ms"]["75"] > 300, "a quarter of the requests waited for the stalled one"


def test_requests_beyond_the_backlog_are_counted(targets):
    blue = targets("blue", script=lambda request, wire: time.sleep(60))
    result = bench("--rate", 100, "--arrivals", "constant", "-d", "1s", "-c", 1, "--backlog", 10, "--timeout", "1500ms",
                   f"http://{blue.id}/", code=1)
    seen = errors(result)
    assert seen["backlog"] == 89
    assert seen["timeout"] == 1
    assert seen["unsent at the end"] == 10
    assert result["totals"]["started"] == 100


def test_a_warm_up_is_not_counted(targets):
    blue = targets("blue")
    result = bench("-n", 20, "-c", 2, "--warmup", "300ms", f"http://{blue.id}/")
    assert outcomes(result) == {"200": 20}
    assert len(blue.requests) > 20


def test_weights_are_exact_and_origins_differ(targets):
    blue, green = targets("blue"), targets("green")
    result = bench("-n", 400, "-c", 4, "--weights", "3,1", "--group-header", "x-target", f"http://{blue.id}/", f"http://{green.id}/")
    assert shares(result) == {"blue": 300, "green": 100}


# ---- requests


def test_method_headers_and_content_are_sent(targets, tmp_path):
    blue = targets("blue")
    bench("-n", 1, "-c", 1, "-X", "PATCH", "-H", "X-A: 1", "-H", "X-B: two", "-H", "Host: other.test", "--data", "hello", f"http://{blue.id}/")
    request = blue.requests[0]
    assert (request.method, request.body, request.field("X-A"), request.field("X-B")) == ("PATCH", b"hello", "1", "two")
    assert request.values("Host") == ["other.test"]
    file = tmp_path / "content"
    file.write_bytes(b"x" * 1_000_000)
    result = bench("-n", 3, "-c", 1, "--data-file", file, f"http://{blue.id}/")
    assert [(request.method, len(request.body)) for request in blue.requests[1:]] == [("POST", 1_000_000)] * 3
    assert result["totals"]["bytes-sent"] > 3_000_000


@pytest.mark.parametrize("answer, status, connections", [
    ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "200", 1),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "200", 1),
    ("HTTP/1.1 204 No Content\r\n\r\n", "204", 1),
    ("HTTP/1.1 304 Not Modified\r\n\r\n", "304", 1),
    ("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "503", 1),
    ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "200", 20),
    ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "200", 20),
])
def test_every_framing_is_understood(targets, answer, status, connections):
    blue = targets("blue", script=answering(answer))
    result = bench("-n", 20, "-c", 1, "--expect", status, f"http://{blue.id}/")
    assert outcomes(result) == {status: 20}
    assert errors(result) == {}
    assert blue.connections_accepted == connections


def test_content_may_end_with_the_connection(targets):
    def script(request, wire):
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
        return False
    blue = targets("blue", script=script)
    assert outcomes(bench("-n", 5, "-c", 1, f"http://{blue.id}/")) == {"200": 5}


def test_head_has_no_content(targets):
    blue = targets("blue")
    assert outcomes(bench("-n", 10, "-c", 1, "-X", "HEAD", f"http://{blue.id}/")) == {"200": 10}
    assert blue.connections_accepted == 1


def test_a_connection_for_each_request(targets):
    blue = targets("blue")
    result = bench("-n", 50, "-c", 4, "--connection-per-request", f"http://{blue.id}/")
    assert outcomes(result) == {"200": 50}
    assert blue.connections_accepted == 50 == result["totals"]["connections"]
    assert {request.field("Connection") for request in blue.requests} == {"close"}


# ---- failures


def test_nothing_answered_is_exit_1_and_the_kind_is_named():
    result = bench("-d", "200ms", "-c", 2, f"http://127.0.0.1:{free_port()}/", code=1)
    assert set(errors(result)) == {"connect refused"}
    assert 2 <= errors(result)["connect refused"] <= 40, "a dead target is asked again after a pause"


def test_a_silent_target_is_a_timeout(targets):
    blue = targets("blue", script=lambda request, wire: time.sleep(60))
    result = bench("-n", 2, "-c", 2, "--timeout", "100ms", f"http://{blue.id}/", code=1)
    assert errors(result) == {"timeout": 2}


@pytest.mark.parametrize("answer, kind", [
    (b"SMTP ready\r\n\r\n", "malformed response"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "malformed response"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "closed early"),
    (b"", "closed early"),
])
def test_broken_answers_have_their_kind(targets, answer, kind):
    def script(request, wire):
        wire.socket.sendall(answer)
        return False
    blue = targets("blue", script=script)
    result = bench("-n", 2, "-c", 1, f"http://{blue.id}/", code=1)
    assert errors(result) == {kind: 2}


def test_bytes_behind_an_answer_are_told(targets):
    blue = targets("blue", script=answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    result = bench("-n", 3, "-c", 1, f"http://{blue.id}/")
    assert outcomes(result) == {"200": 3}
    assert errors(result) == {"stray bytes": 3}


def test_a_kept_connection_that_closes_as_we_send_is_a_kind_of_its_own(targets):
    def script(request, wire):
        FakeTarget.read_body(request, wire)
        if request.target == "/" and request.connection and len(script.seen) % 2:
            script.seen.append(1)
            return False
        script.seen.append(1)
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        return True
    script.seen = []
    blue = targets("blue", script=script)
    result = bench("-n", 10, "-c", 1, f"http://{blue.id}/")
    assert outcomes(result) == {"200": 5}
    assert errors(result) == {"closed idle": 5}


# ---- addresses


def test_resolve_replaces_the_look_up(targets):
    blue = targets("blue")
    result = bench("-n", 2, "-c", 1, "--resolve", f"shop.test:{blue.port}:127.0.0.1", f"http://shop.test:{blue.port}/")
    assert outcomes(result) == {"200": 2}
    assert blue.requests[0].field("Host") == f"shop.test:{blue.port}"


def test_a_name_that_does_not_exist_is_the_systems_refusal():
    assert "shop.invalid" in refused("-n", "1", "-c", "1", "http://shop.invalid/", code=3)


def test_only_one_family_is_used(targets):
    blue = targets("blue")
    assert outcomes(bench("-n", 1, "-c", 1, "-4", f"http://localhost:{blue.port}/")) == {"200": 1}
    assert "no IPv6 address" in refused("-6", f"http://127.0.0.1:{blue.port}/", code=3)


# ---- TLS and HTTP/2


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for shop.test, signed by itself."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=shop.test", "-addext", "subjectAltName=DNS:shop.test", "-keyout", folder / "key.pem",
                    "-out", folder / "cert.pem"], check=True, capture_output=True)
    return folder


@pytest.fixture
def secure(nginx, certificate):
    """nginx with TLS (h2 and http/1.1) on `tls_port`, HTTP/2 without TLS on `h2c_port`, and the same on `short_port`, where a
    connection ends after 20 requests."""
    tls_port, h2c_port, short_port = free_port(), free_port(), free_port()
    server = nginx("blue", extra=f"""
    }}
    server {{
      listen 127.0.0.1:{tls_port} ssl http2; listen 127.0.0.1:{h2c_port} http2;
      server_name shop.test; default_type text/plain;
      ssl_certificate {certificate}/cert.pem; ssl_certificate_key {certificate}/key.pem;
      client_max_body_size 10m;
      location / {{ add_header X-Protocol $server_protocol; return 200 "blue\\n"; }}
    }}
    server {{
      listen 127.0.0.1:{short_port} http2;
      keepalive_requests 20;
      location / {{ return 200 "blue\\n"; }}
""")
    server.tls_port, server.h2c_port, server.short_port = tls_port, h2c_port, short_port
    return server


def shop(port, *arguments, **options):
    return bench("--resolve", f"shop.test:{port}:127.0.0.1", "--group-header", "X-Protocol", *arguments, f"https://shop.test:{port}/", **options)


def test_https_with_a_verified_certificate(secure, certificate):
    result = shop(secure.tls_port, "-n", 200, "-c", 4, "--ca-file", certificate / "cert.pem")
    assert outcomes(result) == {"200": 200}
    assert shares(result) == {"HTTP/1.1": 200}


def test_a_certificate_that_is_not_trusted_is_refused_unless_told(secure):
    result = shop(secure.tls_port, "-n", 1, "-c", 1, code=1)
    assert errors(result) == {"tls certificate": 1}
    assert "self-signed" in result["stderr"]
    assert outcomes(shop(secure.tls_port, "-n", 2, "-c", 1, "--insecure")) == {"200": 2}


def test_a_certificate_for_another_name_is_refused(secure, certificate):
    result = bench("-n", 1, "-c", 1, "--ca-file", certificate / "cert.pem", f"https://127.0.0.1:{secure.tls_port}/", code=1)
    assert errors(result) == {"tls certificate": 1}


def handshakes(result):
    return result["totals"]["tls-handshakes-full"], result["totals"]["tls-handshakes-resumed"]


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_a_share_of_the_connections_resumes_a_session(run, tmp_path, version):
    policy = {"TLSv1.2": "ELBSecurityPolicy-TLS-1-2-2017-01", "TLSv1.3": "ELBSecurityPolicy-TLS13-1-3-2021-06"}[version]
    pem, key = make_certificate(tmp_path, "shop")
    program = run(f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTPS
        ssl-policy: {policy}
        certificates: [{{certificate: "{pem}", key: "{key}"}}]
        default-actions: [{{fixed-response: {{status-code: 200, message-body: hello}}}}]
admin: {{address: 127.0.0.1, port: 0}}
""")
    url = f"https://127.0.0.1:{program.port()}/"
    each = ("--insecure", "--connection-per-request", "-c", 2, "-n", 100)
    assert handshakes(bench(*each, url)) == (100, 0)
    # The first ones have nothing to resume: two connections, which take turns with the sessions of four.
    assert handshakes(bench(*each, "--tls-resume", 100, url)) == (4, 96)
    full, resumed = handshakes(bench(*each, "--tls-resume", 50, url))
    assert full + resumed == 100 and 46 <= resumed <= 50
    kept = bench("--insecure", "-c", 2, "-n", 100, "--tls-resume", 100, url)
    assert handshakes(kept) == (2, 0), "a connection that is kept shakes hands once"
    table = weir("bench", "http", *each, "--tls-resume", 100, url).stdout
    assert re.search(r"TLS, full +4 ", table) and re.search(r"TLS, resumed +96 ", table), table


def test_http2_over_tls(secure, certificate):
    result = shop(secure.tls_port, "-n", 900, "-c", 3, "--http2", "--streams", 10, "--ca-file", certificate / "cert.pem")
    assert outcomes(result) == {"200": 900}
    assert shares(result) == {"HTTP/2.0": 900}
    assert result["totals"]["connections"] == 3


def test_http2_with_prior_knowledge_and_content(secure):
    url = f"http://127.0.0.1:{secure.h2c_port}/"
    result = bench("-n", 40, "-c", 2, "--http2", "--streams", 4, "--group-header", "x-protocol", url)
    assert shares(result) == {"HTTP/2.0": 40}
    assert outcomes(bench("-n", 4, "-c", 1, "--http2", "--data", "x" * 100_000, url)) == {"200": 4}
    result = bench("-n", 5, "-c", 1, "--http2", "--connection-per-request", url)
    assert outcomes(result) == {"200": 5}
    assert result["totals"]["connections"] == 5


def test_http2_outlives_the_goaway_of_the_server(secure):
    result = bench("-n", 200, "-c", 1, "--http2", "--streams", 2, f"http://127.0.0.1:{secure.short_port}/")
    assert set(outcomes(result)) == {"200"}
    assert set(errors(result)) <= {"http2 refused"}, "a request behind the last stream of a GOAWAY was not acted upon"
    assert outcomes(result)["200"] + sum(errors(result).values()) == 200
    assert result["totals"]["connections"] >= 10


def test_a_server_without_http2_is_told(targets):
    blue = targets("blue", script=answering("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
    result = bench("-n", 1, "-c", 1, "--http2", "--timeout", "2s", f"http://{blue.id}/", code=1)
    assert set(errors(result)) <= {"http2 protocol", "closed early", "reset"}


# ---- replay


LINE = ('http {time} app/shop/0 198.51.100.7:1 - 0.0 0.0 0.0 200 200 1 1 "{method} http://shop.test:80{target} HTTP/1.1" '
        '"agent/1" - - - "-" "-" "-" 0 {time} "forward" "-" "-" "-" "200" "-" "-" TID_0\n')


def log_line(milliseconds, method="GET", target="/"):
    return LINE.format(time=f"2026-11-02T10:15:{30 + milliseconds // 1000:02d}.{milliseconds % 1000:03d}Z", method=method, target=target)


def test_a_log_is_replayed_at_its_pace_and_faster(targets, tmp_path):
    log = tmp_path / "access.log"
    log.write_text("".join(log_line(at, target=f"/{at}") for at in (0, 400, 800, 1200)) + "rubbish\n", encoding="utf-8")
    blue = targets("blue")
    started = time.monotonic()
    result = bench("--replay", log, "-c", 2, f"http://{blue.id}/not-this")
    assert time.monotonic() - started >= 1.2
    assert outcomes(result) == {"200": 4}
    assert [request.target for request in blue.requests] == ["/0", "/400", "/800", "/1200"]
    assert {(request.field("Host"), request.field("User-Agent")) for request in blue.requests} == {("shop.test", "agent/1")}
    assert f"{log}:5: skipped: field 2 is missing" in result["stderr"]
    result = bench("--replay", log, "--speed", 12, "-c", 2, f"http://{blue.id}/")
    assert outcomes(result) == {"200": 4}
    assert result["seconds"] < 1.0


def test_a_log_without_a_request_is_wrong_input(tmp_path):
    log = tmp_path / "access.log"
    log.write_text("rubbish\n", encoding="utf-8")
    assert f"{log}:1: " in refused("--replay", str(log), "http://127.0.0.1:1/", code=1)


# ---- what is shown


def test_the_appliance_shows_its_share_and_events(targets, run):
    blue, green = targets("blue"), targets("green")
    config = f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTP
        default-actions: [{{forward: {{target-groups: [{{name: blue, weight: 1}}, {{name: green, weight: 1}}]}}}}]
target-groups:
  - {{name: blue, targets: [{blue.yaml}]}}
  - {{name: green, targets: [{green.yaml}]}}
admin: {{address: 127.0.0.1, port: 0}}
"""
    appliance = run(config)
    for target in (blue, green):
        appliance.wait_state(target.name, target, "healthy")
    admin = ":".join(map(str, appliance.admin))
    load = subprocess.Popen([BINARY, "bench", "http", "--json", "--rate", "200", "-d", "3s", "-c", "4", "--admin", admin,
                             f"http://127.0.0.1:{appliance.port()}/"], stdout=subprocess.PIPE, text=True)
    wait_for(lambda: len(blue.requests) + len(green.requests) > 100, 20, "load")
    weights = f"/v1/load-balancers/shop/listeners/{appliance.listeners()[0][1]}/rules/default/weights"
    status, answer = appliance.call("PUT", weights, {"blue": 0, "green": 100})
    assert status == 200, answer
    result = json.loads(load.communicate(timeout=30 * SCALE)[0])
    assert load.returncode == 0
    assert set(shares(result)) == {"blue", "green"}
    assert any(event["kind"] == "shift" and 0 <= event["seconds"] <= result["seconds"] for event in result["events"]), result["events"]


def test_a_wrong_admin_address_is_told_before_the_load(targets):
    blue = targets("blue")
    refused("-n", "1", "-c", "1", "--admin", f"127.0.0.1:{free_port()}", f"http://{blue.id}/", code=3)
    assert not blue.requests


def test_table_page_and_progress(targets, tmp_path):
    blue = targets("blue")
    page = tmp_path / "load.html"
    outcome = weir("bench", "http", "-d", "1100ms", "-c", 2, "--progress", "--report", page, f"http://{blue.id}/")
    assert outcome.returncode == 0, outcome.stderr
    assert "closed loop" in outcome.stdout and "p99.9" in outcome.stdout
    assert re.search(r"requests/s.*p50", outcome.stderr), outcome.stderr
    text = page.read_text(encoding="utf-8")
    assert text.lower().startswith("<!doctype html>") and "weir bench http" in text
    quiet = weir("bench", "http", "-n", 5, "-c", 1, "--quiet", f"http://{blue.id}/")
    assert quiet.stderr == ""
    refused("-n", "1", "-c", "1", "--report", str(tmp_path / "no" / "folder.html"), f"http://{blue.id}/", code=3)


def test_ctrl_c_ends_the_run_and_reports(targets):
    blue = targets("blue")
    load = subprocess.Popen([BINARY, "bench", "http", "--json", "-d", "60s", "-c", "2", f"http://{blue.id}/"], stdout=subprocess.PIPE, text=True)
    wait_for(lambda: len(blue.requests) > 50, 20, "load")
    load.send_signal(signal.SIGINT)
    text, _ = load.communicate(timeout=20 * SCALE)
    assert stop_process(load) == 0
    result = json.loads(text)
    assert result["interrupted"] is True
    assert result["totals"]["completed"] > 0 and result["seconds"] < 30


# ---- the command line


@pytest.mark.parametrize("arguments, words", [
    ([], "URL"),
    (["http://a.test/", "--rate", "0"], "rate"),
    (["http://a.test/", "-c", "0"], "connections"),
    (["http://a.test/", "-d", "10"], "10s"),
    (["ftp://a.test/"], "http://"),
    (["http://a.test/", "--arrivals", "poisson"], "--rate"),
    (["http://a.test/", "--http2", "--http1.1"], "http"),
    (["http://a.test/", "-4", "-6"], "-4"),
    (["http://a.test/", "--data", "x", "--data-file", "y"], "data"),
    (["http://a.test/", "--admin", "nowhere"], "ADDRESS:PORT"),
    (["http://a.test/", "--weights", "1,2"], "--weights"),
    (["https://a.test/", "--ca-file", "x", "--insecure"], "insecure"),
])
def test_a_wrong_command_line_is_refused(arguments, words):
    assert words in refused(*arguments)


def test_authorities_that_are_none_are_refused(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text("hello", encoding="utf-8")
    assert str(file) in refused("--ca-file", str(file), f"https://127.0.0.1:{free_port(socket.SOCK_STREAM)}/", code=3)


def test_help_has_an_example():
    outcome = weir("bench", "http", "--help")
    assert outcome.returncode == 0 and "weir bench http --rate" in outcome.stdout
