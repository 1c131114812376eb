# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command as a process, against real playbooks and hosts that are this machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner
from windflow_platform import main, playbook

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[3]
PLATFORM = Path(sys.executable).with_name("platform")
HOOK = "#!/bin/sh\n%s\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A directory of a user's own, outside the checkout, with the plugin ``hooked``."""
    for name in ("ANSIBLE_CONFIG", "ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_CALLBACKS_ENABLED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    hooks = tmp_path / "hooked" / "hooks"
    hooks.mkdir(parents=True)
    (hooks.parent / "plugin.yml").write_text(
        "name: hooked\nversion: 1.0.0\ndescription: d\nauthor: a\nlicense: MIT\n"
        "hooks:\n  pre-remove: hooks/pre-remove.sh\n"
    )
    (hooks / "pre-remove.sh").write_text(HOOK % "exit 0")
    (hooks / "pre-remove.sh").chmod(0o755)
    return tmp_path


def command(home, *arguments):
    return subprocess.run(
        [PLATFORM, *arguments],
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def called(monkeypatch, *arguments):
    """What the command would run for its arguments."""
    seen = {}

    def run(name, values, inventory, check, diff, rest, asks=False):
        seen.update(name=name, argv=playbook.command_line(name, values, inventory, check, diff), rest=rest)
        return 0

    monkeypatch.setattr(main, "run", run)
    done = CliRunner().invoke(main.app, arguments)
    assert done.exit_code == 0, done.output
    return seen


def loaded(argv):
    """Extra variables as Ansible reads them."""
    from ansible.parsing.dataloader import DataLoader

    return DataLoader().load(argv[argv.index("--extra-vars") + 1])


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ("template", {"plugin": "template"}),
        ("template --config my-config.yaml", {"plugin": "template", "config": ["my-config.yaml"]}),
        ("template --env production --replicas 3", {"environment_name": "production", "replicas": 3}),
        ("template --env development --debug", {"environment_name": "development", "sets": ["app.debug=true"]}),
        ("t -c a -c b --set x=1 --target host --force", {"config": ["a", "b"], "sets": ["x=1"], "force": True}),
    ],
)
def test_options_become_variables_of_the_playbook(monkeypatch, arguments, values):
    seen = called(monkeypatch, "plugin", "deploy", *arguments.split())
    found = loaded(seen["argv"])
    assert seen["argv"][0] == "windflow.platform.deploy"
    assert {key: found[key] for key in values} == values
    assert set(found) <= {"plugin", "config", "environment_name", "replicas", "sets", "target", "force"}


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ("deploy t --engine swarm", {"plugin": "t", "engine": "swarm"}),
        ("deploy t --allow-downgrade", {"plugin": "t", "allow_downgrade": True}),
        ("deploy t --no-rollback-on-failure", {"plugin": "t", "rollback_on_failure": False}),
        ("deploy t --lock-wait 30", {"plugin": "t", "lock_wait": 30}),
        ("deploy t --plan p.json", {"plugin": "t", "plan_file": "p.json"}),
        ("plan t --save p.json", {"plugin": "t", "plan_file": "p.json"}),
        ("status", {}),
        ("status -- --limit web", {}),
        ("status t", {"plugin": "t"}),
        ("history t", {"plugin": "t"}),
        ("drift t", {"plugin": "t"}),
        ("unlock t", {"plugin": "t"}),
        ("explain t server.workers", {"plugin": "t", "key": "server.workers"}),
        ("backup t", {"plugin": "t"}),
        ("backup t --list", {"plugin": "t", "list_only": True}),
        ("backup t --label before-the-move", {"plugin": "t", "label": "before-the-move"}),
        (
            "restore t --backup before-the-move --lock-wait 5",
            {"plugin": "t", "backup": "before-the-move", "lock_wait": 5},
        ),
        ("validate t --env production", {"plugin": "t", "environment_name": "production"}),
    ],
)
def test_what_an_operator_asks_for_reaches_its_playbook_and_nothing_else_does(monkeypatch, arguments, values):
    seen = called(monkeypatch, "plugin", *arguments.split())
    assert seen["argv"][0] == "windflow.platform.%s" % arguments.split()[0]
    assert loaded(seen["argv"]) == values
    assert seen["rest"] == (["--limit", "web"] if "--" in arguments.split() else None)


def test_what_stands_after_two_dashes_goes_to_ansible_as_it_is(monkeypatch):
    seen = called(monkeypatch, "plugin", "deploy", "template", *"-i hosts.yml --check -- --limit web -vv".split())
    assert seen["rest"] == ["--limit", "web", "-vv"]
    assert seen["argv"][1:4] == ["--inventory", "hosts.yml", "--check"]


def test_removal_and_purge(monkeypatch):
    seen = called(monkeypatch, "plugin", "remove", "template", "--purge", "template", "--skip-hooks")
    assert seen["argv"][0] == "windflow.platform.remove"
    assert loaded(seen["argv"]) == {"plugin": "template", "purge": "template", "skip_hooks": True}


def test_rollback_to_the_last_good_revision_or_a_given_one(monkeypatch):
    assert loaded(called(monkeypatch, "plugin", "rollback", "template")["argv"]) == {"plugin": "template"}
    seen = called(monkeypatch, "plugin", "rollback", "template", "--revision", "7")
    assert loaded(seen["argv"]) == {"plugin": "template", "revision": 7}


def test_no_text_is_a_template_or_ends_its_place():
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar

    texts = ["{{ 1 + 1 }}", 'a"b: c, [d]', "x=%s" % chr(0x1F600), "- # 'q' \\n", ""]
    found = DataLoader().load(playbook.extra_vars({"sets": texts}))["sets"]
    assert found == texts
    assert Templar(DataLoader()).template(found) == texts


def test_a_wrong_option_is_named_and_nothing_runs(home):
    done = command(home, "plugin", "deploy", "template", "--replicas", "0")
    assert done.returncode == 2 and "--replicas" in done.stderr


def test_a_plugin_that_is_not_there_ends_with_3(home):
    done = command(home, "plugin", "deploy", "nonesuch")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "E1020" in done.stdout + done.stderr


def test_a_host_that_cannot_be_reached_ends_with_8_and_a_missing_inventory_is_reported(home):
    (home / "hosts").write_text("gone ansible_host=127.0.0.1 ansible_port=1\n")
    assert command(home, "plugin", "deploy", "hooked", "-i", "hosts").returncode == 8
    done = command(home, "plugin", "deploy", "hooked", "-i", "hosts", "--", "--no-such-option")
    assert done.returncode == 3 and "no-such-option" in done.stderr


@pytest.mark.parametrize("playbook", ["deploy", "plan", "remove"])
def test_an_inventory_that_cannot_be_read_or_names_no_host_is_not_this_machine(home, playbook):
    (home / "hosts").write_text("this ansible_connection=local\n")
    (home / "ansible.cfg").write_text(f"[defaults]\ncollections_path = {ROOT / 'collections'}\n")
    for given in (["-i", "hsots"], ["-i", "hosts", "-i", "hsots"]):
        done = command(home, "plugin", playbook, "hooked", *given)
        assert done.returncode == 3 and "hsots" in done.stderr and "PLAY [" not in done.stdout
    (home / "empty.yml").write_text("all: {hosts: {}}\n")
    done = command(home, "plugin", playbook, "hooked", "-i", "empty.yml")
    assert done.returncode == 4 and "E2013" in done.stdout + done.stderr
    # Nor where the playbook is run without the command and without its settings.
    argv = [Path(sys.executable).with_name("ansible-playbook"), f"windflow.platform.{playbook}", "-i", "hsots"]
    done = subprocess.run([*argv, "-e", "plugin=hooked"], cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "E2013" in done.stdout + done.stderr
    assert not Path("/var/lib/windflow/hooked").exists()


def test_a_target_that_the_plugin_does_not_have_ends_with_4(home):
    done = command(home, "plugin", "deploy", "hooked", "--target", "host")
    assert done.returncode == 4 and "E2012" in done.stdout + done.stderr


def test_removing_what_is_not_there_ends_well(home):
    done = command(home, "plugin", "remove", "hooked")
    assert done.returncode == 0, done.stdout + done.stderr


def examples():
    """Every line of the documentation that runs the command or a playbook of ours, with its place."""
    files = [ROOT / "README.md", ROOT / "cli/README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]
    files += [*ROOT.glob("windflow_plugins/*/README.md"), ROOT / "tests/fixtures/documentation/PLUGINS.md"]
    for path in files:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.startswith(("platform plugin ", "ansible-playbook ")):
                yield pytest.param(line.partition(" #")[0].split(), id="%s:%d" % (path.relative_to(ROOT), number))


FIND_HOST = {"name": "Find a host where the inventory names none", "ansible.builtin.import_playbook": "find_host.yml"}
ASK_NO_HOST = ("explain", "find_host", "validate")
# It is about hosts and no plugin, and has no command.
OF_NO_PLUGIN = ("verify_facts",)
ASKING = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml") if path.stem not in ASK_NO_HOST)


@pytest.mark.parametrize("name", ASKING)
def test_every_playbook_finds_the_host_in_the_same_way(name):
    first, second = yaml.safe_load((ROOT / "playbooks" / f"{name}.yml").read_text(encoding="utf-8"))
    assert first == FIND_HOST and second["hosts"] == "{{ windflow_hosts | default('all') }}"


@pytest.mark.parametrize("name", [name for name in ASKING if name not in OF_NO_PLUGIN])
def test_the_command_of_every_playbook_says_where(monkeypatch, name):
    seen = called(monkeypatch, "plugin", name, *"t --config c --env e --set a=1".split())
    values = {"plugin": "t", "config": ["c"], "environment_name": "e", "sets": ["a=1"]}
    assert loaded(seen["argv"]).items() >= values.items()


@pytest.mark.parametrize("path", sorted((ROOT / "playbooks").glob("*.yml")), ids=lambda path: path.stem)
def test_no_playbook_takes_what_it_is_given_for_the_name_that_the_hosts_know(path):
    plays = yaml.safe_load(path.read_text(encoding="utf-8"))
    texts = json.dumps(plays)
    assert "basename" not in texts
    for play in plays:
        name = play.get("vars", {}).get("windflow_name")
        assert name in (None, "{{ plugin | default('') | windflow.platform.plugin_name }}")
    # Without a plugin, the platform's own error says so.
    given = re.findall(r"\{\{ plugin\b([^}]*)", texts)
    assert all(re.search(r"default\(''\)|if plugin is defined", rest) for rest in given)


@pytest.mark.fault(83)
def test_a_playbook_without_a_plugin_says_that_one_is_wanted(home):
    (home / "ansible.cfg").write_text(f"[defaults]\ncollections_path = {ROOT / 'collections'}\n")
    argv = [Path(sys.executable).with_name("ansible-playbook"), "windflow.platform.history", "-i", "localhost,"]
    done = subprocess.run([*argv, "-c", "local"], cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "E1020: expected a plugin's name or directory, got nothing" in done.stdout + done.stderr


@pytest.mark.parametrize("argv", list(examples()))
def test_the_lines_of_the_documentation_have_options_and_variables_that_exist(monkeypatch, argv):
    if argv[0] == "platform":
        called(monkeypatch, *argv[1:])
        return
    name = next(argument for argument in argv[1:] if (ROOT / argument).is_file())
    text = yaml.safe_load((ROOT / "playbooks" / Path(name).name).read_text(encoding="utf-8"))
    for place, argument in enumerate(argv):
        if argument == "-e":
            variable = argv[place + 1].partition("=")[0]
            assert re.search(r'(\{\{ |"when": ")%s ' % variable, json.dumps(text)), variable


@pytest.mark.fault(83)
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["remove", "hooked", "--purge", "hokoed"], 4, ["E2049", "expected purge=hooked"]),
        (["deploy", "hooked", "--engine", "podman"], 2, ["'podman' is not one of", "swarm"]),
        (["deploy", "hooked", "--target", "dockr"], 2, ["'dockr' is not one of", "compose"]),
        (["deploy", "hooked", "--", "-e", "engine=podman"], 4, ["engine must be one of"]),
        (["explain", "template", "server.wrokers"], 3, ["E1089", "workers"]),
        (["explain", "template", "email.sender"], 0, []),
        (["deploy", "hooked", "--", "--tags", "x"], 3, ["E2050", "steps have no tags"]),
        (["deploy", "hooked", "--", "--skip-tags=x"], 3, ["E2050", "steps have no tags"]),
        (["deploy", "hooked", "--", "--start-at-task", "x"], 3, ["E2050"]),
    ],
)
def test_what_cannot_be_meant_is_named_and_has_changed_nothing(home, arguments, code, words):
    done = command(home, "plugin", *arguments)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == code, said
    assert all(word in said for word in words), said
    assert not Path("/var/lib/windflow/hooked").exists()


@pytest.mark.fault(83)
def test_a_serial_run_names_the_hosts_that_were_not_begun(home):
    text = "gone ansible_host=127.0.0.1 ansible_port=1\nnext ansible_connection=local\nlast ansible_connection=local\n"
    (home / "hosts").write_text(text)
    done = command(home, "plugin", "deploy", "hooked", "-i", "hosts", "--", "-e", "windflow_serial=1")
    assert done.returncode == 8 and "not begun, because the run ended before: next, last" in done.stdout, done.stdout
    assert not Path("/var/lib/windflow/hooked").exists()
