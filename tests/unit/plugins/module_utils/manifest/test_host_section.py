# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest

HEAD = "name: sample\nversion: 1.0.0\n"
HOST = HEAD + "host:\n  wsgi: a:b\n"

# case: (plugin.yml, code, line, path, words)
MALFORMED = {
    "without a start": (HEAD + "host: {source: build/app}\n", "E1050", 3, "host", ["wsgi, asgi and command"]),
    "with two starts": (
        HEAD + "host: {wsgi: 'a:b', asgi: 'a:b'}\n",
        "E1050",
        3,
        "host",
        ["wsgi and asgi", "keep"],
    ),
    "with an unknown key": (HOST + "  healthz: /x\n", "E1034", 5, "host.healthz", ['"health"']),
    "source missing": (HOST + "  source: src\n", "E1051", 5, "host.source", ["src", "not there"]),
    "source the plugin": (HOST + "  source: .\n", "E1051", 5, "host.source", ["below the plugin"]),
    "source outside": (HOST + "  source: ../..\n", "E1042", 5, "host.source", ["../.."]),
    "wsgi": (HEAD + "host: {wsgi: app.py}\n", "E1052", 3, "host.wsgi", ["module:callable", "app.py"]),
    "command a text": (HEAD + "host: {command: run me}\n", "E1053", 3, "host.command", ["a list"]),
    "command with an unknown placeholder": (
        HEAD + "host: {command: ['x', '{sockets}']}\n",
        "E1053",
        3,
        "host.command[1]",
        ['use "socket"'],
    ),
    "command with an attribute": (
        HEAD + "host: {command: ['{socket.__class__}']}\n",
        "E1053",
        3,
        "host.command[0]",
        ["placeholder"],
    ),
    "packages for ubuntu": (
        HOST + "  packages: {ubuntu: [x]}\n",
        "E1039",
        5,
        "host.packages.ubuntu",
        ['"debian"'],
    ),
    "package with an option": (
        HOST + "  packages: {debian: ['-o=x']}\n",
        "E1031",
        5,
        "host.packages.debian[0]",
        ["package name"],
    ),
    "health": (HOST + "  health: health\n", "E1054", 5, "host.health", ["begins with /"]),
    "health with a space": (HOST + "  health: '/a b'\n", "E1054", 5, "host.health", ["/a b"]),
    "health_timeout": (HOST + "  health_timeout: 1.5\n", "E1031", 5, "host.health_timeout", ["whole number"]),
    "static at the root": (HOST + "  static: {/: .}\n", "E1054", 5, "host.static./", ["below /"]),
    "static outside": (HOST + "  static: {/s/: ../..}\n", "E1051", 5, "host.static./s/", ["../.."]),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_section_is_rejected_with_its_own_message(case, make_plugin, only):
    text, code, line, path, words = MALFORMED[case]
    place = "sample/plugin.yml:%d %s" % (line, path)
    only(code, place, words, load_manifest, make_plugin(text, {"build/app/a.py": ""}))


def test_a_command_has_no_health_path_unless_it_is_given(make_plugin):
    text = "name: sample\nversion: 1.0.0\nhost:\n  command: ['{venv}/bin/x', '{socket}', '{{literal}}']\n"
    plugin = load_manifest(make_plugin(text, {"build/app/a": ""}))
    assert plugin.host.command == ("{venv}/bin/x", "{socket}", "{{literal}}")
    assert plugin.host.health is None


def test_a_plugin_may_have_no_program_on_the_host(make_plugin):
    text = "name: sample\nversion: 1.0.0\nhost: {program: false, packages: {debian: [redis]}}\n"
    plugin = load_manifest(make_plugin(text))
    assert plugin.targets == ("host",) and not plugin.host.program and plugin.host.packages == {"debian": ("redis",)}


def test_without_a_program_nothing_may_be_said_about_one(make_plugin):
    text = "name: sample\nversion: 1.0.0\nhost: {program: false, wsgi: 'a:b', health: /x}\n"
    with pytest.raises(WindflowError) as caught:
        load_manifest(make_plugin(text))
    assert [problem.code for problem in caught.value.problems] == ["E1056", "E1056"]
