"""weir edit: the live document in an editor, and what becomes of what is typed."""

import json
import pathlib
import re
import threading

import pytest
from weir_e2e import get, wait_for, weir

CONFIG = """
load-balancers:
  - name: shop
    addresses: [127.0.0.1]
    listeners:
      - port: 0
        rules:
          - {priority: 1, conditions: [{path-pattern: [/answer]}], actions: [{fixed-response: {status-code: 200, message-body: one}}]}
        default-actions: [{fixed-response: {status-code: 404, message-body: "${SECRET_WORD}"}}]
admin: {address: 127.0.0.1, port: 0}
"""


@pytest.fixture
def appliance(run):
    return run(CONFIG, environment={"SECRET_WORD": "of-the-environment"})


def edit(appliance, editor, *arguments, folder=None):
    """The command with a shell command as the editor, which gets the file as its argument."""
    environment = {"EDITOR": editor, "VISUAL": ""}
    if folder:
        environment["TMPDIR"] = str(folder)
    return weir("edit", "--admin", "%s:%s" % appliance.admin, *arguments, environment=environment)


def script(folder, text):
    """An editor: Python with the file's path as `path`."""
    program = folder / "editor.py"
    program.write_text(f"import pathlib, sys\npath = pathlib.Path(sys.argv[1])\n{text}\n")
    return f"python3 {program}"


def kept(result):
    return pathlib.Path(re.search(r"kept in (\S+)", result.stderr)[1])


def test_what_was_changed_is_applied_and_said_path_by_path(appliance):
    done = edit(appliance, "sed -i s/one/two/")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "/load-balancers/0/listeners/0/rules/0/actions/0/fixed-response/message-body"
    assert done.stdout.splitlines()[1] == f"edited, revision {appliance.status()['revision']}"
    wait_for(lambda: get(appliance.port(), "/answer").body == b"two", 10, "the edit")


def test_references_are_shown_by_their_names_and_stay(appliance, tmp_path):
    seen = tmp_path / "seen"
    done = edit(appliance, script(tmp_path, f"pathlib.Path({str(seen)!r}).write_text(path.read_text())\n"
                                  "path.write_text(path.read_text().replace('one', 'two'))"))
    assert done.returncode == 0, done.stderr
    assert "${SECRET_WORD}" in seen.read_text() and "of-the-environment" not in seen.read_text()
    assert get(appliance.port(), "/other").body == b"of-the-environment"


def test_only_its_owner_can_read_the_file_and_it_is_gone_afterwards(appliance, tmp_path):
    seen = tmp_path / "seen"
    done = edit(appliance, script(tmp_path, f"pathlib.Path({str(seen)!r}).write_text(f'{{path.stat().st_mode & 0o777:o}} {{path}}')"),
                folder=tmp_path)
    assert done.returncode == 0
    mode, path = seen.read_text().split()
    assert mode == "600" and path.startswith(str(tmp_path)) and path.endswith(".yaml") and not pathlib.Path(path).exists()


@pytest.mark.parametrize("editor", ["true", "truncate -s 0", "sed -i 's/^#.*//'"])
def test_nothing_changed_changes_nothing(appliance, editor):
    before = appliance.status()["revision"]
    done = edit(appliance, editor)
    assert (done.returncode, done.stdout) == (0, "nothing was changed\n")
    assert appliance.status()["revision"] == before


def test_a_part_is_edited_alone(appliance):
    done = edit(appliance, "sed -i 's/status-code: 404/status-code: 410/'", "/load-balancers/0/listeners/0/default-actions")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("/load-balancers/0/listeners/0/default-actions/0/fixed-response/status-code\n")
    wait_for(lambda: get(appliance.port(), "/other").status == 410, 10, "the edit")


def test_a_part_that_is_not_there_is_a_wrong_command_line(appliance):
    for path in ("/load-balancers/7", "/zones", "load-balancers"):
        done = edit(appliance, "true", path)
        assert done.returncode == 2 and path in done.stderr


def test_a_dry_run_prints_the_patch(appliance):
    before = appliance.status()["revision"]
    done = edit(appliance, "sed -i s/one/two/", "--dry-run")
    assert done.returncode == 0 and appliance.status()["revision"] == before
    assert json.loads(done.stdout) == [{
        "op": "replace", "path": "/load-balancers/0/listeners/0/rules/0/actions/0/fixed-response/message-body", "value": "two"}]


@pytest.mark.parametrize("wrong, said", [
    ("status-code: 200", "status-code: 999"),
    ("priority: 1", "priority: [unclosed"),
])
def test_what_is_wrong_comes_back_into_the_editor_until_it_is_right(appliance, tmp_path, wrong, said):
    log = tmp_path / "log"
    done = edit(appliance, script(tmp_path, f"""
text = path.read_text()
with open({str(log)!r}, "a") as log: log.write(text + "----")
if {said!r} in text:
    path.write_text(text.replace({said!r}, {wrong!r}).replace("message-body: one", "message-body: right"))
else:
    path.write_text(text.replace({wrong!r}, {said!r}))
"""))
    assert done.returncode == 0, done.stderr
    first, second, _ = log.read_text().split("----")
    assert "Nothing was applied" not in first and "# Nothing was applied:\n#   " in second
    assert second.count("A reload of the file") == 1
    # A place is that of the text as it is shown now.
    for line in re.findall(r"# +line (\d+): ", second):
        assert wrong.split(":")[0] in "\n".join(second.splitlines()[int(line) - 2:int(line)])
    wait_for(lambda: get(appliance.port(), "/answer").body == b"right", 10, "the edit")


def test_what_stays_wrong_is_kept_and_nothing_is_applied(appliance, tmp_path):
    before = appliance.status()["revision"]
    done = edit(appliance, "sed -i s/200/999/", folder=tmp_path)
    assert done.returncode == 1 and "what was wrong is still there" in done.stderr
    assert "status-code: 999" in kept(done).read_text() and "status-code" in kept(done).read_text().split("\n\n")[0]
    assert appliance.status()["revision"] == before


def test_somebody_was_faster(appliance, tmp_path):
    started, go = tmp_path / "started", tmp_path / "go"
    slow = script(tmp_path, f"""
import time
pathlib.Path({str(started)!r}).touch()
while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.01)
path.write_text(path.read_text().replace("one", "slow"))
""")
    results = []
    thread = threading.Thread(target=lambda: results.append(edit(appliance, slow, folder=tmp_path)))
    thread.start()
    wait_for(started.exists, 10, "the editor")
    assert edit(appliance, "sed -i s/one/fast/").returncode == 0
    go.touch()
    thread.join()
    assert results[0].returncode == 3 and "somebody changed the configuration meanwhile" in results[0].stderr
    assert "message-body: slow" in kept(results[0]).read_text()
    wait_for(lambda: get(appliance.port(), "/answer").body == b"fast", 10, "the faster edit")


def test_an_editor_that_fails_loses_nothing(appliance, tmp_path):
    for editor, why in (("false", "exit code 1"), ("/nonexistent/editor", "exit code 127")):
        done = edit(appliance, editor, folder=tmp_path)
        assert done.returncode == 3 and why in done.stderr and "EDITOR" in done.stderr
        assert kept(done).exists()


def test_nothing_answers():
    done = weir("edit", "--admin", "127.0.0.1:1", environment={"EDITOR": "true"})
    assert done.returncode == 3 and "nothing answers" in done.stderr
