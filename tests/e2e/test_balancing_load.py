"""What algorithms are for, under load (ALB 8): a slow target under least outstanding requests, a failing one under anomaly mitigation."""

import json
import random
import re
import subprocess
import time

from test_algorithms import explain, start
from weir_e2e import BINARY, SCALE, wait_for, weir as command


def answer(status=b"200 OK", seconds=0.0):
    """A script that answers and keeps nothing."""
    def script(request, wire):
        if seconds:
            time.sleep(seconds)
        wire.socket.sendall(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % status)
        return True
    return script


def test_one_slow_target_of_ten_does_not_show_under_least_outstanding_requests(targets, run):
    """One of ten answers 20 times slower: p99 at 64 requests at a time is at least 5 times better than in turn."""
    fast = 0.06 * SCALE
    group = [targets(str(i), script=answer(seconds=fast * (20 if i == 0 else 1))) for i in range(10)]
    p99 = {}
    for algorithm in ("round_robin", "least_outstanding_requests"):
        weir = run_group(run, group, algorithm)
        load = command("bench", "http", "--json", "-c", "64", "-d", f"{int(4 * SCALE)}s", f"http://127.0.0.1:{weir.port()}/", seconds=60)
        result = json.loads(load.stdout)
        assert result["totals"]["completed"] > 500 and result["totals"]["completed"] == result["totals"]["started"], result["totals"]
        p99[algorithm] = result["latency"]["percentiles-ms"]["99"]
        weir.stop()
    assert p99["least_outstanding_requests"] * 5 <= p99["round_robin"], p99


def run_group(run, group, algorithm):
    return start(lambda text: run(text, name=f"{algorithm}.yaml"), group, f"load_balancing.algorithm.type: {algorithm}")


class Shaky:
    """Answers with 503 as often as it is told to."""

    def __init__(self):
        self.share, self.random = 0.0, random.Random(5)

    def __call__(self, request, wire):
        failed = self.random.random() < self.share
        return answer(b"503 Shaky" if failed else b"200 OK")(request, wire)


def test_a_target_that_fails_loses_its_requests_and_gets_them_back(targets, run):
    """One of ten answers 30 % of its requests with 5xx: below 2 % of all within 30 s, and back after it is well."""
    shaky = Shaky()
    group = [targets("shaky", script=shaky), *(targets(str(i), script=answer()) for i in range(9))]
    weir = start(run, group, "load_balancing.algorithm.type: weighted_random, load_balancing.algorithm.anomaly_mitigation: on")
    load = subprocess.Popen([BINARY, "bench", "http", "--json", "--rate", "500", "-d", f"{int(150 * SCALE)}s", "-c", "16",
                             f"http://127.0.0.1:{weir.port()}/"], stdout=subprocess.DEVNULL)

    def percent(seconds=3):
        """Of the requests of these seconds, the shaky target's."""
        def read():
            return {target["id"]: target["requests"] for target in weir.status()["target-groups"][0]["targets"]}
        before = read()
        wait_for(lambda: sum(read().values()) - sum(before.values()) >= 500 * seconds * 0.8, seconds * 10, "requests")
        after = read()
        return 100 * (after[group[0].id] - before[group[0].id]) / (sum(after.values()) - sum(before.values()))
    try:
        assert 5 < percent(2) < 15
        shaky.share = 0.3
        begun = time.monotonic()
        wait_for(lambda: percent(2) < 2, 30, "its share below 2 %")
        assert time.monotonic() - begun < 30 * SCALE
        target = next(target for target in weir.status()["target-groups"][0]["targets"] if target["id"] == group[0].id)
        assert target["anomaly-detection"]["result"] == "anomalous" and target["anomaly-detection"]["mitigation-in-effect"] == "yes"
        assert target["state"] == "healthy", "health checks pass"
        assert re.search(r"anomalous: [0-9.]+% errors, 0.0% of its peers, keeps \d/16 of its weight", explain(weir)), explain(weir)
        assert 'weir_target_group_anomalous_targets{target_group="blue"} 1' in weir.metrics()
        assert 'weir_target_group_mitigated_targets{target_group="blue"} 1' in weir.metrics()
        assert "anomalous: " in command("status", "--admin", "%s:%d" % weir.admin).stdout
        shaky.share = 0.0
        wait_for(lambda: percent(2) > 5, 60, "its share back")
        weir.wait_log("anomaly group=blue target=.* result=normal")
    finally:
        load.kill()
        load.wait()
