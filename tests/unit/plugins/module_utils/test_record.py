# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import stat

import pytest

from ansible_collections.windflow.platform.plugins.module_utils import record
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError

NOW = 1_800_000_000.0


def begun(remembered, run="run-1", now=NOW, **fields):
    return record.begin(remembered, run, "ann@controller", "deploy", now, {"release": "rel-" + run, **fields})


def deployed(remembered, run, now=NOW, **fields):
    return record.finish(begun(remembered, run, now), run, now, {"paths": {}}, fields, 5)


def failed(remembered, run, now=NOW):
    return record.fail(begun(remembered, run, now), run, now, "site", "no")


def states(remembered):
    return [entry["state"] for entry in remembered["revisions"]]


def test_a_run_that_begins_has_the_lease_and_a_running_revision():
    remembered = begun(record.empty("app"))
    assert states(remembered) == ["running"]
    assert remembered["lease"]["holder"] == "ann@controller"
    assert remembered["lease"]["expires"] == NOW + record.LEASE_SECONDS


def test_beginning_leaves_the_record_it_was_given_alone():
    remembered = record.empty("app")
    begun(remembered)
    assert remembered == record.empty("app")


@pytest.mark.fault(19)
def test_a_second_run_is_told_who_holds_the_lease_since_when_for_what_and_where():
    remembered = record.at_step(begun(record.empty("app")), "run-1", "site", NOW)
    with pytest.raises(WindflowError) as caught:
        begun(remembered, "run-2", NOW + 10)
    message = str(caught.value)
    assert caught.value.code == "E5001"
    for word in ("ann@controller", "deploy", record.stamp(NOW), "site"):
        assert word in message


def test_the_same_run_enters_again_without_a_second_revision():
    remembered = begun(begun(record.empty("app")), now=NOW + 60)
    assert states(remembered) == ["running"]
    assert remembered["lease"]["expires"] == NOW + 60 + record.LEASE_SECONDS


@pytest.mark.fault(20)
def test_a_lease_that_ran_out_leaves_its_revision_abandoned_at_its_step():
    remembered = record.at_step(begun(record.empty("app")), "run-1", "virtualenv", NOW)
    remembered = begun(remembered, "run-2", NOW + record.LEASE_SECONDS + 1)
    assert states(remembered) == ["abandoned", "running"]
    assert remembered["revisions"][0]["step"] == "virtualenv"


def test_a_step_renews_the_lease():
    remembered = record.at_step(begun(record.empty("app")), "run-1", "site", NOW + 500)
    assert remembered["lease"]["expires"] == NOW + 500 + record.LEASE_SECONDS


@pytest.mark.fault(20)
def test_a_run_whose_lease_was_taken_over_can_neither_go_on_nor_finish():
    remembered = begun(begun(record.empty("app")), "run-2", NOW + record.LEASE_SECONDS + 1)
    with pytest.raises(WindflowError) as caught:
        record.at_step(remembered, "run-1", "site", NOW)
    assert caught.value.code == "E5002"
    with pytest.raises(WindflowError):
        record.finish(remembered, "run-1", NOW, {}, {}, 5)


def test_finishing_makes_the_revision_current_and_the_one_before_superseded():
    remembered = deployed(deployed(record.empty("app"), "run-1"), "run-2", digests={"site": "x"})
    assert states(remembered) == ["superseded", "deployed"]
    assert record.current(remembered)["digests"] == {"site": "x"}
    assert remembered["lease"] is None


def test_a_failed_run_leaves_what_served_before_current():
    remembered = failed(deployed(record.empty("app"), "run-1"), "run-2")
    assert states(remembered) == ["deployed", "failed"]
    assert record.current(remembered)["revision"] == 1


def test_a_removal_leaves_the_history_and_nothing_current():
    remembered = begun(deployed(record.empty("app"), "run-1"), "run-2")
    remembered = record.remove(remembered, "run-2", NOW, {"purged": True})
    assert states(remembered) == ["superseded", "removed"]
    assert remembered["current"] is None and remembered["managed"] == {}
    assert record.remains(remembered) is None


@pytest.mark.fault(39)
def test_order_is_by_number_and_not_by_the_clock():
    remembered = deployed(deployed(record.empty("app"), "run-1", NOW), "run-2", NOW - 86_400)
    assert record.kept_releases(remembered, 1) == ["rel-run-2"]


def test_revisions_whose_release_was_pruned_keep_their_history_only():
    remembered = record.empty("app")
    for number in range(1, 4):
        remembered = begun(remembered, "run-%d" % number, config="x: 1")
        remembered = record.finish(remembered, "run-%d" % number, NOW, {}, {}, 2)
    assert ["config" in entry for entry in remembered["revisions"]] == [False, True, True]
    assert states(remembered) == ["superseded", "superseded", "deployed"]


def test_five_failures_leave_the_last_good_release_among_those_kept():
    remembered = deployed(deployed(record.empty("app"), "run-1"), "run-2")
    for number in range(3, 8):
        remembered = failed(remembered, "run-%d" % number)
    assert record.kept_releases(remembered, 2) == ["rel-run-2", "rel-run-1"]


def test_the_current_release_is_kept_even_if_nothing_should_be():
    assert record.kept_releases(deployed(record.empty("app"), "run-1"), 0) == ["rel-run-1"]


@pytest.mark.fault(16)
def test_a_saved_record_is_read_back_and_private_under_any_umask(tmp_path):
    before = os.umask(0)
    try:
        record.save(begun(record.empty("app")), str(tmp_path))
    finally:
        os.umask(before)
    path = tmp_path / "app" / "record.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert record.load("app", str(tmp_path)) == begun(record.empty("app"))


def test_nothing_but_the_record_and_its_previous_copy_is_left_behind(tmp_path):
    for run in ("run-1", "run-2"):
        record.save(deployed(record.empty("app"), run), str(tmp_path))
    assert sorted(os.listdir(tmp_path / "app")) == ["record.json", "record.json.previous"]


@pytest.mark.fault(38)
@pytest.mark.parametrize("damage", [b"", b'{"format": 1, "plu', b"[]", b'{"format": 99}'], ids=repr)
def test_a_damaged_record_gives_way_to_the_copy_before_it(tmp_path, damage):
    good = deployed(record.empty("app"), "run-1")
    record.save(good, str(tmp_path))
    record.save(deployed(good, "run-2"), str(tmp_path))
    (tmp_path / "app" / "record.json").write_bytes(damage)
    assert record.load("app", str(tmp_path)) == good


@pytest.mark.fault(38)
def test_a_damaged_record_without_a_copy_is_an_error_that_names_the_file(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "record.json").write_text("{", encoding="utf-8")
    with pytest.raises(WindflowError) as caught:
        record.load("app", str(tmp_path))
    assert caught.value.code == "E5003"
    assert str(tmp_path / "app" / "record.json") in str(caught.value)


def test_a_plugin_without_a_record_has_an_empty_one(tmp_path):
    assert record.load("app", str(tmp_path)) == record.empty("app")


@pytest.mark.fault(17)
def test_a_planted_link_is_not_written_through(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious", encoding="utf-8")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "record.json").symlink_to(victim)
    record.save(record.empty("app"), str(tmp_path))
    assert victim.read_text(encoding="utf-8") == "precious"
    assert json.loads((tmp_path / "app" / "record.json").read_text(encoding="utf-8")) == record.empty("app")


def went_back(remembered, run, release):
    opened = record.begin(remembered, run, "ann@controller", record.ROLLBACK, NOW, {"release": release, "digests": {}})
    return record.finish(opened, run, NOW, {}, {"digests": {"site": "1"}}, 5)


def good(remembered):
    return [entry["release"] for entry in record.good(remembered)]


def test_a_rollback_goes_to_the_last_good_release_and_never_to_a_failed_one():
    remembered = record.empty("app")
    assert good(remembered) == []
    for run in ("run-1", "run-2", "run-3"):
        remembered = deployed(remembered, run, digests={"site": "1"})
    assert good(failed(remembered, "run-4")) == ["rel-run-2", "rel-run-1"]


def test_what_was_rolled_back_from_is_never_gone_back_to():
    remembered = record.empty("app")
    for run in ("run-1", "run-2", "run-3"):
        remembered = deployed(remembered, run, digests={"site": "1"})
    remembered = went_back(remembered, "run-4", "rel-run-2")
    assert states(remembered) == ["superseded", "superseded", "rolled_back", "deployed"]
    assert good(remembered) == ["rel-run-1"]


def test_five_failures_leave_the_last_good_release_as_the_one_to_go_back_to():
    remembered = deployed(deployed(record.empty("app"), "run-1", digests={"x": "1"}), "run-2", digests={"x": "1"})
    for number in range(5):
        remembered = failed(remembered, "bad-%d" % number)
    assert good(remembered) == ["rel-run-1"]
    assert record.kept_releases(remembered, 2) == ["rel-run-2", "rel-run-1"]


def test_a_release_that_was_pruned_is_not_gone_back_to():
    remembered = record.empty("app")
    for run in ("run-1", "run-2", "run-3", "run-4"):
        remembered = record.finish(begun(remembered, run), run, NOW, {}, {"digests": {"x": "1"}}, 2)
    assert good(remembered) == ["rel-run-3"]


def test_unlocking_leaves_the_run_abandoned_and_says_who_did_it():
    remembered = record.unlock(begun(record.empty("app")), "bob", NOW + 5)
    assert remembered["lease"] is None and states(remembered) == ["abandoned"]
    assert remembered["revisions"][0]["error"] == "unlocked by bob"
    assert record.unlock(remembered, "bob", NOW + 6) == remembered
