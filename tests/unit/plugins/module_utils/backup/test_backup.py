# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backup import backup
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError

PARAMS = {
    "name": "app",
    "label": "first",
    "directory": "/nowhere/at/all",
    "state": "present",
    "port": 1,
    "socket_dir": "/nowhere",
    "container": None,
    "verify": "restore",
    "keep": 5,
    "spare": [],
    "skip_empty": False,
    "drop_replaced": False,
    "timeout": 10,
}


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
