# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run notes in the record of a host when it begins and when it ends."""

from __future__ import annotations

import threading

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.record import dependency_state, host_secrets, store
from ansible_collections.windflow.platform.plugins.module_utils.run import recording
from ansible_collections.windflow.platform.tests.tools.modules import NEEDS, record_deploy, recorded


@pytest.fixture(autouse=True)
def state(state_dir):
    return state_dir


def test_what_others_need_is_not_removed_and_they_are_named():
    record_deploy("database")
    record_deploy("shop", NEEDS)
    for check in (True, False):
        with pytest.raises(WindflowError) as caught:
            recording.run(recorded("database", "started", purpose="remove", check=check))
        assert caught.value.code == "E5011" and "shop needs database >=2.0.0" in str(caught.value)
    assert store.load("database")["lease"] is None


def test_when_nobody_needs_it_any_more_it_can_be_removed():
    record_deploy("database")
    record_deploy("shop", NEEDS)
    recording.run(recorded("shop", "started", purpose="remove"))
    recording.run(recorded("shop", "removed"))
    recording.run(recorded("database", "started", purpose="remove"))
    assert store.load("database")["lease"]["purpose"] == "remove"


def test_a_restore_does_not_take_what_differs_for_what_should_be(state):
    site = state / "site"
    site.write_text("as deployed")
    resources = {"paths": [{"path": str(site), "step": "site"}]}
    recording.run(recorded("shop", "started", revision={"version": "1.0.0", "target": "host", "release": "r"}))
    recording.run(recorded("shop", "finished", resources=resources))
    noted = store.load("shop")["managed"]
    site.write_text("by hand")
    recording.run(recorded("shop", "started", run="second", purpose="restore"))
    recording.run(recorded("shop", "finished", run="second", resources=resources))
    assert store.load("shop")["managed"] == noted and noted["paths"]
    recording.run(recorded("shop", "started", run="third"))
    recording.run(recorded("shop", "finished", run="third", resources=resources))
    assert store.load("shop")["managed"] != noted


def test_a_run_that_takes_the_lease_is_told_what_it_would_ask_with_the_secrets_that_it_has_made():
    record_deploy("database")
    asked = ["database", "shop"]
    begun = recording.run(recorded("shop", "started", generate=["app.key"], secrets_of=asked))
    assert begun["known"] == dependency_state.run({"plugins": asked, "reveal": False})
    assert begun["known"]["secrets"]["shop"].keys() == {"app.key"}
    assert begun["known"]["secrets"]["shop"]["app.key"] != host_secrets.load("shop")["app.key"]
    assert "known" not in recording.run(recorded("other", "started"))


def test_nothing_is_removed_while_nobody_knows_who_needs_it(state):
    record_deploy("database")
    record_deploy("shop", NEEDS)
    for name in ("record.json", "record.json.previous"):
        (state / "shop" / name).write_text("{", encoding="utf-8")
    with pytest.raises(WindflowError) as caught:
        recording.run(recorded("database", "started", purpose="remove"))
    assert caught.value.code == "E5011" and "whether shop needs database" in str(caught.value)
    assert str(state / "shop" / "record.json") in str(caught.value) and "from a backup" in str(caught.value)
    assert store.load("database")["lease"] is None
    record_deploy("database")


def test_in_check_mode_no_secret_is_made(state):
    recording.run(recorded("database", "started", generate=["database.password"], check=True))
    assert host_secrets.load("database") == {}


@pytest.mark.parametrize("purged", [True, False])
def test_secrets_go_with_the_data_and_not_before(purged):
    record_deploy("database", generate=["database.password"])
    recording.run(recorded("database", "started", purpose="remove"))
    recording.run(recorded("database", "removed", revision={"purged": purged}))
    assert bool(host_secrets.load("database")) is not purged


def test_a_plugin_without_a_record_is_unlocked_without_making_one(state):
    found = recording.run(recorded("shop", "unlocked"))
    assert found == {"changed": False, "lease": None, "recorded": False} and list(state.iterdir()) == []


def test_an_unlock_takes_the_lease_away_and_a_check_only_names_it():
    recording.run(recorded("shop", "started", holder="ann@laptop", revision={"version": "1.0.0"}))
    lease = store.load("shop")["lease"]
    asked = recording.run(recorded("shop", "unlocked", check=True))
    assert asked == {"changed": True, "lease": lease, "recorded": True} and store.load("shop")["lease"] == lease
    assert recording.run(recorded("shop", "unlocked", holder="bob@desk")) == asked
    left = store.load("shop")
    assert left["lease"] is None
    assert (left["revisions"][0]["state"], left["revisions"][0]["error"]) == ("abandoned", "unlocked by bob@desk")
    assert not recording.run(recorded("shop", "unlocked"))["changed"]


def test_a_renewal_notes_the_step_and_in_check_mode_needs_no_lease():
    assert recording.run(recorded("shop", "renewed", step="switch", check=True)) == {"changed": False}
    assert not store.exists("shop")
    recording.run(recorded("shop", "started"))
    recording.run(recorded("shop", "renewed", step="switch", revision={"backup": "before-two"}))
    noted = store.load("shop")
    assert noted["lease"]["step"] == "switch" and noted["revisions"][0]["backup"] == "before-two"


def test_who_waits_begins_as_soon_as_the_other_run_has_ended(monkeypatch):
    monkeypatch.setattr(store, "POLL_SECONDS", 0.02)
    recording.run(recorded("shop", "started"))
    ending = threading.Timer(0.2, recording.run, [recorded("shop", "failed", step="build", error="no disk")])
    ending.start()
    begun = recording.run(recorded("shop", "started", run="second", wait=20))
    ending.join()
    assert begun["changed"] and begun["revision"]["revision"] == 2
    assert store.load("shop")["lease"]["run"] == "second"


@pytest.mark.parametrize("check", [True, False])
def test_while_another_run_is_at_work_none_begins_and_it_keeps_its_lease(check):
    recording.run(recorded("shop", "started", holder="ann@laptop"))
    before = store.load("shop")
    with pytest.raises(WindflowError) as caught:
        recording.run(recorded("shop", "started", run="second", check=check))
    assert caught.value.code == "E5001" and "ann@laptop" in str(caught.value) and "playbook unlock" in str(caught.value)
    assert store.load("shop") == before


def test_a_check_shows_the_revision_that_would_begin_and_leaves_no_trace(state):
    found = recording.run(recorded("shop", "started", check=True, holder="ann@laptop", revision={"version": "1.0.0"}))
    assert found["changed"] and (found["revision"]["revision"], found["revision"]["holder"]) == (1, "ann@laptop")
    assert list(state.iterdir()) == []


def test_a_run_that_begins_again_goes_on_with_its_revision():
    first = recording.run(recorded("shop", "started"))
    again = recording.run(recorded("shop", "started"))
    assert first["changed"] and not again["changed"] and again["revision"] == first["revision"]


def test_a_record_that_was_edited_is_set_aside_by_the_run_that_begins_and_not_by_a_check(state):
    record_deploy("shop")
    record = state / "shop" / "record.json"
    record.write_text("{", encoding="utf-8")
    for check in (True, False):
        assert record.read_text(encoding="utf-8") == "{"
        found = recording.run(recorded("shop", "started", run="second", check=check))
        assert "is not used" in found["warnings"][0] and found["revision"]["revision"] == 2
    assert (state / "shop" / "record.json.rejected").read_text(encoding="utf-8") == "{"
    assert store.read("shop")[1] == ""


@pytest.fixture
def install_dir(tmp_path):
    """Releases one, two and three, with two in service."""
    for name in ("one", "two", "three"):
        (tmp_path / "opt" / "releases" / name).mkdir(parents=True)
    (tmp_path / "opt" / "current").symlink_to("releases/two")
    return tmp_path / "opt"


def releases_in(install_dir):
    return sorted(path.name for path in (install_dir / "releases").iterdir())


def test_a_run_that_ends_well_deletes_the_releases_that_are_not_kept(install_dir):
    places = {"install_dir": str(install_dir), "keep_releases": 1}
    recording.run(recorded("shop", "started", revision={"release": "two"}))
    asked = recording.run(recorded("shop", "finished", check=True, **places))
    assert asked["changed"] and asked["deleted"] == []
    assert store.load("shop")["lease"] and releases_in(install_dir) == ["one", "three", "two"]
    done = recording.run(recorded("shop", "finished", revision={"version": "2.0.0"}, **places))
    assert [path[len(str(install_dir)) :] for path in done["deleted"]] == ["/releases/one", "/releases/three"]
    assert done["serves"] == "two" and releases_in(install_dir) == ["two"]
    assert (done["revision"]["state"], done["revision"]["version"]) == ("deployed", "2.0.0")


def test_a_removal_leaves_the_releases_to_who_removes_the_directory(install_dir):
    recording.run(recorded("shop", "started", purpose="remove"))
    assert recording.run(recorded("shop", "removed", install_dir=str(install_dir)))["deleted"] == []
    assert releases_in(install_dir) == ["one", "three", "two"]


def test_a_run_that_failed_before_it_began_changes_no_record_and_says_what_serves(install_dir):
    record_deploy("shop", revision={"release": "two"})
    before = store.load("shop")
    found = recording.run(recorded("shop", "failed", run="second", error="no disk", install_dir=str(install_dir)))
    assert found == {"changed": False, "revision": None, "deleted": [], "serves": "two", "restored": True}
    assert store.load("shop") == before and releases_in(install_dir) == ["one", "three", "two"]


def test_a_failure_is_noted_with_its_step_and_what_served_is_current():
    record_deploy("shop")
    recording.run(recorded("shop", "started", run="second"))
    found = recording.run(recorded("shop", "failed", run="second", step="build", error="no disk"))
    assert [found["revision"][key] for key in ("state", "step", "error")] == ["failed", "build", "no disk"]
    assert store.load("shop")["current"] == 1 and store.load("shop")["lease"] is None


@pytest.mark.parametrize("state", ["finished", "failed", "removed"])
def test_a_run_that_lost_its_lease_ends_nothing(state):
    recording.run(recorded("shop", "started", run="other"))
    before = store.load("shop")
    with pytest.raises(WindflowError) as caught:
        recording.run(recorded("shop", state))
    assert caught.value.code == "E5002" and str(caught.value).endswith("The record was not changed.")
    assert store.load("shop") == before


def test_what_cannot_be_looked_at_leaves_the_run_at_work(tmp_path):
    recording.run(recorded("shop", "started"))
    before = store.load("shop")
    (tmp_path / "loop").symlink_to("loop")
    trees = [{"root": str(tmp_path / "loop" / "app"), "step": "application"}]
    with pytest.raises(WindflowError) as caught:
        recording.run(recorded("shop", "finished", resources={"trees": trees}))
    assert caught.value.code == "E4046" and str(caught.value).endswith("The record was not changed.")
    assert store.load("shop") == before


def test_facts_that_cannot_be_written_are_a_warning_and_the_run_has_ended(tmp_path):
    (tmp_path / "facts").write_text("in the way", encoding="utf-8")
    recording.run(recorded("shop", "started"))
    found = recording.run(recorded("shop", "finished"))
    assert "is not up to date" in found["warnings"][0] and found["revision"]["state"] == "deployed"
    assert store.load("shop")["lease"] is None


@pytest.mark.fault(80)
def test_a_run_that_fails_has_restored_what_served_before_or_what_it_found(install_dir):
    params, known = {"install_dir": str(install_dir)}, {"release": "one"}
    assert recording.restored(params, known, {}) == {"serves": "two", "restored": False}
    assert recording.restored(params, known, {"found": "two"}) == {"serves": "two", "restored": True}
    (install_dir / "current").unlink()
    (install_dir / "current").symlink_to("releases/one")
    assert recording.restored(params, known, {"found": "two"}) == {"serves": "one", "restored": True}
    assert recording.restored({"install_dir": None}, known, {}) == {}


@pytest.mark.fault(80)
def test_a_run_notes_the_release_that_it_finds_in_service(install_dir):
    host = {"install_dir": str(install_dir)}
    record_deploy("shop", revision={"version": "1.0.0", "release": "one", "host": host})
    found = recording.run(recorded("shop", "started", run="second"))["revision"]
    assert found["found"] == "two"
    after = recording.run(recorded("shop", "failed", run="second", install_dir=str(install_dir)))
    assert (after["serves"], after["restored"]) == ("two", True)
