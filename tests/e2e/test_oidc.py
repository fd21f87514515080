"""authenticate-oidc and authenticate-cognito (ALB 5.4): Chromium signs in at npm's oidc-provider, and a scripted provider does what a
real one does not."""

import base64
import contextlib
import json
import pathlib
import re
import subprocess
import threading
import time
import urllib.parse

import pytest
import tls_e2e
from node_e2e import NodeServer, key_pin, sign_in
from weir_e2e import SCALE, FakeTarget, free_port, wait_for, weir as command

HOST = "shop.example.test"
CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    access-log: {{path: access.log, format: alb}}
    listeners:
      - port: {port}
        protocol: HTTPS
        ssl-policy: ELBSecurityPolicy-TLS13-1-2-2021-06
        certificates: {certificates}
        rules:
          - {{priority: 1, conditions: [{{path-pattern: ["/open"]}}], actions: [{{forward: {{target-group: blue}}}}]}}
          - priority: 2
            conditions: [{{path-pattern: ["/deny*"]}}]
            actions: [{{{action}: {{{provider}, on-unauthenticated-request: deny{more}}}}}, {{forward: {{target-group: blue}}}}]
          - priority: 3
            conditions: [{{path-pattern: ["/allow*"]}}]
            actions: [{{{action}: {{{provider}, on-unauthenticated-request: allow{more}}}}}, {{forward: {{target-group: blue}}}}]
        default-actions: [{{{action}: {{{provider}{more}}}}}, {{forward: {{target-group: blue}}}}]
      - port: {second}
        protocol: HTTPS
        ssl-policy: ELBSecurityPolicy-TLS13-1-2-2021-06
        certificates: {certificates}
        default-actions: [{{{action}: {{{provider}, session-cookie-name: Second{more}}}}}, {{forward: {{target-group: blue}}}}]
target-groups: [{{name: blue, targets: [{target}]}}]
{extra}
admin: {{address: 127.0.0.1, port: 0}}
"""


def authority_of(folder, name):
    """NAME.pem and NAME.key, self-signed, for 127.0.0.1."""
    pem, key = pathlib.Path(folder) / f"{name}.pem", pathlib.Path(folder) / f"{name}.key"
    made = tls_e2e.openssl("req", "-x509", *tls_e2e.KEYS["ec"], "-nodes", "-keyout", key, "-out", pem, "-days", 30, "-subj", f"/CN={name}",
                           "-addext", "subjectAltName=IP:127.0.0.1")
    assert pem.exists(), made
    return pem, key


@pytest.fixture
def pair(tmp_path):
    return tls_e2e.certificate(tmp_path, "shop")


@pytest.fixture
def provider_pair(tmp_path):
    return authority_of(tmp_path, "provider")


@pytest.fixture
def shop(run, targets, tmp_path, pair, provider_pair):
    """shop(port of the provider) starts the program; `app` is its target."""
    (tmp_path / "client.secret").write_text("a secret & more\n")

    def start(provider_port, ports=None, more="", cognito=False, extra="", paths=("/auth", "/token", "/me"), app=None):
        issuer = f"https://127.0.0.1:{provider_port}"
        endpoints = (f"issuer: {issuer}, authorization-endpoint: {issuer}{paths[0]}, token-endpoint: {issuer}{paths[1]}, "
                     f"user-info-endpoint: {issuer}{paths[2]}, client-secret: {{file: client.secret}}, weir.ca-bundle: {provider_pair[0]}")
        names = ("user-pool-arn: arn:aws:cognito-idp:eu-west-1:1:userpool/p, user-pool-client-id: weir, user-pool-domain: shop" if cognito
                 else "client-id: weir")
        first, second = ports or (0, 0)
        application = app or targets("app")
        program = run(CONFIG.format(port=first, second=second, certificates=tls_e2e.yaml(pair), action="authenticate-cognito" if cognito else "authenticate-oidc",
                                    provider=f"{endpoints}, {names}", more=more, target=application.yaml, extra=extra))
        program.app = application
        return program
    return start


@contextlib.contextmanager
def real_provider(provider_pair, ports, **options):
    redirects = [f"https://{HOST}:{port}/oauth2/idpresponse" for port in ports]
    with NodeServer("oidc_provider", certificate=str(provider_pair[0]), key=str(provider_pair[1]), redirects=redirects, **options) as server:
        yield server


def ports():
    return free_port(), free_port()


def seen(step):
    """The request as the target got it, out of what the browser shows: {name in lower case: value}."""
    request = json.loads(step["text"])
    return {"path": request["path"], **{name.lower(): value for name, value in request["fields"]}}


def decoded(part):
    assert len(part) % 4 == 0  # with padding
    return base64.urlsafe_b64decode(part)


def verified(program, token):
    """(header, claims) of x-amzn-oidc-data, as a target verifies it: with the key that its `kid` names."""
    head, payload, signature = token.split(".")
    header = json.loads(decoded(head))
    code, pem = program.call("GET", f"/v1/public-keys/{header['kid']}", raw=True)
    assert code == 200, pem
    raw = decoded(signature)
    assert len(raw) == 64

    def number(data):
        data = data.lstrip(b"\0")
        data = (b"\0" if data[0] & 0x80 else b"") + data
        return b"\x02" + bytes([len(data)]) + data
    body = number(raw[:32]) + number(raw[32:])
    folder = program.file.parent
    (folder / "key.pem").write_text(pem)
    (folder / "signature").write_bytes(b"\x30" + bytes([len(body)]) + body)
    done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", folder / "key.pem", "-signature", folder / "signature"],
                          input=f"{head}.{payload}".encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return header, json.loads(decoded(payload))


def metric(program, name, **labels):
    """The sum of a family's samples with these labels."""
    total = 0.0
    for found, value in re.findall(rf"^{name}\{{([^}}]*)\}} ([0-9.e+]+)$", program.metrics(), re.M):
        if all(f'{key}="{word}"' in found for key, word in labels.items()):
            total += float(value)
    return total


def log_lines(program, count):
    file = program.file.parent / "access.log"
    return wait_for(lambda: file.exists() and len(found := file.read_text().splitlines()) >= count and found, 10, f"{count} lines of the access log")


# ---- Chromium and oidc-provider


@pytest.mark.parametrize("cognito", [False, True], ids=["oidc", "cognito"])
def test_first_visit_and_return(shop, pair, provider_pair, cognito):
    both = ports()
    with real_provider(provider_pair, both, pkce=True) as provider:
        program = shop(provider.port, both, more=", scope: openid email, weir.nonce: true, weir.pkce: S256", cognito=cognito)
        url = f"https://{HOST}:{both[0]}"
        first, again = sign_in([{"goto": f"{url}/a?b=c", "login": "alice"}, {"goto": f"{url}/again"}], [key_pin(pair[0]), key_pin(provider_pair[0])])
        assert first["url"] == f"{url}/a?b=c" and first["status"] == 200, first
        request = seen(first)
        assert request["x-amzn-oidc-identity"] == "alice" and request["x-amzn-oidc-accesstoken"]
        header, claims = verified(program, request["x-amzn-oidc-data"])
        assert claims == {"sub": "alice", "email": "alice@example.test"}
        assert header["alg"] == "ES256" and header["client"] == "weir" and header["iss"] == f"https://127.0.0.1:{provider.port}"
        assert header["signer"].startswith("arn:aws:elasticloadbalancing:local:000000000000:loadbalancer/app/shop/")
        assert time.time() < header["exp"] <= time.time() + 121
        cookie = first["cookies"]["AWSELBAuthSessionCookie-0"]
        assert cookie["secure"] and cookie["httpOnly"] and abs(cookie["expires"] - time.time() - 7 * 86400) < 120 * SCALE
        assert again["url"] == f"{url}/again" and seen(again)["x-amzn-oidc-identity"] == "alice"
        assert metric(program, "weir_listener_authentications_total", result="success") == 1
        assert metric(program, "weir_listener_authentication_duration_seconds_count") == 1
        lines = log_lines(program, 4)
        assert any('/oauth2/idpresponse?' in line and ' 302 ' in line and '"authenticate"' in line for line in lines), lines
        assert any('"authenticate,forward"' in line for line in lines), lines


def test_a_session_ends_and_begins_again_without_a_page(shop, pair, provider_pair):
    both = ports()
    with real_provider(provider_pair, both) as provider:
        program = shop(provider.port, both, more=", session-timeout: 2s")
        # The provider knows bob: each session that ends leads to another one.
        (step,) = sign_in([{"goto": f"https://{HOST}:{both[0]}/", "login": "bob", "seconds": 8 * SCALE}], [key_pin(pair[0]), key_pin(provider_pair[0])])
        assert {each["status"] for each in step["seen"]} == {200}
        assert {seen(each)["x-amzn-oidc-identity"] for each in step["seen"]} == {"bob"}
        assert 3 <= metric(program, "weir_listener_authentications_total", result="success") < len(step["seen"])


def test_refresh_tokens_keep_a_session_fresh(shop, pair, provider_pair):
    both = ports()
    with real_provider(provider_pair, both, accessTokenSeconds=2, refresh=True) as provider:
        program = shop(provider.port, both)
        (step,) = sign_in([{"goto": f"https://{HOST}:{both[0]}/", "login": "carol", "seconds": 8 * SCALE}], [key_pin(pair[0]), key_pin(provider_pair[0])])
        assert {each["status"] for each in step["seen"]} == {200}
        assert len({seen(each)["x-amzn-oidc-accesstoken"] for each in step["seen"]}) >= 3
        assert metric(program, "weir_listener_session_refreshes_total", result="success") >= 2
        assert metric(program, "weir_listener_session_refreshes_total", result="failure") == 0
        assert metric(program, "weir_listener_authentications_total", result="success") == 1


def test_deny_allow_and_who_refuses(shop, pair, provider_pair):
    both = ports()
    with real_provider(provider_pair, both) as provider:
        program = shop(provider.port, both)
        url = f"https://{HOST}:{both[0]}"
        steps = sign_in([{"goto": f"{url}/deny"}, {"goto": f"{url}/allow"}, {"goto": f"{url}/open"}, {"goto": f"{url}/", "deny": True},
                         {"goto": f"{url}/", "login": "dora"}, {"goto": f"{url}/deny"}, {"goto": f"{url}/allow"}],
                        [key_pin(pair[0]), key_pin(provider_pair[0])])
        assert [step["status"] for step in steps] == [401, 200, 200, 401, 200, 200, 200]
        assert [seen(step).get("x-amzn-oidc-identity") for step in steps if step["status"] == 200] == [None, None, "dora", "dora", "dora"]
        assert any('"AuthAccessDenied"' in line for line in log_lines(program, 8))


def test_two_listeners_have_sessions_of_their_own(shop, pair, provider_pair):
    both = ports()
    with real_provider(provider_pair, both) as provider:
        program = shop(provider.port, both)
        first, second = (f"https://{HOST}:{port}/" for port in both)
        steps = sign_in([{"goto": first, "login": "eve"}, {"goto": second}, {"goto": first}], [key_pin(pair[0]), key_pin(provider_pair[0])])
        assert [seen(step)["x-amzn-oidc-identity"] for step in steps] == ["eve"] * 3
        assert {"AWSELBAuthSessionCookie-0", "Second-0"} <= set(steps[2]["cookies"])
        assert metric(program, "weir_listener_authentications_total", result="success") == 2


# ---- a provider that a test scripts


class Browser:
    """A client with a jar, which follows nothing by itself."""

    def __init__(self, port):
        self.port, self.cookies = port, {}

    def get(self, target, fields=(), cookies=None):
        jar = self.cookies if cookies is None else cookies
        more = [("Cookie", "; ".join(f"{name}={value}" for name, value in jar.items()))] if jar else []
        with tls_e2e.TlsClient(self.port) as client:
            client.tls.settimeout(20 * SCALE)
            status, received, body = client.get(target, f"{HOST}:{self.port}", [*fields, *more])
        for name, value in received:
            if name.lower() == "set-cookie":
                key, _, text = value.split(";")[0].partition("=")
                self.cookies[key] = text
        answer = {name.lower(): value for name, value in received}
        return status, answer, body

    def begin(self, target="/"):
        """The state that the provider gets."""
        status, answer, _ = self.get(target)
        assert status == 302, (status, answer)
        return urllib.parse.parse_qs(urllib.parse.urlsplit(answer["location"]).query)["state"][0]

    def end(self, state, **parameters):
        query = urllib.parse.urlencode({"state": state, **(parameters or {"code": "c0de"})})
        return self.get(f"/oauth2/idpresponse?{query}")

    def sign_in(self, target="/"):
        status, answer, _ = self.end(self.begin(target))
        assert status == 302, (status, answer)
        return answer


class ScriptedProvider:
    """Token and user info endpoints over TLS. `token` and `claims` are what they give: a dict, or a function of the request that
    returns bytes or None for no answer at all."""

    def __init__(self, pair, port=0):
        self.token, self.claims, self.seen = None, {"sub": "user"}, []
        self.target = tls_e2e.TlsTarget("provider", pair, script=self._script, port=port)
        self.port, self.issuer = self.target.port, f"https://127.0.0.1:{self.target.port}"
        self.token = self.tokens()

    def tokens(self, **more):
        claims = {"iss": self.issuer, "aud": "weir", "exp": time.time() + 600, "sub": "user"}
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return {"access_token": "access", "token_type": "Bearer", "expires_in": 600, "id_token": f"e30.{payload}.c2ln", **more}

    def _script(self, request, wire):
        FakeTarget.read_body(request, wire)
        self.seen.append(request)
        what = self.token if request.target == "/token" else self.claims
        if callable(what):
            what = what(request)
        if what is None:
            with contextlib.suppress(OSError):
                wire.socket.recv(1)  # until the other side gives up
            return False
        status = what.pop("status", 200) if isinstance(what, dict) and "status" in what else 200
        body = what if isinstance(what, bytes) else json.dumps(what).encode()
        wire.socket.sendall(f"HTTP/1.1 {status} Any\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.target.stop()


@pytest.fixture
def provider(provider_pair):
    with ScriptedProvider(provider_pair) as started:
        yield started


def test_what_is_asked_and_what_the_target_gets(shop, provider):
    program = shop(provider.port)
    browser = Browser(program.port())
    answer = browser.sign_in("/a?b=c")
    assert answer["location"] == f"https://{HOST}:{program.port()}/a?b=c"
    token, info = provider.seen
    assert (token.method, token.target) == ("POST", "/token")
    assert token.field("Authorization") == "Basic " + base64.b64encode(b"weir:a%20secret%20%26%20more").decode()
    assert urllib.parse.parse_qs(token.body.decode()) == {
        "grant_type": ["authorization_code"], "code": ["c0de"], "redirect_uri": [f"https://{HOST}:{program.port()}/oauth2/idpresponse"]}
    assert (info.method, info.target, info.field("Authorization")) == ("GET", "/me", "Bearer access")
    status, _, body = browser.get("/a?b=c", [("X-Amzn-Oidc-Identity", "root"), ("x_amzn_oidc_data", "forged")])
    fields = json.loads(body)["fields"]
    assert status == 200
    assert [value for name, value in fields if name.lower().replace("_", "-") == "x-amzn-oidc-identity"] == ["user"]
    assert [name for name, _ in fields if "oidc" in name.lower()] == ["X-Amzn-Oidc-Accesstoken", "X-Amzn-Oidc-Identity", "X-Amzn-Oidc-Data"]
    # The other listener and the open rule: nobody forges anything there either.
    _, _, body = browser.get("/open", [("X-Amzn-Oidc-Identity", "root")], cookies={})
    assert "root" not in body.decode()


def test_forged_states_and_codes_that_were_used(shop, provider):
    program = shop(provider.port)
    browser, thief = Browser(program.port()), Browser(program.port())
    state = browser.begin()
    forged = state[:-1] + ("A" if state[-1] != "A" else "B")
    for victim, text in ((browser, forged), (browser, "x"), (thief, state)):
        status, _, _ = victim.end(text)
        assert status == 401
    assert browser.end(state, code="c0de")[0] == 302
    answers = []

    def refused(request):
        answers.append(request)
        return {"status": 400, "error": "invalid_grant"}
    provider.token = refused
    assert browser.end(state, code="c0de")[0] == 401 and answers
    assert browser.get("/oauth2/idpresponse?code=a")[0] == 401
    assert browser.end(state, error="access_denied")[0] == 401
    assert browser.end(state, error="temporarily_unavailable")[0] == 561
    text = "\n".join(log_lines(program, 9))
    for reason in ("AuthInvalidStateParam", "AuthInvalidGrantError", "AuthMissingStateParam", "AuthAccessDenied", "AuthProviderError"):
        assert f'"{reason}"' in text, text
    assert metric(program, "weir_listener_authentications_total", result="failure") == 7


def test_a_cookie_of_another_key(shop, provider, tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.key").write_text(base64.b64encode(name.encode() * 10 + b"xx").decode() + "\n")
    program = shop(provider.port, extra="stickiness-keys: [{file: one.key}]")
    browser = Browser(program.port())
    browser.sign_in()
    assert browser.get("/")[0] == 200
    text = program.file.read_text()
    program.write(text.replace("[{file: one.key}]", "[{file: two.key}, {file: one.key}]"))
    assert program.call("POST", "/v1/reload")[0] == 200
    status, _, body = browser.get("/")
    assert status == 200, "the older key still opens"
    data = next(value for name, value in json.loads(body)["fields"] if name == "X-Amzn-Oidc-Data")
    verified(program, data)
    program.write(text.replace("[{file: one.key}]", "[{file: two.key}]"))
    assert program.call("POST", "/v1/reload")[0] == 200
    assert browser.get("/")[0] == 302
    assert browser.get("/deny")[0] == 401
    assert program.call("GET", "/v1/public-keys/none")[0] == 404


def test_sessions_outlive_the_program(run, shop, provider, tmp_path):
    program = shop(provider.port, extra=f"state: {{directory: {tmp_path}/state}}")
    browser = Browser(program.port())
    browser.sign_in()
    program.stop()
    again = run(program.file.read_text(), name="again.yaml")
    browser.port = again.port()
    assert browser.get("/")[0] == 200


def test_a_provider_that_is_slow_disturbs_nobody(shop, provider):
    program = shop(provider.port)
    provider.token = lambda request: None
    browser = Browser(program.port())
    state = browser.begin()
    answers = []
    begun = time.monotonic()
    waiting = threading.Thread(target=lambda: answers.append(browser.end(state)))
    waiting.start()
    wait_for(lambda: provider.seen, 10, "the question")
    slowest = 0.0
    for _ in range(30):
        at = time.monotonic()
        assert Browser(program.port()).get("/open")[0] == 200
        slowest = max(slowest, time.monotonic() - at)
    assert waiting.is_alive() and slowest < 2 * SCALE
    waiting.join(20 * SCALE)
    assert answers[0][0] == 500 and 4.5 < time.monotonic() - begun < 8 * SCALE
    assert any('"AuthTokenEpRequestTimeout"' in line for line in log_lines(program, 32))
    provider.token, provider.claims = provider.tokens(), lambda request: None
    assert browser.end(browser.begin())[0] == 500
    wait_for(lambda: "AuthUserinfoEpRequestTimeout" in (program.file.parent / "access.log").read_text(), 10, "the line")
    assert metric(program, "weir_listener_authentications_total", result="error") == 2


def test_a_provider_that_is_wrong_or_gone(shop, provider):
    program = shop(provider.port)
    browser = Browser(program.port())

    def login():
        return browser.end(browser.begin())[0]
    good = provider.token
    for token, status, reason in (
            ({"access_token": "a"}, 401, "AuthInvalidIdToken"), (b"<html>", 500, "AuthInvalidTokenResponse"),
            (lambda request: {"status": 503}, 500, "AuthTokenEpRequestFailed")):
        provider.token = token
        assert login() == status, reason
        wait_for(lambda: reason in (program.file.parent / "access.log").read_text(), 10, reason)
    provider.token = good
    for claims, reason in (({"sub": "somebody else"}, "AuthInvalidUserinfoResponse"), (b"[]", "AuthInvalidUserinfoResponse"),
                           (lambda request: {"status": 403}, "AuthUserinfoEpRequestFailed")):
        provider.claims = claims
        assert login() == 500, reason
        wait_for(lambda: reason in (program.file.parent / "access.log").read_text(), 10, reason)
    provider.claims = {"sub": "user"}
    assert login() == 302
    provider.target.stop()
    assert browser.get("/")[0] == 200, "a session does not need the provider"
    browser.cookies.clear()
    assert login() == 500


def test_eleven_kilobytes(shop, provider):
    program = shop(provider.port)

    def claims(size):
        frame = b'{"sub":"user","fill":""}'
        return b'{"sub":"user","fill":"' + b"x" * (size - len(frame)) + b'"}'
    provider.claims = claims(11 * 1024 - len("access"))
    browser = Browser(program.port())
    browser.sign_in()
    assert sorted(name for name in browser.cookies if name.startswith("AWSELB")) == [f"AWSELBAuthSessionCookie-{i}" for i in range(4)]
    status, _, body = browser.get("/")
    assert status == 200
    data = next(value for name, value in json.loads(body)["fields"] if name == "X-Amzn-Oidc-Data")
    assert len(verified(program, data)[1]["fill"]) > 11000
    provider.claims = claims(11 * 1024 - len("access") + 1)
    browser.cookies.clear()
    assert browser.end(browser.begin())[0] == 500
    assert metric(program, "weir_listener_authentications_total", result="claims_too_large") == 1
    wait_for(lambda: "AuthUserinfoResponseSizeExceeded" in (program.file.parent / "access.log").read_text(), 10, "the line")


def test_many_requests_of_one_session_refresh_once(shop, provider):
    program = shop(provider.port)
    provider.token = provider.tokens(expires_in=0, refresh_token="r1")
    browser = Browser(program.port())
    browser.sign_in()
    asked = len(provider.seen)
    used = []

    def refresh(request):
        used.append(urllib.parse.parse_qs(request.body.decode())["refresh_token"][0])
        return provider.tokens(access_token="fresh", refresh_token=f"r{len(used) + 1}")
    provider.token = refresh
    cookies = dict(browser.cookies)
    with tls_e2e.TlsClient(program.port()) as client:  # one connection: one worker
        jar = "; ".join(f"{name}={value}" for name, value in cookies.items())
        request = f"GET / HTTP/1.1\r\nHost: {HOST}:{program.port()}\r\nCookie: {jar}\r\n\r\n".encode()
        client.tls.sendall(request * 5)
        for _ in range(5):
            start, fields = client.head()
            size = next(int(value) for name, value in fields if name.lower() == "content-length")
            body = json.loads(client.exactly(size))
            assert start.split(" ")[1] == "200" and ["X-Amzn-Oidc-Accesstoken", "fresh"] in body["fields"]
            assert any(name == "Set-Cookie" for name, _ in fields)
    assert used == ["r1"] and len(provider.seen) == asked + 2
    # A refresh that fails ends the session.
    provider.token = provider.tokens(expires_in=0, refresh_token="r9")
    other = Browser(program.port())
    other.sign_in()
    provider.token = lambda request: {"status": 400, "error": "invalid_grant"}
    assert other.get("/deny")[0] == 302
    assert metric(program, "weir_listener_session_refreshes_total", result="failure") == 1


def test_explain_says_what_it_would_do(shop, provider):
    both = ports()
    program = shop(provider.port, both)
    for live in (False, True):
        arguments = ["--live", "--admin", ":".join(map(str, program.admin)), "http"] if live else [program.file, "http"]
        done = command("explain", *arguments, "GET", f"https://{HOST}:{both[0]}/deny")
        assert "authenticate-oidc at" in done.stdout and "answered 401" in done.stdout, done.stdout + done.stderr
    assert provider.seen == []
