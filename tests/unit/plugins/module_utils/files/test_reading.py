# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.windflow.platform.plugins.module_utils.files.reading import text_of


def test_a_file_that_is_missing_or_no_file_is_empty(tmp_path):
    assert text_of(str(tmp_path / "absent")) == "" and text_of(str(tmp_path)) == ""


def test_what_is_no_utf_8_is_replaced_and_the_rest_is_read(tmp_path):
    (tmp_path / "x").write_bytes(b"a\xff\nb\n")
    assert text_of(str(tmp_path / "x")) == "a\ufffd\nb\n"
