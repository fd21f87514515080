"""Bodies far larger than memory may be: up and down at once, with back-pressure and a bounded process."""

import os
import socket
import threading

import pytest
from weir_e2e import SANITIZED, SCALE, Client, wait_for

MIB = 1024 * 1024
SIZE = (16 if SANITIZED else 256) * MIB
PIECE = bytes(range(256)) * 1024
MEMORY_KIB_MAX = 64 * 1024

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - {{port: 0, protocol: HTTP, default-actions: [{{forward: {{target-group: blue}}}}]}}
target-groups:
  - {{name: blue, targets: [{blue}]}}
admin: {{address: 127.0.0.1, port: 0}}
"""


class Bulk:
    """A target's script: takes any body, and gives /down/BYTES back, each byte checked for its place."""

    def __init__(self):
        self.received = 0
        self.sent = 0
        self.wrong = False

    def __call__(self, request, wire):
        length = int(request.field("Content-Length") or 0)
        while length > 0:
            piece = wire.buffer or wire.socket.recv(1 << 20)
            wire.buffer = b""
            if not piece:
                return False
            start = self.received % 256
            self.wrong |= piece[0] != start or piece[-1] != (start + len(piece) - 1) % 256
            self.received += len(piece)
            length -= len(piece)
        wanted = int(request.target.split("/")[2]) if request.target.startswith("/down/") else 0
        wire.socket.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {wanted}\r\n\r\n".encode())
        while wanted > 0:
            part = PIECE[:min(len(PIECE), wanted)]
            wire.socket.sendall(part)
            self.sent += len(part)
            wanted -= len(part)
        return True


def upload(port, size, outcome):
    with Client(port, seconds=120) as client:
        client.send(f"POST /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: {size}\r\n\r\n")
        left = size
        while left > 0:
            part = PIECE[:min(len(PIECE), left)]
            client.send(part)
            left -= len(part)
        outcome["up"] = client.response().status


def download(port, size, outcome):
    with Client(port, seconds=120) as client:
        client.request("GET", f"/down/{size}")
        _, fields = client.head()
        assert ("Content-Length", str(size)) in fields
        seen, buffer = len(client.buffer), bytearray(1 << 20)
        while seen < size:
            count = client.socket.recv_into(buffer)
            assert count > 0
            assert buffer[0] == seen % 256 and buffer[count - 1] == (seen + count - 1) % 256
            seen += count
        outcome["down"] = seen


def start(targets, run):
    bulk = Bulk()
    blue = targets("blue", script=bulk)
    weir = run(CONFIG.format(blue=blue.yaml))
    weir.wait_state("blue", blue, "healthy")
    return weir, bulk


def both_ways(weir, bulk, size):
    outcome = {}
    threads = [threading.Thread(target=way, args=(weir.port(), size, outcome)) for way in (upload, download)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300 * SCALE)
    assert outcome == {"up": 200, "down": size}
    assert bulk.received == size and bulk.sent == size and not bulk.wrong
    if not SANITIZED:
        assert weir.vm_hwm_kib() < MEMORY_KIB_MAX


def test_up_and_down_at_once_in_little_memory(targets, run):
    weir, bulk = start(targets, run)
    both_ways(weir, bulk, SIZE)


@pytest.mark.skipif("WEIR_E2E_HUGE" not in os.environ, reason="2 GiB each way: set WEIR_E2E_HUGE to run it")
def test_two_gibibytes_each_way(targets, run):
    weir, bulk = start(targets, run)
    both_ways(weir, bulk, 2048 * MIB)


def test_a_client_that_does_not_read_holds_the_target_back(targets, run):
    weir, bulk = start(targets, run)
    size = 128 * MIB  # the kernel's own buffers take up to 16 MiB on the way of one response
    clients = []
    for _ in range(8):
        client = Client(weir.port(), seconds=60)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.request("GET", f"/down/{size}")
        clients.append(client)
    # The target stops when every buffer between it and the client is full: its count no longer moves.
    last = [-1, 0]

    def stands_still():
        last[1] = last[1] + 1 if bulk.sent == last[0] and bulk.sent > 0 else 0
        last[0] = bulk.sent
        return last[1] > 100
    wait_for(stands_still, 30, "the target to be held back")
    assert bulk.sent < len(clients) * size / 4
    if not SANITIZED:
        assert weir.vm_hwm_kib() < MEMORY_KIB_MAX
    for client in clients:
        client.reset()


def test_a_target_that_does_not_read_holds_the_client_back(targets, run):
    proceed = threading.Event()

    def script(request, wire):
        proceed.wait(60)
        left = int(request.field("Content-Length")) - len(wire.buffer)
        wire.buffer = b""
        while left > 0:
            left -= len(wire.socket.recv(1 << 20))
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        return True
    blue = targets("blue", script=script)
    weir = run(CONFIG.format(blue=blue.yaml))
    weir.wait_state("blue", blue, "healthy")
    size = 64 * MIB
    with Client(weir.port(), seconds=60) as client:
        client.send(f"POST /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: {size}\r\n\r\n")
        client.socket.setblocking(False)
        sent, idle = 0, 0

        def full():
            nonlocal sent, idle
            try:
                sent += client.socket.send(PIECE[sent % 256:])
                idle = 0
            except BlockingIOError:
                idle += 1
            return idle > 100
        wait_for(full, 30, "the client to be held back")
        assert sent < size
        proceed.set()
        client.socket.settimeout(60 * SCALE)
        while sent < size:
            sent += client.socket.send(PIECE[:min(len(PIECE), size - sent)])
        assert client.response().status == 200
