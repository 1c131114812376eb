# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Molecule scenarios are whole: a sequence that was cut short while one was worked on would pass, or never run."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

SCENARIOS = sorted(path.parent for path in Path(__file__).parents[2].glob("molecule/*/molecule.yml"))
# Its checks stand in the playbooks themselves.
WITHOUT_VERIFICATION = {"elsewhere"}


def sequence(scenario):
    text = (scenario / "molecule.yml").read_text(encoding="utf-8")
    return [str(step).split() for step in yaml.safe_load(text)["scenario"]["test_sequence"]]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name)
def test_a_scenario_makes_its_hosts_anew_verifies_them_and_removes_them(scenario):
    steps = [step[0] for step in sequence(scenario)]
    if (scenario / "create.yml").exists():
        assert steps[:2] == ["destroy", "create"] and steps[-1] == "destroy"
    assert "converge" in steps
    assert scenario.name in WITHOUT_VERIFICATION or "verify" in steps


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name)
def test_every_playbook_of_a_scenario_is_used(scenario):
    named = {step[1] for step in sequence(scenario) if step[0] == "side_effect" and len(step) > 1}
    imported = " ".join(path.read_text(encoding="utf-8") for path in SCENARIOS[0].parent.glob("*/*.yml"))
    for path in scenario.glob("side_effect_*.yml"):
        assert path.name in named or f"{scenario.name}/{path.name}" in imported
