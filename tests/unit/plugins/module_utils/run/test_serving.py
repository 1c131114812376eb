# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What serves in truth, beside a record."""

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.record import report, store
from ansible_collections.windflow.platform.plugins.module_utils.run import serving

NOW = 1795593600.0
OLD, NEW = "20261123T012327Z-1a2b3c4d", "20261124T012327Z-5e6f7a8b"
pytestmark = pytest.mark.fault(80)


@pytest.fixture
def place(tmp_path):
    """Where nginx's site and ``current`` are, and what points at a release there."""

    class InputContext:
        host = {"install_dir": str(tmp_path / "opt"), "os": {"nginx": {"enabled_dir": str(tmp_path / "sites")}}}

        def point(self, site="", current=""):
            for name, text in (("sites/windflow-demo.conf", site), ("opt/current", current)):
                (tmp_path / name).parent.mkdir(exist_ok=True)
                (tmp_path / name).unlink(missing_ok=True)
                if name.startswith("sites") and text:
                    (tmp_path / name).write_text(f"upstream x {{ server unix:{tmp_path}/opt/run/{text}-0.sock; }}\n")
                elif text:
                    (tmp_path / name).symlink_to(f"releases/{text}")

    return InputContext()


def run(before, release, place, end=True, purpose="deploy"):
    fields = {"version": "1.0.0", "release": release, "event": purpose, "host": place.host, "digests": {"site": "x"}}
    begun = store.begin(before, release, "anna@laptop", purpose, NOW, fields)
    return store.finish(begun, release, NOW, {}, {}, 5) if end else begun


def test_a_record_that_is_right_is_trusted(place):
    remembered = run(store.empty("demo"), OLD, place)
    place.point(OLD, OLD)
    assert serving.other(remembered, NOW) is None
    assert serving.other(store.empty("demo"), NOW) is None


def test_a_plugin_that_is_packages_and_a_database_has_no_release_that_could_serve(place):
    place.host = {"port": 0, "program": "", "os": place.host["os"]}
    assert serving.other(run(store.empty("demo"), OLD, place), NOW) is None


@pytest.mark.parametrize(("site", "current", "found"), [(NEW, NEW, NEW), (NEW, OLD, NEW), ("", NEW, NEW), ("", "", "")])
def test_a_run_that_was_ended_in_the_middle_leaves_another_release_than_the_record_names(place, site, current, found):
    remembered = run(run(store.empty("demo"), OLD, place), NEW, place, end=False)
    place.point(site, current)
    assert serving.other(remembered, NOW) is None, "while a run is at work nothing is said"
    ended = store.unlock(remembered, "anna@laptop", NOW)
    assert serving.other(ended, NOW) == found
    said = report.other(ended, found)
    assert (
        f"the record names {OLD}" in said and (f"release {NEW} serves (revision 2" if found else "no release") in said
    )
    # What the record names is what a rollback goes to.
    assert [entry["release"] for entry in store.good(ended, found)] == [OLD]
    assert store.good(ended) == []


def test_the_first_release_that_serves_without_a_record_of_its_end_is_found(place):
    remembered = store.unlock(run(store.empty("demo"), NEW, place, end=False), "anna@laptop", NOW)
    place.point(NEW, NEW)
    assert serving.other(remembered, NOW) == NEW
    assert "the record names none" in report.other(remembered, NEW)


def test_going_back_to_what_the_record_names_does_not_mark_it_as_left(place):
    remembered = store.unlock(run(run(store.empty("demo"), OLD, place), NEW, place, end=False), "anna", NOW)
    after = run(remembered, OLD, place, purpose=store.ROLLBACK)
    assert [entry["state"] for entry in after["revisions"]] == ["superseded", "abandoned", "deployed"]
    assert store.current(after)["release"] == OLD
