"""`state.directory`: what outlives the program, and what happens where it cannot be written."""

import re
import signal
import ssl

import pytest
from test_tls import config
from tls_e2e import TlsClient, certificate, context, openssl, yaml
from weir_e2e import free_port, wait_for, weir

STATE = "state: {directory: state}"
KEYS = "tls-ticket-keys"


def reused(port, name, folder, resumes):
    """A connection of `openssl s_client` that keeps its session in a file, or goes on with the one that is there."""
    session = "-sess_in" if resumes else "-sess_out"
    said = openssl("s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2", session, folder / name, text="Q\n")
    assert "Cipher is" in said, said
    return "Reused, " in said


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed_after_a_restart(run, tmp_path, version):
    port, settings = free_port(), context(version)
    text = config(yaml(certificate(tmp_path, "shop")), port=port, more=STATE)
    first = run(text)
    with TlsClient(port, settings=settings) as client:
        client.get()
        session = client.tls.session
    assert not reused(port, "session", tmp_path, False)
    kept = tmp_path / "state" / KEYS
    assert kept.stat().st_mode & 0o777 == 0o600 and kept.parent.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in kept.parent.iterdir()] == [KEYS]
    first.stop()
    second = run(text, name="second.yaml")
    with TlsClient(port, settings=settings, session=session) as client:
        client.get()
        assert client.tls.session_reused
    assert reused(port, "session", tmp_path, True)
    second.stop()
    # The command line goes before the file.
    run(text, name="third.yaml", arguments=["--state", str(tmp_path / "other")])
    with TlsClient(port, settings=settings, session=session) as client:
        client.get()
        assert not client.tls.session_reused
    assert (tmp_path / "other" / KEYS).exists()


def test_without_a_state_directory_nothing_outlives_the_program(run, tmp_path):
    port, settings = free_port(), context()
    text = config(yaml(certificate(tmp_path, "shop")), port=port)
    first = run(text)
    with TlsClient(port, settings=settings) as client:
        client.get()
        session = client.tls.session
    first.stop()
    run(text, name="second.yaml")
    with TlsClient(port, settings=settings, session=session) as client:
        client.get()
        assert not client.tls.session_reused


def test_a_damaged_file_is_reported_and_replaced(run, tmp_path):
    kept = tmp_path / "state" / KEYS
    kept.parent.mkdir()
    kept.write_text("half of a fi")
    port = free_port()
    text = config(yaml(certificate(tmp_path, "shop")), port=port, more=STATE)
    first = run(text)
    first.wait_log(rf"{KEYS} does not hold ticket keys; new ones take its place")
    assert kept.read_text().startswith("weir ticket keys, version 1\n") and kept.stat().st_mode & 0o777 == 0o600
    assert not reused(port, "session", tmp_path, False)
    first.stop()
    run(text, name="second.yaml")
    assert reused(port, "session", tmp_path, True)


def test_configured_keys_take_the_kept_ones_away(run, tmp_path):
    (tmp_path / "ticket.key").write_text(openssl("rand", "-base64", "32"))
    pair, port = certificate(tmp_path, "shop"), free_port()
    program = run(config(yaml(pair), port=port, more=STATE))
    kept = tmp_path / "state" / KEYS
    first = kept.read_text()
    program.write(config(yaml(pair), port=port, more=STATE + "\ntls-ticket-keys: [{file: ticket.key}]"))
    program.signal(signal.SIGHUP)
    wait_for(lambda: not kept.exists(), 10, "the kept keys to be gone")
    program.write(config(yaml(pair), port=port, more=STATE))
    program.signal(signal.SIGHUP)
    wait_for(kept.exists, 10, "new keys to be kept")
    assert kept.read_text() != first


def test_what_cannot_be_written_later_is_counted_and_stops_nothing(run, tmp_path):
    (tmp_path / "ticket.key").write_text(openssl("rand", "-base64", "32"))
    pair, port = certificate(tmp_path, "shop"), free_port()
    fixed = STATE + "\ntls-ticket-keys: [{file: ticket.key}]"
    program = run(config(yaml(pair), port=port, more=fixed))
    (tmp_path / "state").rmdir()
    (tmp_path / "state").write_text("in the way")
    before = program.status()["revision"]
    program.write(config(yaml(pair), port=port, more=STATE))
    program.signal(signal.SIGHUP)
    program.wait_log("the ticket keys are not kept: cannot write .*/state/tls-ticket-keys.new: Not a directory")
    wait_for(lambda: program.status()["revision"] > before, 10, "the reload")
    wait_for(lambda: re.search(r"^weir_state_write_failures_total [1-9]", program.metrics(), re.M), 10, "the failure to be counted")
    with TlsClient(port) as client:
        assert client.get()[0] == 200


def test_a_directory_that_is_of_no_use_is_said_with_its_place(run, tmp_path):
    pair = certificate(tmp_path, "shop")
    (tmp_path / "file").write_text("")
    for path, why in (("file", "Not a directory"), ("absent/state", "No such file or directory")):
        (tmp_path / "weir.yaml").write_text(config(yaml(pair), more=f"state: {{directory: {path}}}"))
        done = weir("run", str(tmp_path / "weir.yaml"))
        assert done.returncode == 1
        assert re.search(rf"weir\.yaml:\d+:\d+: error: .*state directory.*{why}", done.stderr), done.stderr
    (tmp_path / "weir.yaml").write_text(config(yaml(pair)))
    done = weir("run", str(tmp_path / "weir.yaml"), "--state", str(tmp_path / "file"))
    assert done.returncode == 3 and "Not a directory" in done.stderr, done.stderr
    # A reload with one is refused, and what was serves on.
    program = run(config(yaml(pair), more=STATE))
    program.write(config(yaml(pair), more="state: {directory: file}"))
    program.signal(signal.SIGHUP)
    program.wait_log(r"weir\.yaml:\d+:\d+: error: .*Not a directory")
    with TlsClient(program.port()) as client:
        assert client.get()[0] == 200
