"""One file after another under load: nothing is lost, a bad file changes nothing."""

import os
import pathlib
import signal

import pytest
from weir_e2e import Client, Load, curl, free_port, get, wait_for


def config(targets, port=0, extra="", more="", answer="one"):
    return f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: {port}
        protocol: HTTP
        rules:
          - {{priority: 1, conditions: [{{path-pattern: [/answer]}}], actions: [{{fixed-response: {{status-code: 200, message-body: {answer}}}}}]}}
        default-actions: [{{forward: {{target-group: blue}}}}]
{extra}
target-groups:
  - {{name: blue, health-check: {{interval: 1s, healthy-threshold: 2}}, targets: [{", ".join(target.yaml for target in targets)}]}}
{more}
admin: {{address: 127.0.0.1, port: 0}}
"""


def revision(weir):
    return weir.status()["revision"]


def test_twenty_reloads_under_load_fail_no_request(nginx, run):
    blue, second = nginx("blue"), nginx("second")
    port = free_port()
    weir = run(config([blue], port))
    weir.wait_state("blue", blue.id, "healthy")
    before = revision(weir)
    with Load(port, clients=4) as load:
        load.wait_count(100)
        for number in range(20):
            targets = [blue, second] if number % 2 == 0 else [blue]
            weir.write(config(targets, port, answer=f"v{number}"))
            weir.signal(signal.SIGHUP)
            wait_for(lambda expected=f"v{number}".encode(): get(port, "/answer").body == expected, 10, f"reload {number}")
            load.wait_count(50)
        assert not load.failures, load.failures[:5]
    assert load.connects == 4, "connections live through reloads"
    assert revision(weir) >= before + 20


def test_new_connections_are_never_refused_during_reloads(targets, run):
    blue, port = targets("blue"), free_port()
    weir = run(config([blue], port))
    for number in range(10):
        weir.write(config([blue], port, answer=f"v{number}"))
        weir.signal(signal.SIGHUP)
        for _ in range(20):
            assert get(port, "/answer").status == 200


def test_a_bad_file_keeps_the_old_configuration_and_says_why(targets, run):
    blue = targets("blue")
    weir = run(config([blue]))
    before = revision(weir)
    weir.write(config([blue]).replace("fixed-response", "fixed-respond").replace("target-group: blue", "target-group: bleu"))
    weir.signal(signal.SIGHUP)
    weir.wait_log(r"weir\.yaml:\d+:\d+: error:", count=2)
    assert "did you mean" in weir.log()
    assert get(weir.port(), "/answer").body == b"one" and revision(weir) == before
    code, answer = weir.call("POST", "/v1/reload")
    assert code == 422 and len(answer["errors"]) >= 2
    assert {"file", "line", "column", "message"} <= set(answer["errors"][0])
    weir.write(config([blue], answer="two"))
    wait_for(lambda: get(weir.port(), "/answer").body == b"two", 10, "the file that is right again")


def test_a_changed_file_is_noticed(targets, run):
    blue = targets("blue")
    weir = run(config([blue]))
    weir.write(config([blue], answer="replaced"))
    wait_for(lambda: get(weir.port(), "/answer").body == b"replaced", 10, "a file that was replaced")
    weir.file.write_text(config([blue], answer="rewritten"), encoding="utf-8")
    wait_for(lambda: get(weir.port(), "/answer").body == b"rewritten", 10, "a file that was written in place")


def test_the_admin_call_reloads_and_answers_the_revision(targets, run):
    blue = targets("blue")
    weir = run(config([blue]))
    before = revision(weir)
    code, answer = weir.call("POST", "/v1/reload")
    assert code == 200 and answer["revision"] > before and revision(weir) == answer["revision"]


def test_listeners_come_and_go(targets, run):
    blue = targets("blue")
    first, second = free_port(), free_port()
    listener = f"      - {{port: {second}, protocol: HTTP, default-actions: [{{fixed-response: {{status-code: 200, message-body: new}}}}]}}"
    weir = run(config([blue], first))
    assert curl(f"http://127.0.0.1:{second}/").returncode == 7
    weir.write(config([blue], first, extra=listener))
    weir.signal(signal.SIGHUP)
    wait_for(lambda: curl(f"http://127.0.0.1:{second}/").stdout == "new", 10, "the new listener")
    assert get(first, "/answer").body == b"one"
    with Client(second) as kept:
        assert kept.get().body == b"new"
        weir.write(config([blue], first))
        weir.signal(signal.SIGHUP)
        wait_for(lambda: curl(f"http://127.0.0.1:{second}/").returncode == 7, 10, "the listener's end")
    assert get(first, "/answer").body == b"one"


def test_an_address_in_use_refuses_the_reload(targets, run):
    blue, taken = targets("blue"), targets("taken")
    weir = run(config([blue]))
    listener = f"      - {{port: {taken.port}, protocol: HTTP, default-actions: [{{fixed-response: {{status-code: 200}}}}]}}"
    weir.write(config([blue], extra=listener, answer="two"))
    code, answer = weir.call("POST", "/v1/reload")
    assert code in (409, 422) and str(taken.port) in str(answer)
    assert get(weir.port(), "/answer").body == b"one"


def test_health_lives_through_a_reload(targets, run):
    blue, down = targets("blue"), targets("down")
    down.health_status = 500
    weir = run(config([blue, down]))
    weir.wait_state("blue", blue, "healthy")
    weir.wait_state("blue", down, "unhealthy")
    since = weir.targets("blue")[blue.id]["since"]
    weir.write(config([blue, down], answer="two"))
    code, _ = weir.call("POST", "/v1/reload")
    assert code == 200
    states = weir.targets("blue")
    assert states[blue.id]["state"] == "healthy" and states[blue.id]["since"] == since
    assert states[down.id]["state"] == "unhealthy"


def test_overrides_live_through_a_reload_and_end_with_what_they_name(targets, run):
    blue, other = targets("blue"), targets("other")
    weir = run(config([blue, other]))
    code, _ = weir.call("PUT", f"/v1/target-groups/blue/targets/{other.id}/admin-state", {"state": "unhealthy"})
    assert code == 200
    assert weir.call("POST", "/v1/reload")[0] == 200
    assert weir.targets("blue")[other.id]["admin-state"] == "unhealthy" and len(weir.status()["overrides"]) == 1
    weir.write(config([blue]))
    assert weir.call("POST", "/v1/reload")[0] == 200
    assert weir.status()["overrides"] == []
    assert "override" in weir.log()


@pytest.mark.parametrize("junk", ["load-balancers: [", "\x00\x01", "- a\n- b\n"], ids=["unfinished", "binary", "a list"])
def test_junk_in_the_file_never_stops_the_program(targets, run, junk):
    blue = targets("blue")
    weir = run(config([blue]))
    weir.file.write_text(junk, encoding="utf-8")
    weir.signal(signal.SIGHUP)
    weir.wait_log(r"error:")
    assert get(weir.port(), "/answer").body == b"one"
    assert weir.process.poll() is None


def test_an_admin_address_that_moves_still_answers_the_call_that_moved_it(targets, run):
    blue = targets("blue")
    weir = run(config([blue]))
    port = free_port()
    weir.write(config([blue], answer="two").replace("admin: {address: 127.0.0.1, port: 0}", f"admin: {{address: 127.0.0.1, port: {port}}}"))
    try:
        code, _ = weir.call("POST", "/v1/reload")
        assert code == 200
    except ConnectionError:
        pass  # the file watcher was faster, and the old address is gone
    wait_for(lambda: curl("-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:{port}/healthz").stdout == "200", 10, "the new address")
    assert get(weir.port(), "/answer").body == b"two"


def test_reading_a_configuration_gives_way_to_requests(targets, run):
    weir = run(config([targets("blue")]))

    def nice_of(thread):
        return int(thread.joinpath("stat").read_text().rpartition(")")[2].split()[16])
    tasks = pathlib.Path(f"/proc/{weir.process.pid}/task")
    wait_for(lambda: nice_of(tasks / str(weir.process.pid)) == max(10, os.nice(0)), 10, "the control thread to give way")
    others = {nice_of(thread) for thread in tasks.iterdir() if thread.name != str(weir.process.pid)}
    assert others == {os.nice(0)}
