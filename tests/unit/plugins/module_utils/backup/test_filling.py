# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backup import filling
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError

LISTING = """;
; Archive created at 2026-11-23
;
7; 2615 16385 SCHEMA - shop owner
2; 3079 16386 EXTENSION - hstore\x20
3; 0 0 COMMENT - EXTENSION hstore\x20
210; 1259 16400 TABLE shop orders owner
211; 1259 16401 TABLE shop Two Words other
212; 1255 16402 FUNCTION shop total(integer) owner
3400; 0 16400 TABLE DATA shop orders owner
3500; 0 0 ACL shop TABLE orders owner
3501; 826 16500 DEFAULT ACL shop DEFAULT PRIVILEGES FOR TABLES owner
3502; 826 16501 DEFAULT ACL - DEFAULT PRIVILEGES FOR TABLES postgres
3600; 3466 16600 EVENT TRIGGER - watch postgres
3601; 6104 16601 PUBLICATION - all_of_it postgres
3602; 0 0 BLOB METADATA - 17000..17002 owner
"""


def lines(found):
    return [line.partition(";")[0] for line in found.decode().splitlines()]


def test_what_only_a_superuser_can_make_is_named_and_left_out():
    assert filling.left_out(LISTING) == ["event trigger watch", "publication all_of_it"]
    kept = lines(filling.content(LISTING, []))
    assert "3600" not in kept and "3601" not in kept and "210" in kept


def test_what_is_there_already_is_not_made_again():
    kept = lines(filling.content(LISTING, [["hstore", "shop"]]))
    assert "7" not in kept and "3" not in kept and "2" in kept


def test_a_dump_that_can_be_restored_whole_needs_no_list():
    assert filling.content("210; 1259 16400 TABLE shop orders owner\n", []) == b""


def test_privileges_are_given_but_not_those_of_a_superuser_by_default():
    assert lines(filling.privileges(LISTING, ["postgres"])) == ["3500", "3501"]
    assert filling.privileges("210; 1259 16400 TABLE shop orders owner\n", []) == b""
    assert filling.defaults(LISTING, ["owner", "postgres", "other"], ["postgres"]) == ["owner"]


def test_owners_are_those_of_the_listing():
    objects = [
        ["table", "shop.orders", "shop", "orders", None],
        ["table", 'shop."Two Words"', "shop", '"Two Words"', None],
        ["function", "shop.total(integer)", "shop", None, "total(integer)"],
        ["large object", "17001", None, None, None],
        ["table", "shop.unknown", "shop", "unknown", None],
    ]
    found = filling.owners(objects, LISTING, ["owner", "other"])
    assert [(item[1], item[3]) for item in found] == [
        ("shop.orders", "owner"),
        ('shop."Two Words"', "other"),
        ("shop.total(integer)", "owner"),
        ("17001", "owner"),
    ]


def test_an_owner_that_is_no_role_any_more_is_named():
    with pytest.raises(WindflowError) as caught:
        filling.owners([["table", 'shop."Two Words"', "shop", '"Two Words"', None]], LISTING, ["owner"])
    assert caught.value.code == "E4088" and 'role "other" does not exist' in str(caught.value)


def test_what_was_a_superusers_gets_the_first_owner_who_is_none():
    owned = [["table", "a", "s", "postgres"], ["table", "b", "s", "shop"]]
    assert filling.new_owner("owner", owned, ["postgres"]) == "owner"
    assert filling.new_owner("postgres", owned, ["postgres"]) == "shop"
    with pytest.raises(WindflowError) as caught:
        filling.new_owner("postgres", owned[:1], ["postgres"])
    assert caught.value.code == "E4068"


def test_before_postgresql_15_the_schema_public_is_given_to_the_login():
    assert "ALTER SCHEMA public OWNER TO" in filling.preparation(140000, "login", [])[0]
    assert filling.preparation(150000, "login", []) == []
    found = filling.preparation(150000, "login", [["hstore", 'o"dd'], ["ltree", "public"]])
    assert found[0] == 'CREATE SCHEMA IF NOT EXISTS "o""dd" AUTHORIZATION "login";'
    assert [line for line in found if line.startswith("CREATE EXTENSION")] == [
        'CREATE EXTENSION IF NOT EXISTS "hstore" SCHEMA "o""dd";',
        'CREATE EXTENSION IF NOT EXISTS "ltree" SCHEMA "public";',
    ]


def test_an_owner_may_create_in_the_schema_of_another_only_for_that_moment():
    owned = [["schema", "shop", None, "owner"], ["function", "shop.f()", "shop", "guest"]]
    found = filling.ownership_sql("login", "owner", owned).splitlines()
    given = found.index('GRANT USAGE, CREATE ON SCHEMA shop TO "guest";')
    taken = found.index('REVOKE ALL ON SCHEMA shop FROM "guest";')
    assert given < found.index('ALTER ROUTINE shop.f() OWNER TO "guest";') < taken
    assert (found[0], found[-1]) == ("BEGIN;", "COMMIT;")


def test_a_kind_of_object_that_is_none_is_refused():
    with pytest.raises(WindflowError) as caught:
        filling.ownership_sql("login", "owner", [["table x; DROP ROLE y; --", "a", "s", "guest"]])
    assert caught.value.code == "E4097"
