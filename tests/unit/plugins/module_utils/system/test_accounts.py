# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which accounts an application may have, and which of them a purge may delete."""

from __future__ import annotations

import grp
import pwd
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.record import store
from ansible_collections.windflow.platform.plugins.module_utils.system import accounts

ACCOUNTS = {
    "web": (901, accounts.mark("web")),
    "alone": (902, accounts.mark()),
    "www-data": (33, "www-data"),
    "shop": (903, accounts.mark("shop")),
    "lent": (904, accounts.mark("lent")),
    "guest": (904, "somebody in lent's group"),
    "almost": (905, accounts.MADE + "ers"),
}
GROUPS = {"web": (901, []), "alone": (902, []), "www-data": (33, []), "shop": (903, ["www-data"]), "lent": (904, [])}

# What windflow has made for a plugin, as its record says.
MADE = ("web", "alone", "shop", "lent", "almost")
CLEAN = {"group": "web", "home": "/", "shell": "/bin/sh", "uid": 1500, "never": ""}


@pytest.fixture(autouse=True)
def host(monkeypatch):
    def account(name):
        gid, comment = ACCOUNTS[name]
        return pwd.struct_passwd((name, "x", gid, gid, comment, "/", "/usr/sbin/nologin"))

    monkeypatch.setattr(pwd, "getpwnam", account)
    monkeypatch.setattr(pwd, "getpwall", lambda: [account(name) for name in ACCOUNTS])
    monkeypatch.setattr(grp, "getgrnam", lambda name: grp.struct_group((name, "x", *GROUPS[name])))


def remember(state_dir, plugin, purged=False, current=True, made=MADE, **host):
    kept = store.empty(plugin)
    kept["made"] = {"account": [*made], "group": [name for name in made if name != "alone"]}
    kept["revisions"].append({"revision": 1, "state": "deployed", "release": "r", "host": host, "purged": purged})
    kept.update(sequence=1, current=1 if current else None)
    store.save(kept, str(state_dir))


def removable(state_dir, user, group="", plugin="web"):
    found, why = accounts.removable(plugin, user, group or user, str(state_dir))
    return found["user"], found["group"], " ".join(why)


def test_what_was_made_for_the_plugin_alone_goes(tmp_path):
    remember(tmp_path, "web", user="web", group="web")
    remember(tmp_path, "other", user="other", group="other")
    remember(tmp_path, "database")
    assert removable(tmp_path, "web") == (True, True, "")


@pytest.mark.parametrize("user", ["www-data", "guest", "almost"])
def test_an_account_that_windflow_has_not_made_stays_with_its_group(tmp_path, user):
    remember(tmp_path, "web", user=user, group=user)
    why = "The account %s stays: windflow has not made it, or its comment was changed." % user
    assert removable(tmp_path, user) == (False, False, why)


@pytest.mark.parametrize("current", [True, False])
def test_what_another_plugin_uses_stays_until_that_is_purged(tmp_path, current):
    remember(tmp_path, "shop", user="web", group="web", current=current)
    assert removable(tmp_path, "web") == (False, False, "The account web stays: the plugin shop uses it, too.")
    remember(tmp_path, "shop", user="web", group="web", current=False, purged=True)
    assert removable(tmp_path, "web") == (True, True, "")
    # Whoever is purged last takes it along, whichever it was made for.
    assert removable(tmp_path, "web", plugin="shop") == (True, True, "")


@pytest.mark.parametrize(
    ("user", "group", "why"),
    [
        ("alone", "alone", "windflow has not made it"),
        ("web", "www-data", "windflow has not made it"),
        ("shop", "shop", "www-data is in it"),
        ("lent", "lent", "guest is in it"),
    ],
)
def test_a_group_of_others_stays(tmp_path, user, group, why):
    remember(tmp_path, "web", user="web", group="web")
    assert removable(tmp_path, user, group) == (True, False, "The group %s stays: %s." % (group, why))


def test_a_group_of_another_plugin_stays(tmp_path):
    remember(tmp_path, "web", user="web", group="web")
    remember(tmp_path, "shop", user="shop", group="web")
    assert removable(tmp_path, "web") == (True, False, "The group web stays: the plugin shop uses it, too.")


def test_a_group_is_left_by_a_purge_that_was_killed_and_goes_with_the_next(tmp_path):
    remember(tmp_path, "web", user="gone", group="web", made=["web"])
    assert removable(tmp_path, "gone", "web") == (False, False, "The group web stays: web is in it.")


def test_a_record_that_cannot_be_read_keeps_the_account(tmp_path):
    remember(tmp_path, "web", user="web", group="web")
    remember(tmp_path, "shop", user="shop", group="shop")
    for path in Path(tmp_path, "shop").iterdir():
        path.write_text("{")
    why = "The account web stays: the record of the plugin shop cannot be read."
    assert removable(tmp_path, "web") == (False, False, why)


@pytest.fixture
def asked(monkeypatch):
    """What the system's programs were told, and the processes that were ended."""
    found = []
    monkeypatch.setattr(accounts, "_do", lambda argv: found.append(" ".join(argv)))
    monkeypatch.setattr(accounts.processes, "of_account", lambda uid: {uid * 10})
    monkeypatch.setattr(accounts.processes, "end", lambda those: found.append("end %s" % sorted(those())) or set())
    return found


def absent(state_dir, check=False):
    params = {"plugin": "web", "user": "web", "group": "web", "check": check}
    return accounts.absent(params, str(state_dir))


def test_processes_of_an_account_end_before_it_goes(tmp_path, asked):
    remember(tmp_path, "web", user="web", group="web")
    assert absent(tmp_path, check=True) == (["user web", "group web"], [])
    assert asked == []
    absent(tmp_path)
    assert asked[:2] == ["end [9010]", "userdel web"]


def test_an_account_whose_process_does_not_end_stays(tmp_path, asked, monkeypatch):
    remember(tmp_path, "web", user="web", group="web")
    monkeypatch.setattr(accounts.processes, "end", lambda those: set(those()))
    assert absent(tmp_path) == ([], ["The account web stays: its process 9010 does not end."])
    assert asked == []


def test_what_is_gone_already_is_no_finding(tmp_path):
    remember(tmp_path, "web", user="web", group="web")
    assert removable(tmp_path, "gone") == (False, False, "")
    assert removable(tmp_path, "web", "gone") == (True, False, "")


def codes(user="web", group="web", there=(), group_there=None, made=None, adopt=()):
    there = CLEAN if there == () else there
    made = made or {"account": [], "group": []}
    group_there = group_there or ({"gid": 1500, "never": ""} if there else None)
    return [problem.code for problem in accounts.findings(user, group, there, group_there, made, adopt)]


@pytest.mark.fault(55)
@pytest.mark.parametrize(
    ("found", "given"),
    [
        ([], {"there": None}),
        ([], {"made": {"account": ["web"], "group": ["web"]}}),
        (["E2036"], {}),
        (["E2036"], {"made": {"account": ["web"], "group": []}}),
        ([], {"adopt": ["account"]}),
        (["E2036"], {"adopt": ["database"]}),
        (["E2036"], {"there": None, "group_there": {"gid": 1500, "never": ""}}),
        ([], {"there": None, "group_there": {"gid": 1500, "never": ""}, "adopt": ["group"]}),
        # It is not put into another group than its own.
        (["E2036"], {"there": {**CLEAN, "group": "staff"}, "adopt": ["account", "group"]}),
        (["E2035"], {"there": {**CLEAN, "never": "root's"}, "adopt": ["account", "group"]}),
        (["E2035"], {"there": None, "group_there": {"gid": 42, "never": "a group of the system"}, "adopt": ["group"]}),
    ],
)
def test_what_windflow_has_not_made_is_used_only_where_that_is_said(found, given):
    assert codes(**given) == found


def wanted(user, group, check=False):
    own = {"user": user, "group": group, "home": "/srv/x", "shell": "/bin/sh"}
    return {"plugin": None, "adopt": [], "check": check, **own}


@pytest.fixture
def done(monkeypatch):
    """The commands that would change the host, which has nothing beside ACCOUNTS and GROUPS."""
    commands = []
    monkeypatch.setattr(accounts, "_do", commands.append)
    return commands


def test_without_a_plugin_what_exists_stays_and_nothing_is_recorded(tmp_path, done):
    for name in ("www-data", "web"):
        assert accounts.present(wanted(name, name), str(tmp_path)) == []
    assert done == [] and list(tmp_path.iterdir()) == []


def test_without_a_plugin_what_is_missing_is_made_without_a_mark(tmp_path, done):
    assert accounts.present(wanted("new", "other", check=True), str(tmp_path)) == ["group other", "user new"]
    assert done == []
    assert accounts.present(wanted("new", "web"), str(tmp_path)) == ["user new"]
    [argv] = done
    assert argv[0] == "useradd" and "--comment" not in argv and list(tmp_path.iterdir()) == []
