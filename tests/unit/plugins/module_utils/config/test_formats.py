# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.config import formats

FORMATS = {
    "cidr": (["10.0.0.0/8", "2001:db8::/32"], ["10.0.0.1/8", "10.0.0.0", "x/8", "10.0.0.0/33"]),
    "hostname": (["a", "a-b.example.com", "1.example"], ["-a", "a_b", "a..b", "a b", "a" * 64, ""]),
    "ipv4": (["192.0.2.1"], ["192.0.2.256", "1.2.3", "::1"]),
    "ipv6": (["::1", "2001:db8::1"], ["fe80::1%eth0", "1.2.3.4", ":::"]),
    "email": (["a@example.com", "a.b+c@[192.0.2.1]"], ["a", "a@", "@b", "a b@c.d", "a@b c", "a@b\nc"]),
    "uri": (["https://example.com/a?b#c", "urn:x:y"], ["/a", "https://a b", "x"]),
    "uri-reference": (["/a", "a#b"], ["a b", "%zz"]),
    "date": (["2026-02-28"], ["2026-02-30", "2026-2-3", "20260203"]),
    "time": (["12:00:00Z", "12:00:00.5+02:00"], ["12:00", "25:00:00Z", "12:00:00"]),
    "date-time": (["2026-02-28T12:00:00Z"], ["2026-02-28", "2026-02-30T12:00:00Z"]),
    "duration": (["P1D", "PT5M", "P2W"], ["P", "PT", "5M"]),
    "uuid": (["123e4567-e89b-12d3-a456-426614174000"], ["123e4567e89b12d3a456426614174000", "x"]),
    "regex": (["^a$"], ["("]),
    "json-pointer": (["", "/a/~0"], ["a", "/~2"]),
    "path": (["/srv/app"], ["srv", "/srv/../etc", "/a\n"]),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_checked_without_optional_packages(name):
    good, bad = FORMATS[name]
    assert [text for text in good if not formats.check(text, name)] == []
    assert [text for text in bad if formats.check(text, name)] == []


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("value", [5, None, True, ["x"], {}])
def test_only_text_can_be_of_no_format(name, value):
    assert formats.check(value, name)


def test_a_format_nobody_knows_is_an_annotation():
    assert formats.check("x", "password")


def test_what_a_finding_says_that_it_expected_is_said_of_formats_that_are_checked():
    assert set(formats.WORDS) <= set(formats.CHECKS)


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("10.1.2.3", None),
        ("10.1.2.3/33", None),
        ("x/8", None),
    ],
)
def test_the_network_of_an_address_is_found_with_host_bits_set(text, network):
    assert formats.network_of(text) == network


@pytest.mark.parametrize(("text", "found"), [("192.0.2.1", True), ("::1", True), ("fe80::1%eth0", False), ("x", False)])
def test_an_address_has_no_scope(text, found):
    assert formats.is_address(text) is found
