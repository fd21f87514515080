"""What a listener has served and logged, `weir bench http --replay` sends again as it came."""

import pytest
from weir_e2e import Client, wait_for, weir

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    access-log: {{path: access.log}}
    listeners:
      - port: 0
        protocol: HTTP
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - {{name: blue, targets: [{blue}]}}
admin: {{address: 127.0.0.1, port: 0}}
"""


@pytest.fixture
def shop(targets, run, tmp_path):
    blue = targets("blue")
    appliance = run(CONFIG.format(blue=blue.yaml))
    appliance.wait_state("blue", blue, "healthy")
    appliance.blue = blue
    appliance.log_file = tmp_path / "access.log"
    return appliance


@pytest.mark.parametrize("method, target, agent", [
    ("GET", "/", b"a\tb"),
    ("GET", "/", b'say "hi" \\ and \\x09 too'),
    ("GET", "/", b"\x01\x02 \x7f"),
    ("GET", "/", "grüß ✓".encode()),
    ("GET", "/", b"\xff\xfe"),
    ("GET", '/a\\b"c?d=\\&e="', b"agent"),
    ("GET", "/a@b?c=d@e", b"agent"),
    ("OPTIONS", "*", b"agent"),
])
def test_a_logged_request_is_sent_again_as_it_came(shop, method, target, agent):
    def served():
        return [request for request in shop.blue.requests if request.field("X-Forwarded-For")]
    with Client(shop.port()) as client:
        client.send(method.encode() + b" " + target.encode() + b" HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: " + agent + b"\r\n\r\n")
        assert client.response(method).status == 200
    wait_for(lambda: shop.log_file.exists() and shop.log_file.read_bytes().count(b"\n") == 1, 10, "the line of the log")
    outcome = weir("bench", "http", "--replay", shop.log_file, "-c", 1, "--json", f"http://127.0.0.1:{shop.port()}/")
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stderr == ""
    first, again = served()
    assert (again.method, again.target) == (first.method, first.target)
    assert again.values("User-Agent") == first.values("User-Agent")
    assert first.field("User-Agent").encode("latin-1") == agent
