# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a switch that need no service; modules/test_release_switch.py has the whole."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.switch.host import Switch
from ansible_collections.windflow.platform.plugins.module_utils.switch.installed import Entry, HostOptions

RELEASE, BEFORE = "20261123T012327Z-1a2b3c4d", "20261122T012327Z-1a2b3c4d"


@pytest.fixture
def switch(host):
    return lambda **changes: Switch(HostOptions(**host(**changes)))


def look(path):
    """What a file, a link or an absence is."""
    if path.is_symlink():
        return os.readlink(path)
    return (path.read_bytes(), path.stat().st_mode & 0o777) if path.exists() else None


@pytest.mark.parametrize("wanted", ["a file", "a link", "nothing"])
@pytest.mark.parametrize("there", ["a file", "a link", "nothing"])
def test_what_is_put_there_is_undone_to_what_was_there(switch, tmp_path, there, wanted):
    path = tmp_path / "x"
    if there == "a file":
        path.write_bytes(b"old")
        path.chmod(0o640)
    elif there == "a link":
        path.symlink_to("elsewhere")
    before = look(path)
    entries = {"a file": Entry(str(path), b"new", mode=0o600), "a link": Entry(str(path), target="there")}
    after = {"a file": (b"new", 0o600), "a link": "there", "nothing": None}[wanted]
    used = switch()
    with contextlib.ExitStack() as undo:
        assert used.put(entries.get(wanted, Entry(str(path))), undo) is (before != after)
        assert look(path) == after
    assert look(path) == before and used.not_undone == []
    assert used.changes == [str(path)] * (before != after)


def test_what_cannot_be_undone_is_said_beside_the_error(switch, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x").write_bytes(b"old")
    used = switch()
    with pytest.raises(WindflowError) as caught, used.outcome_of(used.outcome), contextlib.ExitStack() as undo:
        used.put(Entry(str(tmp_path / "folder" / "x"), b"new"), undo)
        os.rename(tmp_path / "folder", tmp_path / "gone")
        used.release_file("none")
    assert caught.value.code == "E4038" and "Not everything could be put back" in str(caught.value)
    assert str(tmp_path / "folder") in str(caught.value)


@pytest.fixture
def site(switch, tmp_path):
    """Puts another site in the place of ``text``, where the release before had brought ``nginx.conf``; returns what is
    kept of it."""
    (tmp_path / "opt" / "releases" / BEFORE).mkdir()
    (tmp_path / "opt" / "releases" / BEFORE / "nginx.conf").write_text("brought", encoding="utf-8")
    (tmp_path / "opt" / "current").symlink_to("releases/%s" % BEFORE)

    def call(text, **changes):
        used = switch(**changes)
        Path(used.site_path).write_text(text, encoding="utf-8")
        with contextlib.ExitStack() as undo:
            used.put(Entry(used.site_path, b"new"), undo)
            undo.pop_all()
        return [Path(path).read_text(encoding="utf-8") for path in used.report()["backups"]]

    return call


def test_only_what_was_edited_by_hand_is_kept_and_only_where_that_is_asked(site, tmp_path):
    asked = {"backup_dir": str(tmp_path / "backup")}
    assert site("edited", **asked) == ["edited"]
    assert site("brought", **asked) == []
    assert site("edited") == []


def test_what_no_release_brought_counts_as_edited(site, tmp_path):
    (tmp_path / "opt" / "releases" / BEFORE / "nginx.conf").unlink()
    assert site("theirs", backup_dir=str(tmp_path / "backup")) == ["theirs"]


def test_of_the_logs_only_plain_files_with_one_name_stay(switch, tmp_path):
    logs, other = tmp_path / "log[1]", tmp_path / "secret"
    logs.mkdir()
    other.write_text("x", encoding="utf-8")
    for name in ("app.log", "app.log.1", "note"):
        (logs / name).write_text("x", encoding="utf-8")
    (logs / "link.log").symlink_to(other)
    os.link(other, logs / "hard.log")
    (logs / "folder.log").mkdir()
    used = switch(log_dir=str(logs))
    used.remove_foreign_logs()
    assert sorted(path.name for path in logs.iterdir()) == ["app.log", "app.log.1", "note"]
    assert sorted(map(os.path.basename, used.changes)) == ["folder.log", "hard.log", "link.log"]
    assert other.read_text(encoding="utf-8") == "x" and used.warnings == []


def test_of_a_log_only_what_comes_after_its_present_end_is_the_new_releases(switch, tmp_path):
    logs = tmp_path / "log[1]"
    (logs / "folder.log").mkdir(parents=True)
    (logs / "app.log").write_text("12345", encoding="utf-8")
    assert switch(log_dir=str(logs)).log_sizes() == {str(logs / "app.log"): 5}
    assert switch().log_sizes() == {}


@pytest.mark.parametrize(
    ("texts", "seconds"),
    [
        ([], 15),
        (["stopwaitsecs=3\n"], 15),
        (["[program:a]\nstopwaitsecs=40\n", "stopwaitsecs=20\n"], 45),
        (["; stopwaitsecs=40\n"], 15),
        ([None], 15),
    ],
    ids=["no program", "less than usual", "the longest", "a comment", "a file that is gone"],
)
def test_supervisor_gets_as_long_to_stop_programs_as_the_slowest_of_them_may_take(tmp_path, texts, seconds):
    paths = [tmp_path / str(number) for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        if text is not None:
            path.write_text(text, encoding="utf-8")
    assert Switch.stop_seconds(map(str, paths)) == seconds


def test_a_socket_that_nginx_cannot_use_is_named_with_its_mode_where_it_is_the_new_releases(switch, tmp_path):
    used = switch(replicas=2)
    shown = [used.targets()[0], str(tmp_path / "opt/run" / ("%s-0.sock" % BEFORE)), used.targets()[1]]
    for path, mode in zip(shown, (0o600, 0o600, 0o660), strict=True):
        with open(path, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
    assert used.closed_sockets() == "%s has mode 0600, so nginx cannot connect; make it with 0660" % shown[0]


def test_what_cannot_be_removed_is_a_warning_that_names_it(switch, tmp_path):
    (tmp_path / "planted").symlink_to(tmp_path / "opt")
    os.lchown(tmp_path / "planted", 65534, 65534)
    (tmp_path / "opt" / "x").touch()
    used = switch()
    assert used.remove_planted([str(tmp_path / "planted" / "x"), str(tmp_path / "absent")]) == []
    (warning,) = used.warnings
    assert warning.startswith("%s/planted/x could not be removed" % tmp_path) and (tmp_path / "opt" / "x").exists()


def test_a_site_needs_a_running_nginx_and_no_site_needs_none(switch, tmp_path):
    used = switch()
    with contextlib.ExitStack() as undo:
        assert used.point_nginx([], undo) == (0, [])
        with pytest.raises(WindflowError) as caught:
            used.point_nginx(used.site_entries(), undo)
    assert caught.value.code == "E4042" and caught.value.problems[0].remedy == "start the service nginx"
    assert list((tmp_path / "site_available_dir").iterdir()) == []


def test_a_release_that_lacks_a_file_is_refused_while_the_one_before_serves(switch, tmp_path):
    (tmp_path / "opt" / "current").symlink_to("releases/%s" % BEFORE)
    (tmp_path / "opt" / "releases" / RELEASE / "nginx.conf").unlink()
    with pytest.raises(WindflowError) as caught:
        switch().deploy()
    assert caught.value.code == "E4038"
    assert caught.value.outcome == "Nothing was changed. Release %s still serves." % BEFORE
    assert list((tmp_path / "program_dir").iterdir()) == []


@pytest.fixture
def installed(tmp_path):
    """What a plugin has on a host whose services do not run, beside what another plugin has."""
    files = ["program_dir/windflow-shop-%s.conf" % BEFORE, "site_available_dir/windflow-shop.conf", "etc.yaml"]
    files += ["opt/run/%s-0.sock" % BEFORE, "site_enabled_dir/windflow-shop.conf"]
    others = ["program_dir/windflow-shop-two-%s.conf" % BEFORE, "site_available_dir/windflow-shop-two.conf", "data"]
    for name in (*files, *others):
        (tmp_path / name).touch()
    (tmp_path / "opt" / "current").symlink_to("releases/%s" % BEFORE)
    return [tmp_path / name for name in (*files, "opt/current")], [tmp_path / name for name in others]


def test_where_no_service_runs_a_removal_takes_the_plugins_files_and_no_others(switch, installed, tmp_path):
    mine, others = installed
    changes = {"state": "absent", "release": "", "config_copy": {"path": str(tmp_path / "etc.yaml")}}
    used = switch(**changes)
    assert used.remove() == {"previous": BEFORE, "stopped": []}
    assert not any(os.path.lexists(path) for path in mine) and all(path.exists() for path in others)
    assert sorted(used.changes) == sorted(map(str, mine)) and sorted(used.timings) == ["current", "nginx", "stop"]
    again = switch(**changes)
    assert again.remove() == {"previous": "", "stopped": []} and again.changes == []


@pytest.mark.parametrize("there", [True, False])
def test_a_removal_that_fails_says_whether_anything_is_gone(switch, tmp_path, there):
    if there:
        (tmp_path / "site_enabled_dir" / "windflow-shop.conf").touch()
    (tmp_path / "opt" / "current").mkdir()
    with pytest.raises(WindflowError) as caught:
        switch(state="absent", release="").remove()
    said = "Not everything was removed. Run again." if there else "Nothing was changed."
    assert caught.value.code == "E4046" and caught.value.outcome == said and str(tmp_path) in str(caught.value)
