"""The HTTP scenarios whose figure is memory, or what a reload breaks."""

import contextlib
import http.client
import json
import resource
import signal
import socket
import time

from .peers_http import Nginx, Rules, Setup, Weir
from .process import PeerFailed, wait_for
from .rounds import judge_value, say
from .questions import client_context
from .scenarios_rate import installed, targets, variant
from .statistics import median

IDLE_CONNECTIONS = 19000
IDLE_TLS_CONNECTIONS = 5000
DESCRIPTORS_BESIDE = 600  # of a peer that holds that many clients: targets, logs, admin
RELOADS, RELOAD_REPEATS = 20, 3
MIB = 1 << 20


def started(options, label, peer, setup):
    """The running peer as a context, or None when it does not start, which is said."""
    @contextlib.contextmanager
    def running():
        try:
            process = variant(options, label, peer, setup, None).start()
        except PeerFailed as failure:
            say(f"  {label}: skipped: {failure}")
            yield None
            return
        try:
            yield process
        finally:
            process.stop()
    return running()


def settled_pss(process):
    """The proportional resident memory when it has stopped changing."""
    last = [process.pss_bytes(), time.monotonic()]

    def same_for_a_while():
        now = process.pss_bytes()
        if abs(now - last[0]) > 4096 * 4:
            last[:] = [now, time.monotonic()]
        return time.monotonic() - last[1] > 0.3
    wait_for(same_for_a_while, 20, f"steady memory of {process.name}")
    return process.pss_bytes()


def plain(scenario, title, head, rows, verdicts, **more):
    return {"scenario": scenario, "title": title, "kind": "plain", "head": head, "rows": rows, "verdicts": verdicts, **more}


# ---- idle connections


def open_idle(port, count, request, tls=None):
    """`count` connections that have had one response each and stay open; over TLS with the context `tls`."""
    sockets = []
    for _ in range(count):
        try:
            one = socket.create_connection(("127.0.0.1", port), 10)
            if tls:
                one = tls.wrap_socket(one)
            one.sendall(request)
            if not one.recv(4096).startswith(b"HTTP/1.1 200"):
                one.close()
                break
        except OSError as error:
            say(f"  after {len(sockets):,} connections: {error}")
            break
        sockets.append(one)
    return sockets


def hold_idle(options, count, certificate=""):
    """Memory with `count` idle connections: ({peer: bytes each}, rows of the table)."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    count = min(count, limit - DESCRIPTORS_BESIDE)
    rows, each = [], {}
    with targets(options) as port:
        for name, peer in installed(options, options.peers, "tls" if certificate else "idle"):
            setup = Setup(targets=(f"127.0.0.1:{port}",), connections=limit - DESCRIPTORS_BESIDE // 2, certificate=certificate)
            with started(options, name, peer, setup) as process:
                if not process:
                    continue
                host, path = setup.rules.request("small")
                request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
                before = settled_pss(process)
                sockets = open_idle(process.port, count, request, client_context() if certificate else None)
                after = settled_pss(process)
                process.check_alive()
                for one in sockets:
                    one.close()
                if len(sockets) == count:
                    each[name] = (after - before) / count
                figure = (after - before) / max(1, len(sockets))
                say(f"  {name:24} {len(sockets):,} connections, {figure:,.0f} bytes each")
                rows.append([name, len(sockets), f"{before / MIB:.1f}", f"{after / MIB:.1f}", figure])
    return each, rows


IDLE_HEAD = ["", "connections", "PSS before MiB", "PSS after MiB", "bytes each"]
IDLE_NOTE = ("Kernel memory is not in it. nginx has its table of connections before the first one, which its figure for each leaves "
             "out; what stops below the full number ran into the limit of descriptors.")


def idle_connections(options):
    each, rows = hold_idle(options, IDLE_CONNECTIONS)
    verdicts = [judge_value("≤ 1,000 B each", each.get("weir"), "B", lambda value: value <= 1000),
                judge_value("≤ 500 B each", each.get("weir"), "B", lambda value: value <= 500, True)]
    return plain("idle", f"{IDLE_CONNECTIONS:,} idle keep-alive connections: proportional resident memory", IDLE_HEAD, rows,
                 verdicts, note=IDLE_NOTE)


def idle_tls_connections(options):
    each, rows = hold_idle(options, IDLE_TLS_CONNECTIONS, "ecdsa")
    share = each["weir"] / each["haproxy"] if "weir" in each and each.get("haproxy") else None
    verdicts = [judge_value("≤ 0.7 × HAProxy's", share, "× haproxy", lambda value: value <= 0.7),
                judge_value("≤ 12 KB each", each.get("weir"), "B", lambda value: value <= 12_000, True)]
    return plain("idle-tls", f"{IDLE_TLS_CONNECTIONS:,} idle TLS 1.3 connections: proportional resident memory", IDLE_HEAD, rows,
                 verdicts, note=IDLE_NOTE)


# ---- memory of rules


def rule_memory(options):
    rows, cost = [], {}
    with targets(options) as port:
        for name, peer in installed(options, options.peers, "rules"):
            sizes = []
            for count in (10, 10000):
                setup = Setup(targets=(f"127.0.0.1:{port}",), rules=Rules("exact", count), has_rules=True)
                started_at = time.monotonic()
                with started(options, f"{name}-{count}", peer, setup) as process:
                    if not process:
                        break
                    sizes.append((settled_pss(process), time.monotonic() - started_at))
            if len(sizes) == 2:
                cost[name] = (sizes[1][0] - sizes[0][0]) / 1e6
                rows.append([name, f"{sizes[0][0] / 1e6:.1f}", f"{sizes[1][0] / 1e6:.1f}", f"{cost[name]:.1f}"])
    verdicts = [judge_value("10,000 rules cost ≤ 15 MB", cost.get("weir"), "MB", lambda value: value <= 15)]
    return plain("rule-memory", "10,000 host and path rules: proportional resident memory",
                 ["", "10 rules MB", "10,000 rules MB", "rules cost MB"], rows, verdicts)


# ---- reloads


def prepare_reloads(process):
    """The files that weir reloads, written before the load begins: writing them would take CPU time from what is measured.
    In each the first rule differs."""
    if not isinstance(process.peer, Weir):
        return
    text = (process.folder / "weir.yaml").read_text()
    for number in range(RELOADS):
        (process.folder / f"weir.yaml.{number}").write_text(text.replace("/app0/*", f"/app0-{number}/*", 1))


def reload_weir(process, number):
    """Another file, then a reload, which answers when the new rules are published."""
    (process.folder / f"weir.yaml.{number}").replace(process.folder / "weir.yaml")
    connection = http.client.HTTPConnection("127.0.0.1", _admin_port(process), timeout=30)
    try:
        connection.request("POST", "/v1/reload")
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status != 200 or "revision" not in json.loads(text):
        raise PeerFailed(f"weir refused a reload: {answer.status} {text}")


def _admin_port(process):
    line = next(line for line in (process.folder / "weir.yaml").read_text().splitlines() if line.startswith("admin:"))
    return int(line.rpartition("port: ")[2].rstrip("}"))


def reload_nginx(process):
    """Done when a worker that was not there before is."""
    before = set(process.pids())
    process.process.send_signal(signal.SIGHUP)
    process.wait_until(lambda: set(process.pids()) - before, "a new worker", 30)


def reload_haproxy(process):
    """By the master's command line; done when the master, which starts anew, says that its worker is a new one."""
    before = process.wait_until(lambda: haproxy_worker(process), "the master's command line", 30)
    ask_haproxy(process, "reload")
    process.wait_until(lambda: haproxy_worker(process) not in (None, before), "a new worker", 30)


def ask_haproxy(process, command):
    """The answer of HAProxy's master, or "" while it does not give one."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as master:
        master.settimeout(5)
        master.connect(str(process.folder / "master.sock"))
        master.sendall(f"{command}\n".encode())
        master.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: master.recv(65536), b"")).decode()
    return ""


def haproxy_worker(process):
    """The process id of the worker of the last reload, or None."""
    workers = ask_haproxy(process, "show proc").partition("# workers\n")[2].partition("#")[0]
    return next((line.split()[0] for line in workers.splitlines() if line.split()[1:2] == ["worker"]), None)


def reload_peer(process, number):
    if isinstance(process.peer, Weir):
        reload_weir(process, number)
    elif isinstance(process.peer, Nginx):
        reload_nginx(process)
    else:
        reload_haproxy(process)


def reload_once(options, process, load):
    """20 reloads under load: the Sample of the load, and the seconds that each reload took."""
    running = options.generator.start(process.port, load, 600, options.load_cpus)
    took = []
    try:
        for number in range(RELOADS):
            begin = time.monotonic()
            reload_peer(process, number)
            took.append(time.monotonic() - begin)
    finally:
        sample = running.finish(0.5)
    return sample, took


def reloads(options):
    from .load import Load
    rows, worst, disturbed = [], {}, {}
    rules = Rules("exact", 10000)
    host, path = rules.request("small")
    load = Load(path=path, host=host)
    with targets(options) as port:
        for name, peer in installed(options, options.peers, "reload"):
            setup = Setup(targets=(f"127.0.0.1:{port}",), rules=rules, has_rules=True, can_reload=True)
            for repeat in range(RELOAD_REPEATS):
                with started(options, f"{name}-{repeat}", peer, setup) as process:
                    if not process:
                        break
                    prepare_reloads(process)
                    try:
                        quiet = options.generator.run(process.port, load, max(3.0, options.seconds), options.load_cpus)
                        sample, took = reload_once(options, process, load)
                    except PeerFailed as failure:
                        say(f"  {name}: {failure}")
                        break
                errors = sample.errors
                lost = errors.get("read", 0) + errors.get("write", 0)
                failed = sample.error_count - lost
                worst[name] = worst.get(name, 0) + sample.error_count
                disturbed.setdefault(name, []).append(sample.latency_us["p99.9"] / max(1, quiet.latency_us["p99.9"]))
                say(f"  {name} {repeat + 1}: {sample.requests:,} requests, {lost} reset, {failed} failed")
                rows.append([name, f"{sample.requests:,}", lost, failed, f"{median(took) * 1000:.0f}",
                             quiet.latency_us["p99.9"], sample.latency_us["p99.9"], sample.latency_us["max"]])
    verdicts = [judge_value("0 failures and 0 reset connections in three times 20 reloads", worst.get("weir"), "errors",
                            lambda value: value == 0),
                judge_value("p99.9 within 10 % of that without reloads", median(disturbed.get("weir", [])), "× undisturbed",
                            lambda value: value <= 1.1, True)]
    return plain("reload", f"{RELOADS} reloads of 10,000 rules under load, one after the other, {RELOAD_REPEATS} times",
                 ["", "requests", "reset connections", "failed", "ms each reload", "p99.9 µs before", "p99.9 µs during",
                  "worst µs during"], rows, verdicts,
                 note="Reset: a kept connection was closed with a request under way. A reload of weir is another file and its "
                      "answer; HAProxy (master-worker, sockets handed over) and nginx read the same file again, and have done so "
                      "when a new worker is there.")
