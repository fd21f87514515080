"""Link-local addresses with their zones: bound by a listener, reached as a target, named in status and in calls."""

import json
import subprocess
import sys

import pytest
from weir_e2e import Network, Weir, curl, stop_process, wait_for, weir

CONFIG = """
load-balancers:
  - name: shop
    addresses: ["fe80::1%w0"]
    listeners: [{port: 8080, default-actions: [{forward: {target-group: blue}}]}]
target-groups:
  - {name: blue, targets: [{address: "fe80::2%w1", port: 9001}], health-check: {interval: 1s}}
admin: {address: 127.0.0.1, port: 9900}
"""

TARGET = """if True:
    import http.server, socket
    class Target(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = f"hello {self.client_address[0]}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6
    Server(("fe80::2", 9001, 0, socket.if_nametoindex("w1")), Target).serve_forever()
"""


@pytest.fixture
def network():
    try:
        made = Network(links=True)
    except PermissionError as refused:
        pytest.skip(f"no network of its own: {refused}")
    with made:
        yield made


def test_a_listener_and_a_target_on_links_of_their_own(network, tmp_path):
    target = subprocess.Popen([*network.enter, sys.executable, "-c", TARGET], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with Weir(CONFIG, tmp_path, network=network) as weir_run:
            assert "[fe80::1%w0]:8080" in weir_run.ready_line()

            def blue():
                answer = curl("http://127.0.0.1:9900/v1/status", network=network)
                return json.loads(answer.stdout)["target-groups"][0]["targets"][0]

            wait_for(lambda: blue()["state"] == "healthy", 15, "the target to be healthy")
            assert blue()["id"] == "[fe80::2%w1]:9001"
            answer = curl("-g", "http://[fe80::1%25w0]:8080/", network=network)
            assert answer.stdout.startswith("hello fe80::"), answer
            forced = curl("-g", "-X", "PUT", "-d", '{"state": "draining"}', network=network,
                          *["http://127.0.0.1:9900/v1/target-groups/blue/targets/%5Bfe80::2%25w1%5D:9001/admin-state"])
            assert "revision" in forced.stdout, forced
            assert blue()["state"] == "draining" and blue()["admin-state"] == "draining"
    finally:
        stop_process(target)


@pytest.mark.parametrize("text, says", [
    ("fe80::1%no-such-link", "'fe80::1%no-such-link' names no interface"),
    ("2001:db8::1%lo", "'2001:db8::1%lo' cannot have a zone; only addresses of fe80::/10 have one"),
    ("10.0.0.1%lo", "'10.0.0.1%lo' cannot have a zone"),
])
def test_a_zone_that_cannot_be_is_an_error_with_its_reason(tmp_path, text, says):
    file = tmp_path / "weir.yaml"
    file.write_text(f"target-groups: [{{name: a, targets: [{{address: '{text}', port: 80}}]}}]\n", encoding="utf-8")
    outcome = weir("check", file)
    assert outcome.returncode == 1 and says in outcome.stderr, outcome.stderr


@pytest.mark.parametrize("text", [
    "zones: [{name: e.test, name-servers: [ns], records: [{name: a, type: AAAA, ttl: 60s, values: ['fe80::1%lo']}]}]",
    "load-balancers: [{name: a, listeners: [{port: 80, rules: [{priority: 1, conditions: [{source-ip: ['fe80::1%lo/128']}],"
    " actions: [{fixed-response: {status-code: 200}}]}], default-actions: [{fixed-response: {status-code: 200}}]}]}]",
    "load-balancers: [{name: a, advertise: ['fe80::1%lo'], listeners: [{port: 80, default-actions: [{fixed-response: {status-code: 200}}]}]}]",
])
def test_a_zone_is_refused_where_a_network_or_a_dns_value_is_meant(tmp_path, text):
    file = tmp_path / "weir.yaml"
    file.write_text("dns: {addresses: [127.0.0.1]}\n" + text + "\n", encoding="utf-8")
    outcome = weir("check", file)
    assert outcome.returncode == 1 and "error" in outcome.stderr, outcome.stderr
