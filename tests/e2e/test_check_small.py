"""What the command line and status say: which appliance is asked, why a target has no address, what a probe saw."""

import socket
import threading

from weir_e2e import free_port, wait_for, weir

HOSTS = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners: [{port: 0, default-actions: [{forward: {target-group: blue}}]}]
target-groups:
  - name: blue
    targets: [%s]
    health-check: {interval: 1s, timeout: 500ms, unhealthy-threshold: 2}
admin: {address: 127.0.0.1, port: %d}
"""


class Speaker:
    """Takes connections, says a text that is no HTTP, and closes."""

    def __init__(self, text):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.text = text
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.recv(4096)
                connection.sendall(self.text)


def test_explain_live_asks_the_appliance_that_the_file_names(run, tmp_path):
    port = free_port()
    appliance = run(HOSTS % ("{address: 127.0.0.1, port: 1}", port))
    path = tmp_path / "same.yaml"
    path.write_text(HOSTS % ("{address: 127.0.0.1, port: 1}", port))
    url = f"http://shop.example.test:{appliance.port()}/"
    asked = weir("explain", path, "http", "GET", url, "--live")
    assert asked.returncode == 0, asked.stderr
    assert f"live: answered by the running appliance at 127.0.0.1:{port}" in asked.stdout
    # What the command line names wins over the file.
    other = free_port()
    asked = weir("explain", path, "http", "GET", url, "--live", "--admin", f"127.0.0.1:{other}")
    assert asked.returncode == 3 and str(other) in asked.stderr, asked.stderr


def test_explain_live_with_a_file_that_leaves_the_admin_port_open_asks_for_it(tmp_path):
    path = tmp_path / "open.yaml"
    path.write_text(HOSTS % ("{address: 127.0.0.1, port: 1}", 0))
    asked = weir("explain", path, "http", "GET", "http://a.test:1/", "--live")
    assert asked.returncode == 2 and "--admin" in asked.stderr, asked.stderr


def test_status_says_why_a_host_has_no_address(run):
    appliance = run(HOSTS % ("{host: no-such-host.invalid, port: 9001}", 0))

    def resolved():
        group = next(group for group in appliance.status()["target-groups"] if group["name"] == "blue")
        hosts = group["unresolved-hosts"]
        return hosts[0] if hosts and hosts[0]["reason"] != "not resolved yet" else None

    host = wait_for(resolved, 30, "the look-up to end")
    assert host["host"] == "no-such-host.invalid" and host["port"] == 9001 and host["reason"]
    address, port = appliance.admin
    shown = weir("status", "--admin", f"{address}:{port}").stdout
    assert "no-such-host.invalid:9001" in shown and host["reason"] in shown and "no targets" not in shown, shown


def test_status_says_what_a_failed_probe_saw(run):
    speaker = Speaker(b"SSH-2.0-OpenSSH_9.2\r\n")
    refused = free_port()
    appliance = run(HOSTS % (f"{{address: 127.0.0.1, port: {refused}}}, {{address: 127.0.0.1, port: {speaker.port}}}", 0))
    appliance.wait_state("blue", f"127.0.0.1:{refused}", "unhealthy")
    appliance.wait_state("blue", f"127.0.0.1:{speaker.port}", "unhealthy")
    targets = appliance.targets("blue")
    assert targets[f"127.0.0.1:{refused}"]["reason"] == "Target.FailedHealthChecks"
    assert targets[f"127.0.0.1:{refused}"]["description"] == "Health checks failed: connection refused"
    malformed = targets[f"127.0.0.1:{speaker.port}"]
    assert malformed["reason"] == "Target.FailedHealthChecks"
    assert "malformed response" in malformed["description"] and "SSH-2.0-OpenSSH_9.2" in malformed["description"]


def test_check_reports_every_kind_of_error_in_one_pass(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_text("""
dns: {addresses: [127.0.0.1], port: 5353}
latency: {table: none.csv}
load-balancers:
  - name: shop
    listners: []
    listeners:
      - port: 8080
        rules:
          - {priority: 1, conditions: [{path-pattern: {regex-values: ["(a"]}}], actions: [{fixed-response: {status-code: 200}}]}
        default-actions: [{fixed-response: {status-code: 404}}]
zones:
  - name: e.test
    name-servers: [ns1.example.test.]
    records:
      - {name: a, type: A, ttl: 60, values: [192.0.2.1]}
      - {name: b, type: A, ttl: 60s, values: [192.0.2]}
""")
    checked = weir("check", path)
    assert checked.returncode == 1
    lines = [line.split(f"{path}:")[1].split(":")[0] for line in checked.stderr.splitlines()]
    assert lines == ["3", "6", "10", "16", "17"], checked.stderr
