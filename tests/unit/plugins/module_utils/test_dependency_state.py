# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host knows of plugins and their dependencies: secrets that were made, and who needs whom."""

from __future__ import annotations

import json
import stat

import pytest

from ansible_collections.windflow.platform.plugins.module_utils import (
    dependency_state,
    dependents,
    kept_secrets,
    record,
    recording,
    releases,
    sealing,
)
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """A host of the test's own: functions that take a directory by default take this one."""
    for module in (dependents, kept_secrets, record, releases):
        for name in dir(module):
            found = getattr(module, name)
            places = [place for place in getattr(found, "__defaults__", None) or () if place == record.STATE_DIR]
            if places:
                changed = tuple(str(tmp_path) if place == record.STATE_DIR else place for place in found.__defaults__)
                monkeypatch.setattr(found, "__defaults__", changed)
    monkeypatch.setattr(releases.write_local_facts, "__defaults__", (str(tmp_path / "facts" / "x"), str(tmp_path)))
    return tmp_path


def options(plugin, state, **changes):
    values = {name: option.get("default") for name, option in recording.ARGUMENTS.items()}
    return {**values, "plugin": plugin, "state": state, "run": "run-%s" % plugin, "check": False, **changes}


def deploy(plugin, needs=None, results=None, **begin):
    revision = {"version": "2.0.0", "target": "host", "release": "r", "needs": needs or {}, "results": results or {}}
    recording.run(options(plugin, "started", revision=revision, **begin))
    recording.run(options(plugin, "finished", revision=revision))


NEEDS = {"database": {"plugin": "database", "constraint": ">=2.0.0"}}


def test_what_others_need_is_not_removed_and_they_are_named():
    deploy("database")
    deploy("shop", NEEDS)
    for check in (True, False):
        with pytest.raises(WindflowError) as caught:
            recording.run(options("database", "started", purpose="remove", check=check))
        assert caught.value.code == "E5011" and "shop needs database >=2.0.0" in str(caught.value)
    assert record.load("database")["lease"] is None


def test_when_nobody_needs_it_any_more_it_can_be_removed():
    deploy("database")
    deploy("shop", NEEDS)
    recording.run(options("shop", "started", purpose="remove"))
    recording.run(options("shop", "removed"))
    recording.run(options("database", "started", purpose="remove"))
    assert record.load("database")["lease"]["purpose"] == "remove"


def test_a_restore_does_not_take_what_differs_for_what_should_be(state):
    site = state / "site"
    site.write_text("as deployed")
    resources = {"paths": [{"path": str(site), "step": "site"}]}
    recording.run(options("shop", "started", revision={"version": "1.0.0", "target": "host", "release": "r"}))
    recording.run(options("shop", "finished", resources=resources))
    noted = record.load("shop")["managed"]
    site.write_text("by hand")
    recording.run(options("shop", "started", run="second", purpose="restore"))
    recording.run(options("shop", "finished", run="second", resources=resources))
    assert record.load("shop")["managed"] == noted and noted["paths"]
    recording.run(options("shop", "started", run="third"))
    recording.run(options("shop", "finished", run="third", resources=resources))
    assert record.load("shop")["managed"] != noted


def test_a_host_tells_what_is_deployed_and_what_it_gives():
    deploy("database", results={"port": 5432})
    deploy("shop", NEEDS)
    found = dependency_state.run({"plugins": ["shop", "database"], "key": "k"})
    known = {"version": "2.0.0", "target": "host", "engine": "compose", "provides": {}, "shared": True}
    assert found["plugins"] == {
        "database": {**known, "needs": {}, "results": {"port": 5432}, "needed_by": ["shop"]},
        "shop": {**known, "needs": NEEDS, "results": {}, "needed_by": []},
    }
    assert sealing.unseal(found["secrets"], "k") == {"shop": {}, "database": {}}
    assert dependents.dependents("database") == [{"plugin": "shop", "name": "database", "constraint": ">=2.0.0"}]


def test_a_record_that_cannot_be_read_hides_no_other(state):
    deploy("database")
    (state / "broken").mkdir()
    (state / "broken" / "record.json").write_text("{", encoding="utf-8")
    assert list(dependents.deployed()) == ["database"]
    assert list(dependency_state.run({"plugins": [], "key": ""})["unreadable"]) == ["broken"]


def test_nothing_is_removed_while_nobody_knows_who_needs_it(state):
    deploy("database")
    deploy("shop", NEEDS)
    for name in ("record.json", "record.json.previous"):
        (state / "shop" / name).write_text("{", encoding="utf-8")
    with pytest.raises(WindflowError) as caught:
        recording.run(options("database", "started", purpose="remove"))
    assert caught.value.code == "E5011" and "whether shop needs database" in str(caught.value)
    assert str(state / "shop" / "record.json") in str(caught.value) and "from a backup" in str(caught.value)
    assert record.load("database")["lease"] is None
    deploy("database")


def test_what_a_run_is_deploying_for_the_first_time_counts_as_long_as_its_lease_lasts():
    deploy("database")
    recording.run(options("shop", "started", revision={"version": "1.0.0", "needs": NEEDS}))
    assert dependents.dependents("database") == [{"plugin": "shop", "name": "database", "constraint": ">=2.0.0"}]
    assert list(dependents.deployed()) == ["database"]
    with pytest.raises(WindflowError) as caught:
        recording.run(options("database", "started", purpose="remove"))
    assert caught.value.code == "E5011" and "shop needs database >=2.0.0" in str(caught.value)
    recording.run(options("shop", "failed"))
    recording.run(options("shop", "started", revision={"version": "1.0.0", "needs": NEEDS}, lease_seconds=-1))
    assert dependents.dependents("database") == []


def test_secrets_are_made_once_when_a_run_begins_and_are_private(state):
    deploy("database", generate=["database.password"])
    first = kept_secrets.load("database")
    assert set(first) == {"database.password"} and len(first["database.password"]) == kept_secrets.CHARACTERS
    deploy("database", generate=["app.key", "database.password"])
    second = kept_secrets.load("database")
    assert second["database.password"] == first["database.password"] != second["app.key"]
    assert stat.S_IMODE((state / "database" / "secrets.json").stat().st_mode) == 0o600


def test_in_check_mode_none_is_made(state):
    recording.run(options("database", "started", generate=["database.password"], check=True))
    assert kept_secrets.load("database") == {}


@pytest.mark.parametrize("purged", [True, False])
def test_secrets_go_with_the_data_and_not_before(purged):
    deploy("database", generate=["database.password"])
    recording.run(options("database", "started", purpose="remove"))
    recording.run(options("database", "removed", revision={"purged": purged}))
    assert bool(kept_secrets.load("database")) is not purged


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"database.password": 1})])
def test_secrets_that_cannot_be_read_are_not_replaced_by_other_ones(state, text):
    (state / "database").mkdir()
    (state / "database" / "secrets.json").write_text(text, encoding="utf-8")
    with pytest.raises(WindflowError) as caught:
        kept_secrets.make("database", ["database.password"])
    assert caught.value.code == "E5013" and "secrets.json" in str(caught.value)
    assert (state / "database" / "secrets.json").read_text(encoding="utf-8") == text


def test_secrets_leave_the_host_under_the_callers_key_or_not_at_all():
    deploy("database", generate=["database.password"])
    password = kept_secrets.load("database")["database.password"]
    answers = [dependency_state.run({"plugins": ["database"], "key": key})["secrets"] for key in ("", "one", "two")]
    assert answers[0] == "" and answers[1] != answers[2] and not any(password in answer for answer in answers)
    assert sealing.unseal(answers[1], "one") == {"database": {"database.password": password}}


@pytest.mark.parametrize("value", [{}, {"a": "ä ✓ \x00 \" '"}, {"a": "x" * 5000}])
def test_what_was_sealed_is_unsealed_and_with_another_key_it_is_not(value):
    assert sealing.unseal(sealing.seal(value, "k"), "k") == value
    with pytest.raises(ValueError):
        sealing.unseal(sealing.seal(value, "k"), "other")
