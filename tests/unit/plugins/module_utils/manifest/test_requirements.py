# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backends.backend import Settings
from ansible_collections.windflow.platform.plugins.module_utils.backends.host_plan import HostBackend
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
from ansible_collections.windflow.platform.plugins.module_utils.manifest import requirements
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest

MANIFEST = "name: sample\nversion: 1.0.0\nhost: {wsgi: 'app:app'%s}\n"
PROJECT = "[project]\nname = 'sample'\nversion = '1'\n"


@pytest.fixture
def plugin(make_plugin):
    def make(text=None, files=None, at="build/app/requirements.txt"):
        chosen = ", requirements: %s" % at if text is not None else ""
        found = {"build/app/app.py": "", **(files or {})}
        if text is not None:
            found[at] = text
        return load_manifest(make_plugin(MANIFEST % chosen, found))

    return make


def collected(manifest):
    return requirements.collect(manifest.path, manifest.host.source, manifest.host.requirements)


def shipped(manifest):
    return {path: content.decode() for path, _mode, content in collected(manifest).files}


WHEEL = "x-1-py3-none-any.whl"
LIB = {"build/lib/pyproject.toml": PROJECT}
INSIDE = {
    "an included file": ("-r base.txt\n", {"build/app/base.txt": "six\n"}, "build/app/base.txt"),
    "written together": ("-rbase.txt\n", {"build/app/base.txt": "six\n"}, "build/app/base.txt"),
    "with an equals sign": ("--requirement=base.txt\n", {"build/app/base.txt": "six\n"}, "build/app/base.txt"),
    "constraints": ("six\n-c limits.txt # why\n", {"build/app/limits.txt": "six<2\n"}, "build/app/limits.txt"),
    "on two lines": ("--constraint \\\n  limits.txt\n", {"build/app/limits.txt": "six<2\n"}, "build/app/limits.txt"),
    "a file beside the application": ("-r ../base.txt\n", {"build/base.txt": "six\n"}, "build/base.txt"),
    "a wheel": ("../vendor/%s\n" % WHEEL, {"build/vendor/%s" % WHEEL: "w"}, "build/vendor/%s" % WHEEL),
    "a wheel with options": (
        "../%s --hash=sha256:00 ; python_version > '3'\n" % WHEEL,
        {"build/%s" % WHEEL: "w"},
        "build/%s" % WHEEL,
    ),
    "a named archive": ("x @ file:../x-1.tar.gz\n", {"build/x-1.tar.gz": "a"}, "build/x-1.tar.gz"),
    "a project": ("../lib\n", LIB, "build/lib/pyproject.toml"),
    "an editable project": ("-e ../lib[extra]\n", LIB, "build/lib/pyproject.toml"),
    "a directory of wheels": (
        "--find-links ../wheels\nx\n",
        {"build/wheels/%s" % WHEEL: "w"},
        "build/wheels/%s" % WHEEL,
    ),
}


@pytest.mark.fault(72)
@pytest.mark.parametrize("case", INSIDE)
def test_what_requirements_refer_to_is_shipped_and_counts(case, plugin):
    text, files, expected = INSIDE[case]
    manifest = plugin(text, files)
    before = collected(manifest)
    assert expected in shipped(manifest) and before.main == "build/app/requirements.txt"
    (manifest.path / expected).write_text("something else")
    assert collected(manifest).digest != before.digest


def test_an_included_file_that_includes_another_is_followed_once(plugin):
    manifest = plugin("-r a/b.txt\n", {"build/app/a/b.txt": "-r ../c.txt\n", "build/app/c.txt": "-r a/b.txt\nsix\n"})
    assert sorted(shipped(manifest)) == ["build/app/a/b.txt", "build/app/c.txt", "build/app/requirements.txt"]


@pytest.mark.parametrize("text", [".\n", "-e .\n", "-e .[web]\n", "--editable=./\n"])
def test_the_application_itself_is_taken_from_the_release(plugin, text):
    manifest = plugin(text, {"build/app/pyproject.toml": PROJECT})
    found = collected(manifest)
    assert found.application_at == "build/app" and list(shipped(manifest)) == ["build/app/requirements.txt"]
    assert "-e" not in shipped(manifest)["build/app/requirements.txt"]
    (manifest.path / "build/app/app.py").write_text("changed")
    assert collected(manifest).digest != found.digest


def test_a_project_without_requirements_is_installed(plugin):
    found = collected(plugin(None, {"build/app/pyproject.toml": PROJECT}))
    assert found.application_at == "build/app"
    assert found.files == (("build/app/.windflow-requirements.txt", 0o644, b".\n"),)
    assert found.main == "build/app/.windflow-requirements.txt"


def test_a_pyproject_that_only_sets_up_tools_is_no_project(plugin):
    found = collected(plugin(None, {"build/app/pyproject.toml": "[tool.ruff]\nline-length = 100\n"}))
    assert found.files == ((found.main, 0o644, b""),) and not found.application_at


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-r base.txt\n", "base.txt"),
        ("./vendor/x.whl\n", "vendor/x.whl"),
        ("-c ../../../outside.txt\n", "leads out"),
        ("-e ../../..\n", "leads out"),
    ],
)
def test_a_reference_that_leads_nowhere_is_found_with_the_plugin(plugin, findings, text, words):
    (problem,) = findings(plugin, text)
    assert problem.code == "E1051" and words in problem.got


@pytest.mark.parametrize(
    "text",
    [
        "six==1.17.0\n",
        "https://example.com/x-1-py3-none-any.whl\n",
        "x @ https://example.com/x-1-py3-none-any.whl#sha256=00\n",
        "--index-url https://user:password@example.com/simple\nsix\n",
        "/opt/wheels/x-1-py3-none-any.whl\n",
    ],
)
def test_what_is_elsewhere_is_left_as_it_is(plugin, text):
    assert shipped(plugin(text)) == {"build/app/requirements.txt": text}


FROM_SOURCE = {
    "/opt/sdist/current/app/pkg": "",
    "git+https://example.com/x.git#egg=x": "x",
    "-e git+https://example.com/x.git@v1#egg=x": "x",
    "x @ git+ssh://example.com/x": "x",
    "https://example.com/x-1.tar.gz": "",
    "x @ https://example.com/x-1.zip": "x",
    "file:///srv/x": "",
    "six --hash=sha256:00\n--no-binary six": "six",
    "--no-binary=:all:": ":all:",
    "${SOMEWHERE}/x": "",
}


@pytest.mark.fault(71)
@pytest.mark.parametrize("line", FROM_SOURCE)
def test_what_is_built_from_source_is_refused_in_production_unless_it_is_named(plugin, line):
    name = FROM_SOURCE[line]
    manifest = plugin("# first\n%s\n" % line)
    found = HostBackend(manifest, load_config(manifest), Settings("production")).built_from_source()
    assert [(problem.code, problem.file) for problem in found] == [("E2037", "sample/build/app/requirements.txt")]
    assert found[0].line == 2 + line.count("\n")
    assert not HostBackend(manifest, load_config(manifest), Settings("development")).built_from_source()
    if name == ":all:":
        return
    config = load_config(manifest, None, {"app": {"source_packages": [name.upper()]}})
    if name == "":
        assert HostBackend(manifest, config, Settings("production")).built_from_source()
    else:
        assert "app.source_packages: [%s]" % name in found[0].remedy
        assert not HostBackend(manifest, config, Settings("production")).built_from_source()


def test_a_source_package_in_an_included_file_is_found_there(plugin):
    manifest = plugin("-r base.txt\n", {"build/app/base.txt": "x @ git+https://example.com/x\n"})
    (problem,) = HostBackend(manifest, load_config(manifest), Settings("production")).built_from_source()
    assert problem.file == "sample/build/app/base.txt"
