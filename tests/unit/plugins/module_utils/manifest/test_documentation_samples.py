# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every sample of the plugin documentation is accepted as it stands.

The samples are taken out of the documentation itself, ``tests/fixtures/documentation/PLUGINS.md``, a copy
that nobody edits. Nothing of it is typed again here.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.config.checks import check_config
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import Config, load_config
from ansible_collections.windflow.platform.plugins.module_utils.manifest import reader as manifest_module
from ansible_collections.windflow.platform.plugins.module_utils.manifest.dependencies import resolve
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import Manifest, load_manifest
from ansible_collections.windflow.platform.plugins.module_utils.text.documents import load_json, load_yaml
from ansible_collections.windflow.platform.tests.tools.documentation import (
    DOCUMENTATION,
    make_example_plugin,
    make_walk_through,
    samples,
    under,
)

ROOT = Path(manifest_module.__file__).resolve().parents[3]
PLUGINS = ROOT / "windflow_plugins"
HOOK = "#!/bin/sh\nexit 0\n"


def section(heading: str) -> str:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    match = re.search(r"^(#+) %s\n(.*?)(?=^#{1,6} |\Z)" % re.escape(heading), text, re.DOTALL | re.MULTILINE)
    return match.group(2)


def test_the_documentation_has_the_samples_that_are_tested_here():
    found = [(sample.language, sample.headings[-1]) for sample in samples()]
    assert found.count(("json", "Configuration")) == 6
    assert len(under("Plugin Metadata", "yaml")) == 1
    assert len(under("Template Plugin", "yaml")) == 2
    assert len(under("Example: Creating a Simple Plugin", "bash")) == 4
    assert len(samples()) == 21


def test_the_example_plugin_yml_is_accepted(tmp_path):
    plugin = load_manifest(make_example_plugin(tmp_path))
    assert (plugin.name, plugin.version, plugin.license) == ("example-plugin", "1.0.0", "MIT")
    assert [(found.name, found.constraint) for found in plugin.dependencies] == [
        ("core", ">=1.0.0"),
        ("database", ">=2.0.0"),
    ]
    assert sorted(plugin.hooks) == ["post-deploy", "post-upgrade", "pre-deploy", "pre-upgrade"]
    assert plugin.targets == ()
    database = Manifest("database", "2.1.0", tmp_path, provides={"database": "2.1.0"})
    assert [found.name for found in resolve(plugin, [database]).order] == ["database", "example-plugin"]


@pytest.fixture
def walk_through(tmp_path) -> Path:
    return make_walk_through(tmp_path)


def test_the_walk_through_makes_a_plugin_that_is_accepted(walk_through):
    assert sorted(str(path.relative_to(walk_through)) for path in walk_through.rglob("*") if path.is_file()) == [
        "README.md",
        "config/defaults.yaml",
        "config/schema.json",
        "hooks/post-deploy.sh",
        "hooks/pre-deploy.sh",
        "plugin.yml",
    ]
    plugin = load_manifest(walk_through)
    assert (plugin.name, plugin.version, plugin.targets) == ("my-plugin", "1.0.0", ())
    assert {event: [hook.path.name for hook in hooks] for event, hooks in plugin.hooks.items()} == {
        "pre-deploy": ["pre-deploy.sh"],
        "post-deploy": ["post-deploy.sh"],
    }
    assert [found.name for found in resolve(plugin).order] == ["my-plugin"]
    config = load_config(plugin)
    assert config.data == {"app": {"name": "my-app", "version": "1.0.0"}}
    assert check_config(config, "production") == ([], [])


def test_the_walk_throughs_hooks_run(walk_through):
    for hook in load_manifest(walk_through).hooks["pre-deploy"]:
        done = subprocess.run([hook.path], capture_output=True, text=True, check=True, timeout=60)
        assert "pre-deploy hook for my-plugin" in done.stdout


def test_the_walk_throughs_readme_has_a_configuration_that_is_accepted(walk_through, tmp_path):
    readme = (walk_through / "README.md").read_text()
    text = re.search(r"```yaml\n(.*?)```", readme, re.DOTALL).group(1)
    (tmp_path / "mine.yaml").write_text(text)
    assert load_config(load_manifest(walk_through), files=[tmp_path / "mine.yaml"]).get("app.name") == "my-app"


def template(tmp_path: Path, texts: list[str], environment: str | None = None, environ: dict | None = None) -> Config:
    files = []
    for number, text in enumerate(texts):
        files.append(tmp_path / ("my-config-%d.yaml" % number))
        files[-1].write_text(text)
    return load_config(load_manifest(PLUGINS / "template"), environment, None, files, environ or {})


@pytest.mark.parametrize("which", ["basic", "advanced", "both"])
def test_the_template_configurations_are_accepted(which, tmp_path):
    basic, advanced = (sample.text for sample in under("Template Plugin", "yaml"))
    texts = {"basic": [basic], "advanced": [advanced], "both": [basic, advanced]}[which]
    config = template(tmp_path, texts)
    for text in texts:
        for name, values in load_yaml(text, "sample").data.items():
            for key, value in values.items():
                assert config.data[name][key] == value
                assert config.origin((name, key)).layer == "file"
    errors, warnings = check_config(config, None)
    assert errors == []
    assert {problem.code for problem in warnings} <= {"E1138"}


def test_the_template_configuration_is_accepted_in_production_but_for_its_placeholders(tmp_path):
    basic = under("Template Plugin", "yaml")[0].text
    errors, _warnings = check_config(template(tmp_path, [basic], "production"), "production")
    assert [(problem.code, problem.path) for problem in errors] == [
        ("E1138", "app.secret_key"),
        ("E1138", "database.password"),
    ]


def environment_variables() -> dict[str, str]:
    return dict(re.findall(r"^- `([A-Z_]+)`: (.*)$", section("Environment Variables"), re.MULTILINE))


def test_every_environment_variable_of_the_documentation_has_its_effect(tmp_path):
    documented = environment_variables()
    assert len(documented) == 9
    values = {"DB_PORT": "5433", "HOST_PORT": "8081", "DEBUG": "true", "LOG_LEVEL": "critical"}
    environ = {name: values.get(name, "from_" + name.lower()) for name in documented}
    config = template(tmp_path, [], environ=environ)
    assert {name: config.declared_environment()[name] for name in documented} == environ
    paths = {name: config.schema.environment[name] for name in documented}
    assert {path[0] for path in paths.values()} == {"database", "app", "server"}
    for path in paths.values():
        assert config.origin(path).layer == "environment"
    assert config.get("app.debug") is True
    assert config.get("server.host_port") == 8081


def test_every_documented_log_level_is_accepted(tmp_path):
    levels = re.search(r"\((.*)\)", environment_variables()["LOG_LEVEL"]).group(1).split(", ")
    assert len(levels) == 5
    for level in levels:
        assert template(tmp_path, [], environ={"LOG_LEVEL": level}).get("app.log_level") == level


def host_sections() -> str:
    """The six JSON sections, with their comments, put together as one configuration."""
    return "{\n%s}\n" % ",\n".join(sample.text.rstrip("\n") for sample in under("Physical Host Template", "json"))


@pytest.fixture
def physical_host(tmp_path) -> Config:
    (tmp_path / "my-host.json").write_text(host_sections())
    return load_config(load_manifest(PLUGINS / "physical-host"), None, None, [tmp_path / "my-host.json"])


def test_the_physical_host_sections_are_accepted_together(physical_host):
    given = load_json(host_sections(), "sample").data
    assert set(given) == {"host", "app", "database", "server", "storage", "network"}
    for name, values in given.items():
        for key, value in values.items():
            assert physical_host.data[name][key] == value
            assert physical_host.origin((name, key)).layer == "file"
    errors, warnings = check_config(physical_host, None)
    assert errors == []
    assert {problem.path for problem in warnings} == {"app.secret_key", "database.password"}


@pytest.mark.parametrize("sample", under("Physical Host Template", "json"), ids=lambda sample: sample.intro)
def test_each_physical_host_section_is_accepted_on_its_own(sample, tmp_path):
    (tmp_path / "one.json").write_text("{%s}" % sample.text)
    config = load_config(load_manifest(PLUGINS / "physical-host"), None, None, [tmp_path / "one.json"])
    assert check_config(config, None)[0] == []


def test_the_alternatives_in_the_comments_are_accepted_too(tmp_path):
    text = host_sections()
    comments = re.findall(r'"(\w+)": "[^"]*",?\s*// or (.*)', text)
    assert [key for key, _words in comments] == ["type", "key_file", "family"]
    for family in re.findall(r'"(\w+)"', dict(comments)["family"]):
        (tmp_path / "one.json").write_text(text.replace('"family": "debian"', '"family": "%s"' % family))
        config = load_config(load_manifest(PLUGINS / "physical-host"), None, None, [tmp_path / "one.json"])
        assert config.get("host.os.family") == family
        assert check_config(config, None)[0] == []
    changed = text.replace('"type": "physical",  //', '"type": "vm",  //')
    changed = re.sub(r'"key_file": "[^"]*"', '"password": "s3cret"', changed)
    assert changed.count('"vm"') == 2
    (tmp_path / "one.json").write_text(changed)
    config = load_config(load_manifest(PLUGINS / "physical-host"), None, None, [tmp_path / "one.json"])
    assert (config.get("host.type"), config.get("host.connection.password")) == ("vm", "s3cret")
    assert check_config(config, None)[0] == []
