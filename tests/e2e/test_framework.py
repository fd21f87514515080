"""The tools of the cases tell the truth: targets, clients and waiting, without the program between them."""

import pytest
import weir_e2e
from weir_e2e import Client, FakeTarget, Load, answering, curl, get, wait_for


def test_a_fake_target_answers_with_what_it_was_asked(targets):
    blue = targets("blue")
    answer = get(blue.port, "/a?b=c", {"X-One": "1"}, method="POST", body=b"hello")
    assert answer.status == 200 and answer.field("X-Target") == "blue"
    assert answer.json()["method"] == "POST" and answer.json()["path"] == "/a?b=c" and answer.json()["body"] == "hello"
    assert ["X-One", "1"] in answer.json()["fields"]
    assert [request.target for request in blue.requests] == ["/a?b=c"]


def test_a_fake_target_reads_chunks_and_trailers(targets):
    blue = targets("blue")
    with Client(blue.port) as client:
        client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n")
        answer = client.response()
    assert answer.json()["body"] == "abcde" and answer.json()["trailers"] == [["X-Sum", "5"]]


def test_a_stopped_target_refuses_and_comes_back_at_its_port(targets):
    blue = targets("blue")
    client = Client(blue.port)
    assert client.get().status == 200
    blue.stop()
    assert client.is_closed()
    with pytest.raises(ConnectionRefusedError):
        Client(blue.port)
    blue.start()
    assert get(blue.port).status == 200


def test_a_script_writes_literal_bytes(targets):
    odd = targets("odd", script=answering("HTTP/1.1 299 Odd\r\nContent-Length: 0\r\n\r\n"))
    assert get(odd.port).status == 299


def test_nginx_says_its_name_and_counts(nginx):
    green = nginx("green")
    assert "green\n" == curl(f"http://{green.id}/").stdout
    assert curl(f"http://{green.id}/health").stdout == "ok\n"
    wait_for(lambda: green.requests() == 1, what="one line in the access log")
    green.kill()
    assert curl(f"http://{green.id}/").returncode == 7


def test_load_counts_failures(targets):
    blue = targets("blue")
    with Load(blue.port, clients=2) as load:
        load.wait_count(20)
        assert not load.failures and set(load.by_target) == {"blue"}
        blue.stop()
        wait_for(lambda: load.failures, what="a failure")


def test_waiting_fails_at_its_deadline(monkeypatch):
    monkeypatch.setattr(weir_e2e, "SCALE", 0.1)
    with pytest.raises(AssertionError, match="blue moon"):
        wait_for(lambda: False, 1, "blue moon")


def test_ready_line_is_taken_apart():
    weir = object.__new__(weir_e2e.Weir)
    weir.stderr = ["starting", '2026-01-01 [info] ready admin=127.0.0.1:1 listener=shop/80@127.0.0.1:2 listener=shop/80@[::1]:3 dns=127.0.0.1:4']
    assert weir.admin == ("127.0.0.1", 1)
    assert weir.listeners("shop") == [("shop", 80, "127.0.0.1", 2), ("shop", 80, "::1", 3)]
    assert weir.dns_port == 4 and weir.port("shop", 1) == 3


def test_dig_output_is_taken_apart():
    answer = weir_e2e.Answer(""";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1
;; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
;; QUESTION SECTION:
;a.test. IN A

;; ANSWER SECTION:
a.test.\t\t60\tIN\tA\t192.0.2.1

;; MSG SIZE  rcvd: 51
""")
    assert answer.status == "NOERROR" and "aa" in answer.flags and answer.answer == [("a.test.", 60, "A", "192.0.2.1")]
    assert answer.edns.group(3) == "1232" and answer.size == 51


def test_targets_listen_on_ipv6_too():
    if not weir_e2e.requires_loopback_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    with FakeTarget("six", address="::1") as six:
        assert get(six.port, address="::1").json()["target"] == "six"
        assert six.id == f"[::1]:{six.port}"
