"""The live document: read, edited, refused whole, replaced by the file."""

import http.client
import json
import signal
import threading

from weir_e2e import get, wait_for

PATH = "/v1/document"


def config(answer="one"):
    return f"""
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        rules:
          - {{priority: 1, conditions: [{{path-pattern: [/answer]}}], actions: [{{fixed-response: {{status-code: 200, message-body: {answer}}}}}]}}
        default-actions: [{{fixed-response: {{status-code: 404, message-body: "${{SECRET_WORD}}"}}}}]
admin: {{address: 127.0.0.1, port: 0}}
"""


BODY = "/load-balancers/0/listeners/0/rules/0/actions/0/fixed-response/message-body"


def ask(weir, method, body=None, tag=None):
    """(status, ETag, decoded JSON)"""
    connection = http.client.HTTPConnection(*weir.admin, timeout=30)
    try:
        connection.request(method, PATH, None if body is None else json.dumps(body), {"If-Match": tag} if tag else {})
        answer = connection.getresponse()
        return answer.status, answer.getheader("ETag"), json.loads(answer.read())
    finally:
        connection.close()


def replace(value, path=BODY):
    return [{"op": "replace", "path": path, "value": value}]


def at_once(call, count, together=200):
    """`call(number)` for `count` numbers, by so many clients that the API's connections are all used."""
    numbers = iter(range(count))
    lock = threading.Lock()

    def client():
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            call(number)

    clients = [threading.Thread(target=client) for _ in range(min(together, count))]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()


def start(run):
    return run(config(), environment={"SECRET_WORD": "of-the-environment"})


def test_an_edit_serves_and_the_document_says_so(run):
    weir = start(run)
    status, tag, document = ask(weir, "GET")
    assert status == 200 and tag == f'"{weir.status()["revision"]}"'
    assert document["load-balancers"][0]["listeners"][0]["default-actions"][0]["fixed-response"]["message-body"] == "${SECRET_WORD}"
    assert get(weir.port(), "/other").body == b"of-the-environment"
    status, after, _ = ask(weir, "PATCH", replace("two"), tag)
    assert status == 200 and after != tag
    wait_for(lambda: get(weir.port(), "/answer").body == b"two", 10, "the edit")
    status, now, document = ask(weir, "GET")
    assert now == after
    assert document["load-balancers"][0]["listeners"][0]["rules"][0]["actions"][0]["fixed-response"]["message-body"] == "two"
    weir.wait_log("document edited revision=")


def test_a_revision_that_moved_is_412_and_changes_nothing(run):
    weir = start(run)
    _, tag, _ = ask(weir, "GET")
    assert ask(weir, "PATCH", replace("two"), tag)[0] == 200
    status, _, answer = ask(weir, "PATCH", replace("three"), tag)
    assert status == 412, answer
    wait_for(lambda: get(weir.port(), "/answer").body == b"two", 10, "the first edit")


def test_a_wrong_edit_is_422_with_every_finding_and_its_place(run):
    weir = start(run)
    _, tag, before = ask(weir, "GET")
    patch = replace(700, "/load-balancers/0/listeners/0/rules/0/priority") + [
        {"op": "add", "path": "/load-balancers/0/listener", "value": []},
        {"op": "replace", "path": "/load-balancers/0/listeners/0/port", "value": "${SECRET_WORD}"},
    ]
    status, _, answer = ask(weir, "PATCH", patch, tag)
    assert status == 422, answer
    places = {error["path"]: error for error in answer["errors"]}
    assert set(places) == {"load-balancers[0].listener", "load-balancers[0].listeners[0].port"}, answer
    assert places["load-balancers[0].listener"]["file"] == "api: PATCH /v1/document"
    assert "did you mean `listeners`" in places["load-balancers[0].listener"]["hint"]
    assert "of-the-environment" not in json.dumps(answer)
    assert ask(weir, "GET") == (200, tag, before)


def test_of_a_thousand_concurrent_edits_one_wins_each_revision(run):
    weir = start(run)
    _, tag, _ = ask(weir, "GET")
    outcomes = []
    winners = []

    def edit(number):
        status, after, _ = ask(weir, "PATCH", replace(f"v{number}"), tag)
        outcomes.append(status)
        if status == 200:
            winners.append((number, after))

    at_once(edit, 1000)
    assert sorted(outcomes) == [200] + [412] * 999
    [(number, after)] = winners
    _, now, document = ask(weir, "GET")
    assert now == after
    assert document["load-balancers"][0]["listeners"][0]["rules"][0]["actions"][0]["fixed-response"]["message-body"] == f"v{number}"


def test_each_revision_has_one_winner_while_all_try_again(run):
    weir = start(run)
    _, first, _ = ask(weir, "GET")
    tags = []

    def edit(number):
        for _ in range(5):
            while True:
                _, tag, _ = ask(weir, "GET")
                status, after, _ = ask(weir, "PATCH", replace(f"v{number}"), tag)
                if status == 200:
                    tags.append(int(after.strip('"')))
                    break
                assert status == 412

    at_once(edit, 10)
    assert sorted(tags) == list(range(int(first.strip('"')) + 1, int(first.strip('"')) + 51)), "a revision was won twice"


def test_a_reload_replaces_what_was_edited_and_says_so(run):
    weir = start(run)
    assert ask(weir, "PATCH", replace("two"))[0] == 200
    weir.write(config("three"))
    weir.signal(signal.SIGHUP)
    wait_for(lambda: get(weir.port(), "/answer").body == b"three", 10, "the reload")
    weir.wait_log(f"edit replaced by the file path={BODY}")
    _, events = weir.call("GET", "/v1/events")
    assert [event["fields"]["result"] for event in events["events"] if event["kind"] == "edit"] == ["accepted", "replaced"]


def test_every_change_takes_the_revision_that_it_is_for_and_says_who_made_it(run):
    weir = start(run)
    weights = f"/v1/load-balancers/shop/listeners/{weir.port()}/rules/default/weights"
    for method, path in (("POST", "/v1/reload"), ("DELETE", weights), ("DELETE", "/v1/health-checks/none/admin-state")):
        connection = http.client.HTTPConnection(*weir.admin, timeout=30)
        connection.request(method, path, headers={"If-Match": '"77"', "Weir-Author": "alice@laptop"})
        answer = connection.getresponse()
        assert answer.status == 412, (method, path, answer.read())
        connection.close()
    connection = http.client.HTTPConnection(*weir.admin, timeout=30)
    connection.request("POST", "/v1/reload", headers={"If-Match": '"1"', "Weir-Author": "alice@laptop"})
    answer = connection.getresponse()
    assert answer.status == 200 and answer.getheader("ETag") == '"2"', answer.read()
    connection.close()
    weir.wait_log('author="alice@laptop"')
    events = weir.call("GET", "/v1/events")[1]["events"]
    assert [event["fields"]["author"] for event in events if event["kind"] == "reload"] == ["alice@laptop"], events
