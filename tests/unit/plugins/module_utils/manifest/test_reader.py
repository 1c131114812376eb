# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import time

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.manifest.plugin_files import EVENTS, HookSpec
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import check_tree, load_manifest

HOOK = "#!/bin/sh\nexit 0\n"
FULL = """\
name: shop
version: 1.2.3
description: A shop
author: Someone
license: MIT

dependencies:
  - core: ">=1.0.0"
  - database: "^2.0"

config:
  schema: config/schema.json
  defaults: config/defaults.yaml

targets: [host, compose]

host:
  source: build/app
  requirements: build/requirements.txt
  wsgi: shop.web:application
  packages:
    debian: [libpq5]
    arch: [postgresql-libs]
  health: /health?deep=1
  health_timeout: 60
  static:
    /static/: static

compose:
  app: web

provides:
  storefront: 2.0.0

hooks:
  pre-deploy: hooks/a.sh
  post-deploy:
    path: hooks/b.sh
    on: target
    run: once
    timeout: 10
    privileged: true
  pre-remove:
    - hooks/a.sh
    - {path: hooks/b.sh, on: target}
"""
FULL_FILES = {
    "config/schema.json": "{}",
    "config/defaults.yaml": "",
    "config/environments/production.yaml": "",
    "config/environments/staging.yml": "",
    "config/environments/notes.txt": "",
    "build/app/static/logo.txt": "x",
    "build/requirements.txt": "",
    "compose/compose.yaml": "services: {web: {image: web}, front: {image: front}}\n",
    "hooks/a.sh": HOOK,
    "hooks/b.sh": HOOK,
}


def test_every_field_is_parsed(make_plugin):
    folder = make_plugin(FULL, FULL_FILES, "shop")
    plugin = load_manifest(folder)
    assert (plugin.name, plugin.version, plugin.description) == ("shop", "1.2.3", "A shop")
    assert (plugin.author, plugin.license, plugin.path) == ("Someone", "MIT", folder.resolve())
    assert [(found.name, found.constraint, found.line) for found in plugin.dependencies] == [
        ("core", ">=1.0.0", 8),
        ("database", "^2.0", 9),
    ]
    assert plugin.config_schema == folder / "config/schema.json"
    assert plugin.config_defaults == folder / "config/defaults.yaml"
    assert set(plugin.environments) == {"production", "staging"}
    assert plugin.targets == ("host", "compose")
    assert (plugin.compose.app, plugin.compose.front, plugin.compose.database) == ("web", "front", "")
    assert plugin.provides == {"shop": "1.2.3", "storefront": "2.0.0"}
    assert plugin.host.source == folder / "build/app"
    assert plugin.host.requirements == folder / "build/requirements.txt"
    assert (plugin.host.wsgi, plugin.host.asgi, plugin.host.command) == ("shop.web:application", None, None)
    assert plugin.host.packages == {"debian": ("libpq5",), "arch": ("postgresql-libs",)}
    assert (plugin.host.health, plugin.host.health_timeout) == ("/health?deep=1", 60)
    assert plugin.host.static == {"/static/": "static"}
    a, b = folder / "hooks/a.sh", folder / "hooks/b.sh"
    assert plugin.hooks == {
        "pre-deploy": (HookSpec("pre-deploy", a, "controller", "per_host", 300, False),),
        "post-deploy": (HookSpec("post-deploy", b, "target", "once", 10, True),),
        "pre-remove": (HookSpec("pre-remove", a), HookSpec("pre-remove", b, on="target")),
    }


def test_two_fields_are_enough(make_plugin):
    plugin = load_manifest(make_plugin())
    assert (plugin.name, plugin.targets, plugin.host, plugin.hooks) == ("sample", (), None, {})
    assert plugin.provides == {"sample": "1.0.0"}


def test_sections_without_content_count_as_left_out(make_plugin):
    text = "name: sample\nversion: 1.0.0\ndependencies:\nconfig:\nhooks:\nhost:\nprovides:\ndescription:\n"
    assert load_manifest(make_plugin(text)).dependencies == ()


def test_targets_follow_from_the_directory(make_plugin):
    head = "name: sample\nversion: 1.0.0\n"
    host = head + "host: {wsgi: 'a:b'}\n"
    app = {"build/app/a.py": ""}
    compose = {"compose/compose.yaml": "services: {app: {image: app}}\n"}
    assert load_manifest(make_plugin(head, compose, "one")).targets == ("compose",)
    assert load_manifest(make_plugin(host, app, "two")).targets == ("host",)
    assert load_manifest(make_plugin(host, {**app, **compose}, "three")).targets == ("compose", "host")


def test_the_usual_places_need_not_be_named(make_plugin):
    files = {"config/schema.json": "{}", "config/defaults.yaml": "", "build/app/requirements.txt": ""}
    folder = make_plugin("name: sample\nversion: 1.0.0\nhost: {asgi: 'a:b()'}\n", files)
    plugin = load_manifest(folder)
    assert plugin.config_schema == folder / "config/schema.json"
    assert plugin.config_defaults == folder / "config/defaults.yaml"
    assert plugin.host.source == folder / "build/app"
    assert plugin.host.requirements == folder / "build/app/requirements.txt"
    assert (plugin.host.asgi, plugin.host.health) == ("a:b()", "/healthz")


def test_all_events_are_known(make_plugin):
    text = "name: sample\nversion: 1.0.0\nhooks:\n" + "".join("  %s: hooks/a.sh\n" % event for event in EVENTS)
    assert set(load_manifest(make_plugin(text, {"hooks/a.sh": HOOK})).hooks) == {
        "%s-%s" % (when, what) for when in ("pre", "post") for what in ("install", "deploy", "upgrade", "remove")
    } | {"migrate"}


def test_a_link_inside_the_plugin_and_a_compiled_hook_are_fine(make_plugin):
    text = "name: sample\nversion: 1.0.0\nhooks: {pre-deploy: hooks/link, post-deploy: hooks/../hooks/elf}\n"
    folder = make_plugin(text, {"hooks/a.sh": HOOK, "hooks/elf": b"\x7fELF\x02"})
    (folder / "hooks/link").symlink_to("a.sh")
    plugin = load_manifest(folder)
    assert plugin.hooks["pre-deploy"][0].path == folder / "hooks/a.sh"
    assert plugin.hooks["post-deploy"][0].path == folder / "hooks/elf"


def test_the_plugin_directory_itself_may_be_a_link(make_plugin, tmp_path):
    folder = make_plugin()
    (tmp_path / "link").symlink_to(folder)
    assert load_manifest(tmp_path / "link").path == folder


HEAD = "name: sample\nversion: 1.0.0\n"

# case: (plugin.yml, code, line, path, words)
MALFORMED = {
    "name missing": ("version: 1.0.0\n", "E1030", 1, "name", ["name: my-plugin"]),
    "name empty": ("name:\nversion: 1.0.0\n", "E1030", 1, "name", ["a name"]),
    "name ../x": ("name: ../x\nversion: 1.0.0\n", "E1032", 1, "name", ["../x", "lower-case"]),
    "name uppercase": (
        "name: Sample\nversion: 1.0.0\n",
        "E1032",
        1,
        "name",
        ['"Sample"', 'write for example "sample"'],
    ),
    "name with spaces": ("name: my plugin\nversion: 1.0.0\n", "E1032", 1, "name", ['"my-plugin"']),
    "name over 64": ("name: %s\nversion: 1.0.0\n" % ("a" * 65), "E1032", 1, "name", ["65 characters", "at most 64"]),
    "name a number": ("name: 12\nversion: 1.0.0\n", "E1032", 1, "name", ["12"]),
    "name begins with -": ("name: -a\nversion: 1.0.0\n", "E1032", 1, "name", ['"a"']),
    "name core": ("name: core\nversion: 1.0.0\n", "E1032", 1, "name", ["platform"]),
    "version missing": ("name: sample\n", "E1030", 1, "version", ["version: 1.0.0"]),
    "version 1.10": ("name: sample\nversion: 1.10\n", "E1033", 2, "version", ["quote it", '"1.10.0"', "number 1.10"]),
    "version v1": ("name: sample\nversion: v1\n", "E1033", 2, "version", ['"v1"', '"1.0.0"']),
    "version a list": ("name: sample\nversion: [1]\n", "E1033", 2, "version", ["a list"]),
    "unknown key hook": (HEAD + "hook: {}\n", "E1034", 3, "hook", ['write "hooks"']),
    "unknown key far from any": (HEAD + "zzz: 1\n", "E1034", 3, "zzz", ["dependencies"]),
    "description a number": (HEAD + "description: 1.10\n", "E1031", 3, "description", ['"1.10"']),
    "dependencies a map": (HEAD + "dependencies:\n  core: '*'\n", "E1035", 3, "dependencies", ["a list", "- core"]),
    "dependency with two keys": (
        HEAD + "dependencies:\n  - a: '*'\n    b: '*'\n",
        "E1035",
        4,
        "dependencies[0]",
        ["one key", "2 keys", "- a, - b"],
    ),
    "dependency a text": (HEAD + "dependencies: [core]\n", "E1035", 3, "dependencies[0]", ['- core: ">=1.0.0"']),
    "dependency =>1.0": (
        HEAD + "dependencies:\n  - core: '=>1.0'\n",
        "E1036",
        4,
        "dependencies[0].core",
        ['"=>1.0"', '">=1.0"'],
    ),
    "dependency a number": (HEAD + "dependencies:\n  - core: 1.0\n", "E1036", 4, "dependencies[0].core", ["quotes"]),
    "dependency on itself": (
        HEAD + "dependencies:\n  - sample: '*'\n",
        "E1201",
        4,
        "dependencies[0].sample",
        ["itself", "remove"],
    ),
    "dependency on what it provides": (
        HEAD + "provides: {db: 1.0.0}\ndependencies:\n  - db: '*'\n",
        "E1201",
        5,
        "dependencies[0].db",
        ["itself"],
    ),
    "dependency twice": (
        HEAD + "dependencies:\n  - a: '>1'\n  - a: '<3'\n",
        "E1035",
        5,
        "dependencies[1].a",
        ["once", "line 4", "comma"],
    ),
    "dependency with a bad name": (HEAD + "dependencies:\n  - ../x: '*'\n", "E1032", 4, "", ["../x"]),
    "event predeploy": (HEAD + "hooks:\n  predeploy: hooks/a.sh\n", "E1038", 4, "hooks.predeploy", ['"pre-deploy"']),
    "event pre_deploy": (HEAD + "hooks: {pre_deploy: hooks/a.sh}\n", "E1038", 3, "hooks.pre_deploy", ['"pre-deploy"']),
    "event unknown": (HEAD + "hooks: {start: hooks/a.sh}\n", "E1038", 3, "hooks.start", ["pre-install"]),
    "hook missing": (
        HEAD + "hooks:\n  pre-deploy: hooks/none.sh\n",
        "E1040",
        4,
        "hooks.pre-deploy",
        ["hooks/none.sh", "not there", "create"],
    ),
    "hook a directory": (HEAD + "hooks:\n  pre-deploy: hooks\n", "E1041", 4, "hooks.pre-deploy", ["not a file"]),
    "hook the plugin": (HEAD + "hooks:\n  pre-deploy: .\n", "E1041", 4, "hooks.pre-deploy", ["not a file"]),
    "hook outside the plugin": (
        HEAD + "hooks:\n  pre-deploy: ../../etc/x\n",
        "E1042",
        4,
        "hooks.pre-deploy",
        ['expected a path inside the plugin, got "../../etc/x"'],
    ),
    "hook absolute": (HEAD + "hooks:\n  pre-deploy: /bin/sh\n", "E1042", 4, "hooks.pre-deploy", ["/bin/sh"]),
    "hook in the home": (HEAD + "hooks:\n  pre-deploy: ~/x\n", "E1042", 4, "hooks.pre-deploy", ["~/x"]),
    "hook through a link that leads out": (
        HEAD + "hooks:\n  pre-deploy: hooks/out.sh\n",
        "E1042",
        4,
        "hooks.pre-deploy",
        ["hooks/out.sh"],
    ),
    "hook not executable": (
        HEAD + "hooks:\n  pre-deploy: scripts/plain.sh\n",
        "E1043",
        4,
        "hooks.pre-deploy",
        ["scripts/plain.sh", "chmod +x"],
    ),
    "hook without a shebang": (
        HEAD + "hooks:\n  pre-deploy: hooks/bare.sh\n",
        "E1044",
        4,
        "hooks.pre-deploy",
        ["hooks/bare.sh", "#!/bin/sh"],
    ),
    "hook with an empty shebang": (
        HEAD + "hooks:\n  pre-deploy: hooks/hash.sh\n",
        "E1044",
        4,
        "hooks.pre-deploy",
        ["#!"],
    ),
    "hook with CRLF": (
        HEAD + "hooks:\n  pre-deploy: hooks/dos.sh\n",
        "E1045",
        4,
        "hooks.pre-deploy",
        ["hooks/dos.sh", "CR LF", "Unix line ends"],
    ),
    "hook nothing": (HEAD + "hooks:\n  pre-deploy:\n", "E1040", 4, "hooks.pre-deploy", ["nothing"]),
    "hook a number": (HEAD + "hooks:\n  pre-deploy: 7\n", "E1040", 4, "hooks.pre-deploy", ["7"]),
    "hook with an unknown key": (
        HEAD + "hooks:\n  pre-deploy: {path: hooks/a.sh, time_out: 3}\n",
        "E1034",
        4,
        "hooks.pre-deploy.time_out",
        ['"timeout"'],
    ),
    "hook on an unknown side": (
        HEAD + "hooks:\n  pre-deploy: {path: hooks/a.sh, on: host}\n",
        "E1039",
        4,
        "hooks.pre-deploy.on",
        ["controller, target"],
    ),
    "hook in a list, timeout 0": (
        HEAD + "hooks:\n  pre-deploy:\n    - hooks/a.sh\n    - {path: hooks/a.sh, timeout: 0}\n",
        "E1031",
        6,
        "hooks.pre-deploy[1].timeout",
        ["seconds from 1"],
    ),
    "hook privileged yes": (
        HEAD + "hooks:\n  pre-deploy: {path: hooks/a.sh, privileged: yes}\n",
        "E1031",
        4,
        "hooks.pre-deploy.privileged",
        ["true or false"],
    ),
    "hooks a list": (HEAD + "hooks: [hooks/a.sh]\n", "E1031", 3, "hooks", ["a map"]),
    "schema absent": (HEAD + "config:\n  schema: config/none.json\n", "E1047", 4, "config.schema", ["not there"]),
    "schema outside": (HEAD + "config:\n  schema: ../x.json\n", "E1042", 4, "config.schema", ["../x.json"]),
    "defaults absent": (HEAD + "config:\n  defaults: none.yaml\n", "E1047", 4, "config.defaults", ["not there"]),
    "config with an unknown key": (HEAD + "config: {shema: x}\n", "E1034", 3, "config.shema", ['"schema"']),
    "target unknown": (HEAD + "targets: [docker]\n", "E1039", 3, "targets[0]", ["compose, host"]),
    "target without its section": (HEAD + "targets:\n  - host\n", "E1048", 4, "targets[0]", ["host:"]),
    "target compose without its directory": (HEAD + "targets: [compose]\n", "E1048", 3, "targets[0]", ["compose/"]),
    "targets a text": (HEAD + "targets: host\n", "E1031", 3, "targets", ["[host]"]),
    "provides a list": (HEAD + "provides: [db]\n", "E1031", 3, "provides", ["a map"]),
    "provides a number": (HEAD + "provides: {db: 2.0}\n", "E1033", 3, "provides.db", ['"2.0.0"']),
    "provides core": (HEAD + "provides: {core: 2.0.0}\n", "E1032", 3, "provides.core", ["core"]),
}
FILES = {
    "hooks/a.sh": HOOK,
    "hooks/bare.sh": "exit 0\n",
    "hooks/hash.sh": "#!\n",
    "hooks/dos.sh": "#!/bin/sh\r\nexit 0\r\n",
    "scripts/plain.sh": HOOK,
    "build/app/a.py": "",
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_manifest_is_rejected_with_its_own_message(case, make_plugin, findings):
    text, code, line, path, words = MALFORMED[case]
    folder = make_plugin(text, FILES)
    if "link" in case:
        (folder / "hooks/out.sh").symlink_to("/bin/sh")
    problem = next(problem for problem in findings(load_manifest, folder) if problem.file == "sample/plugin.yml")
    assert (problem.code, problem.line) == (code, line), problem
    assert problem.path == path or not path
    assert problem.expected and problem.got and problem.remedy, problem
    for word in words:
        assert word in str(problem)


def test_all_findings_of_a_manifest_come_at_once(make_plugin, findings):
    text = "name: A\nversion: 1.10\nhook: {}\ndependencies: {core: 1}\nhooks:\n  predeploy: x\n  pre-deploy: ../x\n"
    found = [(problem.line, problem.code) for problem in findings(load_manifest, make_plugin(text))]
    assert found == [(1, "E1032"), (2, "E1033"), (3, "E1034"), (4, "E1035"), (6, "E1038"), (7, "E1042")]


def test_the_message_has_the_documented_form(make_plugin, findings):
    folder = make_plugin(HEAD + "hooks:\n  pre-deploy: ../../etc/x\n")
    (problem,) = findings(load_manifest, folder, "plugin.yml")
    assert str(problem) == (
        'E1042 plugin.yml:4:3 hooks.pre-deploy: expected a path inside the plugin, got "../../etc/x". '
        "Fix: use a path below the plugin's directory."
    )


def test_malformed_yaml_is_reported_for_plugin_yml(make_plugin, only):
    only("E1007", "sample/plugin.yml:2", ["tab"], load_manifest, make_plugin("hooks:\n\tpre-deploy: x\n"))


def test_an_empty_plugin_yml_is_rejected(make_plugin, only):
    only("E1005", "sample/plugin.yml:1", ["empty"], load_manifest, make_plugin(""))


def test_a_directory_without_plugin_yml_is_rejected(tmp_path, findings):
    assert findings(load_manifest, tmp_path)[0].code == "E1021"
    assert findings(load_manifest, tmp_path / "none")[0].code == "E1021"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../outside", "/", "../../..", "../../../sample2/x"])
def test_a_link_that_leads_out_of_the_plugin_is_rejected(target, make_plugin, only):
    folder = make_plugin(files={"scripts/x/y.txt": ""})
    (folder / "scripts/x/link").symlink_to(target)
    words = ["links that stay inside the plugin", target]
    only("E1046", "sample/scripts/x/link", words, load_manifest, folder)
    only("E1046", "sample/scripts/x/link", words, check_tree, folder)


def test_links_that_lead_out_through_another_link_are_rejected(make_plugin, findings):
    folder = make_plugin(files={"a/b.txt": ""})
    (folder / "up").symlink_to("a/..")
    (folder / "a/out").symlink_to("../up/../..")
    assert [problem.file for problem in findings(check_tree, folder)] == ["sample/a/out"]


def test_a_loop_of_links_is_no_hang(make_plugin):
    folder = make_plugin(files={"a/b.txt": ""})
    (folder / "a/again").symlink_to(".")
    (folder / "x").symlink_to("y")
    (folder / "y").symlink_to("x")
    start = time.monotonic()
    check_tree(folder)
    assert time.monotonic() - start < 1


def test_a_named_pipe_in_the_plugin_is_rejected(make_plugin, only):
    folder = make_plugin()
    os.mkfifo(folder / "pipe")
    only("E1046", "sample/pipe", ["named pipe"], load_manifest, folder)


def test_paths_and_places_of_findings_are_those_of_a_directory_with_an_odd_name(make_plugin, findings):
    folder = make_plugin("name: A\nversion: 1.0.0\n", name="odd name")
    assert findings(load_manifest, folder)[0].file == "odd name/plugin.yml"


def test_a_plugin_may_give_parts_of_its_configuration_to_dependents(make_plugin):
    text = "name: sample\nversion: 1.0.0\nresults: {port: database.port, api_key: key}\n"
    assert load_manifest(make_plugin(text)).results == {"port": ("database", "port"), "api_key": ("key",)}


@pytest.mark.parametrize("results", ["{Port: database.port}", "{port: 5432}", "{port: 'a..b'}", "{port: ''}"])
def test_a_result_that_names_no_key_is_refused(make_plugin, results):
    with pytest.raises(WindflowError) as caught:
        load_manifest(make_plugin("name: sample\nversion: 1.0.0\nresults: %s\n" % results))
    assert caught.value.code == "E1037"


@pytest.mark.parametrize("target", ["host", "compose"])
def test_a_section_that_a_plugin_does_not_have_cannot_be_used(make_plugin, target):
    manifest = load_manifest(make_plugin())
    with pytest.raises(ValueError, match="sample has no section %s" % target):
        getattr(manifest, "%s_section" % target)
