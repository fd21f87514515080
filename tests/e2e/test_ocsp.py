"""`ocsp-response` of a certificate: what clients that ask for it get, and what is said of responses that are of no use."""

import re

from mtls_e2e import Authority
from test_tls import config
from tls_e2e import openssl
from weir_e2e import wait_for, weir


def pair_of(folder, name="shop"):
    """An authority, a certificate of it behind which its issuer stands, and their files."""
    root = Authority(folder, "root")
    issued = root.issue(name)
    issued.chain.write_text(issued.pem.read_text() + root.pem.read_text())
    return root, issued


def respond(folder, root, issued, name="shop.ocsp", days=7, status="V"):
    """NAME: what the authority says of the certificate, as `openssl ocsp` makes it."""
    serial = openssl("x509", "-in", issued.pem, "-noout", "-serial").strip().split("=")[1]
    revoked = "260101000000Z,keyCompromise" if status == "R" else ""
    entry = "" if status == "U" else f"{status}\t400101000000Z\t{revoked}\t{serial}\tunknown\t/CN=shop\n"
    (folder / "ocsp.index").write_text(entry)
    said = openssl("ocsp", "-index", folder / "ocsp.index", "-rsigner", root.pem, "-rkey", root.key, "-CA", root.pem, "-issuer", root.pem,
                   "-cert", issued.pem, "-ndays", days, "-respout", folder / f"{name}.new", "-noverify")
    assert (folder / f"{name}.new").exists(), said
    (folder / f"{name}.new").rename(folder / name)
    return folder / name


def certificates(issued, response="shop.ocsp"):
    return f'[{{certificate: "{issued.chain}", key: "{issued.key}", ocsp-response: {response}}}]'


def stapled(port, *arguments):
    """What a client that asks for it is told: `good`, `revoked`, or `` when it is told nothing."""
    said = openssl("s_client", "-connect", f"127.0.0.1:{port}", "-status", *arguments, text="Q\n")
    assert "OCSP response" in said, said
    found = re.search(r"Cert Status: (\w+)", said)
    return found.group(1) if found else ""


def test_clients_that_ask_get_the_response_and_a_new_one_when_it_changes(run, tmp_path):
    root, issued = pair_of(tmp_path)
    respond(tmp_path, root, issued)
    program = run(config(certificates(issued)))
    for version in ("-tls1_2", "-tls1_3"):
        assert stapled(program.port(), version) == "good"
    said = openssl("s_client", "-connect", f"127.0.0.1:{program.port()}", "-status", "-CAfile", root.pem, text="Q\n")
    assert "OCSP Response Status: successful" in said
    # Who does not ask gets none.
    assert "OCSP" not in openssl("s_client", "-connect", f"127.0.0.1:{program.port()}", text="Q\n")
    metric = rf'weir_certificate_ocsp_valid_until_timestamp_seconds{{[^}}]*certificate="{issued.chain}"}} (\d+)\n'
    before = re.search(metric, program.metrics()).group(1)
    respond(tmp_path, root, issued, days=9)
    wait_for(lambda: re.search(metric, program.metrics()).group(1) > before, 10, "the newer response")
    respond(tmp_path, root, issued, status="R")
    program.wait_log(r"warning: .*shop\.ocsp says that the certificate is revoked")
    wait_for(lambda: stapled(program.port()) == "revoked", 10, "the response that says so")
    (tmp_path / "shop.ocsp").write_bytes(b"nonsense")
    program.wait_log(r"warning: .*shop\.ocsp holds no OCSP response; the response that was loaded before serves on")
    assert stapled(program.port()) == "revoked"


def test_what_is_wrong_with_a_response_is_said_with_its_place(run, tmp_path):
    root, issued = pair_of(tmp_path)
    other = root.issue("other")
    file = tmp_path / "weir.yaml"
    file.write_text(config(certificates(issued)))

    def check(code, what):
        done = weir("check", str(file))
        kind = "error" if code else "warning"
        assert done.returncode == code and re.search(rf"weir\.yaml:\d+:\d+: {kind}: .*{what}", done.stderr), done.stderr
    check(1, r"cannot read .*shop\.ocsp: No such file")
    (tmp_path / "shop.ocsp").write_bytes(b"nonsense")
    check(1, r"shop\.ocsp holds no OCSP response")
    respond(tmp_path, root, other)
    check(0, r"shop\.ocsp says nothing of the certificate in .*; clients get none")
    respond(tmp_path, root, issued, status="U")
    check(0, r"shop\.ocsp says that the authority does not know the certificate; clients get none")
    program = run(None)
    assert stapled(program.port()) == ""
    respond(tmp_path, root, issued)
    wait_for(lambda: stapled(program.port()) == "good", 10, "the response that is of use")
    # Not the authority of this certificate, though it calls itself so.
    (tmp_path / "forged").mkdir()
    forger, _ = pair_of(tmp_path / "forged")
    respond(tmp_path, forger, issued)
    check(0, r"shop\.ocsp (is not signed by the issuer of the certificate|says nothing)")
