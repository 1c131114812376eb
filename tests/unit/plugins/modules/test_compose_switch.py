# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's own part of a switch in containers: what it says, and what it foresees. The switch itself is tested with
``Containers``."""

from __future__ import annotations

import json
import os

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.windflow.platform.plugins.modules import compose_switch

RELEASE = "20261123T012327Z-1a2b3c4d"


@pytest.fixture
def run(tmp_path, capsys):
    """Runs the module for a plugin below ``tmp_path``, and returns what it says with its exit code."""

    def call(check=False, **changes):
        places = {"install_dir": str(tmp_path), "shared_dir": str(tmp_path / "shared")}
        known = {"plugin": "demo", "project": "windflow-demo", "app": "app", "release": RELEASE, **places}
        with patch_module_args({**known, **changes, "_ansible_check_mode": check}), pytest.raises(SystemExit) as ended:
            compose_switch.main()
        return ended.value.code, json.loads(capsys.readouterr().out)

    return call


def test_check_mode_foresees_the_switch_of_a_release_that_is_not_current(run, tmp_path):
    rc, said = run(check=True)
    assert rc == 0 and said["changed"] and said["changes"] == [str(tmp_path / "current")]
    os.symlink("releases/%s" % RELEASE, tmp_path / "current")
    rc, said = run(check=True)
    assert rc == 0 and not said["changed"] and said["changes"] == []


def test_a_release_that_is_current_is_left_alone(run, tmp_path):
    os.symlink("releases/%s" % RELEASE, tmp_path / "current")
    rc, said = run()
    assert rc == 0 and not said["changed"] and said["timings"] == {}


def test_options_that_lead_elsewhere_are_refused(run):
    rc, said = run(release="../../etc", port=70000)
    assert rc == 1 and said["code"] == "E4044" and len(said["problems"]) == 2 and not said["changed"]


def test_a_release_that_is_not_there_is_an_error_that_says_what_became_of_the_host(run):
    rc, said = run()
    assert rc == 1 and said["code"].startswith("E4") and not said["changed"]
    assert "Nothing was changed. No release was there before." in said["msg"]
