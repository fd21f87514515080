"""What reloads by itself: the files, what comes to match an include pattern, a mounted file; and nothing else."""

import os
import pathlib
import subprocess

import pytest
from weir_e2e import Weir, free_port, get, wait_for

FIXED = "default-actions: [{{fixed-response: {{status-code: 200, message-body: {body}}}}}]"


def balancer(name, port, body):
    return f"  - {{name: {name}, addresses: [127.0.0.1], listeners: [{{port: {port}, {FIXED.format(body=body)}}}]}}\n"


def config(port, body="one", include=()):
    listed = ", ".join(f'"{pattern}"' for pattern in include)
    head = f"include: [{listed}]\n" if include else ""
    return head + "admin: {address: 127.0.0.1, port: 0}\nload-balancers:\n" + balancer("lb", port, body)


def write_in_place(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def answers(port, body):
    try:
        return get(port).body == body.encode()
    except OSError:
        return False


def loads(weir):
    return weir.log().count("configuration loaded")


def test_watch_siblings_reload_nothing(run, tmp_path):
    port = free_port()
    weir = run(config(port, include=["conf.d/*.yaml"]))
    for change in (lambda: write_in_place(tmp_path / "other.yaml", "x: 1\n"), (tmp_path / "other.yaml").unlink,
                   lambda: write_in_place(tmp_path / "conf.d/notes.txt", "x: 1\n")):
        change()
        with pytest.raises(AssertionError, match="did not come true"):
            wait_for(lambda: loads(weir) > 0, 0.5, "a reload that nobody asked for")
    write_in_place(tmp_path / "weir.yaml", config(port, "two"))
    wait_for(lambda: answers(port, "two"), 10, "the changed file to be served")
    wait_for(lambda: loads(weir) == 1, 10, "one line about the load")
    assert weir.status()["revision"] == 2, weir.log()


def test_watch_include_dirs_that_are_empty_or_do_not_exist_yet(run, tmp_path):
    ports = [free_port() for _ in range(4)]
    (tmp_path / "conf.d").mkdir()
    weir = run(config(ports[0], include=["conf.d/*.yaml", "conf2.d/*.conf", "sites/*/lb.yaml"]))
    names = ["conf.d/a.yaml", "conf2.d/b.conf", "sites/x/lb.yaml"]
    for number, name in enumerate(names, 1):
        write_in_place(tmp_path / name, "load-balancers:\n" + balancer(f"lb{number}", ports[number], "added"))
        wait_for(lambda port=ports[number]: answers(port, "added"), 10, f"{name} to be served")
    (tmp_path / names[1]).unlink()
    wait_for(lambda: not answers(ports[2], "added"), 10, "what was removed to be served no more")
    wait_for(lambda: loads(weir) == 4, 10, "one line about each load")


def test_watch_include_dirs_follows_a_mounted_volume_that_is_turned(run, tmp_path):
    """As Kubernetes updates a ConfigMap: `..data` is replaced by rename."""
    ports = [free_port(), free_port()]
    folder = tmp_path / "conf.d"
    for version, body in (("v1", "one"), ("v2", "two")):
        write_in_place(folder / version / "a.yaml", "load-balancers:\n" + balancer("lb1", ports[1], body))
    (folder / "..data").symlink_to("v1")
    (folder / "a.yaml").symlink_to("..data/a.yaml")
    run(config(ports[0], include=["conf.d/*.yaml"]))
    assert answers(ports[1], "one")
    (folder / "..data_new").symlink_to("v2")
    (folder / "..data_new").rename(folder / "..data")
    wait_for(lambda: answers(ports[1], "two"), 10, "the new version to be served")


def test_watch_bind_mount_written_in_place_on_the_host(tmp_path):
    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        assert "Operation not permitted" in probe.stderr, probe.stderr
        pytest.skip(f"no mounts of its own: {probe.stderr}")
    port = free_port()
    host, mounted = tmp_path / "host/weir.yaml", tmp_path / "container/weir.yaml"
    write_in_place(host, config(port))
    write_in_place(mounted, "")
    prefix = ("unshare", "-m", "sh", "-c", 'mount --bind "$1" "$2"; shift 2; exec "$@"', "sh", str(host), str(mounted))
    with Weir(None, tmp_path, name="container/weir.yaml", prefix=prefix) as weir:
        assert answers(port, "one")
        inode = os.stat(host).st_ino
        write_in_place(host, config(port, "two"))
        assert os.stat(host).st_ino == inode and pathlib.Path(mounted).read_text(encoding="utf-8") == ""
        wait_for(lambda: answers(port, "two"), 10, "the written file to be served")
        wait_for(lambda: loads(weir) == 1, 10, "one line about the load")
