# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.record import file_format

RECORD = {
    "format": 1,
    "plugin": "shop",
    "sequence": 2,
    "current": 2,
    "lease": None,
    "managed": {"paths": {"/opt/shop": {"step": "directories", "mode": "0755"}}, "trees": []},
    "revisions": [
        {
            "revision": number,
            "state": state,
            "started": "20261123T012327Z",
            "finished": None,
            "step": "end",
            "version": "1.0.0",
            "release": "R%d" % number,
            "target": "host",
            "digests": {"config": "a"},
        }
        for number, state in ((1, "superseded"), (2, "deployed"))
    ],
}


def edited(change, data=None):
    """The bytes of a record that somebody has edited and from which they have taken the checksum."""
    found = json.loads(data or file_format.encode(RECORD))
    del found["checksum"]
    change(found)
    return json.dumps(found).encode()


def test_a_record_comes_back_as_it_was():
    assert file_format.decode(file_format.encode(RECORD), "shop") == RECORD


def test_the_bytes_do_not_depend_on_the_order_of_keys():
    assert file_format.encode(dict(reversed(RECORD.items()))) == file_format.encode(RECORD)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b'"1.0.0"', b'"1.0.1"'),
        lambda data: data.replace(b'"sequence": 2', b'"sequence": 3'),
    ],
)
def test_an_edit_by_hand_is_noticed_by_the_checksum(change):
    data = change(file_format.encode(RECORD))
    with pytest.raises(ValueError, match="checksum does not match"):
        file_format.decode(data, "shop")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"{}", b"[" * 100_000])
def test_what_is_no_record_is_refused(data):
    with pytest.raises(ValueError):
        file_format.decode(data, "shop")


def test_the_record_of_another_plugin_is_none_of_this_one():
    with pytest.raises(ValueError, match="no record of plugin other"):
        file_format.decode(file_format.encode(RECORD), "other")


def test_an_edit_that_is_meant_may_change_values():
    def change(record):
        record["revisions"][1]["version"] = "1.0.1"

    found = file_format.decode(edited(change), "shop", file_format.encode(RECORD))
    assert found["revisions"][1]["version"] == "1.0.1"


def test_an_edit_may_leave_out_revisions_but_nothing_of_one_that_stays():
    def less(record):
        del record["revisions"][0]

    def poorer(record):
        del record["revisions"][1]["target"], record["revisions"][1]["digests"]
        record["current"] = None

    left = file_format.encode(RECORD)
    assert len(file_format.decode(edited(less), "shop", left)["revisions"]) == 1
    with pytest.raises(ValueError, match=r"revisions\[1\] without"):
        file_format.decode(edited(poorer), "shop", left)


def test_an_edit_may_not_make_another_kind_of_a_value():
    def change(record):
        record["managed"]["paths"]["/opt/shop"]["mode"] = 755

    with pytest.raises(ValueError, match="mode is of another kind"):
        file_format.decode(edited(change), "shop", file_format.encode(RECORD))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["sequence"], 1, "a sequence below that of the last revision"),
        (["sequence"], True, "an unexpected sequence"),
        (["current"], 1, "a current revision that is not deployed"),
        (["revisions", 1, "state"], "fine", "an unknown state"),
        (["revisions", 1, "revision"], 1, "a number that is not above the one before"),
        (["revisions", 1, "version"], None, "an unexpected version"),
        (["revisions", 1, "needs"], {"db": {"plugin": "x"}}, "without constraint"),
        (["managed", "paths", "/opt/shop"], [], "is no map"),
        (["managed"], [], "an unexpected managed"),
        (["made"], {"account": "shop"}, "an unexpected account"),
        (["lease"], {}, "lease without run"),
    ],
)
def test_a_record_that_no_run_has_written_is_refused_with_the_place(path, value, said):
    record = copy.deepcopy(RECORD)
    part = record
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    with pytest.raises(ValueError, match=said):
        file_format.check(record)


def test_a_lease_belongs_to_a_running_revision_and_ends_some_day():
    record = copy.deepcopy(RECORD)
    record["lease"] = {
        "run": "r",
        "holder": "h",
        "purpose": "deploy",
        "since": "s",
        "expires": 1.0,
        "step": "",
        "revision": 2,
    }
    with pytest.raises(ValueError, match="a lease without a running revision"):
        file_format.check(record)
    record["revisions"][1]["state"], record["current"] = "running", None
    file_format.check(record)
    record["lease"]["expires"] = 1e300
    with pytest.raises(ValueError, match="an impossible expires"):
        file_format.check(record)
