# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import socket
import types

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.system import inspect_host


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('ID=debian\nVERSION_ID="12"\n', {"id": "debian", "version": "12", "family": "debian"}),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', {"id": "linuxmint", "version": "", "family": "debian"}),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', {"id": "rocky", "version": "", "family": "redhat"}),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', {"id": "opensuse-leap", "version": "", "family": "suse"}),
        ("ID=arch\n", {"id": "arch", "version": "", "family": "arch"}),
        ("ID=plan9\n", {"id": "plan9", "version": "", "family": ""}),
        ("# nothing\n", {"id": "", "version": "", "family": ""}),
    ],
    ids=["debian", "derivative", "rocky", "leap", "arch", "unknown", "empty"],
)
def test_the_family_follows_id_and_id_like(text, expected):
    assert inspect_host.os_release(text) == expected


def test_the_owner_of_a_port_is_the_process_that_listens():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        owner = inspect_host.port_owner(server.getsockname()[1])
    assert owner["pid"] == os.getpid()


def test_a_port_that_is_bound_but_does_not_listen_is_free():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        assert inspect_host.port_owner(server.getsockname()[1]) is None


def test_the_free_space_of_a_path_that_does_not_exist_is_that_of_its_filesystem():
    found = inspect_host.free_space("/nowhere/at/all")
    status = os.statvfs("/")
    assert abs(found["mb"] - status.f_bavail * status.f_frsize // 1048576) < 1024


def test_installed_packages_of_debian_leave_out_removed_ones():
    output = "nginx installed\nsupervisor config-files\npostgresql not-installed\n"
    assert inspect_host.parse_installed("debian", output) == {"nginx"}


def test_packages_that_are_not_installed_are_missing():
    questions = inspect_host.Questions("debian", ["dpkg", "windflow-no-such-package"], [])
    assert questions.missing_packages() == ["windflow-no-such-package"]


def test_a_unit_that_systemd_does_not_know_is_neither_there_nor_running():
    output = (
        "Id=nginx.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\n"
        "Id=none.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n\n"
        "Id=off.service\nLoadState=loaded\nActiveState=failed\nUnitFileState=disabled\n"
    )
    assert inspect_host.parse_systemctl(output) == {
        "nginx": {"running": True, "enabled": True, "exists": True},
        "none": {"running": False, "enabled": False, "exists": False},
        "off": {"running": False, "enabled": False, "exists": True},
    }


def test_a_service_without_an_init_script_does_not_exist():
    states = inspect_host.Questions("debian", [], ["windflow-no-such-service"]).service_states()
    assert states == {"windflow-no-such-service": {"running": False, "enabled": False, "exists": False}}


def test_facts_answer_everything_a_plan_asks():
    facts = inspect_host.facts(["/"], None)
    assert facts["cpu_threads"] >= 1 and facts["ram_mb"] > 0
    assert set(facts["space"]["/"]) == {"mb", "inodes", "device", "ro", "noexec"}
    assert facts["shared_memory"] is True


def test_a_directory_for_everybody_is_one_that_others_can_write_to(tmp_path):
    (tmp_path / "file").touch(0o777)
    assert not inspect_host.for_everybody(str(tmp_path / "none"))
    for mode, fits in ((0o1777, True), (0o777, True), (0o755, False), (0o1770, False), (0o776, False)):
        tmp_path.chmod(mode)
        assert inspect_host.for_everybody(str(tmp_path)) is fits
    tmp_path.chmod(0o755)
    (tmp_path / "file").chmod(0o777)
    assert not inspect_host.for_everybody(str(tmp_path / "file"))


@pytest.mark.parametrize(("option", "key"), [("ST_RDONLY", "ro"), ("ST_NOEXEC", "noexec")])
def test_how_a_file_system_is_mounted_is_known(monkeypatch, option, key):
    real = os.statvfs("/")
    said = types.SimpleNamespace(**{name: getattr(real, name) for name in dir(real) if name.startswith("f_")})
    for flags, expected in ((0, False), (getattr(os, option), True)):
        said.f_flag = flags
        monkeypatch.setattr(os, "statvfs", lambda path: said)
        assert inspect_host._free_space("/opt/app")[key] is expected
