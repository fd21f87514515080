"""Transforms of rules (ALB 6): what targets, the log, the metrics and `weir explain` show of them."""

import shlex

import pytest
from weir_e2e import Client, get, wait_for, weir as command

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    access-log: {{path: access.log}}
    attributes: {{routing.http.preserve_host_header.enabled: {preserve}}}
    listeners:
      - port: 0
        rules:
          - priority: 1
            conditions: [{{path-pattern: ["/v1/*"]}}]
            transforms: [{{url-rewrite: {{regex: "^/v1/(.*)$", replace: "/$1"}}}}]
            actions: [{{forward: {{target-group: blue}}}}]
          - priority: 2
            conditions: [{{path-pattern: ["/both/*"]}}]
            transforms:
              - host-header-rewrite: {{regex: "^(.*)\\\\.example\\\\.test$", replace: "$1.internal"}}
              - url-rewrite: {{regex: "^/both/([0-9]+)$", replace: "/item?id=$1"}}
            actions: [{{forward: {{target-group: blue}}}}]
          - priority: 3
            conditions: [{{path-pattern: ["/port"]}}]
            transforms: [{{host-header-rewrite: {{regex: ".*", replace: "internal:99"}}}}]
            actions: [{{forward: {{target-group: blue}}}}]
          - {{priority: 4, conditions: [{{path-pattern: ["/bad-host"]}}], transforms: [{{host-header-rewrite: {{regex: "shop", replace: "a b"}}}}],
             actions: [{{forward: {{target-group: blue}}}}]}}
          - {{priority: 5, conditions: [{{path-pattern: ["/bad-path"]}}], transforms: [{{url-rewrite: {{regex: "^/", replace: ""}}}}],
             actions: [{{forward: {{target-group: blue}}}}]}}
          - {{priority: 6, conditions: [{{path-pattern: ["/bad-group"]}}], transforms: [{{url-rewrite: {{regex: "^/bad", replace: "/$7"}}}}],
             actions: [{{forward: {{target-group: blue}}}}]}}
          - {{priority: 7, conditions: [{{path-pattern: ["/long/*"]}}], transforms: [{{url-rewrite: {{regex: "^/(.*)$", replace: "/$1$1$1"}}}}],
             actions: [{{forward: {{target-group: blue}}}}]}}
        default-actions: [{{forward: {{target-group: blue}}}}]
target-groups:
  - {{name: blue, targets: [{target}]}}
admin: {{address: 127.0.0.1, port: 0}}
"""


@pytest.fixture
def start(targets, run):
    def make(preserve="false"):
        blue = targets("blue")
        weir = run(CONFIG.format(target=blue.yaml, preserve=preserve))
        weir.wait_state("blue", blue, "healthy")
        return weir
    return make


def log_fields(folder, count):
    file = folder / "access.log"
    wait_for(lambda: file.exists() and len(file.read_text(encoding="ascii").splitlines()) >= count, 10, "the line of the log")
    return shlex.split(file.read_text(encoding="ascii").splitlines()[count - 1])


def host_of(answer):
    return [value for name, value in answer.json()["fields"] if name.lower() == "host"]


# target, Host, then what its target and the log see: path and query, host, status of the transforms
FORWARDED = [
    ("/v1/cart?x=1", "shop.example.test", "/cart?x=1", "shop.example.test:{port}", ("-", "/cart?x=1", "TransformSuccess")),
    ("/both/7", "shop.example.test", "/item?id=7", "shop.internal:{port}", ("shop.internal", "/item?id=7", "TransformSuccess")),
    ("/both/7", "SHOP.Example.test:81", "/item?id=7", "shop.internal:81", ("SHOP.internal", "/item?id=7", "TransformSuccess")),
    ("/both/x", "else.test", "/both/x", "else.test:{port}", ("-", "-", "-")),
    ("/port", "else.test", "/port", "internal:99", ("internal:99", "-", "TransformSuccess")),
    ("/plain", "shop.example.test", "/plain", "shop.example.test:{port}", ("-", "-", "-")),
]


def test_targets_and_log_see_what_was_transformed(start, tmp_path):
    weir = start()
    for count, (target, host, path, sent, logged) in enumerate(FORWARDED, 1):
        answer = get(weir.port(), target, host=host)
        assert answer.status == 200 and answer.json()["path"] == path, (target, answer)
        assert host_of(answer) == [sent.format(port=weir.port())], (target, answer)
        fields = log_fields(tmp_path, count)
        assert tuple(fields[30:33]) == logged, fields
        assert target in fields[12], "the request stands as it was sent"
        assert fields[22] == ("forward" if logged[2] == "-" else "rewrite,forward")


FAILURES = [("/bad-host", "TransformInvalidHost"), ("/bad-path", "TransformInvalidPath"), ("/bad-group", "TransformReplaceError"),
            ("/long/" + "x" * 6000, "TransformBufferTooSmall")]


def test_failures_are_500_with_their_reason(start, tmp_path):
    weir = start()
    for count, (target, status) in enumerate(FAILURES, 1):
        assert get(weir.port(), target).status == 500
        fields = log_fields(tmp_path, count)
        assert fields[8] == "500" and fields[24] == "RequestTransformFailed" and tuple(fields[30:33]) == ("-", "-", status), fields
    metrics = weir.metrics()
    for _, status in FAILURES:
        assert f'status="{status}"}} 1' in metrics, status


def test_a_preserved_host_is_transformed_too(start):
    weir = start(preserve="true")
    assert host_of(get(weir.port(), "/both/7", host="Shop.example.test")) == [f"shop.internal:{weir.port()}"]
    assert host_of(get(weir.port(), "/plain", host="Shop.example.test")) == ["Shop.example.test"]


def test_what_is_pipelined_and_kept_alive_is_transformed_each_for_itself(start):
    weir = start()
    with Client(weir.port()) as client:
        for target in ("/v1/a", "/v1/b", "/c"):
            client.request("GET", target, host="shop.example.test")
        assert [client.response().json()["path"] for _ in range(3)] == ["/a", "/b", "/c"]


def test_explain_says_what_becomes_of_a_request(start, tmp_path):
    weir = start()
    done = command("explain", weir.file, "http", "GET", f"http://shop.example.test:{weir.port()}/both/7", "--live", "--admin", "%s:%d" % weir.admin)
    text = done.stdout
    assert "transform: the host becomes shop.internal" in text and "transform: the URL becomes /item?id=7" in text, text + done.stderr


def test_a_wrong_expression_is_found_where_it_stands(tmp_path):
    file = tmp_path / "weir.yaml"
    file.write_text(CONFIG.format(target="{address: 127.0.0.1, port: 9}", preserve="false").replace("^/bad", "^/(bad"), encoding="utf-8")
    done = command("check", file)
    assert done.returncode == 1 and "is not valid: missing )" in done.stderr and "weir.yaml:28:" in done.stderr, done.stderr
