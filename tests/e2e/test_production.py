"""examples/production.yaml before real targets: what its own tests say of each rule is what a client gets, and what a target sees."""

import collections
import re
import shutil
import socket

import pytest
import yaml
from http2_e2e import Http2Client, request as http2_request
from http2_target_e2e import Http2Target
from tls_e2e import context
from weir_e2e import SCALE, SOURCE, Client, Wire, answering, example, free_port, get, wait_for, weir as command

EXAMPLE = SOURCE / "examples/production.yaml"
DOCUMENT = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
RULES = DOCUMENT["load-balancers"][0]["listeners"][1]["rules"]
DRAWS_MAX = 40  # a weight of 1 in 20 comes up within that
OFFICE = "198.51.100.7"


class Visitor(Client):
    """A client of the HTTPS listener that comes from `source`, as a PROXY header says."""

    def __init__(self, port, host, source="203.0.113.50", alpn=None):
        plain = socket.create_connection(("127.0.0.1", port), timeout=10 * SCALE)
        family, destination = ("TCP6", "2001:db8::1") if ":" in source else ("TCP4", "127.0.0.1")
        plain.sendall(f"PROXY {family} {source} {destination} 40000 443\r\n".encode())
        settings = context()
        if alpn:
            settings.set_alpn_protocols([alpn])
        self.tls = settings.wrap_socket(plain, server_hostname=host)
        Wire.__init__(self, self.tls)


@pytest.fixture
def stock():
    with Http2Target("stock.1") as target:
        target.health = (200, [("content-type", "application/grpc"), ("grpc-status", "0")])
        yield target


@pytest.fixture
def shop(run, targets, stock, tmp_path):
    """The example with a target on each port; `farm` has them by the name of their group and a number."""
    moved = {"8080": free_port(), "8443": free_port(), "9900": 0, "10s": "500ms", "2s": "400ms", "/tmp/weir-production": tmp_path / "state",
             "/tmp/weir-production-access.log": tmp_path / "access.log", "/tmp/weir-production-connections.log": tmp_path / "connections.log"}
    farm = {}
    for group in DOCUMENT["target-groups"]:
        for number, target in enumerate(group["targets"], 1):
            name = f"{group['name']}.{number}"
            script = None
            if group["name"] == "account":
                script = answering(f"HTTP/1.1 200 OK\r\nSet-Cookie: SESSION=1\r\nX-Target: {name}\r\nContent-Length: 0\r\n\r\n")
            farm[name] = stock if group["name"] == "stock" else targets(name, script=script)
            moved[re.search(r"\d+", target["port"].partition(":-")[2]).group()] = farm[name].port
    text, environment = example("production.yaml", moved)
    first = "          routing.http.response.server.enabled: false\n"
    assert text.count(first) == 1
    text = text.replace(first, first + "          weir.proxy_protocol.enabled: true\n          weir.proxy_protocol.senders: 127.0.0.0/8\n")
    for path in (SOURCE / "examples").glob("production-*"):
        shutil.copy(path, tmp_path)
    program = run(text, environment=environment, arguments=["--workers", "1"])
    for name, target in farm.items():
        program.wait_state(name.partition(".")[0], target.id, "healthy")
    program.farm, program.http, program.https = farm, moved["8080"], moved["8443"]
    return program


def group_of(answer):
    return (answer.field("X-Target") or "").partition(".")[0]


def test_a_newcomer_checks_it_and_runs_its_tests():
    checked = command("check", "--aws", EXAMPLE)
    assert checked.returncode == 0, checked.stderr
    said = checked.stderr.splitlines()
    assert len(said) == 2 and all("there is no S3 here" in line for line in said), "nothing else, and nothing that AWS would refuse"
    tested = command("test", EXAMPLE)
    assert tested.returncode == 0 and tested.stdout.endswith(f"{len(DOCUMENT['tests'])} passed, 0 failed\n"), tested.stdout


def test_its_tests_name_every_rule_and_leave_every_listener_by_the_default_too():
    assert len(RULES) == 60
    named = collections.Counter(test["expect"]["rule"] for test in DOCUMENT["tests"])
    assert not {rule["name"] for rule in RULES} - set(named)
    assert named["default"] > 30, "the neighbours of rules"


def test_every_kind_of_condition_and_action_is_there():
    kinds = {kind for rule in RULES for condition in rule["conditions"] for kind in condition}
    assert kinds == {"host-header", "path-pattern", "http-header", "http-request-method", "query-string", "source-ip"}
    assert {kind for rule in RULES for action in rule["actions"] for kind in action} == {"forward", "redirect", "fixed-response"}
    transforms = {kind for rule in RULES for transform in rule.get("transforms", ()) for kind in transform}
    assert transforms == {"host-header-rewrite", "url-rewrite"}


def differences(shop, test):
    """What a client gets otherwise than the test says, over the wire."""
    method, url = test["request"].split(" ")
    scheme, host, path = re.fullmatch(r"(https?)://([^:/]+):\d+(/.*)", url).groups()
    expect = test["expect"]
    for _ in range(DRAWS_MAX):
        arguments = (shop.https, host, test.get("from", "203.0.113.50")) if scheme == "https" else (shop.http,)
        with (Visitor if scheme == "https" else Client)(*arguments) as client:
            answer = client.request(method, path, test.get("headers", {}), host=host).response(method)
        if group_of(answer) == expect.get("target-group", ""):
            break
    seen = {"status": answer.status, "location": (answer.field("Location") or "").replace(f":{shop.https}", ":8443"),
            "body": answer.body.decode("latin-1"), "target-group": group_of(answer)}
    return {key: (value, seen[key]) for key, value in expect.items() if key != "rule" and value != seen[key]}


def test_each_of_its_tests_holds_over_the_wire(shop):
    over_http1 = [test for test in DOCUMENT["tests"] if test["expect"].get("target-group") != "stock"]
    wrong = {test["request"]: found for test in over_http1 if (found := differences(shop, test))}
    assert not wrong, wrong
    counted = collections.Counter()
    for rule, count in re.findall(r'^weir_rule_requests_total\{[^}]*name="([^"]+)"[^}]*\} (\d+)', shop.metrics(), re.M):
        counted[rule] += int(count)
    assert not [rule["name"] for rule in RULES if rule["name"] != "stock" and not counted[rule["name"]]]


def test_grpc_goes_to_the_stock(shop):
    with Visitor(shop.https, "stock.shop.example.test", alpn="h2") as visitor:
        client = Http2Client(connection=visitor.tls)
        client.send(http2_request(1, "/shop.Stock/Reserve", [("content-type", "application/grpc"), ("te", "trailers")], "POST",
                                  authority="stock.shop.example.test"))
        assert client.answer(1)[0] == 200
    assert [got.pseudo["path"] for got in shop.farm["stock.1"].requests] == ["/shop.Stock/Reserve"]
    with Visitor(shop.https, "stock.shop.example.test") as client:
        assert client.request("POST", "/shop.Stock/Reserve", host="stock.shop.example.test").response().status == 464


def test_targets_see_what_was_transformed(shop):
    def seen(method, path, host, fields=()):
        with Visitor(shop.https, host) as client:
            got = client.request(method, path, fields, host=host).response(method).json()
        return got["path"], dict(got["fields"])["Host"].partition(":")[0]
    api, shop_host = "api.shop.example.test", "shop.example.test"
    assert seen("GET", "/v1/orders/7?full=1", api) == ("/orders/7?full=1", api)
    assert seen("POST", "/v1/orders/7", api) == ("/orders/7?audit=on", api)
    assert seen("GET", "/v1/items", api) == ("/items", api)
    assert seen("GET", "/", "acme.partners.shop.example.test") == ("/", "acme.partners.internal")
    assert seen("GET", "/", "acme.partners.shop.example.test", {"X-Partner-Region": "eu-1"}) == ("/", "acme.eu.partners.internal")
    assert seen("POST", "/webhooks/acme/paid", shop_host) == ("/in/paid?partner=acme", shop_host)
    assert seen("GET", "/offers", "acme.tenants.shop.example.test") == ("/tenants/offers", shop_host)
    assert seen("GET", "/p/1.jpg", "img.shop.example.test", {"Accept": "image/webp"}) == ("/p/1.webp", "img.shop.example.test")
    assert seen("DELETE", "/cart/items/1", shop_host) == ("/cart/write/items/1", shop_host)
    assert seen("GET", "/search/suggest?q=shoe", shop_host) == ("/suggest?q=shoe", shop_host)
    assert seen("GET", "/products/7/amp", shop_host) == ("/products/7?format=amp", shop_host)


def cookies_of(answer):
    return dict(line.split(";")[0].split("=", 1) for line in answer.values("Set-Cookie"))


def test_clients_stay_at_their_colour_and_at_their_target(shop):
    def stays(path, names, kept):
        """Ten visitors, each of whom returns its cookies; what is kept of each answer is what the first one had."""
        seen = set()
        for _ in range(10):
            with Visitor(shop.https, "shop.example.test") as client:
                first = client.get(path)
                jar = cookies_of(first)
                assert set(jar) == names, jar
                seen.add(kept(first))
                for _ in range(5):
                    answer = client.get(path, {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())})
                    assert kept(answer) == kept(first)
                    jar.update(cookies_of(answer))
        return seen
    assert stays("/products/1", {"AWSALBTG", "AWSALBTGCORS"}, group_of) == {"web-blue", "web-green"}
    assert stays("/cart", {"AWSALB", "AWSALBCORS"}, lambda answer: answer.field("X-Target")) == {"checkout.1", "checkout.2"}
    assert stays("/account/me", {"SESSION", "AWSALBAPP-0"}, lambda answer: answer.field("X-Target")) == {"account.1", "account.2"}


def test_certificates_fields_and_logs(shop, tmp_path):
    for host, subject in (("shop.example.test", "shop.example.test"), ("www.old-shop.example.test", "old-shop.example.test")):
        with Visitor(shop.https, host) as client:
            shown = client.tls.getpeercert(binary_form=True)
            assert subject.encode() in shown and (b"old-shop" in shown) == ("old-shop" in subject)
            answer = client.get("/", host=host)
            assert answer.field("Strict-Transport-Security") == "max-age=31536000; includeSubDomains"
            assert answer.field("X-Frame-Options") == "SAMEORIGIN"
            assert answer.field("Server") is None
    with Visitor(shop.https, "img.shop.example.test") as client:
        fields = dict(client.get("/a", {"Odd_Name": "1"}, host="img.shop.example.test").json()["fields"])
    assert fields["X-Client-Tls-Version"] == "TLSv1.3" and fields["X-Amzn-Tls-Cipher-Suite"].startswith("TLS_")
    assert fields["X-Forwarded-For"] == "203.0.113.50" and "Odd_Name" not in fields
    assert get(shop.http, "/").status == 301
    assert shop.log().count("there is no S3 here") == 2, "the log of the program says it, too"
    lines = wait_for(lambda: len(found := (tmp_path / "access.log").read_text().splitlines()) >= 4 and found, what="the log of requests")
    assert [line.split(" ", 1)[0] for line in lines] == ["https", "https", "https", "http"]
    wait_for(lambda: len((tmp_path / "connections.log").read_text().splitlines()) >= 4, what="the log of connections")
