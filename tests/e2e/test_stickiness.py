"""Stickiness (ALB 9): clients stay at their target and at their target group, by cookies that outlive reloads and restarts."""

import base64
import datetime
import json
import os
import pathlib
import re

import pytest
from weir_e2e import SCALE, Client, get, wait_for, weir as command

LB = "stickiness.enabled: true"
APP = "stickiness.enabled: true, stickiness.type: app_cookie, stickiness.app_cookie.cookie_name: sid"
KEYS = "stickiness-keys: [{file: one.key}]"


def config(blue, attributes=LB, green=(), weights=None, keys="", port=0, extra=""):
    def group(name, members, more):
        return f"""
  - name: {name}
    targets: [{", ".join(target.yaml for target in members)}]
    health-check: {{interval: 500ms, timeout: 400ms, healthy-threshold: 1, unhealthy-threshold: 1}}
    attributes: {{deregistration_delay.timeout_seconds: 30{", " + more if more else ""}}}"""
    forward = "target-group: blue"
    if weights:
        forward = ("target-groups: [{name: blue, weight: %d}, {name: green, weight: %d}], "
                   "stickiness: {enabled: true, duration: 1h}" % weights)
    return f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    access-log: {{path: access.log, format: json}}
    listeners: [{{port: {port}, default-actions: [{{forward: {{{forward}}}}}]}}]
target-groups:{group("blue", blue, attributes)}{group("green", green, attributes) if weights else ""}
{keys}
{extra}
admin: {{address: 127.0.0.1, port: 0}}
"""


def key_file(folder, name="one.key"):
    (pathlib.Path(folder) / name).write_text(base64.b64encode(os.urandom(32)).decode() + "\n")


def wait_healthy(program, **groups):
    for name, members in groups.items():
        for target in members:
            program.wait_state(name, target, "healthy")


class Browser:
    """A client with a jar: it returns what it was given, as a browser does."""

    def __init__(self, *names):
        self.cookies, self.names = {}, names  # which it keeps; all when none is named

    def get(self, port, target="/", fields=()):
        more = [("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))] if self.cookies else []
        answer = get(port, target, [*fields, *more])
        for line in answer.values("Set-Cookie"):
            name, _, value = line.split(";")[0].partition("=")
            if not self.names or name in self.names:
                self.cookies[name] = value
        return answer

    def target(self, port):
        answer = self.get(port)
        assert answer.status == 200, answer
        return answer.json()["target"]


def metric(program, name):
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? ([0-9.e+]+)$", program.metrics(), re.M))


def log(folder, count):
    file = pathlib.Path(folder) / "access.log"
    lines = wait_for(lambda: file.exists() and (found := file.read_text().splitlines()) and len(found) >= count and found,
                     10, f"{count} lines of the access log")
    return [json.loads(line) for line in lines]


# ---- targets


def test_the_cookies_are_albs(targets, run):
    program = run(config([targets("a")]))
    answer = get(program.port())
    first, second = answer.values("Set-Cookie")
    pattern = r"(AWSALB(?:CORS)?)=([A-Za-z0-9+/]+); Expires=(\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT); Path=/(.*)"
    name, value, expires, rest = re.fullmatch(pattern, first).groups()
    assert (name, rest) == ("AWSALB", "")
    assert re.fullmatch(pattern, second).groups() == ("AWSALBCORS", value, expires, "; SameSite=None; Secure")
    left = datetime.datetime.strptime(expires, "%a, %d %b %Y %H:%M:%S GMT") - datetime.datetime.utcnow()
    assert datetime.timedelta(days=7, minutes=-1) < left <= datetime.timedelta(days=7)
    assert b"127.0.0.1" not in base64.b64decode(value), "nothing can be read in it"
    assert len(get(program.port(), method="HEAD").values("Set-Cookie")) == 2


def test_clients_stay_over_hundreds_of_requests_and_a_reload(targets, run):
    group = [targets(name) for name in "abcd"]
    program = run(config(group))
    wait_healthy(program, blue=group)
    browsers = [Browser() for _ in range(8)]
    homes = [browser.target(program.port()) for browser in browsers]
    assert set(homes) == set("abcd")

    def all_stay(rounds):
        for _ in range(rounds):
            assert [browser.target(program.port()) for browser in browsers] == homes
    all_stay(40)
    # Other places in the file, another target, another listener attribute.
    program.write(config([targets("e"), *reversed(group)], extra="tests: []"))
    assert program.call("POST", "/v1/reload")[0] == 200
    all_stay(20)
    assert metric(program, "weir_target_group_non_sticky_requests_total") == 8


def test_a_client_stays_over_10000_requests_a_reload_and_a_restart(targets, run, tmp_path):
    group = [targets(name) for name in "abcd"]
    key_file(tmp_path)
    text = config(group, keys=KEYS)
    program = run(text)
    wait_healthy(program, blue=group)
    browser = Browser()
    home = browser.target(program.port())

    def stays(program, count):
        with Client(program.port()) as client:
            for _ in range(count):
                answer = client.get(fields=[("Cookie", f"AWSALB={browser.cookies['AWSALB']}")])
                assert answer.json()["target"] == home
                browser.cookies["AWSALB"] = answer.values("Set-Cookie")[0].split(";")[0].partition("=")[2]
    stays(program, 4000)
    program.write(config(list(reversed(group)), keys=KEYS))
    assert program.call("POST", "/v1/reload")[0] == 200
    stays(program, 3000)
    assert metric(program, "weir_target_group_non_sticky_requests_total") == 1
    program.stop()
    again = run(text, name="again.yaml")
    wait_healthy(again, blue=group)
    stays(again, 3000)
    assert metric(again, "weir_target_group_non_sticky_requests_total") == 0


def test_the_state_directory_keeps_a_key_of_ones_own(targets, run, tmp_path):
    group = [targets(name) for name in "abc"]
    kept = tmp_path / "state" / "stickiness-key"
    plain = run(config(group, "", extra="state: {directory: state}"), name="plain.yaml")
    assert not kept.exists(), "no cookie is made with it"
    plain.stop()
    text = config(group, extra="state: {directory: state}")
    program = run(text)
    wait_healthy(program, blue=group)
    assert kept.stat().st_mode & 0o777 == 0o600
    browser = Browser()
    home = browser.target(program.port())
    program.stop()
    again = run(text, name="again.yaml")
    wait_healthy(again, blue=group)
    assert {browser.target(again.port()) for _ in range(20)} == {home}
    assert metric(again, "weir_target_group_non_sticky_requests_total") == 0
    again.stop()
    kept.write_text("half of a fi")
    third = run(text, name="third.yaml")
    third.wait_log("state/stickiness-key does not hold a stickiness key; a new one takes its place")
    wait_healthy(third, blue=group)
    browser.target(third.port())
    assert metric(third, "weir_target_group_stickiness_cookies_rejected_total") == 1
    assert kept.read_text().startswith("weir stickiness key, version 1\n")


def test_a_websocket_goes_where_its_cookie_says_and_gets_one(targets, run):
    switched = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Target: %s\r\n\r\n"

    def named(name):
        def answer(request, wire):
            if request.target != "/socket":
                return None
            wire.socket.sendall(switched % name.encode())
            return False
        return answer
    group = [targets(name, script=named(name)) for name in "abc"]
    program = run(config(group))
    wait_healthy(program, blue=group)
    browser = Browser()
    home = browser.target(program.port())
    opening = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
               ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
    for _ in range(6):
        with Client(program.port()) as client:
            client.request("GET", "/socket", [*opening, ("Cookie", f"AWSALB={browser.cookies['AWSALB']}")])
            head = client.response()
            assert head.status == 101 and head.field("X-Target") == home
            assert [line.partition("=")[0] for line in head.values("Set-Cookie")] == ["AWSALB", "AWSALBCORS"]


def test_a_connection_that_is_kept_sticks_by_its_cookies_alone(targets, run):
    group = [targets(name) for name in "abc"]
    program = run(config(group))
    wait_healthy(program, blue=group)
    with Client(program.port()) as client:
        assert {client.get().json()["target"] for _ in range(12)} == set("abc")
        cookie = client.get().values("Set-Cookie")[1].split(";")[0]
        assert len({client.get(fields=[("Cookie", cookie)]).json()["target"] for _ in range(12)}) == 1


def test_the_state_directory_keeps_the_key_where_only_a_default_action_is_sticky(targets, run, tmp_path):
    blue, green = [targets("blue")], [targets("green")]
    text = config(blue, "", green, weights=(1, 1), extra="state: {directory: state}")
    program = run(text)
    wait_healthy(program, blue=blue, green=green)
    assert (tmp_path / "state" / "stickiness-key").exists()
    browser = Browser()
    home = browser.target(program.port())
    program.stop()
    again = run(text, name="again.yaml")
    wait_healthy(again, blue=blue, green=green)
    assert {browser.target(again.port()) for _ in range(20)} == {home}


def test_the_session_outlives_a_restart_with_the_same_key(targets, run, tmp_path):
    group = [targets(name) for name in "abc"]
    key_file(tmp_path)
    text = config(group, keys=KEYS)
    program = run(text)
    wait_healthy(program, blue=group)
    browser = Browser()
    home = browser.target(program.port())
    program.stop()
    again = run(text, name="again.yaml")
    wait_healthy(again, blue=group)
    assert {browser.target(again.port()) for _ in range(30)} == {home}
    assert metric(again, "weir_target_group_non_sticky_requests_total") == 0


def test_two_appliances_with_the_same_key_agree_and_keys_roll(targets, run, tmp_path):
    group = [targets(name) for name in "abc"]
    key_file(tmp_path)
    one = run(config(group, keys=KEYS))
    other = run(config(list(reversed(group)), keys=KEYS), name="other.yaml")
    wait_healthy(one, blue=group)
    wait_healthy(other, blue=group)
    browser = Browser()
    home = browser.target(one.port())
    for _ in range(20):
        assert browser.target(other.port()) == home
        assert browser.target(one.port()) == home
    # A new key in front: what the old one made is still read, by those that have both.
    key_file(tmp_path, "two.key")
    both = "stickiness-keys: [{file: two.key}, {file: one.key}]"
    one.write(config(group, keys=both))
    assert one.call("POST", "/v1/reload")[0] == 200
    old = dict(browser.cookies)
    assert browser.target(one.port()) == home and browser.cookies != old
    assert browser.target(one.port()) == home
    refused = metric(other, "weir_target_group_stickiness_cookies_rejected_total")
    browser.target(other.port())
    assert metric(other, "weir_target_group_stickiness_cookies_rejected_total") == refused + 1, "the new key is unknown there"


def test_a_key_that_is_none_is_refused_at_its_place(targets, run, tmp_path):
    (tmp_path / "one.key").write_text("not a key")
    file = tmp_path / "bad.yaml"
    file.write_text(config([targets("a")], keys=KEYS))
    checked = command("check", file)
    assert checked.returncode == 1 and "one.key is not a stickiness key" in checked.stdout + checked.stderr


def test_an_unhealthy_target_is_left_for_good(targets, run, tmp_path):
    group = [targets(name) for name in "abc"]
    program = run(config(group))
    wait_healthy(program, blue=group)
    browser = Browser()
    home = browser.target(program.port())
    lost = next(target for target in group if target.name == home)
    lost.health_status = 500
    program.wait_state("blue", lost, "unhealthy")
    moved = browser.target(program.port())
    assert moved != home
    lost.health_status = 200
    program.wait_state("blue", lost, "healthy")
    assert {browser.target(program.port()) for _ in range(20)} == {moved}
    assert [line["error_reason"] for line in log(tmp_path, 22) if "error_reason" in line] == ["AWSALBTargetUnhealthy"]


@pytest.mark.parametrize("how", ["reload", "admin"])
def test_a_draining_target_is_left(targets, run, how):
    group = [targets(name) for name in "abc"]
    program = run(config(group))
    wait_healthy(program, blue=group)
    browser = Browser()
    home = browser.target(program.port())
    lost = next(target for target in group if target.name == home)
    if how == "reload":
        program.write(config([target for target in group if target is not lost]))
        assert program.call("POST", "/v1/reload")[0] == 200
    else:
        assert program.call("PUT", f"/v1/target-groups/blue/targets/{lost.id}/admin-state", {"state": "draining"})[0] == 200
    program.wait_state("blue", lost, "draining")
    moved = browser.target(program.port())
    assert moved != home
    assert {browser.target(program.port()) for _ in range(10)} == {moved}
    assert 'reason="draining"} 1' in program.metrics()


def test_a_session_ends_with_its_duration(targets, run):
    group = [targets(name) for name in "ab"]
    program = run(config(group, attributes=LB + ", stickiness.lb_cookie.duration_seconds: 1"))
    wait_healthy(program, blue=group)
    cookie = get(program.port()).values("Set-Cookie")[0].split(";")[0]

    def expired():
        get(program.port(), fields=[("Cookie", cookie)])
        return re.search(r'rejected_total{target_group="blue",reason="expired"} [1-9]', program.metrics())
    wait_for(expired, 10, "the end of the session")


# ---- the application's cookie


def test_the_applications_cookie_makes_a_session(targets, run):
    def script(request, wire):
        if request.target != "/login":
            return None
        wire.socket.sendall(b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=42; HttpOnly\r\nContent-Length: 0\r\nX-Target: %s\r\n\r\n"
                            % request.server.encode())
        return True

    def named(name):
        def answer(request, wire):
            request.server = name
            return script(request, wire)
        return answer
    group = [targets(name, script=named(name)) for name in "abc"]
    program = run(config(group, attributes=APP))
    wait_healthy(program, blue=group)
    browser = Browser()
    assert {browser.target(program.port()) for _ in range(9)} == set("abc") and not browser.cookies
    answer = browser.get(program.port(), "/login")
    home = answer.field("X-Target")
    ours = answer.values("Set-Cookie")[1]
    assert ours.startswith("AWSALBAPP-0=") and ours.endswith("; Path=/")
    before = metric(program, "weir_target_group_app_cookie_non_sticky_requests_total")
    for _ in range(30):
        answer = browser.get(program.port())
        assert answer.json()["target"] == home and not answer.values("Set-Cookie")
    assert metric(program, "weir_target_group_app_cookie_non_sticky_requests_total") == before == 10
    browser.cookies.pop("sid")
    assert {browser.target(program.port()) for _ in range(9)} == set("abc"), "ours alone does not count"
    chromium = [("Origin", "https://elsewhere.test"), ("User-Agent", "Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36")]
    assert browser.get(program.port(), "/login", chromium).values("Set-Cookie")[1].endswith("; Path=/; SameSite=None; Secure")


# ---- target groups


def colours(program, browsers):
    return [browser.target(program.port()) for browser in browsers]


@pytest.mark.parametrize("attributes", ["", LB], ids=["any target", "one target"])
def test_each_client_keeps_its_colour_at_50_50_and_while_weights_change(targets, run, attributes):
    blue, green = [targets("blue1"), targets("blue2")], [targets("green1"), targets("green2")]
    program = run(config(blue, attributes, green, weights=(50, 50)))
    wait_healthy(program, blue=blue, green=green)
    browsers = [Browser() for _ in range(20)]
    first = colours(program, browsers)
    shades = [name[:-1] for name in first]
    assert abs(shades.count("blue") - 10) <= 2, shades

    def all_stay():
        now = colours(program, browsers)
        if attributes:
            assert now == first
        assert [name[:-1] for name in now] == shades
    for _ in range(10):
        all_stay()
    status, _ = program.call("PUT", f"/v1/load-balancers/shop/listeners/{program.port()}/rules/default/weights", {"blue": 1, "green": 999})
    assert status == 200
    for _ in range(5):
        all_stay()
    program.write(config(blue, attributes, green, weights=(0, 1)))
    program.call("DELETE", f"/v1/load-balancers/shop/listeners/{program.port()}/rules/default/weights")
    assert program.call("POST", "/v1/reload")[0] == 200
    all_stay()
    assert {Browser().target(program.port())[:-1] for _ in range(10)} == {"green"}, "no new session on weight 0"
    kept = next(browser for browser, shade in zip(browsers, shades) if shade == "blue")
    assert not [line for line in kept.get(program.port()).values("Set-Cookie") if line.startswith("AWSALBTG")], "not renewed"


def test_the_cookies_of_groups_are_albs(targets, run):
    blue, green = [targets("blue")], [targets("green")]
    program = run(config(blue, LB, green, weights=(1, 1)))
    lines = get(program.port()).values("Set-Cookie")
    assert [line.split("=")[0] for line in lines] == ["AWSALBTG", "AWSALBTGCORS", "AWSALB", "AWSALBCORS"]
    assert [line.endswith("; Path=/; SameSite=None; Secure") for line in lines] == [False, True, False, True]


def test_clients_of_a_group_that_lost_its_targets_are_drawn_for_anew(targets, run):
    blue, green = [targets("blue")], [targets("green")]
    program = run(config(blue, "", green, weights=(1, 1)))
    wait_healthy(program, blue=blue, green=green)
    browsers = [Browser() for _ in range(4)]
    assert set(colours(program, browsers)) == {"blue", "green"}
    program.write(config([], "", green, weights=(0, 1)))
    assert program.call("POST", "/v1/reload")[0] == 200
    assert set(colours(program, browsers)) == {"green"}


# ---- hostile clients


def test_hostile_cookies_change_nothing(targets, run, tmp_path):
    """8 MB of them: every request is answered, those who have a session keep it, memory stays."""
    blue, green = [targets("blue1"), targets("blue2")], [targets("green1"), targets("green2")]
    program = run(config(blue, LB, green, weights=(1, 1)))
    wait_healthy(program, blue=blue, green=green)
    browser = Browser()
    home = browser.target(program.port())
    good = browser.cookies["AWSALB"]
    shapes = ["", "=", "%2B%2F%3D", "A" * 104, "/" * 103 + "=", "\xff\xfe" * 52, '"' + good + '"', good[:-1], good[1:] + good[0],
              good + good, good.swapcase(), browser.cookies["AWSALBTG"], "A" * 15000, "; ".join(["AWSALB=x"] * 1500)]
    values = [*shapes, *("x" * 15000 + str(i) for i in range(200))]
    sent = 0
    before = None
    with Client(program.port()) as client:
        for i, value in enumerate(values):
            cookies = [("Cookie", f"{name}={value}") for name in ("AWSALB", "AWSALBCORS", "AWSALBTG")]
            if i == 20:
                before = program.vm_hwm_kib()
            assert client.get(fields=cookies).status == 200
            sent += 3 * len(value)
            if i % 10 == 0:
                assert browser.target(program.port()) == home
    assert sent > 8_000_000
    assert program.vm_hwm_kib() - before < 16 * 1024 * SCALE
    reasons = {line.get("error_reason") for line in log(tmp_path, len(values))}
    assert reasons <= {None, "AWSALBTGCookieInvalid", "AWSALBCookieInvalid"} and "AWSALBTGCookieInvalid" in reasons
    assert metric(program, "weir_listener_stickiness_cookies_rejected_total") >= len(values) - 1
    assert browser.target(program.port()) == home


# ---- explain and status


def test_explain_says_why_a_request_sticks_and_status_that_its_group_is_sticky(targets, run, tmp_path):
    group = [targets(name) for name in "ab"]
    key_file(tmp_path)
    program = run(config(group, keys=KEYS))
    wait_healthy(program, blue=group)
    browser = Browser("AWSALB")
    home = next(target for target in group if target.name == browser.target(program.port()))
    url = f"http://127.0.0.1:{program.port()}/"
    live = ("--live", "--admin", "%s:%d" % program.admin)
    cookie = f"AWSALB={browser.cookies['AWSALB']}"
    said = command("explain", program.file, "http", "GET", url, "-H", f"Cookie: {cookie}", *live).stdout
    assert f"sticky: the cookie AWSALB chooses {home.id} (until " in said, said
    assert re.search(rf"target {re.escape(home.id)}: healthy, share 100%", said), said
    said = command("explain", program.file, "http", "GET", url, "-H", "Cookie: AWSALB=nonsense", *live).stdout
    assert "sticky: the cookie AWSALB is none that these keys made: chosen anew" in said, said
    said = json.loads(command("explain", program.file, "http", "GET", url, "-H", f"Cookie: {cookie}", *live, "--json").stdout)
    assert said["target-groups"][0]["stickiness"]["chosen"] == home.id
    assert "blue (sticky)" in command("status", "--admin", "%s:%d" % program.admin).stdout
    assert program.status()["target-groups"][0]["stickiness"] == "lb_cookie"
