# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.text import quoting


def test_a_quote_in_a_name_or_a_text_ends_neither():
    assert quoting.quote_identifier('a"; DROP ROLE x; --') == '"a""; DROP ROLE x; --"'
    assert quoting.quote_literal("it's") == "'it''s'"
    assert quoting.conninfo("a' host='b\\") == "dbname='a\\' host=\\'b\\\\'"


def test_a_backslash_is_one_whatever_the_server_makes_of_plain_texts():
    assert quoting.quote_literal("a\\b'") == " E'a\\\\b'''"


@pytest.mark.parametrize("name", ["", "x" * 64, "é" * 32, "a\0b", "a\ud800"])
def test_a_name_that_the_server_would_cut_or_refuse_is_an_error(name):
    with pytest.raises(WindflowError) as caught:
        quoting.quote_identifier(name)
    assert caught.value.code == "E4050"
    # Half of a character cannot be printed.
    assert str(caught.value).encode()


def test_a_name_may_have_63_bytes():
    assert quoting.quote_identifier("é" * 31 + "x") == '"%sx"' % ("é" * 31)


@pytest.mark.parametrize("text", ["canary\0", "canary\udfff"])
def test_a_text_that_cannot_be_kept_is_refused_without_being_shown(text):
    with pytest.raises(WindflowError) as caught:
        quoting.quote_literal(text)
    assert caught.value.code == "E4050" and "canary" not in str(caught.value)
