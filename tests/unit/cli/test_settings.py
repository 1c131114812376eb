# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command beside settings of Ansible's that are the user's own, as processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from windflow_platform import settings

ROOT = Path(__file__).parents[3]
PLATFORM = Path(sys.executable).with_name("platform")
COLLECTIONS = str(ROOT / "collections")
# What a user's file may say that has nothing to do with the command, or stands in its way.
CFG = """\
[defaults]
collections_path = ./theirs
callbacks_enabled = theirs, others
callback_plugins = ./callbacks
stdout_callback = minimal
any_unparsed_is_failed = False
[inventory]
any_unparsed_is_failed = False
"""
CALLBACK = """\
from ansible.plugins.callback import CallbackBase
class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "theirs"
    CALLBACK_NEEDS_ENABLED = True
    def v2_playbook_on_start(self, playbook):
        self._display.display("theirs is called")
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user's directory, outside the checkout, with a plugin."""
    for name in list(os.environ):
        if name.startswith("ANSIBLE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "plugin.yml").write_text("name: mine\nversion: 1.0.0\n")
    (tmp_path / "callbacks").mkdir()
    (tmp_path / "callbacks" / "theirs.py").write_text(CALLBACK)
    return tmp_path


def command(home, *arguments, **environment):
    return subprocess.run(
        [PLATFORM, "plugin", *arguments],
        cwd=home,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def made(home, text=None, **given):
    """What the command would set, with an ansible.cfg of that text."""
    if text is not None:
        (home / "ansible.cfg").write_text(text)
    return settings.environment({"HOME": str(home), **given}, home, home / "report", home / "stop")


@pytest.mark.system
@pytest.mark.fault(77)
@pytest.mark.parametrize("place", ["ansible.cfg", ".ansible.cfg", "elsewhere/named.cfg"])
def test_a_users_own_settings_stay_and_the_command_finds_its_collection_beside_them(home, place):
    (home / "elsewhere").mkdir()
    (home / place).write_text(CFG.replace("./callbacks", str(home / "callbacks")))
    named = {"ANSIBLE_CONFIG": str(home / place)} if place.startswith("elsewhere") else {}
    done = command(home, "validate", ".", **named)
    assert done.returncode == 0 and "mine 1.0.0 for hooks only" in done.stdout, done.stdout + done.stderr
    assert "theirs is called" in done.stdout
    done = command(home, "deploy", ".", "-i", "hsots", **named)
    assert done.returncode == 3 and "hsots" in done.stderr, done.stdout + done.stderr


@pytest.mark.system
@pytest.mark.fault(77)
@pytest.mark.parametrize(
    "locale",
    [{"LANG": "C"}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX"}, {}, {"LANG": "xx_YY.UTF-8"}, {"LC_CTYPE": "C", "LANG": "C"}],
)
def test_the_command_runs_under_any_locale_of_the_controller(home, locale):
    names = ("LANG", "LC_ALL", "LC_CTYPE", "LANGUAGE", "PYTHONUTF8", "PYTHONIOENCODING")
    bare = {key: value for key, value in os.environ.items() if key not in names}
    (home / "plugin.yml").write_text("name: mine\nversion: 1.0.0\ndescription: größer → kleiner\n", encoding="utf-8")
    done = subprocess.run(
        [PLATFORM, "plugin", "validate", "."], cwd=home, env={**bare, **locale}, capture_output=True, check=False
    )
    assert done.returncode == 0 and b"mine 1.0.0 for hooks only" in done.stdout, done.stdout + done.stderr


@pytest.mark.fault(77)
def test_the_settings_of_the_checkout_serve_where_there_are_no_others(home):
    assert made(home)["ANSIBLE_CONFIG"] == str(ROOT / "ansible.cfg")
    found = made(home, "[defaults]\n")
    assert "ANSIBLE_CONFIG" not in found
    assert found["ANSIBLE_COLLECTIONS_PATH"].split(":")[0] == COLLECTIONS
    assert found["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"] == found["ANSIBLE_PIPELINING"] == "true"


@pytest.mark.fault(77)
def test_what_the_user_says_of_collections_and_callbacks_is_kept_and_what_the_command_needs_is_added(home):
    found = made(home, CFG)
    assert found["ANSIBLE_COLLECTIONS_PATH"].split(":")[:3] == [
        COLLECTIONS,
        str(home / "theirs"),
        str(home / ".ansible/collections"),
    ]
    assert found["ANSIBLE_CALLBACKS_ENABLED"] == "theirs,others,windflow.platform.outcome"
    found = made(home, CFG, ANSIBLE_COLLECTIONS_PATH="/a:~/b", ANSIBLE_CALLBACKS_ENABLED="profile_tasks")
    assert found["ANSIBLE_COLLECTIONS_PATH"].split(":")[1:3] == ["/a", str(home / "b")]
    assert found["ANSIBLE_CALLBACKS_ENABLED"] == "profile_tasks,windflow.platform.outcome"


@pytest.mark.fault(77)
@pytest.mark.parametrize("section", ["connection", "ssh_connection"])
def test_who_has_decided_about_pipelining_is_not_overruled(home, section):
    assert "ANSIBLE_PIPELINING" not in made(home, f"[{section}]\npipelining = False\n")
    assert made(home, "[defaults]\n", ANSIBLE_PIPELINING="no")["ANSIBLE_PIPELINING"] == "no"


@pytest.mark.fault(77)
def test_a_file_that_cannot_be_read_or_that_ansible_does_not_trust_is_left_to_ansible(home):
    assert made(home, "no section\n")["ANSIBLE_COLLECTIONS_PATH"].startswith(COLLECTIONS)
    (home / "ansible.cfg").write_text(CFG)
    home.chmod(0o777)
    assert "theirs" not in made(home)["ANSIBLE_CALLBACKS_ENABLED"]
