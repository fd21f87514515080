"""What a person types: the version, help, wrong words, and the commands that change a running appliance."""

import json
import re

import pytest
from weir_e2e import free_port, weir

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        protocol: HTTP
        rules:
          - {name: beta users, priority: 10, conditions: [{http-header: {name: X-Beta, values: ["yes"]}}],
             actions: [{forward: {target-groups: [{name: blue, weight: 1}, {name: green, weight: 1}]}}]}
          - {name: ping, priority: 20, conditions: [{path-pattern: [/ping]}], actions: [{fixed-response: {status-code: 200}}]}
        default-actions: [{forward: {target-groups: [{name: blue, weight: 8}, {name: green, weight: 2}]}}]
target-groups:
  - {name: blue, targets: [%s]}
  - {name: green, targets: [%s]}
admin: {address: 127.0.0.1, port: 0}
"""


@pytest.mark.parametrize("arguments", [("--version",), ("-v",)], ids=" ".join)
def test_the_version_is_one_line(arguments):
    outcome = weir(*arguments)
    assert outcome.returncode == 0 and not outcome.stderr
    assert re.fullmatch(r"weir \d+\.\d+\.\d+ \(commit \w+\)\n", outcome.stdout), outcome.stdout
    assert weir("version").stdout.startswith(outcome.stdout)


def test_version_names_every_library_with_its_number():
    libraries = weir("version").stdout
    for name in ("Boost", "OpenSSL", "nghttp2", "c-ares", "RE2", "yaml-cpp", "libmaxminddb", "zlib", "fmt", "spdlog", "CLI11"):
        assert re.search(rf"{name} v?\d", libraries), (name, libraries)


def test_help_prints_what_the_option_prints():
    assert weir("help").stdout == weir("--help").stdout
    for words in (("run",), ("explain",), ("explain", "dns"), ("bench", "http"), ("help",)):
        outcome = weir("help", *words)
        assert outcome.returncode == 0 and outcome.stdout == weir(*words, "--help").stdout, words
    outcome = weir("help", "chekc")
    assert outcome.returncode == 2 and "did you mean check?" in outcome.stderr


@pytest.mark.parametrize("line,wrong,right", [
    ("chekc weir.yaml", "chekc", "check"),
    ("serve weir.yaml", "serve", "run"),
    ("start weir.yaml", "start", "run"),
    ("validate weir.yaml", "validate", "check"),
    ("Check weir.yaml", "Check", "check"),
    ("stat", "stat", "status"),
    ("statsu --watch", "statsu", "status"),
    ("verison", "verison", "version"),
    ("weight shop:80 default blue=1", "weight", "weights"),
    ("explain weir.yaml htpp GET http://a.test/", "htpp", "http"),
    ("explain htpp GET http://a.test/", "htpp", "http"),
    ("explain --live htpp GET http://a.test/", "htpp", "http"),
    ("explain weir.yaml dsn a.test A", "dsn", "dns"),
    ("bench htpp http://127.0.0.1/", "htpp", "http"),
    ("bench dig @127.0.0.1", "dig", "dns"),
])
def test_a_wrong_word_is_named_with_the_nearest_command(line, wrong, right):
    outcome = weir(*line.split())
    assert outcome.returncode == 2 and not outcome.stdout
    assert re.fullmatch(rf"weir: .*`{wrong}`.*did you mean {right}\?\n", outcome.stderr), outcome.stderr


def test_a_word_near_to_nothing_gets_the_list():
    for line in ("dance", "explain weir.yaml ftp a b", "explain weir.yaml", "bench", ""):
        outcome = weir(*line.split())
        assert outcome.returncode == 2
        for word in (("http", "dns") if line.startswith(("explain", "bench")) else ("run", "demo", "status")):
            assert word in outcome.stderr, (line, outcome.stderr)


def test_a_wrong_option_is_named_with_the_nearest_one():
    outcome = weir("check", "--asw", "weir.yaml")
    assert outcome.returncode == 2 and "--asw" in outcome.stderr
    outcome = weir("status", "--admn=127.0.0.1:1")
    assert outcome.returncode == 2 and "did you mean --admin?" in outcome.stderr, outcome.stderr


@pytest.mark.parametrize("line", [
    "", "dance", "check", "check a b", "check --no-such-option a", "run", "run --workers 0 a", "run --workers many a", "run --log-level loud a",
    "explain a", "explain", "explain --live http GET", "explain http GET http://a.test/", "status --admin nowhere", "status more", "schema more",
    "test", "demo more", "bench http", "bench http nowhere", "bench http --rate x http://127.0.0.1/", "bench dns", "weights", "weights shop default a=1",
    "weights shop:80 default", "weights shop:80 default blue", "weights shop:80 default blue=1000", "weights shop:80 default blue=-1",
    "weights shop:80 default blue=1 --reset", "drain blue", "drain blue nine", "help nothing",
])
def test_every_message_about_the_command_line_begins_with_the_name_of_the_program(line):
    outcome = weir(*line.split())
    assert outcome.returncode == 2, outcome.stdout + outcome.stderr
    assert outcome.stderr and all(text.startswith("weir: ") for text in outcome.stderr.splitlines()), outcome.stderr


@pytest.mark.parametrize("line", ["status", "status --watch", "weights shop:80 default blue=1", "drain blue 127.0.0.1:80",
                                  "explain --live http GET http://a.test/", "explain --live dns a.test A"])
def test_a_wrong_admin_address_is_blamed_on_where_it_stands(line):
    for environment, typed, blamed in (("foo", (), "WEIR_ADMIN: 'foo'"), ("127.0.0.1:9900", ("--admin", "bar"), "--admin: 'bar'"),
                                       ("foo", ("--admin=bar",), "--admin: 'bar'")):
        outcome = weir(*line.split(), *typed, environment={"WEIR_ADMIN": environment})
        assert outcome.returncode == 2 and outcome.stderr.startswith(f"weir: {blamed} "), outcome.stderr
        assert ("--admin:" in outcome.stderr) == bool(typed), outcome.stderr


def test_a_wrong_admin_variable_is_no_matter_where_it_is_not_asked():
    wrong = {"WEIR_ADMIN": "foo"}
    assert weir("version", environment=wrong).returncode == 0
    nowhere = f"127.0.0.1:{free_port()}"
    outcome = weir("status", "--admin", nowhere, environment=wrong)
    assert outcome.returncode == 3 and nowhere in outcome.stderr, outcome.stderr


def test_where_nothing_answers_every_command_says_so_with_3():
    nowhere = f"127.0.0.1:{free_port()}"
    for line in ("status", "status --watch", "weights shop:80 default blue=1", "drain blue 127.0.0.1:80", "explain --live http GET http://a.test/"):
        outcome = weir(*line.split(), "--admin", nowhere)
        assert outcome.returncode == 3 and re.match(rf"weir: .*{nowhere}", outcome.stderr), outcome.stderr


@pytest.fixture
def shop(targets, run):
    blue, green = targets("blue"), targets("green")
    appliance = run(CONFIG % (blue.yaml, green.yaml))
    appliance.wait_state("blue", blue, "healthy")

    def ask(line, **options):
        return weir(*line.split("|"), environment={"WEIR_ADMIN": "{}:{}".format(*appliance.admin)}, **options)
    return appliance, blue, ask


def weights_of(appliance, rule):
    rules = appliance.status()["load-balancers"][0]["listeners"][0]["rules"]
    action = next(r for r in rules if rule in (r["name"], r["priority"]))["actions"][0]
    return {group["name"]: group["weight"] for group in action["forward"]["target-groups"]}


def test_weights_shift_a_rule_by_priority_by_name_and_back(shop):
    appliance, _, ask = shop
    listener = f"shop:{appliance.port()}"
    outcome = ask(f"weights|{listener}|default|blue=0|green=100")
    assert outcome.returncode == 0 and not outcome.stderr
    assert outcome.stdout == f"{listener} rule default: blue=0 green=100, revision 2\n"
    assert weights_of(appliance, "default") == {"blue": 0, "green": 100}
    for rule, pair in (("beta users", "3"), ("10", "4")):
        assert ask(f"weights|{listener}|{rule}|blue={pair}|green=9").returncode == 0
        assert weights_of(appliance, 10) == {"blue": int(pair), "green": 9}
    outcome = ask(f"weights|{listener}|default|--reset|--json")
    assert outcome.returncode == 0 and json.loads(outcome.stdout) == {"revision": 5}
    assert weights_of(appliance, "default") == {"blue": 8, "green": 2}
    assert ask(f"weights|{listener}|beta users|--reset").returncode == 0
    assert appliance.status()["overrides"] == []


@pytest.mark.parametrize("balancer,rule,weights,code,hint", [
    ("shp", "default", "blue=1|green=1", 2, "did you mean shop?"),
    ("shop", "beta user", "blue=1|green=1", 2, "did you mean beta users?"),
    ("shop", "defualt", "blue=1|green=1", 2, "default"),
    ("shop", "11", "blue=1|green=1", 2, "no rule 11"),
    ("shop", "default", "blue=1|gren=1", 2, "did you mean green?"),
    ("shop", "default", "blue=1", 2, "the weight of green is missing"),
    ("shop", "ping", "blue=1|green=1", 3, "does not forward"),
], ids=lambda value: str(value) if isinstance(value, str) else "")
def test_what_weights_cannot_do_is_said_and_changes_nothing(shop, balancer, rule, weights, code, hint):
    appliance, _, ask = shop
    outcome = ask(f"weights|{balancer}:{appliance.port()}|{rule}|{weights}")
    assert outcome.returncode == code and not outcome.stdout
    assert outcome.stderr.startswith("weir: ") and hint in outcome.stderr, outcome.stderr
    assert appliance.status()["revision"] == 1


def test_a_port_without_a_listener_is_named(shop):
    appliance, _, ask = shop
    outcome = ask("weights|shop:1|default|blue=1|green=1")
    assert outcome.returncode == 2 and str(appliance.port()) in outcome.stderr


def test_drain_takes_a_target_out_until_it_is_undone(shop):
    appliance, blue, ask = shop
    outcome = ask(f"drain|blue|{blue.id}")
    assert outcome.returncode == 0 and blue.id in outcome.stdout and "draining" in outcome.stdout
    assert appliance.targets("blue")[blue.id]["state"] == "draining"
    outcome = ask(f"drain|blue|{blue.id}|--undo|--json")
    assert outcome.returncode == 0 and json.loads(outcome.stdout)["state"] == "measured"
    assert appliance.targets("blue")[blue.id]["state"] == "healthy"
    assert appliance.status()["overrides"] == []


def test_what_drain_does_not_know_is_said_with_the_nearest_name(shop):
    _, blue, ask = shop
    outcome = ask(f"drain|bleu|{blue.id}")
    assert outcome.returncode == 2 and "target group" in outcome.stderr
    outcome = ask(f"drain|blu|{blue.id}")
    assert outcome.returncode == 2 and re.search(r"did you mean '?blue'?\?", outcome.stderr), outcome.stderr
    outcome = ask("drain|blue|127.0.0.1:1")
    assert outcome.returncode == 2 and "127.0.0.1:1" in outcome.stderr


def test_help_lists_every_command():
    listed = weir("--help").stdout
    for command in ("run", "demo", "check", "explain", "test", "status", "weights", "drain", "zonal-shift", "edit", "bench", "schema", "version", "help"):
        assert re.search(rf"^  {command} ", listed, re.M), (command, listed)
