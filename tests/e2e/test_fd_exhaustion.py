"""Clients that hold every connection they can get leave descriptors for what is served, probed, asked and logged."""

import contextlib
import re
import signal
import socket

import pytest
from weir_e2e import Client, get, wait_for, with_descriptors

BIG = bytes(range(256)) * 16 * 1024


def config(target, extra=""):
    return f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    access-log: {{path: access.log}}
    listeners: [{{port: 0, default-actions: [{{forward: {{target-group: blue}}}}]}}]
target-groups:
  - {{name: blue, targets: [{target.yaml}], health-check: {{interval: 1s, timeout: 1s, unhealthy-threshold: 2, healthy-threshold: 2}}}}
admin: {{address: 127.0.0.1, port: 0}}
{extra}
"""


def answer(request, wire):
    if request.target != "/big":
        return None
    wire.socket.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(BIG)}\r\n\r\n".encode() + BIG)
    return True


@pytest.fixture
def crowded(targets, run):
    """(program, target, idle clients): 120 clients of a program that may have 64 descriptors."""
    blue = targets("blue", script=answer)
    weir = run(config(blue), prefix=with_descriptors(64), arguments=("--workers", "2"))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(weir.port(), seconds=30)) for _ in range(120)]
        weir.wait_log("clients wait to be accepted")
        yield weir, blue, clients


def test_nothing_is_said_of_who_waits_once_the_program_drains(crowded):
    weir, _, _ = crowded
    weir.signal(signal.SIGTERM)
    assert weir.wait_exit() == 0
    assert re.search(r"info drained$", weir.log(), re.M), weir.log()
    assert "clients no longer wait" not in weir.log(), weir.log()


def logged(weir):
    return (weir.file.parent / "access.log").read_text(encoding="utf-8").count("\n")


def test_accepted_requests_are_answered_and_logged_and_the_others_wait_their_turn(crowded):
    weir, _, clients = crowded
    assert weir.call("GET", "/healthz", raw=True)[0] == 200
    for number, client in enumerate(clients, 1):
        assert client.get(f"/{number}").status == 200
        wait_for(lambda: logged(weir) == number, 10, f"{number} lines in the access log")
        client.close()
    weir.wait_log("clients no longer wait")
    assert len(re.findall("clients wait to be accepted", weir.log())) == 1, "one line for all of it"
    assert "cannot accept" not in weir.log()


def test_probes_and_the_admin_api_go_on_while_clients_wait(crowded):
    weir, blue, clients = crowded
    weir.wait_state("blue", blue, "healthy")
    limit = weir.status()["client-connections"]
    assert limit["waiting"] and limit["waits"] == 1 and 10 <= limit["limit"] <= 30
    metrics = weir.metrics()
    assert f"weir_client_connections_limit {limit['limit']}" in metrics
    assert "weir_client_connections_limit_reached_total 1" in metrics
    active = int(re.search(r"weir_listener_connections_active\{.*\} (\d+)", metrics).group(1))
    assert active <= limit["limit"]
    blue.health_status = 500
    weir.wait_state("blue", blue, "unhealthy")
    assert clients[0].get().status == 200


def test_connections_to_the_admin_api_leave_descriptors_for_requests(crowded):
    weir, _, clients = crowded
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(socket.create_connection(weir.admin))
        for client in clients[:5]:
            assert client.get().status == 200


def test_large_content_is_copied_where_no_pipe_can_be_had(crowded):
    weir, _, clients = crowded
    for client in clients[:5]:
        assert client.get("/big").body == BIG
    assert weir.call("GET", "/healthz", raw=True)[0] == 200


def test_keep_alive_connections_that_are_idle_give_way(targets, run):
    weir = run(config(targets("blue")), prefix=with_descriptors(64), arguments=("--workers", "1"))
    limit = weir.status()["client-connections"]["limit"]
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(weir.port(), seconds=30)) for _ in range(limit)]
        for client in clients:
            assert client.get().status == 200
        assert get(weir.port()).status == 200, "well before the idle timeout of 60 s"
        closed = sum(client.is_closed(0.1) for client in clients)
        assert 1 <= closed <= 2 * max(limit // 8, 1), "some make room for one, and not one after the other all of them"
        weir.wait_log("clients no longer wait")


def test_dns_connections_count_too(targets, run):
    zone = """
dns: {addresses: [127.0.0.1], port: 0}
zones:
  - {name: e.test, name-servers: [ns], records: [{name: a, type: A, ttl: 60s, values: [192.0.2.1]}]}
"""
    weir = run(config(targets("blue"), zone), prefix=with_descriptors(64), arguments=("--workers", "2"))
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(socket.create_connection(("127.0.0.1", weir.dns_port)))
        clients = [stack.enter_context(Client(weir.port(), seconds=30)) for _ in range(60)]
        weir.wait_log("clients wait to be accepted")
        assert clients[0].get().status == 200
        assert weir.call("GET", "/healthz", raw=True)[0] == 200


@pytest.mark.parametrize("path, reason", [("none/access.log", "No such file or directory"), (".", "Is a directory")])
def test_an_access_log_that_cannot_be_written_is_an_error_of_the_start(targets, run, path, reason):
    text = config(targets("blue")).replace("access.log", path)
    weir = run(text, wait=False)
    assert weir.wait_exit() == 3
    assert re.search(rf"weir: cannot write access log \S*{re.escape(path)}: {reason}", weir.log()), weir.log()


def test_an_access_log_that_cannot_be_written_is_refused_by_a_reload(targets, run):
    blue = targets("blue")
    weir = run(config(blue))
    weir.file.write_text(config(blue).replace("access.log", "none/access.log"), encoding="utf-8")
    weir.wait_log("configuration refused")
    wait_for(lambda: "cannot write access log" in weir.status()["configuration"]["last-error"], 10, "status to say so")
    code, refusal = weir.call("POST", "/v1/reload")
    assert code == 422 and "cannot write access log" in str(refusal)
    assert get(weir.port()).status == 200
