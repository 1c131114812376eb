# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles' interfaces: what is documented is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
# For everybody's playbooks; the others are pieces of the pipeline.
PUBLIC = [name for name in ROLES if name not in ("compose", "host", "migration")]
# Set by an inventory or on the command line, for the playbooks; docs/operator.md has them.
SETTINGS = {"windflow_builder", "windflow_builder_become", "windflow_registry", "windflow_nodes"}
SETTINGS |= {"windflow_network_consent", "windflow_network_timeout", "windflow_network_address"}
SETTINGS |= {"windflow_network_confirm"}


def load(role, name):
    path = ROOT / "roles" / role / name
    return (yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None) or {}


def specs(role):
    return load(role, "meta/argument_specs.yml")["argument_specs"]


def options(role):
    return {name for spec in specs(role).values() for name in spec["options"]}


@pytest.mark.parametrize("role", ROLES)
def test_every_variable_is_documented_and_carries_the_role_s_name(role):
    assert set(load(role, "defaults/main.yml")) <= options(role)
    assert all(re.match(rf"(__)?{role}(_|$)", name) for name in options(role) | set(load(role, "vars/main.yml")))
    assert all(name.startswith("__") for name in load(role, "vars/main.yml"))


@pytest.mark.parametrize("role", ROLES)
def test_every_entry_point_has_its_tasks(role):
    for name in specs(role):
        assert (ROOT / "roles" / role / "tasks" / f"{name}.yml").is_file(), name


@pytest.mark.parametrize("role", ROLES)
def test_no_role_reads_a_variable_of_a_playbook(role):
    for path in (ROOT / "roles" / role).rglob("*.yml"):
        found = set(re.findall(r"(?<![\w.])windflow_\w+", path.read_text(encoding="utf-8")))
        assert found <= SETTINGS | {"windflow_config", "windflow_hosts"}, path


@pytest.mark.parametrize("role", PUBLIC)
def test_a_public_role_is_shown_with_an_example_platforms_and_all_its_variables(role):
    main = specs(role)["main"]
    [play] = yaml.safe_load(main["examples"])
    [given] = [set(item["vars"]) for item in play["roles"] if item["role"] == f"windflow.platform.{role}"]
    assert given <= set(main["options"])
    readme = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in readme for name in main["options"])
    assert main["examples"].rstrip() in readme
    assert {item["name"] for item in load(role, "meta/main.yml")["galaxy_info"]["platforms"]} == {"Debian", "Ubuntu"}


@pytest.mark.parametrize("role", PUBLIC)
def test_what_is_not_for_everybody_says_so(role):
    for name, spec in specs(role).items():
        internal = name != "main"
        assert spec["description"][0].startswith("Internal.") is internal
        assert internal is all(option.startswith("__") for option in spec["options"]) or role == "deploy"


def test_the_documentation_names_every_public_role():
    text = (ROOT / "docs" / "roles.md").read_text(encoding="utf-8")
    assert all(f"`{role}`" in text for role in PUBLIC)


def test_no_role_s_file_is_chosen_by_a_template():
    """Ansible gives every host of a play the file of the first host."""
    files = [*(ROOT / "roles").rglob("tasks/*.yml"), *(ROOT / "playbooks").rglob("*.yml")]
    assert [str(path) for path in files if re.search(r"tasks_from:.*\{\{", path.read_text(encoding="utf-8"))] == []
