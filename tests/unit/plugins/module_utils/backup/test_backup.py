# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What needs no server; test_backup_server.py has the rest."""

from __future__ import annotations

import hashlib
import json
import os
import shutil

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backup import backup
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.tests.tools.modules import filled

PARAMS = filled(
    backup.ARGUMENTS, name="app", label="first", directory="/nowhere/at/all", port=1, socket_dir="/nowhere", timeout=10
)


@pytest.mark.fault(13)
@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({"label": "../x"}, "E4099", "label"),
        ({"label": ""}, "E4099", "label"),
        ({"label": "a\n"}, "E4099", "label"),
        ({"label": "a" * 129}, "E4099", "label"),
        ({"name": "postgres"}, "E4099", "name"),
        ({"name": "a\nb"}, "E4099", "name"),
        ({"name": "a" * 64}, "E4050", ""),
        ({"container": "--privileged"}, "E4099", "container"),
        ({"directory": "relative"}, "E4099", "directory"),
        ({"keep": -1}, "E4099", "keep"),
        ({"timeout": 0}, "E4099", "timeout"),
    ],
)
def test_options_that_cannot_be_are_refused(changes, code, place):
    with pytest.raises(WindflowError) as caught:
        backup.bring({**PARAMS, **changes}, False)
    assert [(problem.code, problem.path) for problem in caught.value.problems] == [(code, place)]


def test_nothing_is_absent_without_a_server():
    result = backup.bring({**PARAMS, "state": "absent"}, False)
    assert not result["changed"]


@pytest.fixture
def put(tmp_path):
    """Puts a backup there, as a run leaves it."""

    def call(label, time="2026-11-25T06:00:00Z", **more):
        dump = ("dump %s" % label).encode()
        document = {"format": 1, "database": "app", "time": time, "verified": "list", "size": len(dump)}
        document.update(bytes=1, large_objects=0, rows={"a": 2, "b": 3}, owner="o", encoding="UTF8", collate="C")
        document.update(provider="c", locale="", rules="", connection_limit=-1, acl=None, settings=[], comment=None)
        document.update(ctype="C", sha256=hashlib.sha256(dump).hexdigest(), **more)
        (tmp_path / ("%s.json" % label)).write_text(json.dumps(document), encoding="utf-8")
        (tmp_path / ("%s.dump" % label)).write_bytes(dump)
        tmp_path.chmod(0o700)

    return call


@pytest.fixture
def run(tmp_path):
    return lambda check=False, **changes: backup.run(
        {**PARAMS, "plugin": None, "directory": str(tmp_path), "verify": "list", "check": check, **changes}
    )


def files(tmp_path):
    return sorted(path.name for path in tmp_path.iterdir())


def test_all_options_that_cannot_be_are_named_at_once():
    with pytest.raises(WindflowError) as caught:
        backup.run({**PARAMS, "plugin": None, "label": "/", "keep": -1, "timeout": 0, "directory": "x", "check": False})
    assert [problem.path for problem in caught.value.problems] == ["directory", "keep", "label", "timeout"]
    assert {problem.remedy for problem in caught.value.problems} == {"correct the option"}


def test_a_plugins_backups_lie_beside_its_record_and_nowhere_else(state_dir):
    found = backup.run({**PARAMS, "plugin": "shop", "directory": None, "state": "absent", "check": False})
    assert found["path"] == str(state_dir / "shop/backups/database/first.dump") and not found["changed"]
    with pytest.raises(WindflowError, match="E4099"):
        backup.run({**PARAMS, "plugin": "../shop", "directory": None, "state": "absent", "check": False})
    assert list(state_dir.iterdir()) == []


@pytest.mark.parametrize("check", [True, False])
def test_a_backup_that_is_there_is_described_by_its_document(run, put, tmp_path, check):
    put("first")
    found = run(check)
    assert not found["changed"] and not found["made"] and found["warnings"] == []
    assert [found[key] for key in ("tables", "rows", "verified", "time")] == [2, 5, "list", "2026-11-25T06:00:00Z"]
    assert found["diff"] == {"before": {"backups": ["first"]}, "after": {"backups": ["first"]}}
    assert files(tmp_path) == ["first.dump", "first.json"]


def test_the_oldest_backups_go_but_never_one_to_be_spared_nor_anothers(run, put, tmp_path):
    for number, label in enumerate(("spared", "old", "older-not", "first")):
        put(label, "2026-11-25T0%d:00:00Z" % number)
    put("theirs", "2020-01-01T00:00:00Z", database="other")
    before = files(tmp_path)
    asked = run(True, keep=2, spare=["spared"])
    assert asked["changed"] and asked["pruned"] == ["old", "older-not"] and files(tmp_path) == before
    done = run(keep=2, spare=["spared"])
    assert done["pruned"] == asked["pruned"] and done["diff"] == asked["diff"]
    assert done["diff"]["after"] == {"backups": ["spared", "first"]}
    assert files(tmp_path) == ["first.dump", "first.json", "spared.dump", "spared.json", "theirs.dump", "theirs.json"]
    assert run(keep=0)["pruned"] == []


def test_the_backup_that_was_asked_for_stays_however_old_it_is(run, put, tmp_path):
    put("first", "2020-01-01T00:00:00Z")
    put("later")
    assert run(keep=1)["pruned"] == ["later"] and files(tmp_path) == ["first.dump", "first.json"]


@pytest.mark.parametrize("check", [True, False])
def test_a_backup_is_deleted_by_its_label_and_only_one_of_the_database(run, put, tmp_path, check):
    put("first")
    put("second", "2026-11-25T07:00:00Z")
    put("theirs", database="other")
    found = run(check, state="absent")
    assert found["changed"] and found["diff"]["after"] == {"backups": ["second"]}
    assert ("first.dump" in files(tmp_path)) is check
    with pytest.raises(WindflowError) as caught:
        run(check, state="absent", label="theirs")
    assert caught.value.code == "E4059" and "theirs.dump" in files(tmp_path)
    assert not run(check, state="absent", label="none")["changed"]


def test_what_a_killed_run_left_goes_first_and_an_error_says_so(run, put, tmp_path):
    put("first")
    left = [".first.json.0123456789ab", "second.dump.partial"]
    for name in left:
        (tmp_path / name).write_text("", encoding="utf-8")
    with pytest.raises(WindflowError) as caught:
        run(True, state="restored", label="none")
    assert caught.value.outcome == "Nothing live was changed." and set(left) <= set(files(tmp_path))
    with pytest.raises(WindflowError) as caught:
        run(state="restored", label="none")
    (problem,) = caught.value.problems
    assert problem.code == "E4096" and problem.remedy == "use the label of an existing backup: first"
    assert caught.value.outcome == "What a killed run left was removed. Nothing else was changed."
    assert files(tmp_path) == ["first.dump", "first.json"]


def test_a_backup_that_was_changed_is_refused_and_stays(run, put, tmp_path):
    put("first")
    (tmp_path / "first.dump").write_bytes(b"dump fIrst")
    with pytest.raises(WindflowError) as caught:
        run()
    assert caught.value.code == "E4097" and caught.value.outcome == "Nothing was changed."
    assert files(tmp_path) == ["first.dump", "first.json"]


def test_a_check_without_a_server_takes_a_database_for_one_that_will_be_made(run, tmp_path):
    found = run(True, skip_empty=True)
    assert (found["changed"], found["path"], found["diff"]) == (
        False,
        "",
        {"before": {"backups": []}, "after": {"backups": []}},
    )
    with pytest.raises(WindflowError) as caught:
        run(skip_empty=True)
    assert caught.value.code in ("E4090", "E4092") and files(tmp_path) == []


@pytest.mark.parametrize(
    ("key", "words"), [("left_out", "does not hold"), ("taken_over", "gives to the database's owner")]
)
def test_what_a_backup_does_not_bring_back_is_a_warning(monkeypatch, key, words):
    monkeypatch.setattr(backup, "bring", lambda _params, _check: {"left_out": [], "taken_over": [], key: ["a", "b"]})
    found = backup.run({**PARAMS, "check": False})
    assert found["warnings"] == ["The backup %s: a, b" % words]


def job(**changes):
    return backup.Job({**PARAMS, **changes}, False)


def test_a_disk_without_room_is_named_by_the_directory_that_is_there(tmp_path):
    free = shutil.disk_usage(tmp_path).free
    job().need_space(str(tmp_path / "not" / "yet"), 1)
    with pytest.raises(WindflowError) as caught:
        job().need_space(str(tmp_path / "not" / "yet"), free * 2)
    (problem,) = caught.value.problems
    assert (problem.code, problem.file, problem.remedy) == ("E4093", str(tmp_path), "free some space there")


@pytest.mark.parametrize(
    ("printed", "code", "enough"),
    [
        ("/dev/vda 100 60 39 60% /var", 0, False),
        ("/dev/vda 100 60 40 60% /var", 0, True),
        # An image may have no df, or another one.
        ("/dev/vda 100 60 39 60% /var", 1, True),
        ("/dev/vda 100 60 - - /var", 0, True),
        ("", 0, True),
        ("/dev/vda", 0, True),
    ],
)
def test_the_room_in_a_container_is_asked_of_its_df(client, printed, code, enough):
    calls = client("echo Filesystem; echo '%s'; exit %d" % (printed, code))
    found = job(container="db")
    if enough:
        found.need_data_space({"data_directory": "/data"}, 40 * 1024)
    else:
        with pytest.raises(WindflowError) as caught:
            found.need_data_space({"data_directory": "/data"}, 40 * 1024)
        (problem,) = caught.value.problems
        assert (problem.code, problem.file) == ("E4093", "/data in the container db")
        assert "40 KiB" in problem.message and problem.got == "39 KiB are free"
    assert calls()[0].endswith("db df -Pk /data")


def test_jobs_of_one_database_and_directory_know_each_other_by_the_name_of_their_sessions():
    names = {job(**changes).server.application for changes in ({}, {"label": "second"}, {"timeout": 1})}
    others = {job(**changes).server.application for changes in ({"name": "b"}, {"directory": "/other"})}
    assert len(names) == 1 and len(others | names) == 3
    assert all(len(name) < 64 for name in names)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a directory away")
def test_a_directory_of_somebody_elses_is_refused_before_anything_is_cleaned(run, put, tmp_path):
    put("first")
    (tmp_path / "second.dump.partial").touch()
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(WindflowError) as caught:
        run()
    assert caught.value.code == "E4056" and "second.dump.partial" in files(tmp_path)
