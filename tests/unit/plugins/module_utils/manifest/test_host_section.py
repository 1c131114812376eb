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
    "a text": (HEAD + "host: x\n", "E1031", 3, "host", ["a map", "wsgi: app:application"]),
    "program a text": (HOST + "  program: maybe\n", "E1031", 5, "host.program", ["true or false"]),
    "source a file": (HOST + "  source: build/app/a.py\n", "E1041", 5, "host.source", ["not a directory"]),
    "source a list": (HOST + "  source: [a]\n", "E1051", 5, "host.source", ["the path of the application"]),
    "requirements missing": (HOST + "  requirements: x.txt\n", "E1051", 5, "host.requirements", ["not there"]),
    "requirements a directory": (HOST + "  requirements: build\n", "E1041", 5, "host.requirements", ["not a file"]),
    "command empty": (HEAD + "host: {command: []}\n", "E1053", 3, "host.command", ["one for each argument"]),
    "command with a number": (HEAD + "host: {command: [a, 1]}\n", "E1053", 3, "host.command", ["numbers in quotes"]),
    "command with an empty argument": (HEAD + "host: {command: [a, '']}\n", "E1053", 3, "host.command", ["a list"]),
    "command with a control character": (
        HEAD + 'host: {command: [a, "b\\e"]}\n',
        "E1053",
        3,
        "host.command[1]",
        ["printable text", "remove the control characters"],
    ),
    "command with a brace": (
        HEAD + "host: {command: ['{socket']}\n",
        "E1053",
        3,
        "host.command[0]",
        ["{{ and }}"],
    ),
    "command with a conversion": (
        HEAD + "host: {command: ['{socket!r}']}\n",
        "E1053",
        3,
        "host.command[0]",
        ['"{socket!r}"'],
    ),
    "command with a format": (
        HEAD + "host: {command: ['{workers:3}']}\n",
        "E1053",
        3,
        "host.command[0]",
        ['"{workers:3}"', 'use "workers"'],
    ),
    "command with an empty place": (
        HEAD + "host: {command: ['{}']}\n",
        "E1053",
        3,
        "host.command[0]",
        ['"{}"'],
    ),
    "packages a list": (HOST + "  packages: [a]\n", "E1031", 5, "host.packages", ["debian: [libpq5]"]),
    "packages of a family a text": (
        HOST + "  packages: {arch: a}\n",
        "E1031",
        5,
        "host.packages.arch",
        ["a list of package names", "[name, name]"],
    ),
    "a family that is like none": (
        HOST + "  packages: {plan9: [a]}\n",
        "E1039",
        5,
        "host.packages.plan9",
        ["write one of: debian, redhat, suse, arch"],
    ),
    "a package's name too long": (
        HOST + "  packages: {arch: [a, %s]}\n" % ("b" * 129),
        "E1031",
        5,
        "host.packages.arch[1]",
        ["a package name"],
    ),
    "health too long": (HOST + "  health: /%s\n" % ("a" * 256), "E1054", 5, "host.health", ["a URL path"]),
    "health_timeout 0": (
        HOST + "  health_timeout: 0\n",
        "E1031",
        5,
        "host.health_timeout",
        ["1 to 3600, got 0"],
    ),
    "health_timeout above an hour": (HOST + "  health_timeout: 3601\n", "E1031", 5, "host.health_timeout", ["3601"]),
    "static without a slash": (HOST + "  static: {s/: .}\n", "E1054", 5, "host.static.s/", ["begins with /"]),
    "static with a query": (HOST + "  static: {/s/?a: .}\n", "E1054", 5, "host.static./s/?a", ["begins with /"]),
    "static of slashes": (HOST + "  static: {//: .}\n", "E1054", 5, "host.static.//", ["below /"]),
    "static a file": (HOST + "  static: {/s/: a.py}\n", "E1051", 5, "host.static./s/", ["relative to source"]),
    "static nowhere": (
        HOST + "  static: {/s/: ''}\n",
        "E1051",
        5,
        "host.static./s/",
        ["inside the application"],
    ),
    "static a number": (HOST + "  static: {/s/: 1}\n", "E1051", 5, "host.static./s/", ["got 1"]),
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


def test_a_plugin_without_an_application_is_told_where_to_put_it(make_plugin, only):
    words = ("none, and there is no build/app", "put the application in build/app")
    only("E1051", "sample/plugin.yml:3 host.source", words, load_manifest, make_plugin(HOST))


def test_what_a_section_has_wrong_is_said_at_once(make_plugin, findings):
    text = HEAD + "host: {source: src, wsgi: app.py, health: x, packages: {ubuntu: [a]}, static: {x: y}}\n"
    found = findings(load_manifest, make_plugin(text))
    assert sorted(problem.code for problem in found) == ["E1039", "E1051", "E1052", "E1054", "E1054"]


@pytest.mark.parametrize("callable_", ["a:b", "a.b_1:c", "a:b.c", "_a:create_app()"])
def test_a_callable_is_a_module_and_a_name_in_it(make_plugin, callable_):
    text = HEAD + "host: {asgi: '%s'}\n" % callable_
    assert load_manifest(make_plugin(text, {"build/app/a": ""})).host.asgi == callable_


@pytest.mark.parametrize("callable_", ["a", "a:", ":b", "a:b(x)", "a:b()x", "a-b:c", "a:b:c", "a..b:c", "a:b\\n", "1"])
def test_what_is_no_module_and_name_is_no_callable(make_plugin, only, callable_):
    text = HEAD + 'host: {asgi: "%s"}\n' % callable_
    folder = make_plugin(text, {"build/app/a": ""})
    only("E1052", "sample/plugin.yml:3 host.asgi", ("write for example app:application",), load_manifest, folder)


@pytest.mark.parametrize(
    ("section", "serves"),
    [
        ("wsgi: 'a:b'", True),
        ("command: [x, 'unix:{socket}']", True),
        ("command: [x, '--workers={workers}']", False),
        ("command: [x, '{{socket}}']", False),
        ("program: false", False),
    ],
)
def test_a_program_serves_where_it_is_told_a_socket(make_plugin, section, serves):
    plugin = load_manifest(make_plugin(HEAD + "host: {%s}\n" % section, {"build/app/a": ""}))
    assert plugin.host.serves is serves


@pytest.mark.parametrize(
    ("section", "health"),
    [
        ("wsgi: 'a:b'", "/healthz"),
        ("wsgi: 'a:b', health: null", None),
        ("command: [x], health: /up", "/up"),
        ("wsgi: 'a:b', health: '/a%20b?x=1&y=~'", "/a%20b?x=1&y=~"),
    ],
)
def test_a_health_path_may_be_named_or_refused(make_plugin, section, health):
    plugin = load_manifest(make_plugin(HEAD + "host: {%s}\n" % section, {"build/app/a": ""}))
    assert plugin.host.health == health


def test_a_directory_of_static_files_may_not_lead_out_of_the_application(make_plugin, findings):
    folder = make_plugin(HOST + "  static: {/s/: out}\n", {"build/app/a.py": "", "other/b": ""})
    (folder / "build/app/out").symlink_to("../../other")
    assert ("E1051", "host.static./s/") in [(problem.code, problem.path) for problem in findings(load_manifest, folder)]


def test_without_a_program_its_keys_are_refused_by_their_names_and_packages_are_checked(make_plugin, findings):
    text = HEAD + "host: {program: false, source: build/app, health_timeout: 3, packages: {arch: [-x]}}\n"
    found = findings(load_manifest, make_plugin(text, {"build/app/a": ""}))
    assert sorted((problem.code, problem.path) for problem in found) == [
        ("E1031", "host.packages.arch[0]"),
        ("E1056", "host.health_timeout"),
        ("E1056", "host.source"),
    ]
