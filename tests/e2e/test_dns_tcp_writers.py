"""UDP beside TCP peers that ask for much and read nothing: they cost a bounded amount of work and memory."""

import pathlib
import re
import resource
import socket
import struct
import time

from weir_e2e import SANITIZED, SCALE, wait_for

PEERS = 900
QUERIES = 400
VALUES = 248  # of 250 octets each: an answer of 65 KB

CONFIG = """
dns: {addresses: [127.0.0.1], port: 0}
zones:
  - name: example.test
    name-servers: [ns1.example.test.]
    records:
      - {name: ns1, type: A, ttl: 5m, values: [192.0.2.1]}
      - {name: big, type: TXT, ttl: 5m, values: [VALUES]}
admin: {address: 127.0.0.1, port: 0}
"""


def question(name, kind, ident):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    return struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!2H", kind, 1)


def tcp_responses(weir):
    return int(re.search(r'^weir_dns_responses_sent_total\{transport="tcp"\} (\d+)', weir.metrics(), re.M).group(1))


def resident_kib(weir):
    text = pathlib.Path(f"/proc/{weir.process.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1))


def read_answer(peer):
    data = b""
    while len(data) < 2 or len(data) < 2 + struct.unpack("!H", data[:2])[0]:
        part = peer.recv(1 << 16)
        assert part, "closed"
        data += part
    return data


def open_writers(port, count):
    burst = b"".join(struct.pack("!H", len(message)) + message for message in
                     (question("big.example.test", 16, ident) for ident in range(QUERIES)))
    writers = []
    for _ in range(count):
        writer = socket.create_connection(("127.0.0.1", port), timeout=10 * SCALE)
        writer.sendall(burst)
        writers.append(writer)
    return writers


def ask_udp(client, ident):
    """How long one query takes, in seconds; asks again after a second without an answer, which the kernel may have dropped."""
    begin = time.monotonic()
    client.settimeout(1.0 * SCALE)
    while time.monotonic() - begin < 10 * SCALE:
        client.send(question("ns1.example.test", 1, ident))
        try:
            # What is left of questions that were asked twice is passed over.
            while struct.unpack("!H", client.recv(512)[:2])[0] != ident:
                pass
            return time.monotonic() - begin
        except TimeoutError:
            pass
    raise AssertionError(f"no answer to the query {ident}")


def assert_prompt(waits):
    """Nearly all queries wait for little more than what TCP peers are given in one turn. What else the machine does may hold up
    single ones, but none for as long as answers for all peers take."""
    waits = sorted(waits)
    assert waits[len(waits) * 9 // 10] < 0.1 * SCALE, waits[-40:]
    assert waits[-1] < 2.5 * SCALE, waits[-40:]


def test_udp_is_answered_beside_tcp_peers_that_never_read(run):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * PEERS)), hard))
    weir = run(CONFIG.replace("VALUES", ", ".join(f"'\"{i:03d}{'x' * 247}\"'" for i in range(VALUES))))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", weir.dns_port))
        ask_udp(client, 0)
        before = resident_kib(weir)
        writers = open_writers(weir.dns_port, PEERS)
        # Each of these waits for what TCP peers are given between two of them, which is little.
        waits = [ask_udp(client, ident) for ident in range(1, 200)]
        assert_prompt(waits)
        wait_for(lambda: tcp_responses(weir) >= PEERS, 20, "an answer for every peer")
        made = tcp_responses(weir)
        waits = [ask_udp(client, ident) for ident in range(200, 400)]
        assert_prompt(waits)
        # A peer that reads nothing is given what fits on the way to it, not 400 answers.
        assert tcp_responses(weir) <= 8 * PEERS, (made, tcp_responses(weir))
        if not SANITIZED:
            assert resident_kib(weir) - before < 48 * 1024, (before, resident_kib(weir))
        # It is not lost: who reads gets all answers in order.
        data, received = b"", 0
        while received < 20:
            while len(data) < 2 or len(data) < 2 + struct.unpack("!H", data[:2])[0]:
                data += writers[0].recv(1 << 16)
            length, ident = struct.unpack("!2H", data[:4])
            assert ident == received
            data, received = data[2 + length:], received + 1
        for writer in writers:
            writer.close()


def test_answers_made_before_a_wrong_message_arrive(run):
    weir = run(CONFIG.replace("VALUES", ", ".join(f"'\"{i:03d}{'x' * 247}\"'" for i in range(VALUES))))
    good = question("ns1.example.test", 1, 7)
    response = good[:2] + b"\x81\x00" + good[4:]
    for wrong in (struct.pack("!H", len(response)) + response, b"\xff\xff"):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", weir.dns_port), timeout=10 * SCALE) as peer:
                peer.sendall(struct.pack("!H", len(good)) + good + wrong + b"\0" * 5_000)
                answer = read_answer(peer)
                assert answer[2:4] == good[:2]
                assert peer.recv(1) == b"", "the end, not a reset"
