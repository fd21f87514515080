"""Functions that weir runs itself (ALB 7.4): handlers written for AWS, in Python and Node.js, and what they may do wrong."""

import concurrent.futures
import os
import pathlib
import re
import signal
import time

import pytest
from lambda_e2e import config
from node_e2e import NODE
from weir_e2e import SANITIZED, Client, get, wait_for

# The system's Python: another one may be a script that looks for one, a thousand times.
os.environ["PATH"] = f"/usr/bin:/bin:{os.environ['PATH']}"

PYTHON = '''
import base64, json, os, subprocess, time

def answer(body, **more):
    return {"statusCode": 200, "isBase64Encoded": False, "headers": {"Content-Type": "text/plain"}, "body": body, **more}

def lambda_handler(event, context):
    path = event["path"]
    if path == "/echo":
        return answer(json.dumps({"event": event, "name": context.function_name, "version": context.function_version, "left": context.get_remaining_time_in_millis(),
                                  "id": context.aws_request_id, "environment": dict(os.environ), "folder": os.getcwd()}))
    if path == "/binary":
        return answer(base64.b64encode(base64.b64decode(event["body"])[::-1]).decode(), isBase64Encoded=True)
    if path == "/print":
        print("printed by", context.aws_request_id)
        return answer("printed")
    if path == "/error":
        raise ValueError("no luck today")
    if path == "/slow":
        time.sleep(60)
    if path == "/large":
        return answer("x" * (1 << 20))
    if path == "/crash":
        os._exit(3)
    if path == "/fault":
        os.kill(os.getpid(), 11)
    if path == "/leak":
        children = [subprocess.Popen(["sleep", "600"]), subprocess.Popen(["setsid", "sleep", "600"]), subprocess.Popen(["sh", "-c", "setsid sleep 600 & sleep 600"])]
        return answer(json.dumps([child.pid for child in children] + [os.getpid()]))
    if path == "/pause":
        time.sleep(0.02)
    return answer(str(os.getpid()))
'''

NODE_COMMON = '''
exports.handler = async (event, context) => {
  const answer = (body, more) => ({ statusCode: 200, isBase64Encoded: false, headers: { "Content-Type": "text/plain" }, body, ...more });
  switch (event.path) {
    case "/echo": return answer(JSON.stringify({ event, name: context.functionName, left: context.getRemainingTimeInMillis(), id: context.awsRequestId }));
    case "/binary": return answer(Buffer.from(event.body, "base64").reverse().toString("base64"), { isBase64Encoded: true });
    case "/print": console.log("printed by", context.awsRequestId); return answer("printed");
    case "/error": throw new RangeError("no luck today");
    case "/slow": return new Promise((resolve) => setTimeout(resolve, 60000));
    case "/large": return answer("x".repeat(1 << 20));
    case "/crash": process.exit(3);
    case "/unhandled": Promise.reject(new Error("lost")); return new Promise(() => setTimeout(() => {}, 60000));
  }
  return answer(String(process.pid));
};
exports.callback = (event, context, callback) => {
  if (event.path === "/error") return callback(new TypeError("called back"));
  setTimeout(() => callback(null, { statusCode: 200, isBase64Encoded: false, headers: {}, body: "called back" }), 20);
};
'''
NODE_MODULE = '''
import { readFileSync } from "node:fs";
export const handler = async (event) => ({ statusCode: 200, isBase64Encoded: false, headers: {}, body: `module ${typeof readFileSync} ${event.path}` });
'''


@pytest.fixture
def code(tmp_path):
    """A folder with handlers."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "lambda_function.py").write_text(PYTHON, encoding="utf-8")
    (folder / "index.js").write_text(NODE_COMMON, encoding="utf-8")
    (folder / "module.mjs").write_text(NODE_MODULE, encoding="utf-8")
    return folder


def python(more=""):
    return f"{{runtime: python, handler: lambda_function.lambda_handler, root: ./code{more}}}"


def node(more="", handler="index.handler"):
    assert NODE.exists(), "Node.js is missing: scripts/fetch-clients"
    return f'{{runtime: node, handler: {handler}, root: ./code, environment: {{PATH: "{NODE.parent}"}}{more}}}'


def children(pid):
    """Of all threads of a process."""
    found = []
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (thread / "children").read_text(encoding="ascii").split())
    return found


def spawner(weir):
    """The one child of the program."""
    return wait_for(lambda: next((child for child in children(weir.process.pid) if exists(child)), None), 10, "a spawner")


def exists(pid):
    """Whether there is such a process, ended ones that nobody waited for included."""
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    return True


def runs(pid):
    """Whether there is such a process that has not ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_gone(pids, seconds=15):
    wait_for(lambda: not any(exists(pid) for pid in pids), seconds, f"the end of {pids}")


@pytest.mark.parametrize("function", [python, node], ids=["python", "node"])
class TestHandlers:
    """What both languages do alike."""

    def test_the_event_comes_and_the_response_goes(self, run, code, function):
        weir = run(config(function()))
        with Client(weir.port()) as client:
            for content in (b"one", b"two"):
                answer = client.request("POST", "/echo?a=1", {"Content-Type": "text/plain"}, content).response()
                assert answer.status == 200 and answer.field("Content-Type") == "text/plain"
                said = answer.json()
                assert said["event"]["body"] == content.decode() and said["event"]["queryStringParameters"] == {"a": "1"}
                assert said["name"] == "fn" and 0 < said["left"] <= 30000 and len(said["id"]) == 36
        content = bytes(range(256)) * 3
        assert get(weir.port(), "/binary", {"Content-Type": "image/png"}, method="POST", body=content).body == content[::-1]

    def test_what_it_writes_is_in_the_log(self, run, code, function):
        weir = run(config(function()))
        assert get(weir.port(), "/print").status == 200
        weir.wait_log(r"function output function=fn .*stream=stdout line=.*printed by [0-9a-f-]{36}")

    def test_failures_are_502_and_the_next_request_is_served(self, run, code, function):
        weir = run(config(function(", timeout: 2s")))
        for path in ("/error", "/large", "/crash", "/slow"):
            assert get(weir.port(), path).status == 502, path
            assert get(weir.port(), "/").status == 200, path
        weir.wait_log(r"how=\"exit status 3\"")

    def test_a_handler_that_is_missing_is_502(self, run, code, function):
        weir = run(config(function().replace("handler: lambda_function.", "handler: none.").replace("handler: index.", "handler: none.")))
        assert get(weir.port(), "/").status == 502
        weir.wait_log(r"function cannot be started function=fn .*Runtime\.ImportModuleError")


def test_node_handlers_call_back_and_are_modules(run, code):
    weir = run(config(node(handler="index.callback")))
    assert get(weir.port(), "/").body == b"called back"
    assert get(weir.port(), "/error").status == 502
    weir.wait_log("TypeError")
    weir.write(config(node(handler="module.handler")))
    wait_for(lambda: get(weir.port(), "/x").body == b"module function /x", 15, "the module")


def test_a_lost_promise_of_node_ends_the_instance(run, code):
    weir = run(config(node()))
    assert get(weir.port(), "/unhandled").status == 502
    weir.wait_log(r"Runtime\.UnhandledPromiseRejection")
    assert get(weir.port(), "/").status == 200


def test_an_instance_has_the_environment_of_lambda_and_nothing_of_ours(run, code):
    weir = run(config(python(", environment: {TABLE: carts}")), environment={"WEIR_SECRET": "of ours"})
    said = get(weir.port(), "/echo").json()
    environment = said["environment"]
    assert environment["TABLE"] == "carts" and environment["_HANDLER"] == "lambda_function.lambda_handler"
    assert environment["LAMBDA_TASK_ROOT"] == said["folder"] == str(code)
    assert environment["AWS_EXECUTION_ENV"].startswith("AWS_Lambda_python3.") and environment["TZ"] == ":UTC"
    assert re.fullmatch(r"127\.0\.0\.1:\d+", environment["AWS_LAMBDA_RUNTIME_API"])
    assert "WEIR_SECRET" not in environment and "HOME" not in environment


def test_a_custom_runtime(run, code, tmp_path):
    bootstrap = code / "bootstrap"
    bootstrap.write_text('''#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while :; do
  curl -sS -D head.$$ -o event.$$ "$api/next" || exit 1
  id=$(sed -n 's/^Lambda-Runtime-Aws-Request-Id: \\([0-9a-f-]*\\).*/\\1/p' head.$$)
  printf '{"statusCode":200,"isBase64Encoded":false,"headers":{},"body":"shell %s"}' "$_HANDLER" |
    curl -sS -H 'Transfer-Encoding: chunked' -d @- "$api/$id/response"
done
''', encoding="ascii")
    bootstrap.chmod(0o755)
    weir = run(config("{command: [./bootstrap], handler: app.handler, root: ./code}"))
    for _ in range(3):
        assert get(weir.port(), "/").body == b"shell app.handler"


def test_two_hundred_at_once_and_no_more_instances_than_allowed(run, code):
    weir = run(config(python(", concurrency: 5")))
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(lambda _: get(weir.port(), "/pause"), range(200)))
    assert [answer.status for answer in answers] == [200] * 200
    assert 1 <= len({answer.body for answer in answers}) <= 5


def test_what_a_function_leaves_behind_ends_with_it(run, code):
    weir = run(config(python()))
    pids = get(weir.port(), "/leak").json()
    assert get(weir.port(), "/crash").status == 502
    wait_gone(pids)


def test_a_reload_keeps_an_unchanged_function_and_replaces_a_changed_one(run, code):
    weir = run(config(python()))
    first = get(weir.port(), "/").body
    weir.write(config(python()) + "\n# nothing else\n")
    weir.wait_log("configuration loaded revision=2")
    assert get(weir.port(), "/").body == first
    with Client(weir.port()) as client:
        client.request("GET", "/pause")
        weir.write(config(python(", environment: {A: b}")))
        weir.wait_log("configuration loaded revision=3")
        assert client.response().status == 200
    assert get(weir.port(), "/").body != first
    wait_gone([first])


def test_a_spawner_that_is_killed_is_replaced(run, code):
    weir = run(config(python()))
    leaked = get(weir.port(), "/leak").json()
    old = spawner(weir)
    with Client(weir.port(), seconds=30) as client:
        client.request("GET", "/slow")
        weir.wait_log("function instance started", count=1)
        time.sleep(0.2)  # the invocation is under way; nothing says so
        os.kill(old, signal.SIGKILL)
        assert client.response().status == 502
    weir.wait_log("the spawner ended pid=")
    wait_gone([*leaked, old])
    wait_for(lambda: get(weir.port(), "/").status == 200, 15, "an answer of a new instance")
    assert weir.process.poll() is None


def test_crashes_leave_no_zombie_and_no_orphan(run, code):
    weir = run(config(python(", concurrency: 10")))
    crashes = 1000 if "WEIR_E2E_HUGE" in os.environ else 100  # each of them starts an interpreter
    statuses = {}
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        for answer in pool.map(lambda i: get(weir.port(), "/crash" if i % 2 else "/fault"), range(crashes)):
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
    assert statuses == {502: crashes}
    assert get(weir.port(), "/").status == 200
    helper = spawner(weir)
    wait_for(lambda: len(children(helper)) == 1, 10, "one instance, and nothing else below the spawner")
    assert children(weir.process.pid) == [helper]


def test_all_end_with_the_program(run, code):
    weir = run(config(python()))
    pids = [*get(weir.port(), "/leak").json(), spawner(weir)]
    weir.stop()
    assert not any(exists(pid) for pid in pids)


def test_all_end_with_a_program_that_is_killed(run, code):
    weir = run(config(python()))
    pids = [*get(weir.port(), "/leak").json(), spawner(weir)]
    weir.process.kill()
    weir.process.wait()
    # Whoever adopts them may take its time to reap them.
    wait_for(lambda: not any(runs(pid) for pid in pids), 15, f"the end of {pids}")


def test_a_drain_lets_an_invocation_finish(run, code):
    weir = run(config(python()))
    assert get(weir.port(), "/").status == 200
    with Client(weir.port()) as client:
        client.request("GET", "/pause")
        os.kill(spawner(weir), signal.SIGTERM)
        weir.signal(signal.SIGTERM)
        assert client.response().status == 200
    assert weir.wait_exit() == 0


def test_a_program_that_cannot_be_started_is_said_once_and_tried_again(run, code):
    weir = run(config("{command: [./none], root: ./code}"))
    assert {get(weir.port(), "/").status for _ in range(50)} == {504}
    weir.wait_log(r"function cannot be started .*reason=\"cannot be executed: No such file or directory\"")
    assert len(re.findall("function cannot be started", weir.log())) < 25
    (code / "none").write_text("#!/bin/sh\nexit 9\n", encoding="ascii")
    (code / "none").chmod(0o755)
    wait_for(lambda: get(weir.port(), "/").status == 502, 15, "the program")


HOSTILE = r"""#!/usr/bin/env python3
import os, random, socket, subprocess, sys, threading
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: x\r\n"
def attack(which):
    while True:
        try:
            with socket.create_connection((host, int(port)), timeout=5) as s:
                if which == 0: s.sendall(random.randbytes(5000))
                if which == 1: s.sendall(NEXT * 3000)
                if which == 2: s.sendall(POST % b"x" + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"y" * 65536 + b"\r\n") * 200)
                if which == 3: s.sendall(b"GET /" + b"x" * 200000)
                if which == 4: s.sendall((POST % b"x" + b"Content-Length: 2\r\n\r\n{}") * 2000)
                if which == 5: s.sendall(POST % b"x" + b"Content-Length: 99999999999999999999\r\n\r\n")
                if which == 6: s.sendall(POST % b"x" + b"Content-Length: 9999999999999\r\n\r\n" + b"z" * 100000)
                if which == 7: s.sendall(NEXT[:20])
                s.recv(100)
        except OSError:
            pass
for which in range(8):
    threading.Thread(target=attack, args=(which,), daemon=True).start()
subprocess.Popen(["yes"])
subprocess.Popen(["setsid", "yes", "in another session"])
threading.Event().wait()
"""


def test_a_hostile_program_harms_nobody_else(run, code):
    (code / "hostile").write_text(HOSTILE, encoding="ascii")
    (code / "hostile").chmod(0o755)
    weir = run(f"""
load-balancers:
  - {{name: good, addresses: [127.0.0.1], listeners: [{{port: 0, default-actions: [{{forward: {{target-group: good}}}}]}}]}}
  - {{name: bad, addresses: [127.0.0.1], listeners: [{{port: 0, default-actions: [{{forward: {{target-group: bad}}}}]}}]}}
target-groups:
  - {{name: good, target-type: lambda, function: {python()}}}
  - {{name: bad, target-type: lambda, function: {{command: [./hostile], root: ./code, timeout: 1s, concurrency: 2}}}}
admin: {{port: 0}}
""")
    good, bad = weir.port("good"), weir.port("bad")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        attacks = [pool.submit(get, bad) for _ in range(4)]
        assert [get(good, "/").status for _ in range(100)] == [200] * 100
        assert {attack.result().status for attack in attacks} <= {502}
    assert weir.vm_hwm_kib() < 512 * 1024 or SANITIZED
    assert weir.process.poll() is None
    helper = spawner(weir)
    weir.stop()
    assert not exists(helper)
