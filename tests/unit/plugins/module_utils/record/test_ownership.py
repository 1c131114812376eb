# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the record knows to be made here."""

from __future__ import annotations

import pwd

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.record import file_format, ownership, store

HOST = {
    "install_dir": "/opt/web",
    "data_dir": "/var/lib/web",
    "log_dir": "/var/log/web",
    "volumes": ["/srv/web"],
    "user": "web",
    "group": "web",
}


def of_before(**entry):
    """A record as it was before it said what was made."""
    kept = store.empty("web")
    del kept["made"]
    kept["revisions"].append(
        {
            **{"revision": 1, "state": "deployed", "release": "r", "version": "1.0.0", "target": "host"},
            **{"started": "", "finished": "", "step": "", **entry},
        }
    )
    kept.update(sequence=1, current=1)
    return kept


def comment(monkeypatch, text):
    monkeypatch.setattr(pwd, "getpwnam", lambda name: pwd.struct_passwd((name, "x", 9, 9, text, "/", "/bin/false")))


def test_what_is_noted_is_in_the_record_until_it_is_forgotten(tmp_path):
    state = str(tmp_path)
    ownership.note_made("web", "account", ["web"], state)
    ownership.note_made("web", "directories", ["/b", "/a"], state)
    ownership.note_made("web", "directories", ["/c", "/a"], state)
    assert store.load("web", state)["made"]["directories"] == ["/a", "/b", "/c"]
    ownership.forget_made("web", "directories", ["/a", "/never"], state)
    assert ownership.made_resources(store.load("web", state)) == {
        "account": ["web"],
        "database": [],
        "directories": ["/b", "/c"],
        "group": [],
        "role": [],
        "volumes": [],
    }
    assert ownership.is_made("web", "account", "web", state) and not ownership.is_made("web", "group", "web", state)


def test_it_survives_a_run_and_a_removal():
    kept = ownership.with_made(store.empty("web"), "database", ["web"])
    fields = {"release": "r", "digests": {"a": "b"}}
    for number, end in enumerate(
        [
            lambda kept, run: store.finish(kept, run, 3, {}, {}, 5),
            lambda kept, run: store.fail(kept, run, 3, "", "broken"),
            lambda kept, run: store.remove(kept, run, 3, {}),
        ]
    ):
        kept = end(store.begin(kept, str(number), "me", "deploy", 1, fields), str(number))
        assert ownership.made_resources(kept)["database"] == ["web"]


def test_a_record_of_before_tells_by_what_it_managed(monkeypatch):
    comment(monkeypatch, "Made by windflow with group web")
    kept = of_before(host=HOST, database={"name": "shop", "user": "web", "port": 5432})
    found = ownership.made_resources(kept)
    assert found["account"] == found["group"] == ["web"]
    assert found["directories"] == ["/opt/web", "/srv/web", "/var/lib/web", "/var/log/web"]
    assert (found["database"], found["role"]) == (["shop"], ["shop_owner", "web"])


@pytest.mark.parametrize(
    ("text", "account", "group"),
    [("Made by windflow", ["web"], []), ("the operator", [], []), ("Made by windflowers", [], [])],
)
def test_whose_an_account_of_before_is_its_comment_tells(monkeypatch, text, account, group):
    comment(monkeypatch, text)
    found = ownership.made_resources(of_before(host=HOST))
    assert (found["account"], found["group"]) == (account, group)


def test_a_run_that_begins_settles_it_before_its_own_plan_is_in_the_record(monkeypatch):
    comment(monkeypatch, "Made by windflow with group web")
    kept = ownership.settled(of_before(host=HOST))
    kept = store.begin(kept, "run", "me", "deploy", 1, {"release": "s", "host": dict(HOST, data_dir="/home/ann")})
    assert "/home/ann" not in ownership.with_made(kept, "directories", ["/x"])["made"]["directories"]
    kept = store.begin(store.empty("web"), "run", "me", "deploy", 1, {"release": "r", "host": HOST})
    assert not any(ownership.made_resources(kept).values())


def test_one_that_was_edited_is_refused():
    kept = dict(of_before(), made={"account": "web"})
    with pytest.raises(ValueError, match="made with an unexpected account"):
        file_format.check(kept)
    file_format.check(dict(kept, made={"account": ["web"]}))
