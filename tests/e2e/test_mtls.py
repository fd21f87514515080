"""Mutual authentication: who is let in, what the others are told, what targets and logs are told, what changes while it serves."""

import pathlib
import re
import signal
import ssl
import threading
import urllib.parse

import pytest
from mtls_e2e import VERSIONS, Authority, client_context
from tls_e2e import TlsClient, certificate, openssl, yaml
from weir_e2e import Client, Closed, curl, wait_for, weir

POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
NAMES = ["Serial-Number", "Issuer", "Subject", "Validity", "Leaf"]


def config(folder, authentication, targets=(), stores="", more="", listener_attributes="{}", policy=POLICY, log="connections.log"):
    action = "forward: {target-group: blue}" if targets else "fixed-response: {status-code: 200, message-body: hello}"
    group = f"""
target-groups:
  - {{name: blue, health-check: {{interval: 1s, healthy-threshold: 2}}, targets: [{", ".join(target.yaml for target in targets)}]}}
""" if targets else ""
    pair = pathlib.Path(folder) / "shop.pem", pathlib.Path(folder) / "shop.key"
    if not pair[0].exists():
        certificate(folder, "shop")
    return f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    access-log: {{path: access.log}}
    connection-log: {{path: {log}}}
    listeners:
      - port: 0
        protocol: HTTPS
        ssl-policy: {policy}
        certificates: {yaml(pair)}
        mutual-authentication: {authentication}
        attributes: {listener_attributes}
        default-actions: [{{{action}}}]
{more}
{group}
{stores}
admin: {{address: 127.0.0.1, port: 0}}
"""


def verifying(folder, bundle, revocations=(), options="", **others):
    lists = ", ".join(f'"{path}"' for path in revocations)
    return config(folder, "{mode: verify, trust-store: partners" + options + "}",
                  stores=f'trust-stores: [{{name: partners, ca-bundle: "{bundle}", revocations: [{lists}]}}]', **others)


def log_fields(folder, name="connections.log", count=1):
    """The fields of each line, once there are `count`, by time: each worker writes its own."""
    file = pathlib.Path(folder) / name
    lines = wait_for(lambda: file.exists() and len(found := file.read_text().splitlines()) >= count and found, 10, name)
    lines = sorted(lines) if name == "connections.log" else lines
    return [re.findall(r'"[^"]*"|\S+', line) for line in lines]


def attempt(port, pair, version):
    """`taken`, or what a client of OpenSSL is told."""
    try:
        with TlsClient(port, settings=client_context(pair, VERSIONS[version])) as client:
            # In TLS 1.3 the handshake of the client is over before its certificate is looked at.
            return "taken" if client.get()[0] == 200 else "?"
    except (ssl.SSLError, OSError, Closed) as failure:
        told = re.search(r"ALERT_([A-Z_]+)", getattr(failure, "reason", None) or "")
        return told.group(1).replace("_", " ").lower() if told else repr(failure)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """Certificates of all kinds: made once."""
    folder = tmp_path_factory.mktemp("pki")

    class Pki:
        pass
    made = Pki()
    made.folder, made.root = folder, Authority(folder, "root")
    root = made.root
    made.good, made.good_rsa = root.issue("good", subject="/C=US/O=mTLS/CN=client_.com"), root.issue("good-rsa", key="rsa")
    made.p521 = root.issue("p521", key="p521")
    made.expired = root.issue("expired", begin="20200101000000Z", end="20200201000000Z")
    made.early = root.issue("early", begin="20400101000000Z", end="20400201000000Z")
    made.weak, made.ed25519 = root.issue("weak", key="rsa1024"), root.issue("ed25519", key="ed25519")
    made.sha1 = root.issue("sha1", digest="sha1")
    made.servers_only = root.issue("servers-only", extensions="extendedKeyUsage = serverAuth\n")
    made.for_clients = root.issue("for-clients", extensions="extendedKeyUsage = clientAuth\nkeyUsage = critical,digitalSignature\n")
    made.revoked = root.issue("revoked")
    made.huge = root.issue("huge", extensions="subjectAltName = " + ",".join(f"DNS:name-{i}.example.test" for i in range(4000)) + "\n")
    made.odd = root.issue("odd", subject="/C=DE/O=M\u00fcller, S\u00f6hne \\+ Co/CN=a \"b\" <c>\\\\d")
    stranger = Authority(folder, "stranger")
    made.stranger = stranger.issue("of-stranger")
    made.levels = [root]
    for level in range(1, 5):
        made.levels.append(Authority(folder, f"level{level}", issuer=made.levels[-1]))
    made.deep, made.deeper = made.levels[3].issue("deep"), made.levels[4].issue("deeper")
    made.crl = root.revoke(made.revoked)
    return made


# What becomes of each, in TLS 1.2 and 1.3: the alert, and the code of the log.
JUDGED = {
    "good": None, "good_rsa": None, "p521": None, "for_clients": None, "deep": None, "odd": None,
    "expired": ("certificate expired", "ClientCertExpired"),
    "early": ("certificate expired", "ClientCertNotYetValid"),
    "revoked": ("certificate revoked", "ClientCertCrlHit"),
    "stranger": ("unknown ca", "ClientCertUntrusted"),
    "weak": ("unsupported certificate", "ClientCertTypeUnsupported"),
    "sha1": ("unsupported certificate", "ClientCertTypeUnsupported"),
    "servers_only": ("unsupported certificate", "ClientCertPurposeInvalid"),
    "deeper": ("unknown ca", "ClientCertMaxChainDepthExceeded"),
    "huge": ("illegal parameter", "ClientCertMaxSizeExceeded"),
}


def test_who_is_let_in_and_what_the_others_are_told(run, tmp_path, pki):
    program = run(verifying(tmp_path, pki.root.pem, [pki.crl]))
    expected = []
    for version in VERSIONS:
        for name, verdict in JUDGED.items():
            said = attempt(program.port(), getattr(pki, name), version)
            assert said == (verdict[0] if verdict else "taken"), (version, name, said)
            expected.append(f"Failed:{verdict[1]}" if verdict else "Success")
    logged = [line[10] for line in log_fields(tmp_path, count=len(expected))]
    assert logged == expected
    metrics = program.metrics()
    listener = f'load_balancer="shop",listener="{program.port()}"'
    for code, count in [("ClientCertExpired", 2), ("ClientCertCrlHit", 2), ("ClientCertTypeUnsupported", 4), ("ClientCertInvalid", 0)]:
        assert f'weir_listener_client_certificate_failures_total{{{listener},code="{code}"}} {count}\n' in metrics
    assert f'weir_listener_tls_failures_total{{{listener},sender="weir",alert="certificate_revoked"}} 2\n' in metrics


@pytest.mark.parametrize("version", VERSIONS)
def test_without_a_certificate_there_is_no_connection(run, tmp_path, pki, version):
    program = run(verifying(tmp_path, pki.root.pem))
    said = attempt(program.port(), None, version)
    assert said == {"tls1_2": "handshake failure", "tls1_3": "certificate required"}[version]
    # Such a client does not show what the server cannot take.
    assert attempt(program.port(), pki.ed25519, version) == said
    assert [line[10] for line in log_fields(tmp_path, count=2)] == ["Failed:UnmappedConnectionError"] * 2
    done = curl("-sk", f"https://127.0.0.1:{program.port()}/")
    assert done.returncode in (35, 56) and done.stdout == ""


def test_curl_and_openssl_are_let_in(run, tmp_path, pki):
    program = run(verifying(tmp_path, pki.root.pem))
    for pair in (pki.good, pki.good_rsa, pki.deep):
        done = curl("-sk", "--cert", str(pair.chain), "--key", str(pair.key), f"https://127.0.0.1:{program.port()}/")
        assert done.stdout == "hello", done.stderr
    said = openssl("s_client", "-connect", f"127.0.0.1:{program.port()}", "-cert", pki.expired.pem, "-key", pki.expired.key, "-tls1_2",
                   text="Q\n")
    assert "alert certificate expired" in said


def test_a_verified_client_is_told_to_targets(targets, run, tmp_path, pki):
    blue = targets("blue")
    program = run(verifying(tmp_path, pki.root.pem, targets=[blue]))
    program.wait_state("blue", blue.id, "healthy")
    forged = [("X-Amzn-Mtls-Clientcert-Subject", "CN=admin"), ("x_amzn_mtls_clientcert_leaf", "forged"), ("X-Amzn-Mtls-Clientcert", "forged")]
    with TlsClient(program.port(), settings=client_context(pki.good)) as client:
        assert client.get(fields=forged)[0] == 200
        assert client.get("/again")[0] == 200
    with TlsClient(program.port(), settings=client_context(pki.odd)) as client:
        client.get()
    first, again, odd = blue.requests
    for asked in (first, again):
        assert asked.values("X-Amzn-Mtls-Clientcert-Serial-Number") == ["03A5B1"]
        assert asked.values("X-Amzn-Mtls-Clientcert-Issuer") == ["CN=root"]
        assert asked.values("X-Amzn-Mtls-Clientcert-Subject") == ["CN=client_.com,O=mTLS,C=US"]
        begin, end = (openssl("x509", "-in", pki.good.pem, "-noout", option, "-dateopt", "iso_8601").strip().split("=")[1].replace(" ", "T")
                      for option in ("-startdate", "-enddate"))
        assert asked.values("X-Amzn-Mtls-Clientcert-Validity") == [f"NotBefore={begin};NotAfter={end}"]
        assert urllib.parse.unquote(asked.field("X-Amzn-Mtls-Clientcert-Leaf")) == pki.good.pem.read_text()
        assert re.fullmatch(r"[A-Za-z0-9%+=/-]+", asked.field("X-Amzn-Mtls-Clientcert-Leaf"))
        assert "forged" not in str(asked.fields) and asked.field("X-Amzn-Mtls-Clientcert") is None
    assert odd.field("X-Amzn-Mtls-Clientcert-Subject") == r'CN=a \"b\" \<c\>\\d,O=M\C3\BCller\, S\C3\B6hne \+ Co,C=DE'


def test_the_fields_for_targets_can_have_other_names(targets, run, tmp_path, pki):
    blue = targets("blue")
    renamed = ", ".join(f"routing.http.request.x_amzn_mtls_clientcert_{name.lower().replace('-', '_')}.header_name: X-Client-{name}" for name in NAMES)
    program = run(verifying(tmp_path, pki.root.pem, targets=[blue], listener_attributes="{" + renamed + "}"))
    program.wait_state("blue", blue.id, "healthy")
    with TlsClient(program.port(), settings=client_context(pki.good)) as client:
        client.get(fields=[("X-Client-Issuer", "forged"), ("X-Amzn-Mtls-Clientcert-Issuer", "forged")])
    asked = blue.requests[0]
    assert [asked.values(f"X-Client-{name}") != [] for name in NAMES] == [True] * 5
    assert asked.values("X-Client-Issuer") == ["CN=root"]
    assert "Mtls" not in str(asked.fields)


def test_no_trailer_says_what_only_we_may_say(targets, run, tmp_path, pki):
    blue = targets("blue")
    names = "{routing.http.request.x_amzn_mtls_clientcert_subject.header_name: X-Client, routing.http.request.x_amzn_tls_version.header_name: X-Version}"
    text = verifying(tmp_path, pki.root.pem, targets=[blue], listener_attributes=names)
    program = run(text.replace("    addresses:", "    attributes: {routing.http.x_amzn_tls_version_and_cipher_suite.enabled: true}\n    addresses:", 1))
    program.wait_state("blue", blue.id, "healthy")
    head = "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    trailers = ("X-Sum: 5\r\nx-client: CN=admin\r\nX_Client: CN=admin\r\nX-Version: forged\r\nX-Amzn-Mtls-Clientcert-Leaf: forged\r\n"
                "X-Amzn-Tls-Cipher-Suite: forged\r\nX-Last: 1\r\n")
    with TlsClient(program.port(), settings=client_context(pki.good)) as client:
        # In one piece with the head, and behind it.
        for pieces in ([head + "5\r\nabcde\r\n0\r\n" + trailers + "\r\n"], [head, "5\r\nabcde\r\n0\r\n" + trailers + "\r\n"]):
            for piece in pieces:
                client.tls.sendall(piece.encode())
            start, fields = client.head()
            assert " 200 " in start
            client.exactly(next(int(value) for name, value in fields if name.lower() == "content-length"))
    assert [asked.trailers for asked in blue.requests] == [[("X-Sum", "5"), ("X-Last", "1")]] * 2
    assert {asked.field("X-Client") for asked in blue.requests} == {"CN=client_.com,O=mTLS,C=US"}


def test_passthrough_passes_on_what_the_client_shows(targets, run, tmp_path, pki):
    blue = targets("blue")
    program = run(config(tmp_path, "{mode: passthrough}", targets=[blue]))
    program.wait_state("blue", blue.id, "healthy")
    shown = [pki.deep, pki.expired, pki.stranger, pki.weak, pki.servers_only, pki.revoked]
    for version in VERSIONS:
        for pair in shown:
            assert attempt(program.port(), pair, version) == "taken"
        assert attempt(program.port(), None, version) == "taken"
    for asked, pair in zip(blue.requests, [*shown, None] * 2):
        chain = asked.field("X-Amzn-Mtls-Clientcert")
        assert (chain and urllib.parse.unquote(chain)) == (pair and "".join(pair.blocks()))
        assert asked.field("X-Amzn-Mtls-Clientcert-Subject") is None
    # A client without a certificate cannot say that it has one.
    with TlsClient(program.port(), settings=client_context()) as client:
        client.get(fields=[("X-Amzn-Mtls-Clientcert", "forged"), ("X-Amzn-Mtls-Clientcert-Subject", "forged")])
    assert "forged" not in str(blue.requests[-1].fields)


def test_a_connection_has_one_line_and_its_requests_have_its_id(run, tmp_path, pki):
    program = run(verifying(tmp_path, pki.root.pem))
    with TlsClient(program.port(), settings=client_context(pki.good, ssl.TLSVersion.TLSv1_2)) as client:
        client.get()
        client.get()
        local = client.tls.getsockname()
    assert attempt(program.port(), pki.stranger, "tls1_3") == "unknown ca"
    with Client(program.port()) as plain:
        plain.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert plain.is_closed()
    success, refused, nonsense = log_fields(tmp_path, count=3)
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", success[0])
    assert success[1:4] == ["127.0.0.1", str(local[1]), str(program.port())]
    assert success[4:6] == ["TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"]
    assert re.fullmatch(r"\d+\.\d{3}", success[6])
    assert success[7] == '"CN=client_.com,O=mTLS,C=US"'
    assert re.fullmatch(r"NotBefore=\S{20};NotAfter=\S{20}", success[8])
    assert success[9:11] == ["03A5B1", "Success"]
    assert re.fullmatch(r"TID_[0-9a-f]{32}", success[11])
    assert success[12] == "x25519"
    assert re.fullmatch(r"app/shop/[0-9a-f]{16}", success[13]) and success[14] == "127.0.0.1"
    assert len(success) == 15
    assert refused[4:11] == ["TLSv1.3", "TLS_AES_128_GCM_SHA256", "-", '"CN=of-stranger"', refused[8], "03A5B1", "Failed:ClientCertUntrusted"]
    assert nonsense[4:11] == ["-", "-", "-", '"-"', "-", "-", "Failed:UnmappedConnectionError"]
    asked = log_fields(tmp_path, "access.log", count=2)
    assert [line[29] for line in asked] == [success[11]] * 2
    assert len({line[11] for line in (success, refused, nonsense)}) == 3


def test_no_session_is_resumed(run, tmp_path, pki):
    program = run(verifying(tmp_path, pki.root.pem))
    for version in VERSIONS:
        with TlsClient(program.port(), settings=client_context(pki.good, VERSIONS[version])) as client:
            client.get()
            session = client.tls.session
            assert not session.has_ticket, version
        said = openssl("s_client", "-connect", f"127.0.0.1:{program.port()}", "-reconnect", f"-{version}", "-cert", pki.good.pem, "-key",
                       pki.good.key, text="Q\n")
        assert "Reused" not in said
    metrics = program.metrics()
    assert not re.search(r'weir_listener_tls_handshakes_total\{[^}]*resumed="true"\} [1-9]', metrics)


def test_authorities_are_named_where_that_is_asked(run, tmp_path, pki):
    for options, named in (("", False), (', advertise-trust-store-ca-names: "on"', True)):
        program = run(verifying(tmp_path, pki.root.pem, options=options), name=f"weir{named}.yaml")
        for version in VERSIONS:
            said = openssl("s_client", "-connect", f"127.0.0.1:{program.port()}", f"-{version}", "-cert", pki.good.pem, "-key", pki.good.key,
                           text="Q\n")
            assert ("Acceptable client certificate CA names\nCN = root" in said) == named, said


def test_expiry_can_be_ignored(run, tmp_path, pki):
    program = run(verifying(tmp_path, pki.root.pem, [pki.crl], options=", ignore-client-certificate-expiry: true"))
    for version in VERSIONS:
        assert attempt(program.port(), pki.expired, version) == "taken"
        assert attempt(program.port(), pki.early, version) == "certificate expired"
        assert attempt(program.port(), pki.revoked, version) == "certificate revoked"


def test_the_trust_store_is_replaced_under_load(run, tmp_path, pki):
    old, new = Authority(tmp_path, "old"), Authority(tmp_path, "new")
    client = old.issue("client")
    bundle, crl = tmp_path / "bundle.pem", old.revoke()

    def replace(*authorities):
        (tmp_path / "bundle.new").write_text("".join(each.pem.read_text() for each in authorities))
        (tmp_path / "bundle.new").rename(bundle)
    replace(old)
    program = run(verifying(tmp_path, bundle, [crl]))
    failures, answers, stop = [], [], threading.Event()

    def load(settings, keeps):
        while not stop.is_set():
            try:
                with TlsClient(program.port(), settings=settings) as connection:
                    for _ in range(20 if keeps else 1):
                        answers.append(connection.get()[0])
            except (OSError, Closed) as failure:
                failures.append(failure)
    threads = [threading.Thread(target=load, args=(client_context(client), keeps)) for keeps in (True, False)]
    for thread in threads:
        thread.start()
    kept = TlsClient(program.port(), settings=client_context(client))
    try:
        other = new.issue("other")
        assert attempt(program.port(), other, "tls1_3") == "unknown ca"
        for turn in range(5):
            replace(old, new) if turn % 2 == 0 else replace(new, old)
            program.wait_log("certificates read again", count=turn + 1)
        wait_for(lambda: attempt(program.port(), other, "tls1_3") == "taken", 10, "the new authority")
        revoked = old.issue("revoked")
        assert attempt(program.port(), revoked, "tls1_3") == "taken"
        old.revoke(revoked)
        wait_for(lambda: attempt(program.port(), revoked, "tls1_3") == "certificate revoked", 10, "the new revocation list")
        assert kept.get()[0] == 200, "connections live through it"
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        kept.close()
    assert failures == [] and set(answers) == {200} and len(answers) > 50


def test_a_bad_trust_store_is_reported_and_the_old_one_serves(run, tmp_path, pki):
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(pki.root.pem.read_text())
    program = run(verifying(tmp_path, bundle))
    (tmp_path / "bundle.new").write_text("nonsense")
    (tmp_path / "bundle.new").rename(bundle)
    program.wait_log(r"warning: .*bundle\.pem has no certificate in PEM form; the trust store that was loaded before serves on")
    assert attempt(program.port(), pki.good, "tls1_3") == "taken"
    program.signal(signal.SIGHUP)
    program.wait_log("reload asked for by SIGHUP")
    assert attempt(program.port(), pki.good, "tls1_3") == "taken"
    assert attempt(program.port(), pki.stranger, "tls1_3") == "unknown ca"


def test_status_and_explain_say_who_is_let_in(run, tmp_path, pki):
    program = run(verifying(tmp_path, pki.root.pem, [pki.crl]))
    listener = program.status()["load-balancers"][0]["listeners"][0]
    assert listener["mutual-authentication"] == {"mode": "verify", "trust-store": "partners"}
    admin = "{}:{}".format(*program.admin)
    assert "verify partners" in weir("status", "--admin", admin).stdout
    said = weir("explain", "--live", "--admin", admin, "http", "GET", f"https://shop.example.test:{program.port()}/").stdout
    assert "clients: certificates are verified by trust store partners\n" in said
    metrics = program.metrics()
    assert re.search(r'weir_trust_store_not_after_timestamp_seconds\{trust_store="partners",subject="CN=root",serial_number="[0-9A-F]+"\} \d{10}\n', metrics)
    assert re.search(rf'weir_trust_store_revocations_next_update_timestamp_seconds\{{trust_store="partners",file="{pki.crl}",issuer="CN=root"\}} \d{{10}}\n', metrics)
    assert re.search(r'weir_trust_store_revoked_certificates\{[^}]*\} 1\n', metrics)


@pytest.mark.parametrize("change, message", [
    (lambda pki, folder: {"bundle": pki.good.pem}, "good.pem is not that of an authority: CN=client_.com,O=mTLS,C=US"),
    (lambda pki, folder: {"bundle": folder / "absent.pem"}, "absent.pem: No such file or directory"),
    (lambda pki, folder: {"bundle": pki.crl}, "root.crl has no certificate in PEM form"),
    (lambda pki, folder: {"bundle": pki.root.pem, "revocations": [pki.root.pem]}, "root.pem has no revocation list in PEM form"),
    (lambda pki, folder: {"bundle": pki.folder / "stranger.pem", "revocations": [pki.crl]}, "CN=root, is not in "),
])
def test_what_is_wrong_is_said_with_its_place(tmp_path, pki, change, message):
    asked = change(pki, tmp_path)
    (tmp_path / "weir.yaml").write_text(verifying(tmp_path, asked["bundle"], asked.get("revocations", ())))
    done = weir("check", str(tmp_path / "weir.yaml"))
    assert done.returncode == 1
    assert re.search(r"weir\.yaml:\d+:\d+: error: ", done.stderr) and message in done.stderr, done.stderr


def test_what_aws_would_refuse_is_a_warning(tmp_path, pki):
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("Certificate:\n" + pki.root.pem.read_text())
    (tmp_path / "weir.yaml").write_text(verifying(tmp_path, bundle))
    assert "AWS" not in weir("check", str(tmp_path / "weir.yaml")).stderr
    done = weir("check", "--aws", str(tmp_path / "weir.yaml"))
    assert done.returncode == 0
    assert re.search(r"weir\.yaml:\d+:\d+: warning: AWS: .*bundle\.pem has text outside of certificates, line 1", done.stderr), done.stderr
