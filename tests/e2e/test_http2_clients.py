"""HTTP/2 by clients that people have: Node.js, Chromium, h2load with many streams."""

import json
import re
import subprocess
import threading

import pytest
from node_e2e import browse, key_pin, node
from test_tls import config
from tls_e2e import certificate, yaml
from weir_e2e import SCALE, FakeTarget, answering, wait_for

ASSETS = 200
PIXEL = '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"><rect width="7" height="7"/></svg>'
PAGE = f"""<!doctype html><title>loading</title><link rel="icon" href="data:,">
{"".join(f'<img src="/image-{index}.svg">' for index in range(ASSETS))}
<script>
onload = () => (document.title = [...document.images].filter((image) => image.naturalWidth === 7).length);
</script>"""
TRAILERS = (b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-end\r\n\r\n"
            b"5\r\nhello\r\n0\r\nx-end: 5\r\n\r\n")


class Site:
    """The script of a target: a page with its assets, an echo, trailers, and what waits until `release` is set."""

    def __init__(self):
        self.release = threading.Event()
        self.waiting, self.given_up = threading.Event(), threading.Event()

    def __call__(self, request, wire):
        if request.target == "/slow":
            return self.slow(wire)
        if request.target == "/trailers":
            return answering(TRAILERS)(request, wire)
        if request.target == "/echo":
            FakeTarget.read_body(request, wire)
            wire.socket.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(request.body)}\r\n\r\n".encode() + request.body)
            return True
        text, kind = (PAGE, "text/html") if request.target == "/" else (PIXEL, "image/svg+xml")
        if request.target != "/" and not request.target.startswith("/image-"):
            return None
        wire.socket.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
        return True

    def slow(self, wire):
        self.waiting.set()
        while not self.release.is_set():
            wire.socket.settimeout(0.05)
            try:
                if wire.socket.recv(1) == b"":
                    self.given_up.set()
                    return False
            except TimeoutError:
                continue
            except ConnectionError:
                self.given_up.set()
                return False
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        return True


@pytest.fixture
def served(run, targets, tmp_path):
    """(program, target, its script, the certificate)."""
    site = Site()
    target = targets("blue", script=site)
    shop = certificate(tmp_path, "shop")
    program = run(config(yaml(shop), [target]))
    program.wait_state("blue", target.id, "healthy")
    yield program, target, site, shop[0]
    site.release.set()


def client(served, what, **options):
    program, _, _, pem = served
    seen = node("http2_client", what=what, port=program.port(), host="shop.example.test", ca=pem.read_text(), **options)
    assert seen["alpn"] == "h2" and seen["streams"] == 128
    return seen


def test_node_sends_more_requests_at_once_than_there_are_streams(served):
    seen = client(served, "crowd", count=300)
    assert seen["statuses"] == [200] * 300 and seen["paths"] == [f"/asset/{index}" for index in range(300)]
    assert seen["goaways"] == []


def test_node_gets_back_what_it_sends(served):
    assert client(served, "echo", bytes=4 << 20)["same"] == [True] * 3


def test_node_sends_and_gets_trailers_and_early_hints(served):
    answer = client(served, "trailers")["answer"]
    assert (answer["status"], answer["body"], answer["trailers"], answer["interim"]) == (200, "hello", {"x-end": "5"}, [103])
    request = served[1].requests[-1]
    assert request.body == b"content" and request.trailers == [("x-sum", "7")]


def test_node_gives_one_stream_up_and_the_others_go_on(served):
    assert client(served, "cancel")["statuses"] == [200, 200]
    wait_for(served[2].given_up.is_set, what="the end of the request at the target")


def test_node_loses_no_request_in_a_drain(served):
    program, _, site, _ = served

    def drain():
        site.waiting.wait(20 * SCALE)
        program.signal(15)
        program.wait_log("draining")
        site.release.set()
    thread = threading.Thread(target=drain)
    thread.start()
    seen = client(served, "drain")
    thread.join()
    # The notice, then the last word, with the stream that was under way.
    assert [each["code"] for each in seen["goaways"]] == [0] * len(seen["goaways"])
    assert (seen["last"], seen["status"], seen["code"]) == (1, 200, 0)
    assert program.wait_exit() == 0


def test_chromium_loads_a_page_with_200_assets(served):
    program, target, _, pem = served
    url = f"https://shop.example.test:{program.port()}"
    seen = browse(f"{url}/", pins=[key_pin(pem)])
    assert seen["errors"] == [] and seen["title"] == str(ASSETS)
    assert seen["hops"] == {"h2": ASSETS + 1}
    assert sorted(each["url"].removeprefix(url) for each in seen["responses"] if each["status"] == 200 and each["url"].startswith(url)) == sorted(
        ["/", *(f"/image-{index}.svg" for index in range(ASSETS))])
    assert len(target.requests) == ASSETS + 1


@pytest.mark.parametrize("clients,streams", [(1, 128), (8, 100)])
def test_h2load_with_many_streams(served, nginx, run, clients, streams):
    blue = nginx("many")
    program = run(config(yaml((served[3], served[3].with_suffix(".key"))), [blue]), name="many.yaml")
    program.wait_state("blue", blue.id, "healthy")
    done = subprocess.run(["h2load", "-n", "8000", "-c", str(clients), "-m", str(streams), f"https://127.0.0.1:{program.port()}/"],
                          capture_output=True, text=True, timeout=60 * SCALE, check=True)
    assert re.search(r"8000 succeeded, 0 failed, 0 errored, 0 timeout", done.stdout), done.stdout
    assert "8000 2xx, 0 3xx, 0 4xx, 0 5xx" in done.stdout
    assert blue.requests() >= 8000, json.dumps(program.status()["target-groups"])
