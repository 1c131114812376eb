# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import socket

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.manifest import plugin_files


@pytest.mark.parametrize(
    ("relative", "found"),
    [
        ("a/b", "a/b"),
        ("a/./b", "a/b"),
        ("a/../a/b", "a/b"),
        ("link/b", "a/b"),
        ("up", None),
        ("../x", None),
        ("/etc/passwd", None),
        ("~/x", None),
        ("a\0b", None),
        ("out", None),
        ("a/missing", "a/missing"),
    ],
)
def test_a_path_stays_in_the_plugin_with_every_link_followed(tmp_path, relative, found):
    root = tmp_path / "plugin"
    (root / "a").mkdir(parents=True)
    (root / "a/b").touch()
    (tmp_path / "plugin-two").mkdir()
    for name, target in (("link", "a"), ("up", ".."), ("out", "../plugin-two")):
        os.symlink(target, root / name)
    assert plugin_files.inside(root, relative) == (root / found if found else None)


def test_links_that_lead_out_and_special_files_are_named_wherever_they_are(tmp_path):
    root = tmp_path / "shop"
    (root / "deep/er").mkdir(parents=True)
    os.symlink("/etc/passwd", root / "deep/er/link")
    os.symlink("../..", root / "deep/er/top")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "deep/socket"))
        found = plugin_files.problems_of_tree(root)
    assert sorted(problem.file for problem in found) == ["shop/deep/er/link", "shop/deep/socket", "shop/pipe"]
    assert {problem.code for problem in found} == {"E1046"}


@pytest.mark.parametrize(
    ("content", "mode", "code"),
    [
        (b"#!/bin/sh\n", 0o755, None),
        (b"#! /usr/bin/env python3\n", 0o700, None),
        (b"\x7fELF\x02", 0o755, None),
        (b"#!/bin/sh\n", 0o644, "E1043"),
        (b"echo\n", 0o755, "E1044"),
        (b"", 0o755, "E1044"),
        (b"#!python3\n", 0o755, "E1044"),
        (b"#!/bin/sh\r\n", 0o755, "E1045"),
    ],
)
def test_a_hook_is_a_file_that_the_system_can_run(tmp_path, content, mode, code):
    hook = tmp_path / "hook"
    hook.write_bytes(content)
    hook.chmod(mode)
    found = plugin_files.hook_problem(hook)
    assert (found and found[0]) == code
    assert found is None or found[3]


def test_every_stage_has_an_event_before_and_after_it():
    assert set(plugin_files.EVENTS) == {
        *("%s-%s" % (when, stage) for when in ("pre", "post") for stage in ("install", "deploy", "upgrade", "remove")),
        "migrate",
    }
