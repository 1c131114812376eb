# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator does besides deploying, by the command, on a host that is this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

PLATFORM = Path(sys.executable).with_name("platform")
# Tests that run side by side, of this checkout or of another one, have a plugin each.
NAME = "windflow-test-operations-%d" % os.getpid()
# This machine, named by an inventory.
LOCAL = ("-i", "localhost,", "-e", "ansible_connection=local", "-e", "ansible_python_interpreter=/usr/bin/python3")
STATE = Path("/var/lib/windflow", NAME)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user's directory with a plugin that has one hook, and nothing of it on this machine before and afterwards."""
    for name in ("ANSIBLE_CONFIG", "ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_CALLBACKS_ENABLED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "hooks").mkdir()
    shutil.rmtree(STATE, ignore_errors=True)
    write(tmp_path)
    yield tmp_path
    shutil.rmtree(STATE, ignore_errors=True)


def write(home, version="1.0.0", hook="exit 0"):
    (home / "plugin.yml").write_text(f"name: {NAME}\nversion: {version}\nhooks: {{pre-deploy: hooks/pre.sh}}\n")
    (home / "hooks" / "pre.sh").write_text(f"#!/bin/sh\n{hook}\n")
    (home / "hooks" / "pre.sh").chmod(0o755)


def start(home, *arguments):
    return subprocess.Popen(
        [PLATFORM, "plugin", *arguments],
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def platform(home, *arguments, code=0):
    """The output of a command that has to end with that exit code."""
    process = start(home, *arguments)
    output, _nothing = process.communicate(timeout=90)
    assert process.returncode == code, output
    return output


def record():
    return json.loads((STATE / "record.json").read_text(encoding="utf-8"))


def test_status_and_history_tell_what_is_deployed_apart_from_how_the_last_action_ended(home):
    assert "is not deployed" in platform(home, "status", NAME)
    platform(home, "deploy", ".")
    write(home, "1.1.0", "exit 3")
    platform(home, "deploy", ".", code=6)
    status = platform(home, "status", NAME)
    assert f"{NAME} 1.0.0 is deployed since" in status and "upgrade 1.1.0 failed at Step 1: Run the hooks" in status
    # What else this machine has, and whether it answers, is not asked.
    (home / "state").mkdir()
    shutil.copytree(STATE, home / "state" / NAME)
    asked = 'mount --bind "$1" /var/lib/windflow && exec "$2" plugin status'
    alone = ["unshare", "--mount", "/bin/sh", "-c", asked, "sh", home / "state", PLATFORM]
    found = subprocess.run(alone, cwd=home, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert found.returncode == 0 and f"{NAME} 1.0.0 is deployed since" in found.stdout, found.stdout
    history = platform(home, "history", NAME)
    assert history.index("2 upgrade 1.1.0 failed") < history.index("1 install 1.0.0 deployed")
    assert "<- serves" in history


@pytest.mark.fault(90)
def test_what_a_hook_says_is_shown_when_it_succeeds_and_apart_from_the_remedy_when_it_fails(home):
    write(home, hook="echo Running a hook; printf 'and more \\033[31m' >&2")
    output = platform(home, "deploy", ".")
    assert "hook hooks/pre.sh (pre-deploy) on controller:\n  Running a hook\n  and more ?[31m\n" in output
    write(home, "1.1.0", "echo the last line; exit 3")
    output = platform(home, "deploy", ".", code=6)
    lines = [line.strip() for line in output.splitlines()]
    assert "the last line" in lines and "Fix: correct what it reports, then run again." in lines


def test_validate_names_everything_that_is_wrong_and_asks_no_host(home):
    assert f"{NAME} 1.0.0 for hooks only" in platform(home, "validate", ".")
    (home / "plugin.yml").write_text(f"name: {NAME}\nversion: one\nhooks: {{pre-deploy: ../x}}\nextra: 1\n")
    output = platform(home, "validate", ".", code=3)
    for word in ("plugin.yml:2", "plugin.yml:3", "plugin.yml:4"):
        assert word in output
    assert not STATE.exists()


@pytest.mark.fault(92)
def test_what_is_refused_and_what_the_host_lacks_are_told_together(home):
    text = """
app: {install_dir: /opt/windflow-test}
database: {password: dbpassword}
host: {resources: {ram_mb: 67108864}}
storage: {volumes: [{name: data, path: /srv/windflow-test, size_gb: 999999, type: local}]}
"""
    (home / "my.yaml").write_text(text)
    output = platform(home, "plan", "physical-host", "--env", "production", "--config", "my.yaml", code=3)
    assert [code for code in ("E1138", "E2007", "E2048") if code not in output] == []


def test_validate_and_explain_read_what_the_inventory_says_of_each_host_and_connect_to_none(home):
    config = {"windflow_config": {"server": {"workers": 3}}}
    hosts = {"good.invalid": config, "bad.invalid": {"windflow_config": {"server": {"workers": "many"}}}}
    (home / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts, "vars": {"ansible_become": True}}}))
    output = platform(home, "validate", "template", "-i", "hosts.json", code=3)
    assert "server.workers: expected" in output and "ok: [good.invalid]" in output
    options = ("-i", "hosts.json", "--", "--limit", "good.invalid")
    told = platform(home, "explain", "template", "server.workers", *options)
    assert "server.workers = 3 from inventory" in told


def test_a_saved_plan_is_deployed_or_refused_and_never_something_else(home):
    platform(home, "plan", ".", "--save", "plan.json", code=2)
    assert not STATE.exists()
    platform(home, "deploy", ".", "--plan", "plan.json")
    output = platform(home, "deploy", ".", "--plan", "plan.json", code=4)
    assert "E2022" in output and "deployed as planned" in output
    assert record()["sequence"] == 1
    platform(home, "plan", ".", code=0)


def test_a_saved_plan_is_refused_where_its_hooks_or_what_it_needs_are_others(home):
    needed = home / "windflow_plugins" / f"{NAME}-needed"
    needed.mkdir(parents=True)
    (needed / "plugin.yml").write_text(f"name: {NAME}-needed\nversion: 1.0.0\n")
    text = (home / "plugin.yml").read_text()
    (home / "plugin.yml").write_text(f"{text}dependencies: [{{{NAME}-needed: '*'}}]\n")
    platform(home, "plan", ".", "--save", "plan.json", code=2)
    (home / "hooks" / "pre.sh").write_text("#!/bin/sh\necho another\n")
    output = platform(home, "deploy", ".", "--plan", "plan.json", code=4)
    assert "E2022" in output and "hooks as planned: pre-deploy: hooks/pre.sh on controller" in output
    write(home)
    output = platform(home, "deploy", ".", "--plan", "plan.json", code=4)
    assert "E2022" in output and f"needs as planned: {NAME}-needed: 1.0.0, got nothing" in " ".join(output.split())
    assert not STATE.exists()


def test_a_directory_stands_for_the_plugin_whatever_it_is_called_and_however_it_is_written(home):
    platform(home, "deploy", ".")
    (home / "tpl").symlink_to(".")
    assert f"{NAME} 1.0.0 is deployed" in platform(home, "status", "./tpl/")
    assert f"as it was left: {NAME}" in platform(home, "drift", "tpl")
    # It is not in order, and it goes all the same.
    (home / "plugin.yml").write_text(f"name: {NAME}\nversion: one\n")
    assert "no run had it" in platform(home, "unlock", "./tpl/")
    platform(home, "remove", f"{home}/tpl/", "--skip-hooks")
    assert record()["current"] is None


def test_what_leads_to_no_name_is_refused_and_what_has_no_record_is_told(home):
    none = f"{NAME}-none"
    assert "E1020" in platform(home, "unlock", "./gone/", code=3)
    assert "E1032" in platform(home, "unlock", "./gone/", "--", *LOCAL, code=3)
    assert f"{none} is not deployed: there is no record of it" in platform(home, "drift", none)
    told = platform(home, "unlock", none, code=4)
    assert f"there is no record of {none}" in told and "E5018" in told
    assert f"There is no record of {none}" in platform(home, "rollback", none, code=4)
    assert "there is no record of it" in platform(home, "remove", none, "--skip-hooks")
    assert not Path("/var/lib/windflow", none).exists()


def test_where_the_configuration_names_the_host_it_is_the_one_that_is_looked_after(home):
    (home / "far.yaml").write_text("host: {connection: {host: far.invalid}}\n")
    # That host is this machine here.
    far = ("--config", "far.yaml", "--", "-c", "local", "-e", "ansible_python_interpreter=/usr/bin/python3")
    platform(home, "deploy", ".", *far)
    for verb, code in (("status", 0), ("drift", 0), ("unlock", 0), ("rollback", 4)):
        assert ": [far.invalid]" in platform(home, verb, ".", *far, code=code)


@pytest.mark.parametrize("inventory", [(), LOCAL], ids=["no inventory", "an inventory"])
def test_a_run_for_which_no_host_matches_says_so(home, inventory):
    output = platform(home, "unlock", NAME, "--", *inventory, "-e", "windflow_hosts=nobody", code=4)
    assert "E2031: the run has no host" in output


def test_what_is_found_after_a_run_has_begun_is_not_told_as_if_nothing_had_been_changed(home):
    write(home, hook=f"rm {home}/my.yaml")
    hooks = "{pre-deploy: {path: hooks/pre.sh, privileged: true}, post-deploy: hooks/pre.sh}"
    (home / "plugin.yml").write_text(f"name: {NAME}\nversion: 1.0.0\nhooks: {hooks}\n")
    assert "E1121" in platform(home, "deploy", ".", "--config", "my.yaml", code=3)
    (home / "my.yaml").write_text("a: 1\n")
    assert "E1121" in platform(home, "deploy", ".", "--config", "my.yaml", code=6)
    assert record()["revisions"][-1]["state"] == "failed"


@pytest.mark.fault(40)
def test_an_older_version_is_refused_unless_it_is_asked_for(home):
    write(home, "1.10.0")
    platform(home, "deploy", ".")
    write(home, "1.9.0")
    output = platform(home, "deploy", ".", code=4)
    assert "E2021" in output and "1.10.0" in output and "allow_downgrade" in output
    platform(home, "deploy", ".", "--allow-downgrade")
    assert record()["revisions"][-1]["version"] == "1.9.0"


@pytest.mark.fault(19)
def test_a_second_operator_is_told_who_is_at_work_may_wait_and_may_unlock(home):
    flag = home / "go"
    write(home, hook=f"for _ in $(seq 600); do [ -e {flag} ] && exit 0; sleep 0.1; done; exit 1")
    first = start(home, "deploy", ".")
    deadline = time.monotonic() + 30
    while not (STATE / "record.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    holder = record()["lease"]["holder"]
    assert holder in platform(home, "deploy", ".", code=7)
    assert f"deploy by {holder}" in platform(home, "status", NAME)
    second = start(home, "deploy", ".", "--force", "--lock-wait", "60")
    time.sleep(3)
    assert second.poll() is None
    flag.touch()
    for process in (first, second):
        output, _nothing = process.communicate(timeout=60)
        assert process.returncode == 0, output
    assert [entry["state"] for entry in record()["revisions"]] == ["superseded", "deployed"]
    assert "no run had it" in platform(home, "unlock", NAME)


@pytest.mark.fault(20)
def test_what_a_dead_run_has_locked_is_unlocked_and_the_next_run_goes_on(home):
    write(home, hook="sleep 20")
    process = start(home, "deploy", ".")
    deadline = time.monotonic() + 30
    while not (STATE / "record.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    subprocess.run(["pkill", "-KILL", "-P", str(process.pid)], check=True)
    process.communicate(timeout=30)
    write(home)
    platform(home, "deploy", ".", code=7)
    assert "deploy by" in platform(home, "unlock", NAME)
    platform(home, "deploy", ".")
    states = [entry["state"] for entry in record()["revisions"]]
    assert states == ["abandoned", "deployed"]
    assert "unlocked by" in record()["revisions"][0]["error"]


def test_drift_ends_with_2_only_where_something_differs(home):
    platform(home, "deploy", ".")
    assert "as it was left" in platform(home, "drift", NAME)


def test_what_another_plugin_needs_is_not_removed(home):
    other = home / "windflow_plugins" / f"{NAME}-dependent"
    other.mkdir(parents=True)
    text = f"name: {NAME}-dependent\nversion: 1.0.0\ndependencies: [{{{NAME}: '>=1.0.0'}}]\n"
    (other / "plugin.yml").write_text(text)
    (home / "windflow_plugins" / NAME).symlink_to(home)
    try:
        output = platform(home, "deploy", f"{NAME}-dependent")
        assert output.index("install 1.0.0") < output.rindex("install 1.0.0") and record()["current"] == 1
        refused = platform(home, "remove", NAME, code=4)
        assert "E5011" in refused and f"{NAME}-dependent needs {NAME} >=1.0.0" in refused
        # What a record that cannot be read says of needs, nobody knows.
        damaged = [Path(f"{STATE}-dependent", name) for name in ("record.json", "record.json.previous")]
        content = [path.read_bytes() for path in damaged]
        for path in damaged:
            path.write_bytes(b"{")
        refused = platform(home, "remove", NAME, code=4)
        assert "E5011" in refused and str(damaged[0]) in refused
        write(home, "1.1.0")
        refused = platform(home, "deploy", NAME, code=4)
        assert "E2024" in refused and str(damaged[0]) in refused
        write(home, hook="exit 0 #")
        platform(home, "deploy", NAME)
        assert record()["current"] == 2
        for path, data in zip(damaged, content, strict=True):
            path.write_bytes(data)
        platform(home, "remove", f"{NAME}-dependent")
        platform(home, "remove", NAME)
        assert record()["current"] is None
    finally:
        shutil.rmtree(f"{STATE}-dependent", ignore_errors=True)


def test_what_is_wrong_with_one_dependency_is_told_before_any_other_is_deployed(home):
    plugins = home / "windflow_plugins"
    names = [f"{NAME}-{word}" for word in ("a", "b", "needs-both")]

    def plugin(name, version, *needs):
        (plugins / name).mkdir(parents=True, exist_ok=True)
        needed = ", ".join("{%s: '*'}" % need for need in needs)
        (plugins / name / "plugin.yml").write_text(f"name: {name}\nversion: {version}\ndependencies: [{needed}]\n")

    first, second, last = names
    try:
        plugin(second, "2.0.0")
        platform(home, "deploy", second)
        # Of an older version than is deployed, and deployed after the first.
        plugin(first, "1.0.0")
        plugin(second, "1.0.0", first)
        plugin(last, "1.0.0", second)
        # An older one may be asked for of what is named, and of nothing that it needs.
        refused = platform(home, "deploy", last, "--allow-downgrade", code=4)
        assert "E2021" in refused and not Path("/var/lib/windflow", first).exists()
        assert not Path("/var/lib/windflow", last).exists()
    finally:
        for name in names:
            shutil.rmtree(Path("/var/lib/windflow", name), ignore_errors=True)


def test_what_a_dependency_gives_anew_reaches_the_plugins_between_it_and_the_one_that_is_named(home):
    names = [f"{NAME}-{word}" for word in ("first", "second", "third")]
    first, second, third = (home / "windflow_plugins" / name for name in names)
    gives = '#!/bin/sh\necho \'{"word": "%s"}\' >"$WINDFLOW_RESULT_FILE"\n'
    hears = f'#!/bin/sh\necho "$WINDFLOW_DEPENDENCIES" >{home}/heard\n'
    try:
        for folder, need, script in ((first, "", gives % "old"), (second, first.name, hears), (third, second.name, "")):
            (folder / "hooks").mkdir(parents=True)
            (folder / "hooks" / "pre.sh").write_text(script or "#!/bin/sh\n")
            (folder / "hooks" / "pre.sh").chmod(0o755)
            needed = f"[{{{need}: '*'}}]" if need else "[]"
            text = f"name: {folder.name}\nversion: 1.0.0\ndependencies: {needed}\nhooks: {{pre-deploy: hooks/pre.sh}}\n"
            (folder / "plugin.yml").write_text(text)
        platform(home, "deploy", names[2])
        assert "old" in (home / "heard").read_text()
        (first / "hooks" / "pre.sh").write_text(gives % "new")
        platform(home, "deploy", names[2])
        assert "new" in (home / "heard").read_text()
        (home / "heard").unlink()
        platform(home, "deploy", names[2])
        assert not (home / "heard").exists()
    finally:
        for name in names:
            shutil.rmtree(Path("/var/lib/windflow", name), ignore_errors=True)


def test_what_was_deployed_by_its_own_name_is_not_reconfigured_by_what_needs_it(home):
    other = home / "windflow_plugins" / f"{NAME}-dependent"
    other.mkdir(parents=True)
    text = f"name: {NAME}-dependent\nversion: 1.0.0\ndependencies: [{{{NAME}: '*'}}]\n"
    (other / "plugin.yml").write_text(text)
    (home / "windflow_plugins" / NAME).symlink_to(home)
    (home / "config").mkdir()
    (home / "config" / "defaults.yaml").write_text("store: {name: app}\n")
    try:
        platform(home, "deploy", NAME, "--set", "store.name=orders")
        refused = platform(home, "deploy", f"{NAME}-dependent", code=4)
        assert "E2030" in refused and "store.name" in refused and record()["sequence"] == 1
        assert not Path(f"{STATE}-dependent").exists()
        inventory = home / "inventory.yml"
        known = {"windflow_plugin_config": {NAME: {"store": {"name": "orders"}}}}
        host = {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3", **known}
        inventory.write_text(json.dumps({"all": {"hosts": {"here": host}}}))
        platform(home, "deploy", f"{NAME}-dependent", "--inventory", str(inventory))
        assert record()["sequence"] == 1
    finally:
        shutil.rmtree(f"{STATE}-dependent", ignore_errors=True)


def test_without_a_database_there_is_nothing_to_back_up_or_restore(home):
    platform(home, "deploy", ".")
    for verb in ("backup", "restore"):
        assert "E5014" in platform(home, verb, NAME, code=4)


def test_a_restore_on_several_hosts_has_to_name_them(home):
    hosts = [word for name in ("one", "two") for word in ("-i", f"{name},")]
    several = (*hosts, "--", *LOCAL[2:])
    for verb in ("restore", "backup"):
        refused = platform(home, verb, NAME, *several, code=4)
        assert ("E5016" in refused and "one, two" in refused) == (verb == "restore")
    assert "E5014" in platform(home, "restore", NAME, *several, "-e", "windflow_hosts=one", code=4)
    assert "E5014" in platform(home, "restore", NAME, *several, "--limit", "two", code=4)


def test_a_database_that_others_need_is_restored_only_if_that_is_meant(home):
    plugins = home / "windflow_plugins"
    (home / "config").mkdir()
    (home / "config" / "defaults.yaml").write_text("database: {host: localhost, name: shared}\n")
    names = [f"{NAME}-{word}" for word in ("shop", "till")]
    plugins.mkdir()
    (plugins / NAME).symlink_to(home)
    results = "results: {host: database.host, name: database.name}\n"
    (home / "plugin.yml").write_text(f"name: {NAME}\nversion: 1.0.0\nprovides: {{database: 99.0.0}}\n{results}")
    try:
        for name in names:
            (plugins / name).mkdir()
            text = f"name: {name}\nversion: 1.0.0\ndependencies: [{{database: '>=99'}}]\n"
            (plugins / name / "plugin.yml").write_text(text)
            platform(home, "deploy", name)
            # Without others it is only that the backup is not there.
            told = platform(home, "restore", name, "--backup", "none", code=6 if name == names[0] else 4)
            assert ("E4096" if name == names[0] else "E5015") in told
        for name in (names[0], NAME):
            refused = platform(home, "restore", name, "--backup", "none", code=4)
            assert "E5015" in refused and names[1] in refused
            meant = ("--", "-e", "restore_shared=true")
            assert "E4096" in platform(home, "restore", name, "--backup", "none", *meant, code=6)
        assert record()["lease"] is None and record()["sequence"] == 1
    finally:
        for name in names:
            shutil.rmtree(Path("/var/lib/windflow", name), ignore_errors=True)


def test_what_cannot_be_meant_of_backups_ends_a_run_before_anything_is_done(home):
    for verb in ("deploy", "plan"):
        for value in ("allways", "true"):
            told = platform(home, verb, ".", "--", "-e", json.dumps({"windflow_backup": value}), code=4)
            assert "auto, always, never" in told and value in told.lower()
    assert not STATE.exists()
    platform(home, "deploy", ".", "--", "-e", "windflow_backup=never")


def test_explain_says_which_layer_won_and_shows_no_secret(home, monkeypatch):
    (home / "my.yaml").write_text("server: {workers: 3}\ndatabase: {password: canary-4711}\n")
    monkeypatch.setenv("LOG_LEVEL", "debug")
    told = platform(home, "explain", "template", "server.workers", "--config", "my.yaml", "--set", "server.workers=5")
    assert "server.workers = 5 from set" in told
    assert "instead of 3 from file (my.yaml:1)" in told.replace(str(home) + "/", "")
    assert "instead of 2 from defaults" in told
    assert 'app.log_level = "debug" from environment' in platform(home, "explain", "template", "app.log_level")
    secret = platform(home, "explain", "template", "database.password", "--config", "my.yaml")
    assert "from file" in secret and "canary" not in secret
    (home / "secret").write_text("vault")
    encrypt = [PLATFORM.with_name("ansible-vault"), "encrypt", "--vault-password-file", "secret", "my.yaml"]
    subprocess.run(encrypt, cwd=home, check=True, capture_output=True)
    vaulted = ("--config", "my.yaml", "--", "--vault-password-file", "secret")
    assert "server.workers = 3 from file" in platform(home, "explain", "template", "server.workers", *vaulted)
    assert "email.sender: not set" in platform(home, "explain", "template", "email.sender")
    unknown = " ".join(platform(home, "explain", "template", "server.wrokers", code=3).split())
    assert 'E1089 server.wrokers: expected a key that server has, got "wrokers". Fix: write "workers".' in unknown
