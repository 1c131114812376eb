# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import os
import re

import pytest


@pytest.fixture
def guests(monkeypatch, tmp_path):
    """The lab of guests with nothing started, and its files in a directory of the test's own."""
    from .conftest import LAB, load

    monkeypatch.syspath_prepend(str(LAB))
    monkeypatch.syspath_prepend(str(LAB / "guests"))
    module = load("guests/guests.py")
    monkeypatch.setattr(module, "STATE", tmp_path)
    monkeypatch.setattr(module.image.machine, "inherited", lambda suite: {"/etc/apt/sources.list": f"deb x {suite}\n"})
    monkeypatch.setattr(module.image, "modules", lambda: "6.1.0")
    return module


def note(guests, name, number, **changes):
    guests.folder(name).mkdir()
    found = {"kind": "user-mode", "number": number, "ports": {"22": 4022, "8080": 4080}, "memory": 512, "pids": {}}
    found.update(disk=0, links=0)
    text = json.dumps({**found, "base": "/b.raw", **changes})
    (guests.folder(name) / "state.json").write_text(text, encoding="utf-8")


def test_a_changed_recipe_makes_another_disk(guests, monkeypatch):
    def digests():
        return [guests.image.digest("bookworm", kind) for kind in guests.image.KINDS.values()]

    before = digests()
    assert digests() == before and len(set(before)) == 2
    monkeypatch.setattr(guests.image, "PACKAGES", [*guests.image.PACKAGES, "hello"])
    assert not set(digests()) & set(before)


def test_each_guest_has_an_address_of_its_own(guests):
    note(guests, "one", guests.FIRST)
    assert guests.free_number() == guests.FIRST + 1
    variables = guests.host_vars("one", "deploy")
    assert variables["lab_address"] == f"10.0.3.{guests.FIRST}" and variables["lab_ports"] == {"8080": 4080}


def test_a_guest_writes_to_a_copy_of_the_disk_and_has_a_second_one_only_if_asked(guests):
    note(guests, "one", 15)
    command = guests.kernel("one", guests.state("one"))
    assert f"ubd0={guests.folder('one')}/disk.cow,/b.raw" in command
    assert not [word for word in command if word.startswith("ubd2=")]
    assert [word for word in guests.kernel("one", {**guests.state("one"), "disk": 4}) if word.startswith("ubd2=")]


def test_a_guest_is_reached_at_the_machine_s_own_address_alone(guests):
    [_program, _switch, way] = guests.uplink(guests.STATE / "switch", {22: 4022, 8080: 4080})
    assert way.rpartition("=")[2] == "127.0.0.1:4022:10.0.2.15:22,127.0.0.1:4080:10.0.2.15:8080"


def test_an_emulated_guest_is_reached_at_the_machine_s_own_address_alone_and_keeps_the_disk_as_it_is(guests, tmp_path):
    boot = tmp_path / "b.boot"
    boot.mkdir()
    for name in ("vmlinuz-6.1", "initrd.img-6.1"):
        (boot / name).touch()
    note(guests, "one", 15, kind="enforcing", base=str(tmp_path / "b.raw"))
    command = guests.emulator("one", guests.state("one"))
    assert "user,id=net0,hostfwd=tcp:127.0.0.1:4022-:22,hostfwd=tcp:127.0.0.1:4080-:8080" in command
    drives = [word for word in command if word.startswith("if=virtio")]
    assert len(drives) == 2 and drives[0].endswith("b.raw,snapshot=on") and drives[1].endswith("readonly=on")


def test_further_interfaces_lie_on_the_switch_of_all(guests):
    note(guests, "one", 15, links=2)
    command = guests.kernel("one", guests.state("one"))
    found = [word.split(",")[1:] for word in command if word.startswith("vec")]
    assert len(found) == 4 and len({mac for _switch, mac in found}) == 4
    assert all(re.fullmatch("mac=([0-9a-f]{2}:){5}[0-9a-f]{2}", mac) for _switch, mac in found)
    assert [switch for switch, _mac in found[1:]] == [f"vnl=vde://{guests.SWITCH}"] * 3


def test_a_machine_that_cannot_run_guests_is_told_what_is_missing(guests, monkeypatch):
    kind = dataclasses.replace(guests.image.USER_MODE, programs={"/nowhere/vde_switch": "vde2"})
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(guests.LabError, match="vde2"):
        guests.image.ensure_programs(kind)


def test_a_process_that_is_not_ours_is_not_ended(guests):
    guests.stop(os.getpid(), "linux.uml")
