"""HTTPS by clients that people have: Node.js, Python, Chromium."""

import http.client
import ssl

import pytest
from node_e2e import browse, key_pin, node
from test_tls import config
from tls_e2e import certificate, yaml

ASSETS = 24
PIXEL = ('<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"><rect width="7" height="7"/></svg>', "image/svg+xml")
FILES = {
    "/": ('<!doctype html><title>loading</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css">'
          + "".join(f'<img src="/image-{index}.svg">' for index in range(ASSETS)) + '<script src="/page.js"></script>', "text/html"),
    "/style.css": ("body { color: rgb(1, 2, 3) }", "text/css"),
    "/page.js": ("""
onload = async () => {
  const data = await (await fetch("/data.json", {method: "POST", body: "x".repeat(100000)})).json();
  const images = [...document.images].filter((image) => image.naturalWidth === 7).length;
  document.title = `${data.length} ${images} ${getComputedStyle(document.body).color}`;
};""", "text/javascript"),
    **{f"/image-{index}.svg": PIXEL for index in range(ASSETS)},
}


def site(request, wire):
    """The script of a target that has a page with its assets, and counts what is posted."""
    if request.method == "POST":
        size = len(wire.exactly(int(request.field("Content-Length"))))
        text, kind = f'{{"length": {size}}}', "application/json"
    elif request.target in FILES:
        text, kind = FILES[request.target]
    else:
        return None
    wire.socket.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
    return True


@pytest.fixture
def served(run, targets, tmp_path):
    """(program, target, the certificates) of a listener that has two names."""
    target = targets("blue", script=site)
    shop = certificate(tmp_path, "shop", ["shop.example.test"])
    api = certificate(tmp_path, "api", ["*.api.example.test"], key="rsa")
    program = run(config(yaml(shop, api), [target]))
    program.wait_state("blue", target.id, "healthy")
    return program, target, shop[0], api[0]


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_node_resumes_sessions_and_gets_the_certificate_of_the_name(served, version):
    program, target, shop, api = served
    asked = [{"host": "shop.example.test", "path": "/a"}] * 3 + [{"host": "v1.api.example.test", "path": "/b"}] * 2
    answers = node("https_client", port=program.port(), requests=asked, ca=[shop.read_text(), api.read_text()], minVersion=version, maxVersion=version)
    assert [(answer["status"], answer["version"], answer["resumed"]) for answer in answers] == [
        (200, version, False), (200, version, True), (200, version, True), (200, version, False), (200, version, True)]
    assert answers[0]["subject"] == "shop" and answers[3]["subject"] == "api"
    assert {request.field("X-Forwarded-Proto") for request in target.requests} == {"https"}


def test_node_refuses_a_certificate_that_is_for_another_name(served):
    program, _, shop, api = served
    answers = node("https_client", port=program.port(), requests=[{"host": "other.example.test", "path": "/"}], ca=[shop.read_text(), api.read_text()])
    assert answers == [{"error": "ERR_TLS_CERT_ALTNAME_INVALID"}]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_python_verifies_and_resumes(served, version):
    program, _, shop, _ = served
    settings = ssl.create_default_context(cafile=str(shop))
    settings.minimum_version = settings.maximum_version = version
    session = None
    for turn in range(3):
        plain = http.client.HTTPSConnection("127.0.0.1", program.port(), timeout=20)
        plain.sock = settings.wrap_socket(http.client.socket.create_connection(("127.0.0.1", program.port()), timeout=20),
                                          server_hostname="shop.example.test", session=session)
        for path in ("/a", "/style.css"):
            plain.request("GET", path, headers={"Host": "shop.example.test"})
            answer = plain.getresponse()
            assert answer.status == 200 and answer.read()
        assert plain.sock.session_reused == (turn > 0) and plain.sock.version() == version.name.replace("_", ".")
        session = plain.sock.session
        plain.close()


def test_chromium_loads_a_page_with_its_assets(served):
    program, _, shop, _ = served
    url = f"https://shop.example.test:{program.port()}"
    seen = browse(f"{url}/", pins=[key_pin(shop)])
    assert seen["errors"] == []
    assert seen["title"] == f"100000 {ASSETS} rgb(1, 2, 3)"
    assert {(each["status"], each["protocol"], each["subject"]) for each in seen["responses"] if each["url"].startswith(url)} == {(200, "TLS 1.3", "shop")}
    assert {each["url"].removeprefix(url) for each in seen["responses"] if each["url"].startswith(url)} == {*FILES, "/data.json"}


def test_chromium_refuses_a_certificate_that_nobody_vouches_for(served):
    program, target, _, api = served
    seen = browse(f"https://shop.example.test:{program.port()}/", pins=[key_pin(api)])
    assert any("ERR_CERT_AUTHORITY_INVALID" in error for error in seen["errors"]), seen
    assert target.requests == []
