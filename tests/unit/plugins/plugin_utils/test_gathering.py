# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is asked before the inputs are read."""

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.inputs import Place, manifest_of
from ansible_collections.windflow.platform.plugins.plugin_utils import gathering


@pytest.fixture
def asked(monkeypatch):
    """The questions that a host gets on which the plugin postgres is deployed, with a secret for each plugin."""
    questions = []

    def answer(_action, question, _task_vars):
        questions.append(question["plugins"])
        made = {name: {"key": "secret of %s" % name} for name in question["plugins"]}
        deployed = {"version": "1.0.0", "target": "host", "provides": {}, "needs": {}, "results": {}}
        return {"plugins": {"postgres": deployed}, "secrets": made}

    monkeypatch.setattr(gathering, "deployed_state", answer)
    return questions


@pytest.mark.parametrize(
    ("need", "rounds"),
    [
        ("[]", []),
        ("[postgres]", [["postgres", "shop"]]),
        # Without the host the plugin of the very name is chosen.
        ("[store]", [["store", "shop"], ["postgres", "shop"]]),
    ],
)
def test_the_secrets_of_what_is_chosen_are_asked_for_whatever_the_host_has(tmp_path, asked, need, rounds):
    needed = need.replace("]", ": '*'}]").replace("[", "[{") if need != "[]" else need
    for name, more in (("shop", "dependencies: %s" % needed), ("store", ""), ("postgres", "provides: {store: 1.0.0}")):
        folder = tmp_path / "windflow_plugins" / name
        folder.mkdir(parents=True)
        (folder / "plugin.yml").write_text("name: %s\nversion: 1.0.0\n%s\n" % (name, more), encoding="utf-8")
    where = Place({}, {}, tmp_path)
    manifest = manifest_of({"plugin": "shop"}, where)
    found = gathering.ask_host(None, manifest, where, {})
    assert asked == rounds
    assert [found.kept(name) != {} for name in (rounds or [[]])[-1]] == [True] * len((rounds or [[]])[-1])
