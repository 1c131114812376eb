# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack in a swarm, as far as no swarm is needed for it."""

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.containers import stack


@pytest.fixture
def removal(monkeypatch, container_options, tmp_path):
    """Returns the warnings of a removal that is over after as many looks at the swarm as there are answers."""

    def run(tasks, containers, down=()):
        answers = {"stack ps": list(tasks), "ps --all": list(containers)}
        folders = dict.fromkeys(("install_dir", "shared_dir"), str(tmp_path))
        removed = stack.Stack(container_options(**folders))
        removed.nodes_down = lambda: set(down)
        removed.docker = lambda _what, *words, check=True: answers.get(" ".join(words[:2]), [""]).pop(0)
        removed.remove_stack()
        assert answers == {"stack ps": [], "ps --all": []}
        return removed.warnings

    monkeypatch.setattr(stack, "POLL_SECONDS", 0)
    return run


def test_a_removal_waits_for_containers_that_end_after_their_tasks(removal):
    assert removal(["node1\n", "", ""], ["f90e5d\n", "f90e5d\n", ""]) == []


def test_a_removal_does_not_wait_for_a_node_that_is_down_but_for_its_own_containers(removal):
    (warning,) = removal(["node2\n", "node2\n"], ["f90e5d\n", ""], down=["node2"])
    assert "node2, which is down" in warning
