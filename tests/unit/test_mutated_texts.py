# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make mutations` replaces and `make faults` waits for: neither is part of `make test`."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_each_mutation_replaces_a_text_that_is_there_once():
    found = runpy.run_path(str(ROOT / "tests/mutations/test_mutations.py"))["MUTATIONS"]
    assert found
    assert [name for name, one in found.items() if (ROOT / one.file).read_text().count(one.old) != 1] == []


def test_each_moment_of_a_cut_network_is_the_name_of_a_task():
    text = (ROOT / "tests/faults/test_network.py").read_text()
    moments = re.findall(r'^    "[a-z ]+": \("([^"]+)", \{', text, re.MULTILINE)
    names = "\n".join(path.read_text() for path in ROOT.glob("roles/*/tasks/*.yml"))
    assert len(moments) > 5
    assert [moment for moment in moments if moment not in names] == []
