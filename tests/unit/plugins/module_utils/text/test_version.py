# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.windflow.platform.plugins.module_utils.text import version
from ansible_collections.windflow.platform.plugins.module_utils.text.version import parse_constraint, parse_version

ROOT = Path(version.__file__).resolve().parents[3]


def test_the_platform_version_is_that_of_galaxy_yml():
    assert yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"] == version.PLATFORM_VERSION


@pytest.mark.parametrize(
    ("constraint", "allowed", "refused"),
    [
        (">=1.0.0", ["1.0.0", "2.3.4"], ["0.9.9", "1.0.0-rc.1"]),
        (">=1.0,<3", ["1.0.0", "2.9.9"], ["3.0.0", "0.1.0"]),
        (">= 1.0 , < 3", ["2.0.0"], ["3.0.0"]),
        ("^1.2", ["1.2.0", "1.9.0"], ["2.0.0", "1.1.9"]),
        ("~1.2", ["1.2.0", "1.2.9"], ["1.3.0"]),
        ("*", ["0.0.1", "9.9.9"], []),
        ("==1.2.3", ["1.2.3"], ["1.2.4"]),
        ("1.2.3", ["1.2.3"], ["1.2.4"]),
        ("!=1.2.3", ["1.2.4"], ["1.2.3"]),
        # As docs/plugin-author.md says of numbers that are left out.
        ("==1.2", ["1.2.0", "1.2.5"], ["1.3.0"]),
        ("<=1.2", ["1.2.5"], ["1.3.0"]),
        ("!=1.2", ["1.3.0"], ["1.2.5"]),
        (">1.2", ["1.3.0"], ["1.2.0", "1.2.5"]),
        ("<1.2", ["1.1.9"], ["1.2.0"]),
        ("~=1.2", ["1.9.0"], ["2.0.0"]),
        ("~=1.2.3", ["1.2.3", "1.2.9"], ["1.3.0", "1.2.2"]),
        # As npm has it.
        ("^2.0.0-rc.1", ["2.0.0-rc.1", "2.0.0-rc.2", "2.0.0", "2.9.0"], ["2.0.0-beta", "3.0.0", "3.0.0-rc.1"]),
        ("~1.2.0-rc.1", ["1.2.0-rc.1", "1.2.0", "1.2.9"], ["1.2.0-beta.9", "1.3.0", "1.3.0-0", "1.1.0"]),
        ("^0", ["0.0.0", "0.0.2", "0.9.9"], ["1.0.0"]),
        ("^0.0", ["0.0.0", "0.0.9"], ["0.1.0"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4", "0.0.2"]),
        ("^0.0.3-beta", ["0.0.3-beta", "0.0.3"], ["0.0.4"]),
        ("^0.2.3", ["0.2.3", "0.2.9"], ["0.3.0"]),
        ("^0.x", ["0.0.1", "0.9.0"], ["1.0.0"]),
        ("^1.x", ["1.0.0", "1.9.9"], ["2.0.0"]),
        ("^ 1.2", ["1.2.0"], ["2.0.0"]),
        ("~0", ["0.0.1", "0.9.0"], ["1.0.0"]),
        ("~1", ["1.0.0", "1.9.9"], ["2.0.0"]),
        ("~>1.2.3", ["1.2.3"], ["1.3.0"]),
        (">=1 <2", ["1.0.0", "1.9.9"], ["2.0.0", "2.0.0-rc.1"]),
        (">= 1.0   < 3", ["2.0.0"], ["3.0.0"]),
        (">=1.0 , <3 !=2.1.0", ["2.0.0"], ["2.1.0", "3.0.0"]),
        ("1.2 || 3", ["1.2.9", "3.9.9"], ["1.3.0", "2.0.0"]),
        ("^1.2||^2.0.1", ["1.9.0", "2.0.1"], ["2.0.0", "3.0.0"]),
        ("1.x", ["1.0.0", "1.9.9"], ["2.0.0", "0.9.0"]),
        ("1.2.x", ["1.2.0", "1.2.9"], ["1.3.0"]),
        ("1.2.*", ["1.2.0"], ["1.3.0"]),
        ("1.X.3", ["1.9.0"], ["2.0.0"]),
        ("x", ["0.0.0", "9.9.9"], []),
        (">=x", ["0.0.0"], []),
        ("<*", [], ["0.0.0", "1.0.0"]),
        ("1.2.3 - 2.3.4", ["1.2.3", "2.3.4"], ["1.2.2", "2.3.5"]),
        ("1.2 - 2.3", ["1.2.0", "2.3.9"], ["1.1.9", "2.4.0"]),
        ("1 - 2", ["1.0.0", "2.9.9"], ["3.0.0"]),
        ("1.2.3-rc.1 - 2", ["1.2.3-rc.1", "2.0.0"], ["1.2.3-beta"]),
        ("v1.2.3", ["1.2.3"], ["1.2.4"]),
        (">=v1", ["1.0.0"], ["0.9.0"]),
        ("=v1.2", ["1.2.3"], ["1.3.0"]),
        (">1", ["2.0.0"], ["1.9.9", "2.0.0-rc.1"]),
        (">1.2.3-rc.1", ["1.2.3-rc.2", "1.2.3", "1.2.4"], ["1.2.3-rc.1"]),
        ("<1.0.0-rc.2", ["1.0.0-rc.1", "0.9.0"], ["1.0.0-rc.2", "1.0.0"]),
        ("<=2.0.0-rc.1", ["2.0.0-rc.1", "1.0.0"], ["2.0.0-rc.2", "2.0.0"]),
        ("<2.0.0", ["1.9.9"], ["2.0.0-rc.1"]),
        ("1.2.3+build", ["1.2.3", "1.2.3+other"], ["1.2.4"]),
        ("1.0.0-rc.1", ["1.0.0-rc.1"], ["1.0.0", "1.0.0-rc.2"]),
        ("!=1.0.0-rc.1", ["1.0.0", "1.0.0-rc.2"], ["1.0.0-rc.1"]),
        ("^1 ||", ["1.0.0", "5.0.0"], []),
    ],
)
def test_constraints(constraint, allowed, refused):
    parsed = parse_constraint(constraint)
    assert [text for text in allowed + refused if parsed.allows(text)] == allowed


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("=>1.0", 'write ">=1.0"'),
        (">=1.0,=<3", 'write ">=1.0,<=3"'),
        ("latest", 'the part "latest"'),
        ("^1 || newest", 'the part "newest"'),
        (">=1 && <2", 'the part "&&"'),
        ("1.2-rc.1", 'the part "1.2-rc.1"'),
        ("1.2.3.4", 'the part "1.2.3.4"'),
        ("01.2.3", 'the part "01.2.3"'),
        ("", '">=1.0.0"'),
        (",", '">=1.0.0"'),
        (">=1,,<2", '">=1.0.0"'),
        ("1 - 2 - 3", 'the part "-"'),
        ("\u0661.0", '">=1.0.0"'),
        (">=1." + "9" * 40, "the part"),
        (1.0, "quotes"),
        (None, "quotes"),
        ("x" * 300, '">=1.0.0"'),
    ],
)
def test_other_constraints_are_refused_with_a_suggestion(text, remedy, findings):
    (problem,) = findings(parse_constraint, text)
    assert problem.code == "E1036"
    assert remedy in problem.remedy


def test_versions_compare_by_their_numbers():
    texts = ["1.10.0", "1.9.0", "1.10.0-rc.1", "1.2.0"]
    assert sorted(texts, key=parse_version) == ["1.2.0", "1.9.0", "1.10.0-rc.1", "1.10.0"]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("v1", '"1.0.0"'),
        ("1.10", '"1.10.0"'),
        ("01.2.3", '"1.2.3"'),
        ("one", "three numbers"),
        ("1.0.0\n", '"1.0.0"'),
        ("1.0.0 ", '"1.0.0"'),
        ("9" * 100, "three numbers"),
        (1.1, "quotes"),
        ([], "quotes"),
        ("\u0661.0.0", "1.0.0"),
    ],
)
def test_other_versions_are_refused_with_a_suggestion(text, remedy, findings):
    (problem,) = findings(parse_version, text)
    assert problem.code == "E1033"
    assert remedy in problem.remedy
