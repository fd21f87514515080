"""Certificates, trust store and revocation list replaced every second, beside reloads, under load: no request fails."""

import os
import ssl
import threading
import time

from mtls_e2e import Authority, client_context
from tls_e2e import TlsClient, certificate, yaml
from weir_e2e import Closed

# scripts/test-long has a minute.
SECONDS = int(os.environ.get("WEIR_E2E_RENEWAL_SECONDS", "10"))


def config(folder, pair, bundle, crl, body):
    return f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    connection-log: {{path: connections.log}}
    listeners:
      - port: 0
        protocol: HTTPS
        ssl-policy: ELBSecurityPolicy-TLS13-1-2-2021-06
        certificates: {yaml(pair)}
        default-actions: [{{fixed-response: {{status-code: 200, message-body: {body}}}}}]
      - port: 0
        protocol: HTTPS
        ssl-policy: ELBSecurityPolicy-TLS13-1-2-2021-06
        certificates: {yaml(pair)}
        mutual-authentication: {{mode: verify, trust-store: partners}}
        default-actions: [{{fixed-response: {{status-code: 200, message-body: {body}}}}}]
trust-stores: [{{name: partners, ca-bundle: "{bundle}", revocations: ["{crl}"]}}]
admin: {{address: 127.0.0.1, port: 0}}
"""


def test_no_request_fails_while_certificates_are_replaced(run, tmp_path):
    pair, authority = certificate(tmp_path, "shop"), Authority(tmp_path, "root")
    client, crl = authority.issue("client"), authority.revoke()
    program = run(config(tmp_path, pair, authority.pem, crl, "zero"))
    failures, answers, stop = [], [0] * 4, threading.Event()

    def load(index, port, settings, requests):
        while not stop.is_set():
            try:
                with TlsClient(port, settings=settings) as connection:
                    for _ in range(requests):
                        if connection.get()[0] != 200:
                            failures.append("not 200")
                        answers[index] += 1
            except (OSError, Closed) as failure:
                failures.append(repr(failure))
    open_port, strict_port = program.port(index=0), program.port(index=1)
    threads = [threading.Thread(target=load, args=each) for each in (
        (0, open_port, client_context(), 50),
        (1, open_port, client_context(version=ssl.TLSVersion.TLSv1_2), 1),
        (2, strict_port, client_context(client), 1),
        (3, strict_port, client_context(client, ssl.TLSVersion.TLSv1_2), 5))]
    for thread in threads:
        thread.start()
    try:
        begun, turns = time.monotonic(), 0
        while time.monotonic() - begun < SECONDS:
            turns += 1
            certificate(tmp_path, "shop", common_name=f"turn-{turns}")
            authority.revoke(authority.issue(f"revoked-{turns}"))
            (tmp_path / "bundle.new").write_text(authority.pem.read_text() + f"# {turns}\n")
            (tmp_path / "bundle.new").rename(authority.pem)
            program.write(config(tmp_path, pair, authority.pem, crl, f"turn-{turns}"))
            time.sleep(max(0.0, begun + turns - time.monotonic()))
        program.wait_log("certificates read again")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    print(f"{turns} turns, {answers} answers")
    assert failures == []
    assert min(answers) >= SECONDS
