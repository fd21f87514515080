"""The connection log: ALB 16.3, JSON, plain HTTP, reopening, what is said when it cannot be written."""

import json
import pathlib
import re
import signal
import ssl

from tls_e2e import TlsClient, certificate, context, yaml
from weir_e2e import Client, get, wait_for, weir


def config(folder, log, more=""):
    pair = certificate(folder, "shop")
    return f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    access-log: {{path: access.log}}
    connection-log: {log}
    listeners:
      - {{port: 0, default-actions: [{{fixed-response: {{status-code: 200}}}}]}}
      - port: 0
        protocol: HTTPS
        ssl-policy: ELBSecurityPolicy-TLS13-1-2-2021-06
        certificates: {yaml(pair)}
        default-actions: [{{fixed-response: {{status-code: 200}}}}]
{more}
admin: {{address: 127.0.0.1, port: 0}}
"""


def lines(file, count):
    """By time, for they begin with it: each worker writes its own."""
    return sorted(wait_for(lambda: file.exists() and len(found := file.read_text().splitlines()) >= count and found, 10, f"{count} lines"))


def test_every_connection_has_a_line_and_every_request_its_id(run, tmp_path):
    program = run(config(tmp_path, "{path: connections.log}"))
    plain, secure = program.port(index=0), program.port(index=1)
    with Client(plain) as client:
        client.get("/one")
        client.get("/two")
    with TlsClient(secure) as client:
        client.get("/three")
    first, second = (re.findall(r'"[^"]*"|\S+', line) for line in lines(tmp_path / "connections.log", 2))
    assert first[3:13] == [str(plain), "-", "-", "-", '"-"', "-", "-", "-", first[11], "-"]
    assert second[3:6] == [str(secure), "TLSv1.3", "TLS_AES_128_GCM_SHA256"]
    assert second[7:11] == ['"-"', "-", "-", "Success"] and second[12] == "x25519"
    asked = [re.findall(r'"[^"]*"|\S+', line) for line in lines(tmp_path / "access.log", 3)]
    ids = {re.search(r"/(one|two|three) ", line[12]).group(1): line[29] for line in asked}
    assert ids == {"one": first[11], "two": first[11], "three": second[11]}


def test_the_json_form_leaves_out_what_is_not_there(run, tmp_path):
    program = run(config(tmp_path, "{path: connections.log, format: json}"))
    get(program.port(index=0))
    with TlsClient(program.port(index=1), settings=context(ssl.TLSVersion.TLSv1_2)) as client:
        client.get()
    plain, secure = (json.loads(line) for line in lines(tmp_path / "connections.log", 2))
    assert set(plain) == {"timestamp", "client_ip", "client_port", "listener_port", "conn_trace_id", "elb", "ip_address"}
    assert (secure["tls_protocol"], secure["tls_verify_status"], secure["tls_keyexchange"]) == ("TLSv1.2", "Success", "x25519")
    assert 0 <= secure["tls_handshake_latency"] < 10


def test_it_is_reopened_with_the_access_log(run, tmp_path):
    program = run(config(tmp_path, "{path: connections.log}"))
    get(program.port(index=0))
    file = tmp_path / "connections.log"
    lines(file, 1)
    file.rename(tmp_path / "connections.log.1")
    program.signal(signal.SIGUSR1)
    wait_for(lambda: file.exists(), 10, "the new file")
    get(program.port(index=0))
    lines(file, 1)
    assert len((tmp_path / "connections.log.1").read_text().splitlines()) == 1


def test_a_log_that_cannot_be_written_is_refused_and_warned_of(run, tmp_path):
    broken = config(tmp_path, "{path: none/connections.log}")
    (tmp_path / "broken.yaml").write_text(broken)
    done = weir("check", str(tmp_path / "broken.yaml"))
    assert done.returncode == 0
    assert re.search(r"broken\.yaml:\d+:\d+: warning: connection log \S*none/connections\.log cannot be written here: No such file", done.stderr)
    program = run(config(tmp_path, "{path: connections.log}"))
    program.write(broken)
    program.wait_log(r"cannot write connection log \S*none/connections\.log: No such file or directory")
    get(program.port(index=0))
    lines(tmp_path / "connections.log", 1)


def test_without_it_nothing_is_written(run, tmp_path):
    text = config(tmp_path, "{path: connections.log}")
    program = run(re.sub(r"    connection-log: .*\n", "", text))
    get(program.port(index=0))
    lines(tmp_path / "access.log", 1)
    assert not pathlib.Path(tmp_path / "connections.log").exists()
