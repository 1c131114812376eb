# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What playbooks are told of the records of a host."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
import time

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.record import store
from ansible_collections.windflow.platform.plugins.module_utils.run import record_info

NOW = 1795593600.0
pytestmark = pytest.mark.usefixtures("state_dir")


def deploy(plugin, number=1, **fields):
    """Notes a deploy of release r1, r2 and so on."""
    run = "run-%d" % number
    noted = {"version": "1.%d.0" % number, "release": "r%d" % number, "target": "host", "digests": {"site": "x"}}
    begun = store.begin(store.load(plugin), run, "ann@laptop", "deploy", NOW + number, {**noted, **fields})
    store.save(store.finish(begun, run, NOW + number, {}, {}, 5))


def asked(plugin=None, wait=0, ask=False):
    return record_info.run({"plugin": plugin, "wait": wait, "ask": ask})


def test_who_names_no_plugin_is_told_of_every_one_that_has_a_record(state_dir):
    deploy("shop")
    deploy("database")
    (state_dir / "facts").mkdir()
    found = asked()
    assert sorted(found["plugins"]) == ["database", "shop"]
    assert found["warnings"] == [] and not found["changed"]
    assert list(asked("shop")["plugins"]) == ["shop"]


def test_a_plugin_that_was_never_here_is_told_of_without_making_a_record(state_dir):
    view = asked("shop")["plugins"]["shop"]
    assert view["status"] == ["shop is not deployed: there is no record of it"]
    assert (view["current"], view["last"], view["remains"], view["serves"]) == (None, None, None, None)
    assert (view["good"], view["backups"], view["restorable"], view["networks"]) == ([], [], "", [])
    assert view["backup_lines"] == ["no backup of shop"] and list(state_dir.iterdir()) == []


def test_what_a_rollback_may_go_to_is_not_what_serves():
    deploy("shop", 1)
    deploy("shop", 2)
    view = asked("shop")["plugins"]["shop"]
    assert (view["current"]["release"], [entry["release"] for entry in view["good"]]) == ("r2", ["r1"])
    assert view["last"] == view["remains"] == view["current"]


def test_where_another_release_serves_a_rollback_may_go_to_the_one_that_the_record_names(tmp_path):
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt" / "current").symlink_to("releases/r9")
    deploy("shop", host={"install_dir": str(tmp_path / "opt")})
    view = asked("shop")["plugins"]["shop"]
    assert view["serves"] == "r9" and [entry["release"] for entry in view["good"]] == ["r1"]
    assert "the record names r1" in view["status"][1]


@pytest.fixture
def silent_port():
    """A port that nobody listens on: it is bound as long as the test runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_deployed_plugin_is_asked_for_an_answer_only_on_request(silent_port):
    deploy("shop", host={"port": silent_port, "health": "/healthz", "program": "shop"})
    quiet, told = (asked("shop", ask=ask)["plugins"]["shop"] for ask in (False, True))
    assert quiet["silence"] == "" and not any("not answering" in line for line in quiet["status"])
    assert "at port %d, path /healthz" % silent_port in told["silence"]
    assert "not answering: %s" % told["silence"] in told["status"]


def test_the_record_is_read_when_the_run_at_work_has_ended(monkeypatch):
    monkeypatch.setattr(store, "POLL_SECONDS", 0.02)
    now = time.time()
    begun = store.begin(
        store.empty("shop"), "run-1", "ann@laptop", "deploy", now, {"version": "1.0.0", "release": "r1"}
    )
    store.save(begun)
    assert asked("shop", wait=0.1)["plugins"]["shop"]["lease"]["holder"] == "ann@laptop"
    ending = threading.Timer(0.2, store.save, [store.fail(begun, "run-1", now, "build", "no disk")])
    ending.start()
    view = asked("shop", wait=20)["plugins"]["shop"]
    ending.join()
    assert view["lease"] is None and view["last"]["state"] == "failed"


def test_a_record_that_was_edited_is_told_from_its_copy_with_a_warning(state_dir):
    deploy("database")
    deploy("shop")
    (state_dir / "shop" / "record.json").write_text("{", encoding="utf-8")
    found = asked()
    assert found["plugins"]["shop"]["current"]["release"] == "r1"
    (warning,) = found["warnings"]
    assert str(state_dir / "shop" / "record.json") in warning and "is not used" in warning


def test_a_record_that_nobody_can_read_is_an_error_that_names_it(state_dir):
    deploy("shop")
    for name in ("record.json", "record.json.previous"):
        (state_dir / "shop" / name).write_text("{", encoding="utf-8")
    with pytest.raises(WindflowError) as caught:
        asked()
    assert caught.value.code == "E5003" and str(state_dir / "shop" / "record.json") in str(caught.value)


def test_a_backup_made_by_hand_is_what_a_restore_takes_where_no_run_has_made_one(state_dir):
    document = {"format": 1, "database": "shop", "time": "2026-11-25T09:00:00.123456Z", "sha256": "x", "size": 500}
    document.update(bytes=1, large_objects=0, rows={}, owner="o", encoding="UTF8", collate="C", ctype="C")
    document.update(provider="c", locale="", rules="", connection_limit=-1, acl=None, settings=[], comment=None)
    folder = state_dir / "shop" / "backups" / "database"
    folder.mkdir(parents=True)
    (folder / "by-hand.json").write_text(json.dumps({**document, "verified": "list"}), encoding="utf-8")
    (folder / "by-hand.dump").write_bytes(b"")
    deploy("shop")
    view = asked("shop")["plugins"]["shop"]
    assert view["restorable"] == "by-hand" and view["backup_lines"][0].startswith("by-hand: ")
    deploy("shop", 2, backup="before-two", event="upgrade")
    assert asked("shop")["plugins"]["shop"]["restorable"] == "before-two"


@pytest.mark.parametrize(("kept", "names"), [('{"networks": {"b": {}, "a": {}}, "before": {}}', ["a", "b"]), ("{", [])])
def test_networks_are_those_that_the_host_remembers(state_dir, kept, names):
    (state_dir / ".network").mkdir()
    (state_dir / ".network" / "shop.json").write_text(kept, encoding="utf-8")
    assert asked("shop")["plugins"]["shop"]["networks"] == names


def test_what_leads_elsewhere_is_no_plugins_name():
    with pytest.raises(WindflowError, match="E1032"):
        asked("../shop")


def test_each_process_has_a_name_of_its_own_for_its_run():
    assert re.fullmatch(r"[0-9]{8}T[0-9]{6}Z-%d" % os.getpid(), asked()["run"])
