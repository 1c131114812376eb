# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was there before is there again."""

from __future__ import annotations

import json

import pytest

QUESTIONS = {
    "now": "ip -o -4 address show scope global",
    "before": "cat /root/before",
    "links": "ip -j link show",
    "files": "find /etc -name '*windflow-lan*'",
    "kept": "ls -A /var/lib/windflow/.network",
}


@pytest.fixture(scope="module")
def answers(ask):
    return ask(QUESTIONS)


def addresses(text):
    return sorted(tuple(line.split()[1:4:2]) for line in text.strip().splitlines())


def test_the_addresses_are_those_of_before(answers):
    assert addresses(answers["now"]) == addresses(answers["before"])


def test_the_interfaces_are_those_of_before(answers):
    links = {item["ifname"]: item for item in json.loads(answers["links"])}
    assert not [name for name in ("br0", "eth1.20", "bond0", "bond0.40") if name in links]
    assert links["eth1"]["mtu"] == 1500
    assert not [name for name, item in links.items() if "master" in item]


def test_no_file_of_ours_is_left(answers):
    assert answers["files"].strip() == ""
    assert answers["kept"].strip() == ""
