# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.record import restore_point


def revision(release, state, backup="", event="upgrade", **more):
    return {"release": release, "state": state, "backup": backup, "event": event, **more}


FIRST = revision("one", "superseded", event="install")
SECOND = revision("two", "deployed", "before two")
FAILED = revision("three", "failed", "before three")
AGAIN = revision("four", "failed", "half migrated")
KILLED = revision("three", "abandoned", "before three")


@pytest.mark.parametrize(
    ("revisions", "expected"),
    [
        ([], ""),
        ([FIRST], ""),
        ([FIRST, SECOND], "before two"),
        ([FIRST, SECOND, FAILED], "before three"),
        # The retry has backed up what the first attempt left.
        ([FIRST, SECOND, FAILED, AGAIN], "before three"),
        ([FIRST, SECOND, KILLED], "before three"),
        ([FIRST, SECOND, KILLED, AGAIN], "before three"),
        # One that failed before its backup has changed nothing of the database.
        ([FIRST, SECOND, revision("x", "failed"), FAILED, AGAIN], "before three"),
        ([FIRST, SECOND, FAILED, AGAIN, revision("five", "deployed", "before five")], "before five"),
        # A release that is there already is only repaired.
        ([FIRST, SECOND, revision("two", "deployed", event="deploy")], "before two"),
        ([FIRST, SECOND, FAILED, revision("two", "deployed", event="deploy"), AGAIN], "before three"),
        # After a restore the next one is of a database that is well.
        ([FIRST, SECOND, FAILED, revision("two", "deployed", "before three", "restore")], "before three"),
        ([FIRST, SECOND, FAILED, revision("two", "deployed", "before three", "restore"), AGAIN], "half migrated"),
        ([FIRST, SECOND, {**FAILED, "restored": True}], "before three"),
        ([FIRST, SECOND, {**FAILED, "restored": True}, AGAIN], "half migrated"),
        # A restore or a removal that failed has made no backup.
        ([FIRST, SECOND, revision("two", "failed", "named", "restore")], "before two"),
        ([FIRST, SECOND, revision("two", "failed", "named", "restore"), FAILED], "before three"),
        ([FIRST, SECOND, revision("two", "failed", "before one", "remove"), FAILED], "before three"),
        # A rollback has made none, and what was made before is of another release.
        ([FIRST, {**SECOND, "state": "rolled_back"}, revision("one", "deployed", "", "rollback")], ""),
        # Of what was removed the data may be there.
        ([FIRST, SECOND, revision("two", "removed", "before two", "remove")], ""),
        ([FIRST, SECOND, revision("two", "removed", "before two", "remove"), FAILED, AGAIN], "before three"),
    ],
)
def test_a_restore_takes_the_database_as_it_was_when_it_was_last_well(revisions, expected):
    assert restore_point.label({"revisions": revisions}) == expected
