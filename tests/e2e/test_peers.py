"""bench/peers/run: measures what runs, says what does not, and fails by its documented exit codes."""

import json
import pathlib
import shutil
import subprocess

import pytest
from weir_e2e import BINARY, SCALE, SOURCE

RUN = SOURCE / "bench/peers/run"
FLOOR = pathlib.Path(BINARY).resolve().parent


def run(*words):
    return subprocess.run([str(RUN), *map(str, words)], capture_output=True, text=True, timeout=120 * SCALE, check=False)


def compare(folder, *words, seconds=0.2, scenario="small"):
    results = folder / "results.json"
    done = run("http", "--scenario", scenario, "--rounds", 1, "--seconds", seconds, "--weir", BINARY, "--floor", FLOOR,
               "--json", results, *words)
    return done, json.loads(results.read_text()) if results.exists() else None


needs_floor = pytest.mark.skipif(not (FLOOR / "floor_relay").exists() or not shutil.which("wrk"),
                                 reason="needs wrk and the floor programs: configure with -DWEIR_BENCH=ON")


@needs_floor
def test_weir_and_the_relay_are_measured_side_by_side(tmp_path):
    done, results = compare(tmp_path, "--peers", "weir,relay", "--markdown", tmp_path / "performance.md")
    assert done.returncode == 0, done.stderr
    rows = {row["label"]: row for row in results["scenarios"][0]["rows"]}
    assert set(rows) == {"weir", "relay"}
    for row in rows.values():
        assert row["per_cpu_second"] > 100 and row["errors"] == {} and row["rounds"] == 1
    assert rows["relay"]["ratio"] == pytest.approx(rows["weir"]["per_cpu_second"] / rows["relay"]["per_cpu_second"])
    assert "| weir |" in (tmp_path / "performance.md").read_text()


@needs_floor
def test_another_build_is_a_peer(tmp_path):
    done, results = compare(tmp_path, "--peers", "weir", "--baseline", BINARY)
    assert done.returncode == 0, done.stderr
    assert [row["label"] for row in results["scenarios"][0]["rows"]] == ["weir", "baseline"]


@needs_floor
@pytest.mark.parametrize("scenario, labels", [
    ("h2", {"weir"}), ("h2-targets", {"weir"}), ("grpc", {"weir"}), ("websocket", {"weir", "relay"}),
    ("algorithms", {"weir, round robin", "weir, least outstanding", "weir, sticky"}),
])
def test_other_protocols_and_algorithms_are_measured(tmp_path, scenario, labels):
    done, results = compare(tmp_path, "--peers", "weir,relay", scenario=scenario)
    assert done.returncode == 0, done.stderr
    rows = {row["label"]: row for row in results["scenarios"][0]["rows"]}
    assert set(rows) == labels
    assert all(row["per_cpu_second"] > 100 and row["errors"] == {} for row in rows.values())


@needs_floor
def test_a_bar_that_was_not_measured_fails_the_check(tmp_path):
    done, _ = compare(tmp_path, "--peers", "weir", "--check")
    assert done.returncode == 1
    assert "the better of HAProxy and nginx: not measured" in done.stderr


@needs_floor
def test_a_peer_that_does_not_start_says_why_and_the_others_go_on(tmp_path):
    broken = tmp_path / "weir"
    broken.write_text("#!/bin/sh\necho 'cannot today' >&2\nexit 3\n")
    broken.chmod(0o755)
    done = run("http", "--scenario", "small", "--rounds", 1, "--seconds", 0.2, "--weir", broken, "--floor", FLOOR,
               "--peers", "weir,relay")
    assert done.returncode == 0
    assert "weir: skipped: weir ended with 3" in done.stderr and "cannot today" in done.stderr
    assert "| relay |" in done.stdout


@pytest.mark.parametrize("words, code, text", [
    (("http", "--peers", "weir,squid"), 2, "unknown squid"),
    (("dns", "--scenario", "small"), 2, "unknown small"),
    (("http", "--rounds", "0"), 2, "0 is not above zero"),
    (("http", "--weir", "/nonexistent/weir"), 3, "/nonexistent/weir does not exist"),
    (("http", "--weir", BINARY, "--baseline", "/nonexistent/weir"), 3, "/nonexistent/weir does not exist"),
    (("report", "/nonexistent.json"), 1, "/nonexistent.json: not results"),
])
def test_wrong_words_are_refused_by_name(words, code, text):
    done = run(*words)
    assert done.returncode == code
    assert text in done.stderr


def test_a_report_replaces_what_is_between_the_markers_only(tmp_path):
    results = tmp_path / "results.json"
    results.write_text(json.dumps({
        "machine": {"when": "today", "cpu": "2 x CPU", "memory_gib": 1, "kernel": "6", "system": "Debian", "congestion": "bbr"},
        "versions": {"weir": "weir 1"}, "rounds": 1, "seconds": 1, "proxy_cpus": "0", "load_cpus": "1", "generator": "wrk",
        "scenarios": [{"scenario": "idle", "title": "idle connections", "kind": "plain", "head": ["", "bytes"],
                       "rows": [["weir", 513]], "verdicts": [{"bar": "≤ 500 B", "value": 513, "unit": "B", "stretch": False,
                                                              "verdict": "missed"}]}]}))
    page = tmp_path / "performance.md"
    page.write_text("# Performance\n\nBefore.\n")
    assert run("report", results, "--markdown", page).returncode == 0
    first = page.read_text()
    page.write_text(first + "\nAfter.\n")
    again = run("report", results, "--markdown", page, "--check")
    assert page.read_text() == first + "\nAfter.\n"
    assert "| weir | 513 |" in first and "**missed**" in first
    assert again.returncode == 1 and "idle: ≤ 500 B: missed" in again.stderr


def test_cpus_that_are_none_are_refused_by_name():
    done = run("dns", "--load-cpus", "weir")
    assert done.returncode == 2
    assert "--load-cpus: weir is not a list of CPUs" in done.stderr


@pytest.mark.parametrize("printed,version", [
    ("Nov 28 21:43:23 Authoritative Server 4.7.3 (C)\nNov 28 21:43:23 Built in 64 bits", "Authoritative Server 4.7.3 (C)"),
    ("server: invalid option -- 'V'\nserver version 3.8.1\n", "server version 3.8.1"),
    ("usage: server", "?"),
])
def test_a_version_is_told_from_what_is_printed_around_it(printed, version, monkeypatch):
    monkeypatch.syspath_prepend(str(SOURCE / "bench/peers"))
    from harness.peers_http import version_line
    assert version_line(printed) == version


def test_an_option_is_written_out():
    done = run("dns", "--load", "1")
    assert done.returncode == 2 and "--load" in done.stderr
