"""HTTPS target groups: what is verified and what is not, failures and their reasons, resumption, large bodies, reloads."""

import contextlib
import hashlib
import json
import pathlib
import signal
import socket
import ssl
import threading
import time

import pytest
from tls_e2e import TlsClient, TlsTarget, authority, certificate, expired_certificate, signed, yaml
from weir_e2e import SCALE, Client, Closed, FakeTarget, Load, curl, free_port, get, wait_for, weir

CHECK = "{interval: 1s, timeout: 1s, healthy-threshold: 1, unhealthy-threshold: 1}"


def config(targets, tls="", check=CHECK, listener="{port: 0", attributes="{}", group="", more=""):
    return f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    attributes: {attributes}
    access-log: {{path: access.log, format: json}}
    listeners:
      - {listener}, default-actions: [{{forward: {{target-group: secure}}}}]}}
target-groups:
  - name: secure
    protocol: HTTPS
    health-check: {check}
    {"tls: " + tls if tls else ""}
    {group}
    targets: [{", ".join(target if isinstance(target, str) else target.yaml for target in targets)}]
{more}
admin: {{address: 127.0.0.1, port: 0}}
"""


@pytest.fixture
def secure():
    """secure("blue", pair, …) starts a target that speaks TLS; all are stopped at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda *arguments, **options: stack.enter_context(TlsTarget(*arguments, **options))


@pytest.fixture
def start(run):
    """One worker, so that what it keeps is seen."""
    return lambda *arguments, **options: run(config(*arguments, **options), arguments=("--workers", "1"))


def last_log(folder, count=1):
    file = pathlib.Path(folder) / "access.log"
    lines = wait_for(lambda: (found := file.read_text().splitlines()) and len(found) >= count and found, 10, "the access log")
    return json.loads(lines[-1])


def metric(program, name, **labels):
    """The sum of the samples of `name` with these labels."""
    total = 0
    for line in program.metrics().splitlines():
        if line.startswith(name + "{") and all(f'{key}="{value}"' in line for key, value in labels.items()):
            total += float(line.rsplit(" ", 1)[1])
    return total


# ---- what is spoken


def test_a_request_goes_to_nginx_by_https_and_everything_says_so(nginx, run, tmp_path):
    pem, key = certificate(tmp_path, "app")
    blue = nginx("blue", extra=f"listen 127.0.0.1:{(port := free_port())} ssl; ssl_certificate {pem}; ssl_certificate_key {key};")
    program = run(config([f"{{address: 127.0.0.1, port: {port}}}"], check="{path: /health, interval: 1s}"), arguments=("--workers", "1"))
    program.wait_state("secure", f"127.0.0.1:{port}", "healthy")
    with Client(program.port()) as client:
        for _ in range(20):
            assert client.get().body == b"blue\n"
    assert blue.requests() == 20
    assert metric(program, "weir_target_connections_opened_total", target_group="secure") == 1
    assert metric(program, "weir_target_group_tls_handshakes_total", target_group="secure", version="TLSv1.2", resumed="false") == 1
    assert metric(program, "weir_target_group_info", target_group="secure", protocol="HTTPS") == 1
    group = program.status()["target-groups"][0]
    assert (group["protocol"], group["ssl-policy"]) == ("HTTPS", "ELBSecurityPolicy-2016-08")
    admin = "{}:{}".format(*program.admin)
    assert "secure (HTTPS)" in weir("status", "--admin", admin).stdout
    said = weir("explain", "--live", "--admin", admin, "http", "GET", f"http://127.0.0.1:{program.port()}/").stdout
    assert "target group secure: weight 1, share 100%, HTTPS by ELBSecurityPolicy-2016-08, 1 of 1 healthy" in said
    assert "error_reason" not in last_log(tmp_path, 20)


@pytest.mark.parametrize("kind", ["expired", "rsa", "ec", "wrong-name"])
def test_by_default_no_certificate_is_looked_at(secure, start, tmp_path, kind):
    pair = expired_certificate(tmp_path, "app") if kind == "expired" else certificate(
        tmp_path, "app", names=("elsewhere.example.test",), key="rsa" if kind == "rsa" else "ec")
    blue = secure("blue", pair)
    program = start([blue])
    program.wait_state("secure", blue, "healthy")
    assert get(program.port()).status == 200
    assert blue.handshakes[-1]["name"] is None, "an address is no server name"


@pytest.mark.parametrize("policy, spoken", [
    (None, "TLSv1.2"),
    ("ELBSecurityPolicy-TLS-1-2-2017-01", "TLSv1.2"),
    ("ELBSecurityPolicy-TLS13-1-2-2021-06", "TLSv1.3"),
    ("ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04", "TLSv1.3"),
    ("ELBSecurityPolicy-TLS13-1-2-RFC9151-FIPS-2023-07", "TLSv1.3"),
])
def test_the_policy_towards_targets_follows_from_the_listeners(secure, run, tmp_path, policy, spoken):
    pair = certificate(tmp_path, "app")
    blue = secure("blue", pair)
    listener = "{port: 0" if policy is None else f"{{port: 0, protocol: HTTPS, ssl-policy: {policy}, certificates: {yaml(pair)}"
    program = run(config([blue], listener=listener))
    program.wait_state("secure", blue, "healthy")
    if policy is None:
        assert get(program.port()).status == 200
    else:
        with TlsClient(program.port()) as client:
            assert client.get()[0] == 200
    assert {one["version"] for one in blue.handshakes} == {spoken}, "of checks and of requests"


def test_old_targets_are_spoken_to(secure, start, tmp_path):
    blue = secure("blue", certificate(tmp_path, "app", key="rsa"), versions=(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1))
    program = start([blue])
    program.wait_state("secure", blue, "healthy")
    assert get(program.port()).status == 200
    assert blue.handshakes[-1]["version"] == "TLSv1"


# ---- verification and certificates of our own


def test_verify_accepts_what_the_authority_signed_for_the_name(secure, start, tmp_path):
    ca = authority(tmp_path)
    blue = secure("blue", signed(tmp_path, "app", ca))
    program = start([blue], tls=f'{{verify: true, ca-bundle: "{ca[0]}", server-name: app.internal}}')
    program.wait_state("secure", blue, "healthy")
    assert get(program.port()).status == 200
    assert {one["name"] for one in blue.handshakes} == {"app.internal"}, "checks send it, too"


@pytest.mark.parametrize("kind, reason, alert", [
    ("wrong-name", "hostname mismatch", "bad_certificate"),
    ("expired", "certificate has expired", "certificate_expired"),
    ("self-signed", "self-signed certificate", "unknown_ca"),
])
def test_verify_refuses_the_others_with_the_reason(secure, start, tmp_path, kind, reason, alert):
    ca = authority(tmp_path)
    if kind == "self-signed":
        pair = certificate(tmp_path, "app", names=("app.internal",))
    elif kind == "expired":
        pair = signed(tmp_path, "app", ca, days=-1)
    else:
        pair = signed(tmp_path, "app", ca, names=("other.internal",))
    blue = secure("blue", pair)
    program = start([blue], tls=f'{{verify: true, ca-bundle: "{ca[0]}", server-name: app.internal}}')
    program.wait_state("secure", blue, "unhealthy")
    assert reason in program.targets("secure")[blue.id]["description"].lower()
    answer = get(program.port())
    assert answer.status == 502, "too few are healthy: it was asked all the same"
    said = last_log(tmp_path)
    assert said["error_reason"].lower() == f"targettlshandshakefailed: {reason}"
    assert not blue.requests
    assert metric(program, "weir_target_group_tls_failures_total", target_group="secure", sender="weir", alert=alert) == 1
    assert metric(program, "weir_proxy_errors_total", source="upstream", reason="TargetTlsHandshakeFailed") == 1


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_target_that_wants_a_certificate_gets_ours(secure, start, run, tmp_path, version):
    ca = authority(tmp_path)
    own = signed(tmp_path, "front", ca)
    blue = secure("blue", certificate(tmp_path, "app"), client_ca=ca[0], versions=(version, version))
    listener = f"{{port: 0, protocol: HTTPS, ssl-policy: ELBSecurityPolicy-TLS13-1-2-2021-06, certificates: {yaml(own)}"
    program = start([blue], tls=f'{{certificate: "{own[0]}", key: {{file: "{own[1]}"}}}}', listener=listener)
    program.wait_state("secure", blue, "healthy")
    with TlsClient(program.port()) as client:
        assert client.get()[0] == 200
    assert blue.handshakes[-1]["client"] == "front"
    program.stop()
    (tmp_path / "access.log").unlink()
    program = start([blue], listener=listener, check="{protocol: TCP, interval: 1s}")
    program.wait_state("secure", blue, "healthy")
    with TlsClient(program.port()) as client:
        assert client.get()[0] == 502
    reason = last_log(tmp_path)["error_reason"]
    if version == ssl.TLSVersion.TLSv1_3:
        assert reason == "TargetTlsFailed: tlsv13 alert certificate required", "the client's part of the handshake was over"
    else:
        assert reason.startswith("TargetTlsHandshakeFailed: "), reason


def test_files_are_checked_before_anything_serves(tmp_path):
    file = tmp_path / "weir.yaml"
    file.write_text(config(["{address: 127.0.0.1, port: 9443}"], tls="{verify: true, ca-bundle: absent.pem}"))
    done = weir("check", file)
    assert done.returncode == 1
    assert "weir.yaml:13:" in done.stderr and "absent.pem: No such file" in done.stderr, done.stderr


# ---- failures


def test_a_target_without_tls_is_502(nginx, start, tmp_path):
    blue = nginx("blue")
    program = start([blue], check="{protocol: TCP, interval: 1s}")
    program.wait_state("secure", blue.id, "healthy")
    assert get(program.port()).status == 502
    assert last_log(tmp_path)["error_reason"] == "TargetTlsHandshakeFailed: wrong version number"


def test_a_target_that_never_shakes_hands_is_504_after_ten_seconds(secure, start, tmp_path):
    done = threading.Event()

    def silent(_):
        done.wait(60 * SCALE)
    blue = secure("blue", certificate(tmp_path, "app"), hello=silent)
    program = start([blue], check="{protocol: TCP, interval: 1s}")
    program.wait_state("secure", blue, "healthy")
    started = time.monotonic()
    with Client(program.port(), seconds=30) as client:
        assert client.get().status == 504
    assert 9.5 < time.monotonic() - started < 12 * SCALE
    assert last_log(tmp_path)["error_reason"] == "TargetTlsHandshakeTimeout"
    assert metric(program, "weir_target_group_tls_failures_total", sender="nobody", alert="none") == 1
    done.set()


def test_a_handshake_that_fails_is_tried_on_another_target(nginx, secure, start, tmp_path):
    plain, blue = nginx("plain"), secure("blue", certificate(tmp_path, "app"))
    program = start([plain, blue], check="{protocol: TCP, interval: 1s}")
    program.wait_state("secure", plain.id, "healthy")
    program.wait_state("secure", blue, "healthy")
    for _ in range(6):
        with Client(program.port()) as client:
            assert client.request("POST", "/", body=b"abc").response().json()["body"] == "abc"
    assert metric(program, "weir_target_group_tls_failures_total", sender="nobody") >= 3


def test_an_end_without_a_word_is_no_end(secure, start, tmp_path):
    def script(request, wire):
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        if request.target == "/told":
            wire.socket.unwrap()
        return False
    blue = secure("blue", certificate(tmp_path, "app"), script=script)
    program = start([blue])
    program.wait_state("secure", blue, "healthy")
    assert get(program.port(), "/told").body == b"all of it"
    with Client(program.port()) as client, pytest.raises((Closed, ConnectionError)):
        client.get("/cut")
    assert last_log(tmp_path, 2)["error_reason"] == "TargetResponseIncomplete"


def test_a_record_that_is_cut_off_breaks_the_response(secure, start, tmp_path):
    def script(request, wire):
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin")
        raw = socket.socket(fileno=wire.socket.detach())
        raw.sendall(b"\x17\x03\x03\x00\x40half")
        raw.close()
        return False
    blue = secure("blue", certificate(tmp_path, "app"), script=script)
    program = start([blue])
    program.wait_state("secure", blue, "healthy")
    with Client(program.port()) as client, pytest.raises((Closed, ConnectionError)):
        client.get()


# ---- connections: kept, resumed, dead


def connections_to(port):
    """Those that somebody on this machine holds open, also where the other side has closed."""
    held = {"01", "08"}  # ESTABLISHED, CLOSE_WAIT
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row for row in rows if row[3] in held and int(row[2].split(":")[1], 16) == port]


def test_connections_are_kept_and_a_dead_one_is_noticed(secure, start, tmp_path):
    blue = secure("blue", certificate(tmp_path, "app"))
    program = start([blue])
    program.wait_state("secure", blue, "healthy")
    before = len(blue.handshakes)
    with Client(program.port()) as client:
        first = client.get().json()["connection"]
        for _ in range(5):
            assert client.get().json()["connection"] == first
        assert len([one for one in blue.handshakes[before:]]) >= 1
        blue.stop()
        wait_for(lambda: not connections_to(blue.port), 10, "the end of the connection")
        blue.start()
        assert client.request("POST", "/", body=b"x").response().status == 200, "the dead connection was not used"
        assert client.get().json()["connection"] != first


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed(secure, start, tmp_path, version):
    def script(request, wire):
        FakeTarget.read_body(request, wire)
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        wire.socket.unwrap()
        return False
    pair = certificate(tmp_path, "app")
    blue = secure("blue", pair, script=script, versions=(version, version))
    listener = f"{{port: 0, protocol: HTTPS, ssl-policy: ELBSecurityPolicy-TLS13-1-2-2021-06, certificates: {yaml(pair)}"
    program = start([blue], listener=listener, check="{protocol: TCP, interval: 1h}")
    program.wait_state("secure", blue, "healthy")
    with TlsClient(program.port()) as client:
        for _ in range(6):
            assert client.get()[0] == 200
    assert [one["resumed"] for one in blue.handshakes] == [False] + [True] * 5
    assert metric(program, "weir_target_group_tls_handshakes_total", resumed="true") == 5


# ---- content


def digest_of(stream, size):
    digest = hashlib.sha256()
    while size > 0:
        piece = stream(min(size, 1 << 20))
        assert piece
        digest.update(piece)
        size -= len(piece)
    return digest.hexdigest()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_hundred_megabytes_go_both_ways(secure, start, tmp_path, chunked):
    size = 100_000_000
    block = hashlib.sha512(b"weir").digest() * 16384  # 1 MiB
    content = (block * (size // len(block) + 1))[:size]
    wanted = hashlib.sha256(content).hexdigest()
    received = []

    def script(request, wire):
        if request.method == "POST":
            received.append(digest_of(lambda room: wire.exactly(min(room, 65536)), size) if not chunked
                            else hashlib.sha256(wire.chunked()[0]).hexdigest())
            wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            return True
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\n" + (b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size) + b"\r\n\r\n")
        for at in range(0, size, len(block)):
            piece = content[at:at + len(block)]
            wire.socket.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            wire.socket.sendall(b"0\r\n\r\n")
        return True
    blue = secure("blue", certificate(tmp_path, "app"), script=script)
    program = start([blue])
    program.wait_state("secure", blue, "healthy")
    url = f"http://127.0.0.1:{program.port()}/"
    (tmp_path / "content").write_bytes(content)
    upload = curl("-T", tmp_path / "content", "-X", "POST", *(("-H", "Transfer-Encoding: chunked") if chunked else ()), "-o", tmp_path / "answer",
                  "-w", "%{http_code}", url, seconds=120)
    assert upload.stdout == "200", upload.stderr
    assert received == [wanted]
    download = curl("-o", tmp_path / "got", "-w", "%{http_code}", url, seconds=120)
    assert download.stdout == "200", download.stderr
    assert hashlib.sha256((tmp_path / "got").read_bytes()).hexdigest() == wanted
    assert program.vm_hwm_kib() < (200_000 if not SCALE > 1 else 2_000_000), "nothing was gathered"


# ---- aborts, drains, reloads


def test_clients_may_leave_in_every_phase(secure, start, tmp_path):
    go, slow = threading.Event(), []

    def hello(connection):
        if slow:
            go.wait(30 * SCALE)
        return blue._shake(connection)

    def script(request, wire):
        if request.target == "/silent":
            go.wait(30 * SCALE)
            return False
        if request.target == "/half":
            wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nbegin")
            go.wait(30 * SCALE)
            return False
        return None
    blue = secure("blue", certificate(tmp_path, "app"), hello=hello, script=script)
    program = start([blue], check="{protocol: TCP, interval: 1h}")
    program.wait_state("secure", blue, "healthy")
    slow.append(True)
    handshaking = Client(program.port()).request("GET", "/")
    wait_for(lambda: blue.connections_accepted >= 2, 10, "a connection of the request")
    handshaking.reset()
    slow.clear()
    waiting = Client(program.port()).request("GET", "/silent")
    wait_for(lambda: any(one.target == "/silent" for one in blue.requests), 10, "the silent request")
    waiting.reset()
    reading = Client(program.port()).request("GET", "/half")
    reading.until(b"begin")
    reading.reset()
    sending = Client(program.port()).send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc")
    wait_for(lambda: metric(program, "weir_target_active_requests") >= 1, 10, "the upload under way")
    sending.reset()
    go.set()
    wait_for(lambda: metric(program, "weir_target_active_requests") == 0, 10, "nothing under way")
    assert get(program.port()).status == 200


def test_targets_may_leave_in_every_phase(secure, start, tmp_path):
    def hello(connection):
        if len(blue.refusals) < 1:
            blue.refusals.append(connection.recv(100))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            return None
        return blue._shake(connection)

    def script(request, wire):
        if request.target == "/nothing":
            return False
        if request.target == "/half":
            wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin")
            return False
        return None
    blue = secure("blue", certificate(tmp_path, "app"), hello=hello, script=script)
    blue.refusals = [b"the check"]
    program = start([blue], check="{protocol: TCP, interval: 1h}")
    program.wait_state("secure", blue, "healthy")
    blue.refusals = []
    assert get(program.port()).status == 502
    assert last_log(tmp_path)["error_reason"] == "TargetTlsHandshakeFailed: closed during the TLS handshake"
    with Client(program.port()) as client:
        assert client.request("POST", "/nothing", body=b"x").response().status == 502
    assert last_log(tmp_path, 2)["error_reason"] == "TargetConnectionReset"
    with Client(program.port()) as client, pytest.raises((Closed, ConnectionError)):
        client.get("/half")
    assert get(program.port()).status == 200


def test_a_drain_finishes_what_is_under_way(secure, start, tmp_path):
    go = threading.Event()

    def script(request, wire):
        go.wait(30 * SCALE)
        return None
    blue = secure("blue", certificate(tmp_path, "app"), script=script)
    program = start([blue])
    program.wait_state("secure", blue, "healthy")
    with Client(program.port()) as client:
        client.request("GET", "/slow")
        wait_for(lambda: blue.requests, 10, "the request at the target")
        program.signal(signal.SIGTERM)
        program.wait_log("draining")
        go.set()
        assert client.response().status == 200
    assert program.wait_exit() == 0


def test_a_reload_that_changes_tls_loses_nothing(secure, run, tmp_path):
    ca = authority(tmp_path)
    pair = signed(tmp_path, "app", ca, names=("app.internal", "new.internal"))
    blue = secure("blue", pair)
    port = free_port()
    listener = f"{{port: {port}"
    program = run(config([blue], listener=listener))
    program.wait_state("secure", blue, "healthy")
    with Load(port, clients=3) as load:
        load.wait_count(50)
        changes = [("{server-name: app.internal}", "app.internal"),
                   (f'{{verify: true, ca-bundle: "{ca[0]}", server-name: new.internal}}', "new.internal"), ("", None)]
        for round_, (tls, name) in enumerate(changes):
            before = len(blue.handshakes)
            program.write(config([blue], tls=tls, listener=listener))
            wait_for(lambda: program.status()["revision"] == round_ + 2, 10, "the reload")
            # A check that began before may end last.
            wait_for(lambda: name in [one["name"] for one in blue.handshakes[before:]], 10, f"a handshake for {name}")
    assert not load.failures, load.failures[:3]


def test_an_authority_that_is_replaced_decides_from_then_on(secure, start, tmp_path):
    ca, other = authority(tmp_path, "ca"), authority(tmp_path, "other")
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(other[0].read_bytes())
    blue = secure("blue", signed(tmp_path, "app", ca))
    program = start([blue], tls=f'{{verify: true, ca-bundle: "{bundle}", server-name: app.internal}}')
    program.wait_state("secure", blue, "unhealthy")
    fresh = tmp_path / "bundle.new"
    fresh.write_bytes(ca[0].read_bytes())
    fresh.rename(bundle)
    program.wait_state("secure", blue, "healthy", 20)
    assert get(program.port()).status == 200
    fresh.write_text("nonsense")
    fresh.rename(bundle)
    program.wait_log("the authorities that were loaded before are trusted on")
    assert get(program.port()).status == 200
