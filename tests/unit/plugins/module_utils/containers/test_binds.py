# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a plugin that containers mount: what they write stays, with the real engine."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.containers import binds, project
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, as on a host"),
]


def services(host, *volumes, **app):
    """An application and a service beside it that has the volumes."""
    return {"app": {**host.living, **app}, "store": {**host.living, "volumes": list(volumes)}}


@pytest.mark.fault(62)
def test_what_a_container_writes_to_the_plugins_directory_outlives_releases(compose_host):
    host = compose_host
    first = host.release(1, services(host, "./data:/data"))
    host.deploy(first)
    host.run("store", "echo precious > /data/file")
    host.deploy(host.release(2, services(host, "./data:/data", "./more:/more")))
    shutil.rmtree(host.install_dir / "releases" / first)
    assert host.run("store", "cat /data/file") == "precious\n"
    host.switch().remove(purge=False)
    assert (host.shared_dir / "binds/compose/data/file").read_text() == "precious\n"


def before_there_were_places(host, monkeypatch, number, wanted):
    """Deploys a release as earlier versions did: out of the plugin's own files."""
    with monkeypatch.context() as patched:
        patched.setattr(project.Containers, "make_effective", lambda self, undo: None)
        name = host.release(number, wanted)
        host.deploy(name)
    return name


@pytest.mark.fault(62)
def test_what_an_earlier_version_left_in_a_release_is_moved_once_while_it_is_written_to(compose_host, monkeypatch):
    host = compose_host
    first = before_there_were_places(host, monkeypatch, 1, services(host, "./data:/data"))
    host.run("store", "echo precious > /data/file")
    host.deploy(host.release(2, services(host, "./data:/data")))
    assert host.run("store", "cat /data/file") == "precious\n"
    # A rollback to the earlier release finds it, too.
    assert (host.install_dir / "releases" / first / "app/compose/data/file").read_text() == "precious\n"


@pytest.mark.fault(62)
def test_a_removal_keeps_what_an_earlier_version_left_in_a_release(compose_host, monkeypatch):
    host = compose_host
    before_there_were_places(host, monkeypatch, 1, services(host, "./data:/data"))
    host.run("store", "echo precious > /data/file")
    host.switch().remove(purge=False)
    shutil.rmtree(host.install_dir / "releases")
    assert (host.shared_dir / "binds/compose/data/file").read_text() == "precious\n"


def test_a_switch_that_fails_puts_what_it_moved_back(compose_host, monkeypatch):
    host = compose_host
    first = before_there_were_places(host, monkeypatch, 1, services(host, "./data:/data"))
    host.run("store", "echo precious > /data/file")
    with pytest.raises(WindflowError, match="E4073"):
        host.deploy(host.release(2, services(host, "./data:/data", command=["false"])))
    folder = host.install_dir / "releases" / first / "app/compose/data"
    assert not folder.is_symlink() and (folder / "file").read_text() == "precious\n"
    assert host.run("store", "cat /data/file") == "precious\n"


def test_files_that_a_release_brings_are_renewed_and_what_was_changed_on_the_host_stays(compose_host):
    host = compose_host
    wanted = services(host, "./conf:/conf", "./one.conf:/one.conf")
    before = {"compose/conf/a": "1", "compose/conf/b": "1", "compose/conf/c": "1", "compose/one.conf": "1"}
    host.deploy(host.release(1, wanted, before))
    host.run("store", "echo mine > /conf/b; echo mine > /conf/d")
    after = {"compose/conf/a": "2", "compose/conf/b": "2", "compose/conf/e/f": "2", "compose/one.conf": "2"}
    switch = host.deploy(host.release(2, wanted, after))
    assert (
        host.run("store", "cat /conf/a /conf/e/f /one.conf; cat /conf/b /conf/d; ls /conf")
        == "222mine\nmine\na\nb\nd\ne\n"
    )
    assert [line for line in switch.warnings if "/conf/b was changed" in line] == switch.warnings


def test_a_file_that_is_only_read_makes_a_service_anew_when_it_changes_and_not_before(compose_host):
    host = compose_host
    wanted = services(host, "./x.conf:/etc/x.conf:ro")
    wanted["store"]["configs"] = ["y"]
    top = {"configs": {"y": {"file": "./y.conf"}}}
    host.deploy(host.release(1, wanted, {"compose/x.conf": "1", "compose/y.conf": "1"}, **top))
    first = host.identity("store")
    host.deploy(host.release(2, wanted, {"compose/x.conf": "1", "compose/y.conf": "1", "compose/z": "2"}, **top))
    assert host.identity("store") == first
    host.deploy(host.release(3, wanted, {"compose/x.conf": "2", "compose/y.conf": "1"}, **top))
    assert host.identity("store") != first and host.run("store", "cat /etc/x.conf /y") == "21"
    # No release mounts the first one any more.
    shutil.rmtree(host.install_dir / "releases/20261123T012301Z-1a2b3c4d")
    shutil.rmtree(host.install_dir / "releases/20261123T012302Z-1a2b3c4d")
    host.switch().binds.prune()
    assert len(os.listdir(host.shared_dir / "files")) == 2


@pytest.mark.parametrize("link", ["file", "folder"])
def test_root_follows_no_link_that_a_container_made(compose_host, tmp_path, link):
    host = compose_host
    wanted = services(host, "./conf:/conf")
    host.deploy(host.release(1, wanted, {"compose/conf/sub/a": "1"}))
    target = tmp_path / "target"
    target.mkdir()
    (target / "a").write_text("1", encoding="utf-8")
    place = host.shared_dir / "binds/compose/conf"
    shutil.rmtree(place / "sub")
    if link == "folder":
        (place / "sub").symlink_to(target)
    else:
        (place / "sub").mkdir()
        (place / "sub/a").symlink_to(target / "a")
    host.deploy(host.release(2, wanted, {"compose/conf/sub/a": "2"}))
    assert (target / "a").read_text(encoding="utf-8") == "1"


def test_a_place_that_a_container_made_a_link_of_is_refused(compose_host):
    host = compose_host
    host.deploy(host.release(1, services(host, "./conf:/conf")))
    os.symlink("/", host.shared_dir / "binds/compose/conf/out")
    with pytest.raises(WindflowError, match="E4086"):
        host.deploy(host.release(2, services(host, "./conf:/conf", "./conf/out:/out")))


def test_the_digest_of_a_directory_is_that_of_names_modes_and_contents(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x").write_text("1", encoding="utf-8")
    first = binds.digest(str(tmp_path / "a"))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert binds.digest(str(tmp_path / "b")) == first
    (tmp_path / "b/x").chmod(0o600)
    assert binds.digest(str(tmp_path / "b")) != first
    assert binds.digest(str(tmp_path / "c")) == ""
    assert json.dumps(first)
