# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has said to the run that has its lease."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from ansible import constants

from ansible_collections.windflow.platform.plugins.plugin_utils import known

ANSWER = {"plugins": {}, "secrets": {"shop": {"key": "a mark"}, "store": {}}}


@pytest.fixture(autouse=True)
def _own_directory(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))


def test_an_answer_is_for_its_host_and_for_the_plugins_that_it_is_about():
    known.keep("web1", ANSWER)
    assert known.recall("web1", ["shop"]) == known.recall("web1", ["store", "shop"]) == ANSWER
    assert known.recall("web1", ["shop", "other"]) is None
    assert known.recall("../web2", ["shop"]) is None


def test_a_later_answer_takes_the_place_of_an_earlier_one_and_is_forgotten(tmp_path):
    known.keep("../web2", ANSWER)
    known.keep("../web2", {"plugins": {}, "secrets": {"shop": {}}})
    assert known.recall("../web2", ["shop"]) == {"plugins": {}, "secrets": {"shop": {}}}
    known.forget("../web2")
    known.forget("../web2")
    assert known.recall("../web2", ["shop"]) is None
    assert not list(tmp_path.iterdir())


def test_only_the_operator_can_read_it(tmp_path):
    known.keep("web1", ANSWER)
    (path,) = Path(tmp_path).iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
