"""Large content, which goes from socket to socket through a kernel pipe: whole, counted, and never in another's answer."""

import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
import resource
import signal
import threading

import pytest
from weir_e2e import SANITIZED, SCALE, Client, Closed, FakeTarget, wait_for

KIB = 1024
DATA = random.Random(7).randbytes(3 * 1024 * KIB + 17)
# Around what is read with a head, what is worth a pipe, and what a pipe holds.
SIZES = [0, 1, 1000, 8 * KIB - 1, 8 * KIB, 8 * KIB + 1, 48 * KIB - 1, 48 * KIB, 48 * KIB + 1, 68 * KIB - 1, 68 * KIB, 68 * KIB + 1,
         96 * KIB - 1, 96 * KIB, 96 * KIB + 1, 256 * KIB - 1, 256 * KIB, 256 * KIB + 1, 1024 * KIB, 1024 * KIB + 17, len(DATA)]
LARGE = 8 * 1024 * KIB
CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    access-log: {{path: access.log, format: json}}
    attributes: {{idle_timeout.timeout_seconds: {idle}}}
    listeners:
      - {{port: 0, protocol: HTTP, default-actions: [{{forward: {{target-group: blue}}}}]}}
target-groups:
  - {{name: blue, health-check: {{interval: 300s}}, targets: [{target}]}}
admin: {{address: 127.0.0.1, port: 0}}
"""


def start(targets, run, script, idle=60):
    blue = targets("blue", script=script)
    weir = run(CONFIG.format(target=blue.yaml, idle=idle), arguments=("--workers", "1"))
    weir.wait_state("blue", blue, "healthy")
    return weir, blue


def head(size, more=""):
    return f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n{more}\r\n".encode()


def log_records(weir):
    path = pathlib.Path(weir.file).parent / "access.log"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def descriptors(weir, kind=""):
    folder = pathlib.Path(f"/proc/{weir.process.pid}/fd")
    found = []
    for entry in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(entry))
    return [link for link in found if link.startswith(kind)]


def serve_slices(request, wire):
    """GET /SIZE/HOW gives the first SIZE bytes of DATA; POST gives the digest of what came."""
    FakeTarget.read_body(request, wire)
    if request.method == "POST":
        digest = hashlib.sha256(request.body).hexdigest().encode()
        request.body = b""
        wire.socket.sendall(head(len(digest)) + digest)
        return True
    size, how = request.target.strip("/").split("/")
    content = DATA[:int(size)]
    if how == "chunked":
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(content), 100_000):
            piece = content[at:at + 100_000]
            wire.socket.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        wire.socket.sendall(b"0\r\n\r\n")
    elif how == "until-close":
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + content)
        return False
    elif how == "whole":
        wire.socket.sendall(head(size) + content)
    elif how == "head-first":
        wire.socket.sendall(head(size))
        wire.socket.sendall(content)
    else:
        wire.socket.sendall(head(size))
        for at in range(0, len(content), int(how)):
            wire.socket.sendall(content[at:at + int(how)])
    return True


@pytest.mark.parametrize("how", ["whole", "head-first", "1400", "20000", "chunked", "until-close"])
def test_downloads_of_every_size_on_one_connection(targets, run, how):
    weir, blue = start(targets, run, serve_slices)
    pipes = len(descriptors(weir, "pipe:"))
    with Client(weir.port(), seconds=30) as client:
        for size in SIZES:
            answer = client.get(f"/{size}/{how}")
            assert answer.status == 200 and len(answer.body) == size
            assert answer.body == DATA[:size]
    if how in ("whole", "head-first"):
        assert len(descriptors(weir, "pipe:")) > pipes, "a pipe was used, and waits for the next transfer"
    if how != "until-close":
        assert len({request.connection for request in blue.requests}) == 1, "the connection to the target was used again"


def test_uploads_of_every_size_on_one_connection(targets, run):
    weir, blue = start(targets, run, serve_slices)
    with Client(weir.port(), seconds=30) as client:
        for size in SIZES:
            answer = client.request("POST", "/", [] if size else [("Content-Length", "0")], DATA[:size]).response()
            assert answer.body.decode() == hashlib.sha256(DATA[:size]).hexdigest(), size
        # In pieces, with the next request behind the last one.
        client.send(f"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: {len(DATA)}\r\n\r\n")
        for at in range(0, len(DATA), 30_000):
            client.send(DATA[at:at + 30_000])
        client.send("GET /5/whole HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert client.response().body.decode() == hashlib.sha256(DATA).hexdigest()
        assert client.response().body == DATA[:5]
    assert len({request.connection for request in blue.requests}) == 1


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_the_last_answer_of_a_connection_is_whole(targets, run, version):
    weir, _ = start(targets, run, serve_slices)
    for size in (100 * KIB, 1024 * KIB + 17):
        with Client(weir.port(), seconds=30) as client:
            answer = client.request("GET", f"/{size}/whole", [("Connection", "close")], version=version).response()
            assert answer.body == DATA[:size]
            assert client.is_closed()


@pytest.mark.parametrize("size", [1000, 100 * KIB, 1024 * KIB])
def test_bytes_behind_a_response_reach_nobody(targets, run, size):
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"

    def script(request, wire):
        if request.target == "/":
            wire.socket.sendall(head(2) + b"ok")
        else:
            wire.socket.sendall(head(size) + DATA[:size] + evil)
        return True
    weir, blue = start(targets, run, script)
    with Client(weir.port(), seconds=30) as client:
        for _ in range(20):
            assert client.get("/large").body == DATA[:size]
            assert client.get("/").body == b"ok"
    tainted = {request.connection for request in blue.requests if request.target == "/large"}
    clean = [request.connection for request in blue.requests if request.target == "/"]
    assert len(tainted) == 20, "each had the connection for itself"
    assert all(number not in tainted or first_of(blue, number) == "/" for number in clean)


def first_of(blue, number):
    return next(request.target for request in blue.requests if request.connection == number)


def test_bytes_that_follow_late_end_the_idle_connection(targets, run):
    taken, closed = threading.Event(), threading.Event()

    def script(request, wire):
        if request.target == "/":
            wire.socket.sendall(head(2) + b"ok")
            return True
        wire.socket.sendall(head(1024 * KIB) + DATA[:1024 * KIB])
        taken.wait(30 * SCALE)
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL")
        with contextlib.suppress(ConnectionError):
            wire.socket.recv(1)
        closed.set()
        return False
    weir, _ = start(targets, run, script)
    with Client(weir.port(), seconds=30) as client:
        assert client.get("/large").body == DATA[:1024 * KIB]
        taken.set()
        assert closed.wait(10 * SCALE)
        assert client.get("/").body == b"ok"


@pytest.mark.parametrize("reset", [False, True])
def test_a_target_that_breaks_off_is_seen(targets, run, reset):
    def script(_, wire):
        wire.socket.sendall(head(LARGE) + DATA[:700 * KIB])
        if reset:
            Client.reset(wire)
        return False
    weir, _ = start(targets, run, script)
    with Client(weir.port(), seconds=30) as client, pytest.raises((Closed, ConnectionResetError)):
        client.get("/large")
    wait_for(lambda: log_records(weir), 10, "the log line")
    record = log_records(weir)[0]
    assert (record["elb_status_code"], record["error_reason"]) == (200, "TargetResponseIncomplete")


def test_transfers_that_break_off_keep_no_descriptors(targets, run):
    ended, uploads = [], []

    def script(request, wire):
        with contextlib.suppress(OSError, Closed):
            if request.method == "GET":
                wire.socket.sendall(head(LARGE))
                while True:
                    wire.socket.sendall(DATA)
            wire.exactly(300 * KIB)
            uploads.append(request)
            while wire.socket.recv(1 << 20):
                pass
        ended.append(request.method)
        return False
    weir, _ = start(targets, run, script)
    before = len(descriptors(weir))
    rounds = 30
    for number in range(rounds):
        with Client(weir.port(), seconds=30) as client:
            client.request("GET", "/large")
            client.exactly(300 * KIB)
            client.reset()
        with Client(weir.port(), seconds=30) as client:
            client.send(f"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: {LARGE}\r\n\r\n".encode() + DATA[:500 * KIB])
            wait_for(lambda so_far=number: len(uploads) > so_far, 10, "the upload to be under way")
            client.reset()
    wait_for(lambda: len(ended) == 2 * rounds, 20, "the targets' connections to end")
    wait_for(lambda: len(descriptors(weir)) <= before + 2 * 16, 10, "the descriptors to come back")
    wait_for(lambda: len(log_records(weir)) == 2 * rounds, 10, "the log")
    assert {record["elb_status_code"] for record in log_records(weir)} <= {460, 400}
    # Pipes that held somebody's bytes are not used again.
    with Client(weir.port(), seconds=30) as client:
        client.request("GET", "/large")
        client.head()
        assert client.exactly(len(DATA)) == DATA


@pytest.mark.skipif(SANITIZED, reason="the sanitizers look at memory through pipes of their own")
def test_without_descriptors_for_pipes_content_is_copied(targets, run):
    weir, _ = start(targets, run, serve_slices)
    pipes = len(descriptors(weir, "pipe:"))
    with Client(weir.port(), seconds=30) as client:
        assert client.get("/5/whole").body == DATA[:5]
        highest = max(int(name) for name in os.listdir(f"/proc/{weir.process.pid}/fd"))
        resource.prlimit(weir.process.pid, resource.RLIMIT_NOFILE, (highest + 1, highest + 1))
        assert highest + 1 - len(descriptors(weir)) < 2, "no room for the two ends of a pipe"
        assert client.get(f"/{len(DATA)}/whole").body == DATA
        answer = client.request("POST", "/", body=DATA).response()
        assert answer.body.decode() == hashlib.sha256(DATA).hexdigest()
    assert len(descriptors(weir, "pipe:")) == pipes


def test_bytes_are_counted_exactly(targets, run):
    weir, _ = start(targets, run, serve_slices)
    size = 1024 * KIB + 17
    with Client(weir.port(), seconds=30) as client:
        client.send(f"GET /{size}/whole HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
        down = len(client.rest())
    asked = f"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode() + DATA[:size]
    with Client(weir.port(), seconds=30) as client:
        client.send(asked)
        client.rest()
    wait_for(lambda: len(log_records(weir)) == 2, 10, "two log lines")
    get, post = log_records(weir)
    assert get["sent_bytes"] == down > size
    assert post["received_bytes"] == len(asked)

    def metric(name):
        return sum(int(value) for value in re.findall(rf"^{name}{{[^}}]*}} (\d+)$", weir.metrics(), re.MULTILINE))
    assert metric("weir_listener_sent_bytes_total") == get["sent_bytes"] + post["sent_bytes"]
    assert metric("weir_listener_received_bytes_total") == get["received_bytes"] + post["received_bytes"]


def test_others_are_answered_while_a_transfer_never_ends(targets, run):
    stop = threading.Event()

    def script(request, wire):
        if request.target == "/small":
            wire.socket.sendall(head(2) + b"ok")
            return True
        wire.socket.sendall(head(1 << 50))
        with contextlib.suppress(OSError):
            while not stop.is_set():
                wire.socket.sendall(DATA)
        return False
    weir, _ = start(targets, run, script)
    taken = [0]

    def take():
        with Client(weir.port(), seconds=30) as client, contextlib.suppress(OSError):
            client.request("GET", "/endless")
            while not stop.is_set():
                taken[0] += len(client.socket.recv(1 << 20))
    reader = threading.Thread(target=take)
    reader.start()
    try:
        wait_for(lambda: taken[0] > LARGE, 20, "the transfer to be under way")
        before = taken[0]
        with Client(weir.port(), seconds=5) as client:
            for _ in range(100):
                assert client.get("/small").body == b"ok"
        wait_for(lambda: taken[0] > before, 10, "the transfer to go on")
    finally:
        stop.set()
        reader.join(20)


def test_an_answer_before_the_content_was_taken(targets, run):
    def script(_, wire):
        wire.socket.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbig\n")
        with contextlib.suppress(OSError):
            while wire.socket.recv(1 << 20):
                pass
        return False
    weir, _ = start(targets, run, script)
    with Client(weir.port(), seconds=30) as client:
        client.send(f"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: {LARGE}\r\n\r\n".encode() + DATA[:500 * KIB])
        answer = client.response()
        assert (answer.status, answer.body, answer.field("Connection")) == (413, b"big\n", "close")


def test_a_transfer_that_stalls_ends_with_the_idle_timeout(targets, run):
    release = threading.Event()

    def script(_, wire):
        wire.socket.sendall(head(LARGE) + DATA[:700 * KIB])
        release.wait(60 * SCALE)
        return False
    weir, _ = start(targets, run, script, idle=1)
    try:
        with Client(weir.port(), seconds=30) as client, pytest.raises((Closed, ConnectionResetError)):
            client.get("/large")
        wait_for(lambda: log_records(weir), 10, "the log line")
        assert log_records(weir)[0]["error_reason"] == "TargetResponseIncomplete"
    finally:
        release.set()


def test_a_drain_completes_what_is_under_way(targets, run):
    def script(_, wire):
        wire.socket.sendall(head(LARGE) + DATA)
        left = LARGE - len(DATA)
        while left > 0:
            left -= wire.socket.send(DATA[:left])
        return True
    weir, _ = start(targets, run, script)
    with Client(weir.port(), seconds=30) as client:
        client.request("GET", "/large")
        client.head()
        client.exactly(100 * KIB)
        weir.signal(signal.SIGTERM)
        assert len(client.exactly(LARGE - 100 * KIB)) == LARGE - 100 * KIB
        assert client.is_closed()
    assert weir.wait_exit() == 0
