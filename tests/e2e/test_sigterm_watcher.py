"""SIGTERM that arrives together with a write to a watched file: requests in flight are answered, the exit code is 0."""

import os
import pathlib
import signal
import threading

from weir_e2e import Client, wait_for


def config(target):
    return f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - {{port: 0, protocol: HTTP, default-actions: [{{forward: {{target-group: blue}}}}]}}
target-groups:
  - {{name: blue, targets: [{target.yaml}], health-check: {{interval: 1s}}}}
admin: {{address: 127.0.0.1, port: 0}}
"""


def is_stopped(process):
    return pathlib.Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "T"


def test_sigterm_in_one_batch_with_a_written_file_loses_no_answer(targets, run):
    arrived, opened = threading.Event(), threading.Event()

    def slow(request, wire):
        arrived.set()
        opened.wait(60)
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow")
        return True

    weir = run(config(targets("blue", script=slow)))
    with Client(weir.port(), seconds=30) as client:
        client.request("GET", "/slow")
        assert arrived.wait(10)
        # Stopped, it finds the signal and the file's event in one batch when it goes on.
        weir.signal(signal.SIGSTOP)
        wait_for(lambda: is_stopped(weir.process), 10, "the program to be stopped")
        weir.signal(signal.SIGTERM)
        with weir.file.open("a", encoding="utf-8") as file:
            file.write("\n")
            os.fsync(file.fileno())
        weir.signal(signal.SIGCONT)
        weir.wait_log("draining")
        opened.set()
        answer = client.response()
        assert answer.status == 200 and answer.body == b"slow"
    assert weir.wait_exit() == 0, weir.log()
