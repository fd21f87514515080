"""jwt-validation: only requests with a good token go on, whatever becomes of the endpoint that publishes the keys."""

import json
import re
import threading
import time

import pytest
import tls_e2e
from jwt_e2e import Jwks, Key, base64url, claims
from node_e2e import node
from weir_e2e import wait_for, weir as command

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    access-log: {{path: access.log}}
    listeners:
      - port: 0
        protocol: HTTPS
        certificates: {certificates}
        rules:
          - priority: 1
            name: free
            conditions: [{{path-pattern: [/free]}}]
            actions: [{{fixed-response: {{status-code: 200, message-body: free}}}}]
          - priority: 2
            conditions: [{{path-pattern: [/plain]}}]
            actions:
              - jwt-validation: {{jwks-endpoint: "{url}", issuer: "https://id.example.test", weir.ca-bundle: jwks-ca.pem}}
              - fixed-response: {{status-code: 200, message-body: plain}}
        default-actions:
          - jwt-validation:
              jwks-endpoint: "{url}"
              issuer: https://id.example.test
              additional-claims: [{{name: scope, values: [read], format: space-separated-values}}]
              weir.ca-bundle: jwks-ca.pem
          - forward: {{target-group: blue}}
target-groups:
  - name: blue
    targets: {targets}
"""


@pytest.fixture
def key(tmp_path):
    return Key(tmp_path, "first")


@pytest.fixture
def jwks(tmp_path, key):
    with Jwks(tmp_path, [key]) as endpoint:
        yield endpoint


@pytest.fixture
def config(tmp_path, jwks, targets):
    blue = targets("blue")
    pair = tls_e2e.certificate(tmp_path, "shop")
    return CONFIG.format(certificates=tls_e2e.yaml(pair), url=jwks.url, targets=f"[{blue.yaml}]")


@pytest.fixture
def shop(run, config):
    return run(config, arguments=["--workers", "2"])


def get(weir, token=None, target="/", fields=()):
    """(status, body) of one request."""
    with tls_e2e.TlsClient(weir.port()) as client:
        status, _, body = client.get(target, fields=([] if token is None else [("Authorization", f"Bearer {token}")]) + list(fields))
    return status, body


def logged(weir, count):
    """The error reasons of `count` requests by their paths, `-` for none: workers write in no order."""
    log = weir.file.parent / "access.log"
    lines = wait_for(lambda: log.exists() and len(found := log.read_text().splitlines()) >= count and found, 10, f"{count} log lines")
    quoted = [re.findall(r'"([^"]*)"', line) for line in lines]
    return {fields[0].split(" ")[1].rpartition("/")[2]: fields[7] for fields in quoted}


def test_a_good_token_goes_to_the_target_as_it_came(shop, jwks, key):
    token = key.token(claims())
    status, body = get(shop, token)
    assert status == 200
    fields = json.loads(body)["fields"]
    assert [value for name, value in fields if name.lower() == "authorization"] == [f"Bearer {token}"]
    assert not [name for name, _ in fields if "jwt" in name.lower()]
    assert get(shop, token)[0] == 200
    assert jwks.fetches == 1
    assert jwks.target.requests[0].field("Host") == f"localhost:{jwks.target.port}"
    log = shop.file.parent / "access.log"
    wait_for(lambda: log.exists() and '"jwt-validation,forward"' in log.read_text(), 10, "the log line")


def test_every_fault_of_a_token_is_401_with_its_reason(shop, tmp_path, jwks, key):
    other = Key(tmp_path, "other")
    good = key.token(claims())
    head, payload, signature = good.split(".")
    changed = payload[:-2] + ("AA" if payload[-2:] != "AA" else "BB")
    hs256 = base64url(b'{"alg":"HS256","kid":"first"}')
    none = base64url(b'{"alg":"none","kid":"first"}')
    rows = [
        ("JWTHeaderNotPresent", None, ()),
        ("JWTRequestFormatInvalid", "", ()),
        ("JWTRequestFormatInvalid", "a.b", ()),
        ("JWTRequestFormatInvalid", f"{good} x", ()),
        ("JWTRequestFormatInvalid", good, [("Authorization", f"Bearer {good}")]),
        ("JWTRequestFormatInvalid", None, [("Authorization", f"Basic {good}")]),
        ("JWTRequestFormatInvalid", f"{good}=", ()),
        ("JWTRequestFormatInvalid", key.token(claims(), crit=["exp"]), ()),
        ("JWTSignatureValidationError", f"{head}.{changed}.{signature}", ()),
        ("JWTSignatureValidationError", f"{none}.{payload}.{signature}", ()),
        ("JWTSignatureValidationError", f"{hs256}.{payload}.{signature}", ()),
        ("JWTSignatureValidationError", other.token(claims(), kid="first"), ()),
        ("JWTSignatureValidationError", other.token(claims()), ()),
        ("JWTClaimNotPresent", key.token({"iss": "https://id.example.test"}), ()),
        ("JWTClaimNotPresent", key.token({name: value for name, value in claims().items() if name != "scope"}), ()),
        ("JWTClaimFormatInvalid", key.token(claims(exp="tomorrow")), ()),
        ("JWTClaimFormatInvalid", key.token(claims(scope=["read"])), ()),
        ("JWTClaimValueInvalid", key.token(claims(iss="https://other.example.test")), ()),
        ("JWTClaimValueInvalid", key.token(claims(exp=1)), ()),
        ("JWTClaimValueInvalid", key.token(claims(nbf=99999999999)), ()),
        ("JWTClaimValueInvalid", key.token(claims(scope="write")), ()),
    ]
    for number, (reason, token, fields) in enumerate(rows):
        assert get(shop, token, f"/{number}", fields)[0] == 401, reason
    assert get(shop, good, "/good")[0] == 200
    assert logged(shop, len(rows) + 1) == {"good": "-", **{str(number): reason for number, (reason, _, _) in enumerate(rows)}}
    metrics = shop.metrics()
    assert re.search(rf'weir_listener_jwt_validation_failures_total{{load_balancer="shop",listener="\d+"}} {len(rows)}\n', metrics)
    assert re.search(r'weir_proxy_errors_total{.*source="downstream",reason="JWTClaimValueInvalid"} 4\n', metrics)


def test_a_key_that_is_new_is_fetched_at_once(shop, tmp_path, jwks, key):
    assert get(shop, key.token(claims()))[0] == 200
    rotated = Key(tmp_path, "rotated")
    jwks.keys = [key, rotated]
    assert get(shop, rotated.token(claims()))[0] == 200
    assert get(shop, key.token(claims()))[0] == 200
    assert jwks.fetches == 2


def test_ten_thousand_requests_with_an_unknown_key_fetch_the_keys_once(shop, jwks, key):
    assert get(shop, key.token(claims()))[0] == 200
    before = jwks.fetches
    token = key.token(claims(), kid="nobody")
    statuses = []

    def ask():
        with tls_e2e.TlsClient(shop.port()) as client:
            for _ in range(625):
                statuses.append(client.get(fields=[("Authorization", f"Bearer {token}")])[0])

    begun = time.monotonic()
    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [401] * 10000
    # One more is due every 30 s, which only a program with sanitizers takes.
    assert jwks.fetches == before + 1 + int((time.monotonic() - begun) // 30)
    assert get(shop, key.token(claims()))[0] == 200


def test_many_requests_wait_for_one_fetch(shop, jwks, key):
    release, token, results = threading.Event(), key.token(claims()), []

    def slow(request, wire):
        release.wait(30)
        jwks.respond(wire, 200, json.dumps({"keys": [key.jwk]}))

    jwks.script = slow
    threads = [threading.Thread(target=lambda: results.append(get(shop, token)[0])) for _ in range(40)]
    for thread in threads:
        thread.start()
    wait_for(lambda: jwks.fetches == 1, 10, "the fetch")
    # Others do not notice.
    assert get(shop, target="/free") == (200, b"free")
    wait_for(lambda: re.search(r'weir_listener_connections_active{.*} 4[01]\n', shop.metrics()), 20, "all of them wait")
    release.set()
    for thread in threads:
        thread.join()
    assert results == [200] * 40
    assert jwks.fetches == 1


@pytest.mark.parametrize("what, status, reason", [
    ("slow", 500, "JWKSRequestTimeout"), ("large", 500, "JWKSResponseSizeExceeded"), ("many", 500, "JWKSResponseSizeExceeded"),
    ("gone", 500, "JWKSRequestFailed"), ("distrusted", 500, "JWKSRequestFailed"), ("refusing", 562, "JWKSResponseInvalid"),
    ("redirecting", 562, "JWKSResponseInvalid"), ("invalid", 562, "JWKSResponseInvalid"), ("babbling", 562, "JWKSResponseInvalid")])
def test_keys_that_cannot_be_had(run, config, tmp_path, jwks, key, what, status, reason):
    over = threading.Event()
    if what == "slow":
        jwks.script = lambda request, wire: over.wait(60)
    elif what == "large":
        jwks.answers(200, json.dumps({"keys": [key.jwk], "filler": "x" * 150 * 1024}))
    elif what == "many":
        jwks.answers(200, json.dumps({"keys": [key.jwk] * 11}))
    elif what == "gone":
        jwks.target.stop()
    elif what == "distrusted":
        tls_e2e.authority(tmp_path, "jwks-ca")  # another one of this name
    elif what == "refusing":
        jwks.answers(503, json.dumps({"keys": [key.jwk]}))
    elif what == "redirecting":
        jwks.script = lambda request, wire: wire.socket.sendall(f"HTTP/1.1 302 Found\r\nLocation: {jwks.url}\r\nContent-Length: 0\r\n\r\n".encode())
    elif what == "invalid":
        jwks.answers(200, "<html>")
    else:
        jwks.script = lambda request, wire: wire.socket.sendall(b"220 smtp.example.test ESMTP\r\n")
    shop = run(config, arguments=["--workers", "2"])
    token = key.token(claims())
    assert get(shop, token, "/first")[0] == status
    assert get(shop, target="/free") == (200, b"free")
    assert wait_for(lambda: logged(shop, 1).get("first"), 10, "its line") == reason
    over.set()
    if what in ("gone", "distrusted"):
        return
    # It is asked again as soon as somebody needs it.
    jwks.script = None
    wait_for(lambda: get(shop, token)[0] == 200, 10, "keys again")


def test_keys_that_are_known_serve_while_the_endpoint_is_gone(shop, tmp_path, jwks, key):
    token = key.token(claims())
    assert get(shop, token)[0] == 200
    jwks.target.stop()
    assert get(shop, Key(tmp_path, "unknown").token(claims()))[0] == 500
    assert get(shop, token)[0] == 200


def test_a_reload_keeps_the_keys_and_a_changed_endpoint_has_its_own(shop, config, tmp_path, jwks, key):
    token = key.token(claims())
    assert get(shop, token)[0] == 200
    shop.write(config.replace("message-body: free", "message-body: freed"))
    assert shop.call("POST", "/v1/reload")[0] == 200
    wait_for(lambda: get(shop, target="/free")[1] == b"freed", 10, "the new file")
    assert get(shop, token)[0] == 200
    assert jwks.fetches == 1
    shop.write(config.replace("/.well-known/jwks.json", "/other"))
    assert shop.call("POST", "/v1/reload")[0] == 200
    wait_for(lambda: get(shop, token)[0] == 200 and jwks.fetches == 2, 10, "keys from the other address")
    assert jwks.target.requests[1].target == "/other"


def test_it_stops_while_requests_wait_for_keys(run, config, jwks, key):
    over = threading.Event()
    jwks.script = lambda request, wire: over.wait(60)
    shop = run(config)
    with tls_e2e.TlsClient(shop.port()) as client:
        client.tls.sendall(f"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key.token(claims())}\r\n\r\n".encode())
        wait_for(lambda: jwks.fetches == 1, 10, "the fetch")
        shop.stop()
    over.set()
    assert shop.process.returncode == 0


def test_explain_says_what_it_does_and_asks_nobody(shop, jwks):
    url = f"https://127.0.0.1:{shop.port()}/"
    text = command("explain", shop.file, "http", "GET", url, "--live", "--admin", "%s:%d" % shop.admin, check=True).stdout
    assert "first: jwt-validation: one bearer token, signed by RS256" in text
    assert jwks.url in text and "so far" not in text
    assert jwks.fetches == 0


def test_explain_of_the_running_appliance_says_what_it_did(shop, jwks, key):
    url = f"https://127.0.0.1:{shop.port()}/plain"
    with tls_e2e.TlsClient(shop.port()) as client:
        for _ in range(2):
            assert client.get("/plain", fields=[("Authorization", f"Bearer {key.token(claims())}")])[0] == 200
        assert client.get("/plain", fields=[("Authorization", "Bearer a.b.c")])[0] == 401
        assert client.get("/plain")[0] == 401
    live = ("--live", "--admin", "%s:%d" % shop.admin)
    text = command("explain", shop.file, "http", "GET", url, *live, check=True).stdout
    found = re.search("^first: jwt-validation: .*; so far it let 2 of 4 requests go on, answered 0, failed 2: (.*)$", text, re.M)
    assert found and sorted(re.findall("1 (\\w+)", found.group(1))) == ["JWTHeaderNotPresent", "JWTRequestFormatInvalid"], text
    # Another rule's action has a count of its own.
    other = command("explain", shop.file, "http", "GET", url.replace("/plain", "/"), *live, check=True).stdout
    assert "first: jwt-validation" in other and "so far" not in other


# ---- a second implementation


def test_ten_thousand_random_and_mutated_tokens_have_the_verdicts_of_jose(shop, jwks):
    made = node("jwt_mutants", seconds=120, seed=15, count=10000, issuer="https://id.example.test")
    jwks.answers(200, json.dumps({"keys": made["keys"]}))
    tokens = made["tokens"]
    assert len(tokens) == 10000
    verdicts = [None] * len(tokens)

    def ask(first):
        with tls_e2e.TlsClient(shop.port()) as client:
            for i in range(first, len(tokens), 8):
                status = client.get("/plain", fields=[("Authorization", f"Bearer {tokens[i]['token']}")])[0]
                verdicts[i] = {200: True, 401: False}.get(status, status)

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    different = [(token["how"], verdict, token["why"], token["token"]) for token, verdict in zip(tokens, verdicts) if verdict != token["ok"]]
    assert not different, (len(different), different[:5])
    accepted = sum(verdicts)
    assert 2000 < accepted < 8000, "both verdicts are tried"
