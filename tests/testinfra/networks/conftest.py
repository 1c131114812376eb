# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions about the networks of a guest."""

from __future__ import annotations

import pytest

BETWEEN = "======"


@pytest.fixture(scope="module")
def ask(host):
    """``ask({name: command})`` returns {name: what it printed}. A command takes a second on a guest, so all are one."""

    def call(questions: dict[str, str]) -> dict[str, str]:
        found = host.check_output(("; echo %s; " % BETWEEN).join(questions.values()))
        return dict(zip(questions, found.split(BETWEEN), strict=True))

    return call
