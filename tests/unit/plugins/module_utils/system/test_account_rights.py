# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which accounts of a host are never an application's: asked of this one."""

from __future__ import annotations

import grp
import pwd
import subprocess
import sys

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.system import accounts

pytestmark = pytest.mark.fault(55)
DAEMON = pwd.getpwnam("daemon")


def person(monkeypatch, **groups):
    """An account like that of a person, in those groups besides its own."""
    known = {**{item.gr_name: item for item in grp.getgrall()}, "ann": grp.struct_group(("ann", "x", 1500, []))}
    known.update((name, grp.struct_group((name, "x", gid, ["ann"]))) for name, gid in groups.items())
    by_number = {item.gr_gid: item for item in known.values()}
    entry = pwd.struct_passwd(("ann", "x", 1500, 1500, "Ann", "/home/ann", "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwnam", lambda name: {"ann": entry}[name])
    monkeypatch.setattr(grp, "getgrnam", lambda name: known[name])
    monkeypatch.setattr(grp, "getgrgid", lambda gid: by_number[gid])
    monkeypatch.setattr(grp, "getgrall", lambda: list(known.values()))


@pytest.mark.parametrize(
    ("user", "why"), [("root", "root's"), ("daemon", "of the system"), ("nobody", "of the system")]
)
def test_root_and_the_systems_own_are_not(user, why):
    assert why in accounts.account(user)["never"]


def test_one_of_the_systems_number_that_windflow_has_made_may_be_shared():
    assert accounts.account("daemon", {("account", "daemon"), ("group", "daemon")})["never"] == ""


@pytest.mark.parametrize("group", ["root", "shadow", "sudo", "adm", "disk", "docker", "wheel", "kmem", "unheard-of"])
def test_nor_is_a_member_of_a_group_that_opens_something(monkeypatch, group):
    person(monkeypatch, **{group: 0 if group == "root" else 999})
    assert accounts.account("ann")["never"] == "a member of the group %s" % group


def test_groups_that_open_nothing_are_no_reason(monkeypatch):
    person(monkeypatch, users=100, audio=29, friends=2000, made=998)
    assert accounts.account("ann", {("group", "made")})["never"] == ""


@pytest.mark.parametrize(("name", "never"), [("shadow", True), ("root", True), ("nogroup", True), ("www-data", False)])
def test_groups_of_the_system_are_not_given_to_an_application(name, never):
    assert bool(accounts.group(name)["never"]) == never


def test_what_is_not_there_is_none():
    assert accounts.account("windflow-nobody") is None and accounts.group("windflow-nobody") is None


@pytest.mark.parametrize("said", [True, False], ids=["sudo", "processes"])
def test_the_login_of_the_run_is_known_by_sudo_and_by_the_processes_above(said):
    # As it is under sudo: a process of root's below one of the login's.
    program = """
import os, sys
sys.path[:0] = %r
from %s import accounts
if not %r:
    os.setresuid(%d, 0, 0)
if os.fork():
    os.wait()
else:
    os.setresuid(0, 0, 0)
    print(accounts.logins())
""" % (sys.path, accounts.__package__, said, DAEMON.pw_uid)
    env = {"SUDO_UID": str(DAEMON.pw_uid)} if said else {}
    asked = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "{%d}" % DAEMON.pw_uid


def test_the_login_of_the_run_is_not_the_applications(monkeypatch):
    person(monkeypatch)
    monkeypatch.setattr(accounts, "logins", lambda: {1500})
    assert accounts.account("ann")["never"] == "the one that this run has logged in as"
