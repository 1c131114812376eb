# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hooks as real processes."""

from __future__ import annotations

import base64
import grp
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.hooks import hook as hooks
from ansible_collections.windflow.platform.plugins.module_utils.hooks import hook_script

# What the module hook is told of secrets where there are none.
NO_SECRETS = {"secrets": "[]", "made": "{}", "masked": "{}"}


@pytest.fixture
def run(tmp_path):
    """Runs a shell script as a hook."""

    def go(script: str, timeout: float = 10, **arguments):
        path = tmp_path / "hook.sh"
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)
        argv = hooks.hook_argv(str(path), "pre-deploy", "", "1.0.0")
        environment = arguments.pop("env", {})
        return hooks.run_hook(argv, environment, str(tmp_path), timeout, name="hook.sh", host="web1", **arguments)

    return go


def processes_of(marker: str) -> list[str]:
    """Command lines of running processes that carry a marker in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if marker.encode() in path.read_bytes():
                found.append(path.with_name("cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def test_hook_gets_event_and_versions_as_arguments(run):
    assert run('printf "%s|" "$@"').stdout_tail == "pre-deploy||1.0.0|"


@pytest.mark.fault(14)
def test_values_reach_a_hook_as_they_are(tmp_path):
    path = tmp_path / "hook.sh"
    path.write_text('#!/bin/sh\nprintf "%s\\n" "$@"')
    path.chmod(0o755)
    evil = ["-rf", "$(touch /tmp/canary)", "`id`", "a;b", "a b", "'\"", "%s"]
    assert hooks.run_hook([str(path), *evil], {}, "/", 10).stdout_tail.splitlines() == evil


def test_environment_is_clean(run, monkeypatch):
    monkeypatch.setenv("LD_PRELOAD_CANARY", "x")
    names = [line.split("=")[0] for line in run("env", env={"WINDFLOW_EVENT": "e"}).stdout_tail.splitlines()]
    assert sorted(names) == ["HOME", "LANG", "PATH", "PWD", "WINDFLOW_EVENT", "WINDFLOW_RESULT_FILE"]


def test_standard_input_is_empty(run):
    assert run("cat; echo end").stdout_tail == "end\n"


@pytest.mark.fault(31)
def test_failing_hook_is_reported_with_name_host_code_and_last_lines(run):
    result = run("seq 1 100; echo broken >&2; exit 3")
    with pytest.raises(WindflowError) as caught:
        hooks.check(result, "hook.sh", "web1", 10, "Nothing was changed.")
    text = str(caught.value)
    assert caught.value.code == "E3001" and "hook.sh" in text and "web1" in text and "exit code 3" in text
    assert "\n82\n" in text and "\n81\n" not in text and "broken" in text and text.endswith("Nothing was changed.")


@pytest.mark.fault(32)
def test_hook_that_hangs_is_ended_with_its_whole_group(run):
    started = time.monotonic()
    result = run("sleep 60 & sleep 60 | cat", timeout=0.5, env={"MARK": "hang-7f3a"})
    assert result.timed_out and time.monotonic() - started < 4
    assert processes_of("MARK=hang-7f3a") == []
    with pytest.raises(WindflowError) as caught:
        hooks.check(result, "hook.sh", "web1", 0.5, "")
    assert caught.value.code == "E3002"


@pytest.mark.fault(32)
def test_hook_that_ignores_the_first_signal_is_killed(run, monkeypatch):
    monkeypatch.setattr(hooks, "GRACE_SECONDS", 0.5)
    started = time.monotonic()
    result = run('trap "" TERM; while :; do sleep 0.1; done', timeout=0.3, env={"MARK": "deaf-11c2"})
    assert result.timed_out and result.rc == -9 and time.monotonic() - started < 5
    assert processes_of("MARK=deaf-11c2") == []


@pytest.mark.fault(33)
def test_children_left_behind_are_ended(run):
    started = time.monotonic()
    result = run("sleep 60 & echo started", env={"MARK": "leak-90d1"})
    assert result.rc == 0 and not result.timed_out and time.monotonic() - started < 3
    assert processes_of("MARK=leak-90d1") == []


@pytest.mark.fault(33)
def test_child_that_left_the_group_does_not_hold_the_run_up(run):
    started = time.monotonic()
    result = run("setsid sleep 5 & echo started")
    assert result.stdout_tail == "started\n" and time.monotonic() - started < 3


@pytest.mark.fault(33)
def test_flood_is_read_and_only_its_end_kept(run):
    result = run("yes 0123456789 | head -c 50000000; echo; echo last; yes e | head -c 5000000 >&2")
    assert result.rc == 0 and result.stdout_tail.endswith("last\n")
    assert len(result.stdout_tail) <= hooks.KEPT_BYTES and len(result.stderr_tail) <= hooks.KEPT_BYTES


@pytest.mark.fault(22)
def test_interrupt_ends_the_hook(run, monkeypatch):
    def interrupt(_pid):
        if processes_of("MARK=ctrl-c-55"):
            raise KeyboardInterrupt
        return False

    monkeypatch.setattr(hooks, "_ended", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run("sleep 60", env={"MARK": "ctrl-c-55"})
    assert processes_of("MARK=ctrl-c-55") == []


@pytest.mark.fault(15)
def test_secrets_are_hidden_in_output_and_errors(run):
    result = run('echo "key=$K"; echo "$K" >&2', env={"K": "swordfish"}, secrets=["sword", "swordfish"])
    assert result.stdout_tail == "key=********\n" and result.stderr_tail == "********\n"


@pytest.mark.fault(15)
@pytest.mark.parametrize(
    ("result", "place"),
    [
        ('{"host": "postgres.internal"}', "holds a secret: host."),
        ('{"ok": 1, "all": [{"url": "x"}, {"url": "http://u:postgres@h"}], "b": "postgres"}', "all[1].url, b."),
        ('{"keys": {"postgres": 1}}', "keys.********."),
    ],
)
def test_a_result_with_a_secret_is_an_error_that_names_the_key(run, result, place):
    with pytest.raises(WindflowError) as caught:
        run("printf %%s '%s' >\"$WINDFLOW_RESULT_FILE\"" % result, secrets=["postgres", ""])
    assert caught.value.code == "E3004" and place in str(caught.value)
    assert "postgres" not in str(caught.value) and "stays" in str(caught.value)


def test_a_result_without_secrets_is_what_the_hook_wrote(run):
    script = 'echo \'{"postgres_port": 5432, "host": "db", "on": true}\' >"$WINDFLOW_RESULT_FILE"'
    result = run(script, secrets=["postgres", "5432", "true", ""])
    assert result.result == {"postgres_port": 5432, "host": "db", "on": True}


def test_half_of_a_secret_does_not_survive_the_cut(run):
    secret = "".join(chr(33 + number % 90) for number in range(7, 147))
    result = run('yes "$K" | tr -d "\\n" | head -c 980000', env={"K": secret}, secrets=[secret])
    assert set(result.stdout_tail) == {"*"}


def test_result_file_is_a_map(run):
    assert run('echo \'{"changed": true, "port": 5}\' >"$WINDFLOW_RESULT_FILE"').result == {"changed": True, "port": 5}
    assert run("true").result == {}


@pytest.mark.parametrize(
    "write",
    [
        'echo "[1]" >"$WINDFLOW_RESULT_FILE"',
        'echo "{" >"$WINDFLOW_RESULT_FILE"',
        'printf "\\377" >"$WINDFLOW_RESULT_FILE"',
        'mkfifo "$WINDFLOW_RESULT_FILE"',
        'mkdir "$WINDFLOW_RESULT_FILE"',
        'ln -s /etc/passwd "$WINDFLOW_RESULT_FILE"',
        'head -c 1100000 /dev/zero | tr "\\0" " " >"$WINDFLOW_RESULT_FILE"',
        'head -c 200000 /dev/zero | tr "\\0" "[" >"$WINDFLOW_RESULT_FILE"',
    ],
)
def test_anything_else_as_a_result_is_an_error(run, write):
    with pytest.raises(WindflowError) as caught:
        run(write)
    assert caught.value.code == "E3004" and "root:" not in str(caught.value)


def test_result_directory_is_private_and_gone_afterwards(run):
    result = run('dir=$(dirname "$WINDFLOW_RESULT_FILE"); stat -c %a "$dir"; echo "$dir"')
    mode, directory = result.stdout_tail.split()
    assert mode == "700" and not os.path.exists(directory)


@pytest.mark.fault(34)
@pytest.mark.parametrize("content", ["#!/nonexistent/sh\n", "no shebang\n"])
def test_hook_that_cannot_start_is_named(tmp_path, content):
    path = tmp_path / "hook"
    path.write_text(content)
    path.chmod(0o755)
    with pytest.raises(WindflowError) as caught:
        hooks.run_hook([str(path)], {}, "/", 5, name="hooks/x", host="web1")
    assert caught.value.code == "E3003" and "hooks/x" in str(caught.value)


def test_hook_runs_as_another_account_with_its_groups(tmp_path):
    tmp_path.chmod(0o755)
    result = hooks.run_hook(["/usr/bin/id"], {}, "/", 5, user="games")
    assert result.stdout_tail.startswith("uid=5(games) gid=60(games) groups=60(games),")
    with pytest.raises(WindflowError) as caught:
        hooks.run_hook(["/usr/bin/id"], {}, "/", 5, user="no-such-account")
    assert caught.value.code == "E3005"


def test_private_directory_is_roots_and_opens_for_a_group_that_nobody_has():
    with hooks.private_directory(hooks.account("games")) as directory:
        state = os.stat(directory)
        assert (stat.S_IMODE(state.st_mode), state.st_uid) == (0o770, 0)
        with pytest.raises(KeyError):
            grp.getgrgid(state.st_gid)


FORGER = """
import glob, os, sys
os.setgroups([]), os.setgid(60), os.setuid(5)
print("ready", flush=True)
while True:
    found = glob.glob(sys.argv[1]) + glob.glob("/proc/[0-9]*/cwd") + glob.glob("/proc/[0-9]*/fd/*")
    for path in [place + name for place in found for name in ("", "/result.json", "/hook")]:
        try:
            with open(path, "w") as stream:
                stream.write('{"address": "forged"}')
        except OSError:
            pass
"""


@pytest.mark.fault(59)
def test_the_applications_account_cannot_write_what_its_hook_is_thought_to_have_written():
    forger = subprocess.Popen([sys.executable, "-c", FORGER, "/tmp/windflow-hook-*"], stdout=subprocess.PIPE, text=True)
    try:
        assert forger.stdout.readline() == "ready\n"
        hook = '#!/bin/sh\necho \'{"address": "mine"}\' >"$WINDFLOW_RESULT_FILE"\nsleep 0.1\n'
        params = {"user": "games", "script": base64.b64encode(hook.encode()).decode(), "script_name": "hook"}
        params.update(events=["post-deploy"], old_version="", new_version="1", environment="{}", timeout=20)
        done = hook_script.run({**params, **NO_SECRETS, "host": "web1"})
    finally:
        forger.kill()
        forger.communicate()
    assert done["hook"]["result"] == {"address": "mine"}


@pytest.mark.fault(60)
@pytest.mark.parametrize("umask", [0o000, 0o027, 0o077])
@pytest.mark.parametrize("user", ["games", "root"])
def test_a_hook_runs_and_makes_files_as_usual_whatever_the_umask(umask, user):
    hook = '#!/bin/sh\nmkdir made\necho >file\necho "{\\"modes\\": \\"$(stat -c %a made file "$0" | xargs)\\"}" '
    hook += '>"$WINDFLOW_RESULT_FILE"\n'
    params = {"user": user, "script": base64.b64encode(hook.encode()).decode(), "script_name": "hook"}
    params.update(events=["post-deploy"], old_version="", new_version="1", environment="{}", timeout=20)
    before = os.umask(umask)
    try:
        done = hook_script.run({**params, **NO_SECRETS, "host": "web1"})["hook"]
    finally:
        os.umask(before)
    assert (done["rc"], done["result"]) == (0, {"modes": "755 644 555"}), done


def test_where_numbers_of_groups_are_mapped_a_low_one_is_lent(tmp_path, monkeypatch):
    chown = os.chown

    def mapped(path, uid, gid):
        if gid > 65535:
            raise OSError(22, "Invalid argument")
        chown(path, uid, gid)

    monkeypatch.setattr(os, "chown", mapped)
    with hooks.private_directory(hooks.account("games")) as directory:
        assert 65520 <= os.stat(directory).st_gid < 65534


def test_script_is_called_through_its_interpreter():
    assert hooks.script_argv(b"#!/bin/sh -eu\necho\n", "/x/h") == ["/bin/sh", "-eu", "/x/h"]
    assert hooks.script_argv(b"#! /usr/bin/env  python3\n", "/x/h") == ["/usr/bin/env", "python3", "/x/h"]
    assert hooks.script_argv(b"\x7fELF", "/x/h") == ["/x/h"]


def test_many_hooks_at_once_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "hook.sh"
    path.write_text('#!/bin/sh\nsleep 0.2 &\necho "$1"\n')
    path.chmod(0o755)
    found = {}

    def one(number):
        found[number] = hooks.run_hook([str(path), str(number)], {}, "/", 10).stdout_tail

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: "%d\n" % number for number in range(8)}
