# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.database import access

LOOP, MASK = "127.0.0.1", "255.255.255.255"


def rule(method, kind="host", databases=("all",), users=("all",), network=LOOP, mask=MASK):
    return [kind, list(databases), list(users), network, mask, method]


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([], ""),
        ([rule("ident")], "ident"),
        ([rule("ident"), rule("md5")], "ident"),
        ([rule("peer", kind="local"), rule("md5")], "md5"),
        ([rule("trust", kind="hostssl"), rule("md5")], "md5"),
        ([rule("trust", databases=["replication"]), rule("md5")], "md5"),
        ([rule("trust", users=["other"]), rule("scram-sha-256", databases=["app"], users=["web"])], "scram-sha-256"),
        ([rule("trust", network="127.0.0.0", mask="255.0.0.0")], "trust"),
        ([rule("trust", network="10.0.0.0", mask="255.0.0.0"), rule("md5", network="all", mask=None)], "md5"),
        ([rule("trust", network="::1", mask="ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")], ""),
        ([rule("trust", network="example.com", mask=None)], ""),
    ],
)
def test_the_first_rule_that_fits_decides(rules, found):
    assert access.method(rules, "app", "web", LOOP) == found


def test_the_address_with_the_method_that_is_not_good_is_told():
    rules = [rule("md5"), rule("ident", network="::1", mask="ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
    assert access.weakest(rules, "app", "web") == "ident"


def test_lines_are_put_first_once_and_are_taken_out_again():
    text = "# theirs\nhost all all 127.0.0.1/32 ident"
    once = access.with_lines(text, "app")
    assert access.with_lines(once, "app") == once
    assert once.splitlines()[0].startswith('host "app" all 127.0.0.1/32 scram-sha-256')
    assert access.without_lines(access.with_lines(once, "app2"), "app").count("app2") == 4
    assert access.without_lines(once, "app") == text


def test_lines_of_a_login_are_its_own():
    text = access.with_lines("host all all all reject\n", "app")
    once = access.with_login(text, "windflow_login_0123abcd")
    assert once.splitlines()[0].startswith('host all "windflow_login_0123abcd" 127.0.0.1/32 scram-sha-256')
    assert access.with_login(once, "windflow_login_0123abcd") == once
    assert access.without_login(once, "windflow_login_0123abcd") == text
    assert access.without_lines(once, "app").count("windflow_login_0123abcd") == 4
