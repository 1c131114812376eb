# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault matrix: which test shows what happens at which fault, and a line for each row of docs/faults.md."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

MATRIX = Path(__file__).resolve().parents[1] / "docs" / "faults.md"
ROW = re.compile(r"\| (\d+) \| (.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)


def pytest_addoption(parser):
    parser.addoption("--fault-rows", action="store_true", help="only the tests of the fault matrix, with a line a row")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--fault-rows"):
        items[:] = [item for item in items if item.get_closest_marker("fault")]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    rows = [row for marker in item.iter_markers("fault") for row in marker.args]
    report.user_properties.append(("fault", rows))


def pytest_terminal_summary(terminalreporter, config):
    if not config.getoption("--fault-rows"):
        return
    outcomes = defaultdict(list)
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, rows in getattr(report, "user_properties", []):
                if name == "fault" and (report.when == "call" or outcome != "passed"):
                    for row in rows:
                        outcomes[row].append(outcome)
    terminalreporter.section("fault matrix")
    for number, fault, _expected, elsewhere in ROW.findall(MATRIX.read_text(encoding="utf-8")):
        found = outcomes[int(number)]
        if found:
            said = ", ".join("%d %s" % (found.count(name), name) for name in dict.fromkeys(found))
        else:
            said = "not here: %s" % elsewhere if elsewhere != "here" else "NO TEST RAN"
        terminalreporter.write_line("%2d  %-58s %s" % (int(number), fault[:58], said))
