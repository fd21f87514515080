"""HTTPS listeners: versions and suites by policy, certificates by name, resumption, what targets and logs are told."""

import json
import pathlib
import re
import signal
import ssl
import time

import pytest
from tls_e2e import TlsClient, certificate, context, expired_certificate, openssl, yaml
from weir_e2e import Client, curl, free_port, wait_for, weir

POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"


def config(certificates, targets=(), port=0, policy=POLICY, attributes="{}", listener_attributes="{}", more="", rules="[]", name="shop"):
    group = f"""
target-groups:
  - {{name: blue, health-check: {{interval: 1s, healthy-threshold: 2}}, targets: [{", ".join(target.yaml for target in targets)}]}}
""" if targets else ""
    action = "forward: {target-group: blue}" if targets else "fixed-response: {status-code: 200, message-body: hello}"
    return f"""
load-balancers:
  - name: {name}
    addresses: [127.0.0.1]
    attributes: {attributes}
    access-log: {{path: access.log}}
    listeners:
      - port: {port}
        protocol: HTTPS
        ssl-policy: {policy}
        certificates: {certificates}
        attributes: {listener_attributes}
        rules: {rules}
        default-actions: [{{{action}}}]
{group}
{more}
admin: {{address: 127.0.0.1, port: 0}}
"""


def access_log(folder, count=1):
    """The fields of each line, once there are `count`."""
    file = pathlib.Path(folder) / "access.log"
    lines = wait_for(lambda: (found := file.read_text().splitlines()) and len(found) >= count and found, 10, "the access log")
    return [re.findall(r'"[^"]*"|\S+', line) for line in lines]


def s_client(port, *arguments, text="Q\n"):
    return openssl("s_client", "-connect", f"127.0.0.1:{port}", *arguments, text=text)


def test_a_request_by_https_tells_the_target_and_the_log(targets, run, tmp_path):
    blue, pair = targets("blue"), certificate(tmp_path, "shop")
    program = run(config(yaml(pair), [blue], attributes="{routing.http.x_amzn_tls_version_and_cipher_suite.enabled: true}"))
    program.wait_state("blue", blue.id, "healthy")
    port = program.port()
    done = curl("-sv", "--http1.1", "--cacert", str(pair[0]), "--resolve", f"shop.example.test:{port}:127.0.0.1",
                "-H", "X-Amzn-Tls-Version: forged", f"https://shop.example.test:{port}/a?b=c")
    assert done.returncode == 0, done.stderr
    asked = blue.requests[0]
    assert asked.values("X-Forwarded-Proto") == ["https"]
    assert asked.values("X-Forwarded-Port") == [str(port)]
    assert asked.values("X-Amzn-Tls-Version") == ["TLSv1.3"]
    assert asked.values("X-Amzn-Tls-Cipher-Suite") == ["TLS_AES_128_GCM_SHA256"]
    assert "ALPN: server accepted http/1.1" in done.stderr or "ALPN, server accepted to use http/1.1" in done.stderr
    line = access_log(tmp_path)[0]
    assert line[0] == "https"
    assert line[12] == f'"GET https://shop.example.test:{port}/a?b=c HTTP/1.1"'
    assert line[14:16] == ["TLS_AES_128_GCM_SHA256", "TLSv1.3"]
    assert line[18] == '"shop.example.test"'
    digest = openssl("x509", "-in", pair[0], "-noout", "-fingerprint", "-sha256").split("=")[1].strip().replace(":", "").lower()
    identity = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
    assert line[19] == f'"arn:aws:acm:local:000000000000:certificate/{identity}"'
    listener = program.status()["load-balancers"][0]["listeners"][0]
    assert (listener["protocol"], listener["ssl-policy"]) == ("HTTPS", POLICY)
    assert listener["certificates"][0]["names"] == ["shop.example.test"] and listener["certificates"][0]["valid"]
    shown = weir("status", "--admin", "{}:{}".format(*program.admin)).stdout
    assert "Certificates" in shown and listener["certificates"][0]["not-after"] in shown


def test_the_fields_for_targets_can_have_other_names(targets, run, tmp_path):
    blue, pair = targets("blue"), certificate(tmp_path, "shop")
    program = run(config(
        yaml(pair), [blue], attributes="{routing.http.x_amzn_tls_version_and_cipher_suite.enabled: true}",
        listener_attributes="{routing.http.request.x_amzn_tls_version.header_name: X-Version, "
                            "routing.http.request.x_amzn_tls_cipher_suite.header_name: X-Suite}"))
    program.wait_state("blue", blue.id, "healthy")
    with TlsClient(program.port(), settings=context(ssl.TLSVersion.TLSv1_2)) as client:
        client.get()
    asked = blue.requests[0]
    assert (asked.field("X-Version"), asked.field("X-Suite")) == ("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256")
    assert asked.field("X-Amzn-Tls-Version") is None


def test_without_the_attribute_nothing_is_added(targets, run, tmp_path):
    blue, pair = targets("blue"), certificate(tmp_path, "shop")
    program = run(config(yaml(pair), [blue]))
    program.wait_state("blue", blue.id, "healthy")
    with TlsClient(program.port()) as client:
        client.get()
    assert blue.requests[0].field("X-Amzn-Tls-Version") is None


@pytest.mark.parametrize("policy, spoken, refused", [
    ("ELBSecurityPolicy-2016-08", ["tls1", "tls1_1", "tls1_2"], ["tls1_3"]),
    ("ELBSecurityPolicy-TLS-1-1-2017-01", ["tls1_1", "tls1_2"], ["tls1", "tls1_3"]),
    ("ELBSecurityPolicy-TLS13-1-0-2021-06", ["tls1", "tls1_1", "tls1_2", "tls1_3"], []),
    ("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", ["tls1_2", "tls1_3"], ["tls1", "tls1_1"]),
    ("ELBSecurityPolicy-TLS13-1-3-2021-06", ["tls1_3"], ["tls1", "tls1_1", "tls1_2"]),
])
def test_versions_are_those_of_the_policy(run, tmp_path, policy, spoken, refused):
    program = run(config(yaml(certificate(tmp_path, "shop", key="rsa")), policy=policy))
    for version in spoken:
        said = s_client(program.port(), f"-{version}", "-cipher", "ALL:@SECLEVEL=0")
        assert re.search(r"(New|Reused), TLSv1", said) and "Cipher is (NONE)" not in said, (version, said)
    for version in refused:
        said = s_client(program.port(), f"-{version}", "-cipher", "ALL:@SECLEVEL=0")
        assert "alert protocol version" in said, (version, said)
    assert program.process.poll() is None


def test_a_suite_outside_the_policy_is_refused_and_the_order_is_the_servers(run, tmp_path):
    program = run(config(yaml(certificate(tmp_path, "shop", key="rsa")), policy="ELBSecurityPolicy-TLS-1-2-2017-01"))
    said = s_client(program.port(), "-tls1_2", "-cipher", "AES256-GCM-SHA384:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256")
    assert "Cipher is ECDHE-RSA-AES128-SHA256" in said
    assert "alert handshake failure" in s_client(program.port(), "-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0")


def test_the_certificate_is_chosen_by_name_and_by_what_the_client_takes(run, tmp_path):
    program = run(config(yaml(
        certificate(tmp_path, "first", ["first.example.test"]),
        certificate(tmp_path, "rsa", ["shop.example.test"], key="rsa"),
        certificate(tmp_path, "wild", ["*.example.test"]))))

    def subject(*arguments):
        return re.search(r"subject=CN = (\S+)", s_client(program.port(), *arguments)).group(1)
    assert subject("-noservername") == "first"
    assert subject("-servername", "other.test") == "first"
    assert subject("-servername", "shop.example.test") == "wild", "ECDSA comes before RSA"
    assert subject("-servername", "shop.example.test", "-tls1_2", "-cipher", "aRSA") == "rsa"
    assert subject("-servername", "a.b.example.test") == "first", "a wildcard is for one label"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed_by_every_worker_and_after_a_reload(run, tmp_path, version):
    pair = certificate(tmp_path, "shop")
    port = free_port()
    program = run(config(yaml(pair), port=port), arguments=["--workers", "4"])
    settings = context(version)
    with TlsClient(port, settings=settings) as client:
        client.get()
        session = client.tls.session
        assert not client.tls.session_reused
    for number in range(16):
        if number == 8:
            before = program.status()["revision"]
            program.write(config(yaml(pair), port=port, more="# another"))
            program.signal(signal.SIGHUP)
            wait_for(lambda: program.status()["revision"] > before, 10, "the reload")
        with TlsClient(port, settings=settings, session=session) as client:
            client.get()
            assert client.tls.session_reused, number
    # Each worker writes its own lines when it gets to it.
    lines = sorted(access_log(tmp_path, 17), key=lambda line: line[1])
    assert lines[0][19].startswith('"arn:aws:acm:')
    assert {line[19] for line in lines[1:]} == {'"session-reused"'}
    assert {line[18] for line in lines} == {'"shop.example.test"'}


def test_appliances_with_one_ticket_key_resume_each_others_sessions(run, tmp_path):
    pair, settings = certificate(tmp_path, "shop"), context()
    key = openssl("rand", "-base64", "32")
    (tmp_path / "ticket.key").write_text(key)
    keys = "tls-ticket-keys: [{file: ticket.key}]"
    port = free_port()
    first = run(config(yaml(pair), port=port, more=keys))
    with TlsClient(port, settings=settings) as client:
        client.get()
        session = client.tls.session
    first.stop()
    run(config(yaml(pair), port=port, more=keys), name="second.yaml")
    with TlsClient(port, settings=settings, session=session) as client:
        client.get()
        assert client.tls.session_reused


def test_a_redirect_keeps_the_protocol_of_the_client(run, tmp_path):
    rules = "[{priority: 1, conditions: [{path-pattern: [/old]}], actions: [{redirect: {path: /new, status-code: HTTP_301}}]}]"
    program = run(config(yaml(certificate(tmp_path, "shop")), rules=rules))
    with TlsClient(program.port()) as client:
        status, fields, _ = client.get("/old")
    assert status == 301
    assert dict(fields)["Location"] == f"https://shop.example.test:{program.port()}/new"


def test_large_bodies_pass_both_ways(targets, run, tmp_path):
    body = bytes(range(256)) * 32 * 1024  # 8 MiB

    def script(request, wire):
        received = wire.exactly(int(request.field("Content-Length")))
        assert received == body
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        return True
    blue = targets("blue", script=script)
    program = run(config(yaml(certificate(tmp_path, "shop")), [blue]))
    program.wait_state("blue", blue.id, "healthy")
    (tmp_path / "body").write_bytes(body)
    for version in ("--tlsv1.2", "--tlsv1.3"):
        done = curl("-sk", version, "--data-binary", f"@{tmp_path / 'body'}", "-o", str(tmp_path / "answer"), f"https://127.0.0.1:{program.port()}/",
                    seconds=60)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "answer").read_bytes() == body


def test_the_last_answer_ends_with_a_close_notify(run, tmp_path):
    program = run(config(yaml(certificate(tmp_path, "shop"))))
    with TlsClient(program.port()) as client:
        status, _, body = client.get(fields=[("Connection", "close")])
        assert (status, body) == (200, b"hello")
        # Python raises ssl.SSLEOFError where the notice is missing.
        assert client.tls.recv(100) == b""


def test_plain_http_and_silence_do_not_disturb_others(run, tmp_path):
    program = run(config(yaml(certificate(tmp_path, "shop"))))
    with Client(program.port()) as plain, Client(program.port()) as silent:
        begun = time.monotonic()
        plain.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert plain.is_closed()
        with TlsClient(program.port()) as client:
            assert client.get()[0] == 200
        assert silent.is_closed(seconds=20), "the handshake has 10 s"
        assert 8 < time.monotonic() - begun < 18


def test_an_idle_connection_survives_a_drain_only_until_it_is_over(run, tmp_path):
    program = run(config(yaml(certificate(tmp_path, "shop"))))
    with TlsClient(program.port()) as client:
        client.get()
        program.signal(signal.SIGTERM)
        assert client.tls.recv(100) == b""
    assert program.wait_exit() == 0


def test_changed_certificates_are_taken_and_a_bad_pair_is_reported(run, tmp_path):
    pair = certificate(tmp_path, "shop", common_name="old")
    program = run(config(yaml(pair)))

    def subject():
        return re.search(r"subject=CN = (\S+)", s_client(program.port())).group(1)
    assert subject() == "old"
    with TlsClient(program.port()) as kept:
        kept.get()
        certificate(tmp_path, "shop", common_name="new")
        wait_for(lambda: subject() == "new", 10, "the new certificate")
        assert kept.get()[0] == 200, "connections live through it"
        stranger = certificate(tmp_path, "stranger")
        stranger[1].rename(pair[1])
        program.wait_log(r"warning .*shop\.key does not fit the certificate in .*shop\.pem.*serves on")
        assert subject() == "new"
        assert kept.get()[0] == 200
    # The configuration may be broken meanwhile: certificates have nothing to do with it.
    program.write("load-balancers: 1\n")
    program.wait_log("configuration refused")
    certificate(tmp_path, "shop", common_name="newer")
    wait_for(lambda: subject() == "newer", 10, "the newer certificate")


def test_a_certificate_that_an_edit_brought_is_watched_too(run, tmp_path):
    program = run(config(yaml(certificate(tmp_path, "shop", common_name="of-the-file"))))

    def subject():
        return re.search(r"subject=CN = (\S+)", s_client(program.port())).group(1)
    assert subject() == "of-the-file"
    pair = certificate(tmp_path, "edited", common_name="of-the-edit")
    status, _ = program.call("PATCH", "/v1/document", [{
        "op": "replace", "path": "/load-balancers/0/listeners/0/certificates",
        "value": [{"certificate": str(pair[0]), "key": str(pair[1])}]}])
    assert status == 200
    wait_for(lambda: subject() == "of-the-edit", 10, "the certificate of the edit")
    certificate(tmp_path, "edited", common_name="renewed")
    wait_for(lambda: subject() == "renewed", 10, "the renewed certificate")


@pytest.mark.parametrize("change, place, message", [
    ({"certificates": "[]"}, None, "`certificates` is empty"),
    ({"key": "other.key"}, "key", "other.key does not fit the certificate in "),
    ({"certificate": "absent.pem"}, "certificate", "absent.pem: No such file or directory"),
    ({"policy": "ELBSecurityPolicy-2016"}, "policy", "did you mean `ELBSecurityPolicy-2016-08`?"),
])
def test_what_is_wrong_is_said_with_its_place(tmp_path, change, place, message):
    certificate(tmp_path, "shop"), certificate(tmp_path, "other")
    certificates = change.get("certificates", f"[{{certificate: {change.get('certificate', 'shop.pem')}, key: {change.get('key', 'shop.key')}}}]")
    (tmp_path / "weir.yaml").write_text(config(certificates, policy=change.get("policy", POLICY)))
    done = weir("check", str(tmp_path / "weir.yaml"))
    assert done.returncode == 1
    assert message in done.stderr, done.stderr
    if place is not None:
        assert re.search(r"weir\.yaml:\d+:\d+: error: ", done.stderr)


def test_an_encrypted_key_opens_with_its_passphrase(run, tmp_path):
    pem, key = certificate(tmp_path, "shop", passphrase="open sesame")
    (tmp_path / "pass").write_text("open sesame\n")
    program = run(config(f'[{{certificate: "{pem}", key: {{file: "{key}"}}, passphrase: {{file: pass}}}}]'))
    with TlsClient(program.port()) as client:
        assert client.get()[0] == 200
    without = config(f'[{{certificate: "{pem}", key: "{key}"}}]')
    (tmp_path / "other.yaml").write_text(without)
    assert "is encrypted; passphrase: {file: PATH}" in weir("check", str(tmp_path / "other.yaml")).stderr
    (tmp_path / "other.yaml").write_text(without.replace("}]", ", passphrase: \"${GUESS}\"}]", 1))
    said = weir("check", str(tmp_path / "other.yaml"), environment={"GUESS": "guessed"}).stderr
    assert "the passphrase does not open the key" in said and "guessed" not in said


def test_what_is_doubtful_is_a_warning(tmp_path):
    expired_certificate(tmp_path, "shop")
    text = config("[{certificate: shop.pem, key: shop.key}]")
    (tmp_path / "weir.yaml").write_text(text)
    done = weir("check", str(tmp_path / "weir.yaml"))
    assert done.returncode == 0
    assert re.search(r"weir\.yaml:\d+:\d+: warning: .*shop\.pem expired at 2020-02-01T00:00:00Z", done.stderr), done.stderr
    (tmp_path / "weir.yaml").write_text(text.replace(f"        ssl-policy: {POLICY}\n", ""))
    assert "no `ssl-policy`: ELBSecurityPolicy-2016-08 is AWS's default" in weir("check", str(tmp_path / "weir.yaml")).stderr


def test_handshakes_are_counted(run, tmp_path):
    pair = certificate(tmp_path, "shop")
    program = run(config(yaml(pair)))
    with TlsClient(program.port()) as client:
        client.get()
    s_client(program.port(), "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    with Client(program.port()) as plain:
        plain.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert plain.is_closed()
    metrics = program.metrics()
    listener = f'load_balancer="shop",listener="{program.port()}"'
    assert f'weir_listener_tls_handshakes_total{{{listener},policy="{POLICY}",version="TLSv1.3",resumed="false"}} 1\n' in metrics
    assert f'weir_listener_tls_suites_total{{{listener},suite="TLS_AES_128_GCM_SHA256"}} 1\n' in metrics
    assert f'weir_listener_tls_failures_total{{{listener},sender="weir",alert="protocol_version"}} 1\n' in metrics
    assert f'weir_listener_tls_handshakes_active{{{listener}}} 0\n' in metrics
    assert re.search(rf'weir_certificate_not_after_timestamp_seconds{{{listener},certificate="{pair[0]}"}} \d{{10}}\n', metrics)


def test_explain_says_which_certificate_and_why(run, tmp_path):
    first, shop, rsa = (certificate(tmp_path, "first", names=("first.test",)), certificate(tmp_path, "shop"),
                        certificate(tmp_path, "rsa", key="rsa"))
    program = run(config(yaml(first, shop, rsa)))
    port, admin = program.port(), "{}:{}".format(*program.admin)

    def explained(url, *arguments):
        done = weir("explain", "--live", "--json", "--admin", admin, "http", "GET", url, *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["tls"]

    def chosen(url, *arguments):
        found = [item for item in explained(url, *arguments)["certificates"] if item["chosen"]]
        assert len(found) == 1
        return pathlib.Path(found[0]["certificate"]).stem, found[0]["reason"]
    by_name = f"https://shop.example.test:{port}/"
    assert chosen(by_name) == ("shop", "the first of those for this name")
    assert chosen(by_name, "--signature", "rsa") == ("rsa", "the first of those for this name")
    assert chosen(by_name, "--sni", "first.test") == ("first", "the one for this name")
    assert chosen(by_name, "--sni", "") == ("first", "the default one: the client sends no name")
    assert chosen(by_name, "--sni", "other.test") == ("first", "the default one: no certificate is for this name")
    assert chosen(f"https://127.0.0.1:{port}/") == ("first", "the default one: the client sends no name")
    facts = explained(by_name)
    assert (facts["ssl-policy"], facts["ssl-policy-is-default"]) == (POLICY, False)
    assert (facts["version-min"], facts["version-max"], facts["server-name"]) == ("TLSv1.2", "TLSv1.3", "shop.example.test")
    assert [item["reason"] for item in facts["certificates"]] == ["it is for other names", "the first of those for this name",
                                                                  "ECDSA comes before RSA"]
    # The same without a running appliance, for people.
    text = config(yaml(first, shop, rsa), port=8443)
    (tmp_path / "offline.yaml").write_text(text)
    shown = weir("explain", str(tmp_path / "offline.yaml"), "http", "GET", "https://shop.example.test:8443/").stdout
    assert f"policy: {POLICY}, as the file says, TLSv1.2 to TLSv1.3\n" in shown
    assert "client: sends the name shop.example.test, verifies ECDSA and RSA\n" in shown
    assert re.search(r"  -> certificate \S+shop\.pem \(ECDSA 256, until 20\S+Z\): the first of those for this name\n", shown)
    assert re.search(r"     certificate \S+rsa\.pem \(RSA 2048, until 20\S+Z\): ECDSA comes before RSA\n", shown)
    (tmp_path / "offline.yaml").write_text(text.replace(f"        ssl-policy: {POLICY}\n", ""))
    shown = weir("explain", str(tmp_path / "offline.yaml"), "http", "GET", "https://shop.example.test:8443/").stdout
    assert "policy: ELBSecurityPolicy-2016-08, AWS's default because the file names none, TLSv1 to TLSv1.2\n" in shown
    assert weir("explain", str(tmp_path / "offline.yaml"), "http", "GET", "https://a:8443/", "--signature", "dsa").returncode == 2
    assert weir("explain", "--live", "--admin", admin, "http", "GET", by_name, "--signature", "dsa").returncode == 2
    (tmp_path / "plain.yaml").write_text("load-balancers: [{name: a, listeners: [{port: 8080, default-actions: [{fixed-response: {status-code: 200}}]}]}]\n")
    done = weir("explain", str(tmp_path / "plain.yaml"), "http", "GET", "http://a:8080/", "--sni", "a")
    assert done.returncode == 2 and "speaks HTTP" in done.stderr


def test_a_certificate_that_expires_soon_is_an_event(run, tmp_path):
    program = run(config(yaml(certificate(tmp_path, "shop", days=3))))
    told = "certificate .*shop.pem expires at 20.*Z, in less than 7 days"
    program.wait_log(told)

    def events():
        return [event for event in program.call("GET", "/v1/events")[1]["events"] if event["kind"] == "certificate"]
    assert len(events()) == 1 and re.fullmatch(told, events()[0]["text"])
    assert events()[0]["fields"]["days"] == "7"
    # Renewed for too short a time, it is told anew; a reload is no news.
    certificate(tmp_path, "shop", days=20)
    wait_for(lambda: len(events()) == 2, 10, "the event of the renewed one")
    before = program.status()["revision"]
    program.signal(signal.SIGHUP)
    wait_for(lambda: program.status()["revision"] > before, 10, "the reload")
    assert [event["fields"]["days"] for event in events()] == ["7", "30"]


def test_a_certificate_that_signs_itself_is_made_and_served(run, tmp_path):
    done = weir("certificate", "self-signed", "localhost", "127.0.0.1", "--out", str(tmp_path / "own"))
    assert done.returncode == 0, done.stderr
    pem, key = tmp_path / "own.pem", tmp_path / "own.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert f'certificates: [{{certificate: "{pem}", key: "{key}"}}]' in done.stdout
    program = run(config(yaml((pem, key))))
    assert curl("-s", "--cacert", str(pem), f"https://127.0.0.1:{program.port()}/").stdout == "hello"
    again = weir("certificate", "self-signed", "localhost", "--out", str(tmp_path / "own"))
    assert again.returncode == 3 and "--force" in again.stderr
    assert weir("certificate", "self-signed", "localhost", "--out", str(tmp_path / "own"), "--force").returncode == 0
    assert weir("certificate", "self-signed", "no name").returncode == 2


def test_keys_of_https_are_refused_for_http(tmp_path):
    (tmp_path / "weir.yaml").write_text(config("[{certificate: shop.pem, key: shop.key}]").replace("HTTPS", "HTTP"))
    done = weir("check", str(tmp_path / "weir.yaml"))
    assert done.returncode == 1
    assert "`certificates` has no meaning for an HTTP listener" in done.stderr
    assert "`ssl-policy` has no meaning for an HTTP listener" in done.stderr


def test_the_json_log_has_what_was_agreed(run, tmp_path):
    program = run(config(yaml(certificate(tmp_path, "shop"))).replace("{path: access.log}", "{path: access.log, format: json}"))
    with TlsClient(program.port()) as client:
        client.get()
    file = tmp_path / "access.log"
    line = json.loads(wait_for(lambda: file.exists() and file.read_text(), 10, "the log").splitlines()[0])
    assert line["type"] == "https"
    assert (line["ssl_protocol"], line["ssl_cipher"]) == ("TLSv1.3", "TLS_AES_128_GCM_SHA256")
    assert line["domain_name"] == "shop.example.test"
