# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.switch.installed import (
    Entry,
    HostOptions,
    Installation,
    differs,
    ids,
)

RELEASE, BEFORE = "20261123T012327Z-1a2b3c4d", "20261122T012327Z-1a2b3c4d"


@pytest.fixture
def installation(host):
    """What is installed of a release on a host."""
    return lambda **changes: Installation(HostOptions(**host(**changes)))


def paths(pending):
    return [os.path.basename(path) for path, _saved, _data in pending]


def test_a_plugin_has_nothing_of_another_whose_name_begins_like_its_own(installation, tmp_path):
    for name in ("shop-%s" % BEFORE, "shop-two-%s" % BEFORE, "shop-note"):
        (tmp_path / "program_dir" / ("windflow-%s.conf" % name)).touch()
    assert installation().programs_on_disk() == ["windflow-shop-%s" % BEFORE]
    assert installation().release_of("windflow-shop-two-%s" % BEFORE) == ""


def test_sockets_are_those_of_releases_by_number(installation, tmp_path):
    for name in ("%s-0.sock" % RELEASE, "%s-11.sock" % BEFORE, "other.sock", "%s-x.sock" % RELEASE):
        (tmp_path / "opt/run" / name).touch()
    assert sorted(installation().sockets().values()) == [(BEFORE, 11), (RELEASE, 0)]


def test_a_switch_writes_what_is_missing_and_removes_other_programs_of_the_plugin(installation, tmp_path):
    (tmp_path / "program_dir" / ("windflow-shop-%s.conf" % BEFORE)).touch()
    assert paths(installation().pending()) == [
        "windflow-shop-%s.conf" % RELEASE,
        "windflow-shop.conf",
        "windflow-shop.conf",
        "current",
        "windflow-shop-%s.conf" % BEFORE,
    ]


def test_what_is_as_wanted_is_not_pending(installation, tmp_path):
    (tmp_path / "program_dir" / ("windflow-shop-%s.conf" % RELEASE)).write_text("supervisor.conf", encoding="utf-8")
    (tmp_path / "site_available_dir/windflow-shop.conf").write_text("nginx.conf", encoding="utf-8")
    os.symlink(
        str(tmp_path / "site_available_dir/windflow-shop.conf"), tmp_path / "site_enabled_dir/windflow-shop.conf"
    )
    os.symlink("releases/%s" % RELEASE, tmp_path / "opt/current")
    for name in ("program_dir/windflow-shop-%s.conf" % RELEASE, "site_available_dir/windflow-shop.conf"):
        os.chmod(tmp_path / name, 0o644)
    assert installation().pending() == []


def test_a_release_that_serves_nothing_takes_away_the_site_of_the_one_before(installation, tmp_path):
    assert "windflow-shop.conf" not in paths(installation(port=0).pending())
    (tmp_path / "site_available_dir/windflow-shop.conf").touch()
    (entry,) = installation(port=0).site_entries()
    assert (entry.data, entry.target) == (None, None) and differs(entry)


def test_a_copy_of_the_configuration_has_the_owner_that_is_asked_for(installation, tmp_path):
    copy = {"path": str(tmp_path / "copy.yaml"), "owner": "root", "group": "daemon", "mode": "0600"}
    entry = installation(config_copy=copy).last_entries()[0]
    assert (entry.data, entry.mode, entry.uid, entry.gid) == (b"config.yaml", 0o600, *ids("root", "daemon"))
    with pytest.raises(WindflowError) as caught:
        installation(config_copy={**copy, "group": "no-such-group"}).last_entries()
    assert caught.value.code == "E4039"


def test_a_removal_takes_everything_of_the_plugin_that_is_there(installation, tmp_path):
    assert installation().pending_removal() == []
    (tmp_path / "program_dir" / ("windflow-shop-%s.conf" % BEFORE)).touch()
    os.symlink("releases/%s" % BEFORE, tmp_path / "opt/current")
    assert paths(installation().pending_removal()) == ["windflow-shop-%s.conf" % BEFORE, "current"]


def test_a_release_that_lacks_a_file_is_an_error(installation, tmp_path):
    (tmp_path / "opt/releases" / RELEASE / "nginx.conf").unlink()
    with pytest.raises(WindflowError) as caught:
        installation().pending()
    assert caught.value.code == "E4038" and "nginx.conf" in str(caught.value)


def test_texts_that_must_not_be_shown_come_with_the_release(installation, tmp_path):
    assert installation().secrets() == []
    (tmp_path / "opt/releases" / RELEASE / "secrets.json").write_text('["canary"]', encoding="utf-8")
    assert installation().secrets() == ["canary"]


def test_a_link_in_the_place_of_a_file_differs(tmp_path):
    (tmp_path / "real").write_bytes(b"x")
    os.symlink("real", tmp_path / "link")
    assert differs(Entry(str(tmp_path / "link"), b"x", mode=0o644))
    assert not differs(Entry(str(tmp_path / "link"), target="real"))
    assert differs(Entry(str(tmp_path / "real"))) and not differs(Entry(str(tmp_path / "absent")))
