# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifest, schema, defaults, documentation and pinned requirements of the sample plugins."""

from __future__ import annotations

import copy
import json
import re
import runpy

import jsonschema
import pytest
import yaml

from ansible_collections.windflow.platform.plugins.module_utils.config.checks import check_config
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest

from .conftest import NAMES, PLUGINS, ROOT

DOCUMENTATION = (ROOT / "tests/fixtures/documentation/PLUGINS.md").read_text(encoding="utf-8")
EVENTS = {"%s-%s" % (when, stage) for when in ("pre", "post") for stage in ("install", "deploy", "upgrade", "remove")}
TARGETS = {"template": ("compose", "host"), "physical-host": ("host",)}
# Declared besides those of the documentation: what the containers of the Compose target need to know.
MORE_VARIABLES = {"template": ("SERVER_WORKERS", "SERVER_TIMEOUT"), "physical-host": ()}
SECRETS = {
    "template": {"database.password", "app.secret_key"},
    "physical-host": {"database.password", "app.secret_key", "host.connection.password"},
}


def schema(plugin: str) -> dict:
    return json.loads((PLUGINS / plugin / "config/schema.json").read_text(encoding="utf-8"))


def document(plugin: str, name: str) -> dict:
    return yaml.safe_load((PLUGINS / plugin / "config" / name).read_text(encoding="utf-8"))


def merge(below: dict, above: dict) -> dict:
    merged = dict(below)
    for key, value in above.items():
        merged[key] = merge(merged[key], value) if isinstance(value, dict) and key in merged else value
    return merged


def findings(plugin: str, config: dict) -> list[str]:
    validator = jsonschema.Draft7Validator(schema(plugin), format_checker=jsonschema.FormatChecker())
    return ["%s: %s" % (error.json_path, error.message) for error in validator.iter_errors(config)]


def nodes(node: dict, path: str = ""):
    """(path, schema) of every key; list items count as ``path[]``."""
    for key, value in node.get("properties", {}).items():
        here = ("%s.%s" % (path, key)).lstrip(".")
        yield here, value
        yield from nodes(value, here)
    if "items" in node:
        yield path + "[]", node["items"]
        yield from nodes(node["items"], path + "[]")


def section_of(title: str) -> str:
    """The part of the documentation below the heading ``title``, up to the next of the same level."""
    return re.split(r"\n### ", DOCUMENTATION.split("\n### %s\n" % title)[1])[0]


def template_samples() -> list[dict]:
    return [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", section_of("Template Plugin"), re.S)]


def with_secrets(plugin: str) -> dict:
    """The defaults of a plugin with secrets as a host makes them."""
    made = {"app": {"secret_key": "4711" * 12}, "database": {"password": "0815" * 12}}
    return merge(document(plugin, "defaults.yaml"), made)


def physical_host_sample() -> dict:
    """All JSON sections in one configuration, without their comments."""
    texts = re.findall(r"```json\n(.*?)```", section_of("Physical Host Template"), re.S)
    plain = [re.sub(r"\s//.*", "", text) for text in texts]
    return json.loads("{%s}" % ",".join(plain))


@pytest.mark.parametrize("plugin", NAMES)
def test_the_manifest_is_in_order(plugin):
    manifest = load_manifest(PLUGINS / plugin)
    assert (manifest.name, manifest.version, manifest.targets) == (plugin, "1.0.0", TARGETS[plugin])
    assert set(manifest.environments) == {"development", "production"}
    assert set(manifest.hooks) == EVENTS
    on_target = {event for event, specs in manifest.hooks.items() if specs[0].on == "target"}
    assert on_target == {"post-deploy", "post-upgrade"}
    assert (manifest.host.wsgi, manifest.host.health) == ("application:app", "/healthz")
    assert "#" not in (PLUGINS / plugin / "plugin.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("plugin", NAMES)
def test_every_key_is_described_and_no_section_takes_unknown_keys(plugin):
    document = schema(plugin)
    jsonschema.Draft7Validator.check_schema(document)
    for path, node in [("", document), *nodes(document)]:
        assert node.get("title") and node.get("description", "").endswith((".", '".')), path
        assert node["type"] != "object" or node["additionalProperties"] is False, path


@pytest.mark.parametrize("plugin", NAMES)
def test_secrets_are_marked_and_have_no_default_in_the_schema(plugin):
    marked = {path for path, node in nodes(schema(plugin)) if node.get("writeOnly")}
    assert marked == SECRETS[plugin]
    assert not any("default" in node for path, node in nodes(schema(plugin)) if path in marked)


@pytest.mark.parametrize("plugin", NAMES)
def test_the_documented_variables_are_declared(plugin):
    documented = set(re.findall(r"^- `([A-Z_]+)`:", DOCUMENTATION, re.M))
    declared = {node["x-env"]: path for path, node in nodes(schema(plugin)) if "x-env" in node}
    assert set(declared) == documented | {"ALLOWED_HOSTS", *MORE_VARIABLES[plugin]} and len(documented) == 9
    assert declared["DB_PASSWORD"] == "database.password" and declared["HOST_PORT"] == "server.host_port"


def test_the_application_reads_the_same_variables():
    variables = runpy.run_path(PLUGINS / "template/build/app/settings.py")["VARIABLES"]
    read = {variable: "%s.%s" % (section, key) for variable, (section, key, _convert) in variables.items()}
    declared = {node["x-env"]: path for path, node in nodes(schema("template")) if "x-env" in node}
    # Port and names are nginx's, or the front's: the application listens on a socket. The rest is gunicorn's.
    others = {"HOST_PORT": "server.host_port", "ALLOWED_HOSTS": "app.allowed_hosts"}
    assert declared == {**read, **others, **{name: declared[name] for name in MORE_VARIABLES["template"]}}


@pytest.mark.parametrize("plugin", NAMES)
def test_defaults_are_valid_with_and_without_an_environment(plugin):
    defaults = with_secrets(plugin)
    assert findings(plugin, defaults) == []
    for name in ("development", "production"):
        overlay = document(plugin, "environments/%s.yaml" % name)
        assert findings(plugin, merge(defaults, overlay)) == []
        assert not {"password", "secret_key"} & {key for section in overlay.values() for key in section}


@pytest.mark.parametrize("plugin", NAMES)
def test_the_schema_notes_the_defaults(plugin):
    defaults = document(plugin, "defaults.yaml")

    def value_at(path: str):
        value = defaults
        for key in path.split("."):
            value = value[key]
        return value

    noted = {path: node["default"] for path, node in nodes(schema(plugin)) if "default" in node}
    assert noted == {path: value_at(path) for path in noted}

    def leaves(value: dict, path: str = ""):
        for key, item in value.items():
            here = ("%s.%s" % (path, key)).lstrip(".")
            yield from leaves(item, here) if isinstance(item, dict) else [here]

    assert set(leaves(defaults)) - set(noted) - SECRETS[plugin] <= {"storage.volumes"}


def test_the_template_takes_the_documented_configuration():
    samples = template_samples()
    assert [sorted(sample) for sample in samples] == [["app", "database", "server"], ["email", "features"]]
    basic, advanced = (merge(with_secrets("template"), sample) for sample in samples)
    assert findings("template", basic) == [] == findings("template", advanced)
    assert findings("template", merge(basic, samples[1])) == []
    for section, values in samples[0].items():
        plain = {key: value for key, value in values.items() if "%s.%s" % (section, key) not in SECRETS["template"]}
        assert document("template", "defaults.yaml")[section].items() >= plain.items()


def test_physical_host_takes_the_documented_configuration():
    sample = physical_host_sample()
    assert sorted(sample) == ["app", "database", "host", "network", "server", "storage"]
    assert findings("physical-host", sample) == []
    assert findings("physical-host", merge(document("physical-host", "defaults.yaml"), sample)) == []


@pytest.mark.parametrize(
    "plugin, path, value",
    [
        *((plugin, "server.host_port", value) for plugin in NAMES for value in ("8080", 0, 70000, 80.5, True, None)),
        *((plugin, "app.debug", value) for plugin in NAMES for value in ("yes", 1)),
        *((plugin, "app.log_level", value) for plugin in NAMES for value in ("INFO", "trace")),
        *(
            (plugin, "app.install_dir", value)
            for plugin in NAMES
            for value in ("opt", "/", "/opt/../etc", "/opt/a b", "/opt/app/")
        ),
        *((plugin, "app.user", value) for plugin in NAMES for value in ("Root", "-x", "a;b", "")),
        *((plugin, "database.name", value) for plugin in NAMES for value in ("a;drop", 'a"b', "-x", "x" * 64)),
        *((plugin, "database.password", value) for plugin in NAMES for value in ("", 5)),
        *((plugin, "database.host", value) for plugin in NAMES for value in ("", "a b", "-x", "host;x")),
        ("template", "app.unknown", 1),
        ("template", "email.sender", "nobody"),
        ("template", "features.beta", True),
        ("physical-host", "host.type", "container"),
        ("physical-host", "host.os.family", "ubuntu"),
        ("physical-host", "host.os.version", 12),
        ("physical-host", "host.resources.cpu_threads", 0),
        ("physical-host", "app.allowed_hosts", ["a b"]),
        ("physical-host", "app.allowed_hosts", "localhost"),
        ("physical-host", "storage.volumes.0.size_gb", -1),
        ("physical-host", "storage.volumes.0.path", "data"),
        ("physical-host", "storage.volumes.0.type", "smb"),
        ("physical-host", "network.networks.0.type", "carrier-pigeon"),
        ("physical-host", "network.networks.0.interface", "eth0; reboot"),
    ],
)
def test_unfit_values_are_refused(plugin, path, value):
    config = physical_host_sample() if plugin == "physical-host" else merge(with_secrets(plugin), template_samples()[1])
    assert findings(plugin, config) == []
    bad = copy.deepcopy(config)
    *parents, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    place = bad
    for key in parents:
        place = place[key]
    place[last] = value
    assert findings(plugin, bad)


@pytest.mark.parametrize("plugin", NAMES)
def test_the_readme_lists_every_key_variable_and_hook(plugin):
    text = (PLUGINS / plugin / "README.md").read_text(encoding="utf-8")
    for path, node in nodes(schema(plugin)):
        if node["type"] != "object" and not path.endswith("[]") and node.get("items", {}).get("type") != "object":
            row = re.search(r"^\| `%s` \|.*$" % re.escape(path), text, re.M)
            assert row, path
            assert node["description"] in row[0]
            if "default" in node:
                assert "`%s`" % json.dumps(node["default"]).strip('"') in row[0], path
            if "x-env" in node:
                assert "`%s`" % node["x-env"] in row[0], path
    for event in EVENTS:
        assert "| `%s` |" % event in text


@pytest.mark.parametrize("plugin", NAMES)
def test_requirements_are_pinned_and_hashed_and_made_from_their_source(plugin):
    build = PLUGINS / plugin / "build"
    entries = re.split(r"\n(?=[a-z])", re.sub(r"(?m)^\s*#.*\n", "", (build / "requirements.txt").read_text()))
    pinned = {}
    for entry in entries:
        name, version = re.match(r"([a-z0-9-]+)==([0-9.]+) \\\n", entry).groups()
        pinned[name] = version
        assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", entry)) >= 2, name
    for line in (build / "requirements.in").read_text().splitlines():
        if line and not line.startswith("#"):
            name, version = re.match(r"([A-Za-z0-9-]+)(?:\[.*\])?==(.*)", line).groups()
            assert pinned[name.lower()] == version
    assert "://" not in (build / "requirements.txt").read_text()


@pytest.mark.parametrize("environment", [None, "development"])
def test_the_platform_reads_the_documented_files(environment, tmp_path):
    basic, advanced = re.findall(r"```yaml\n(.*?)```", section_of("Template Plugin"), re.S)
    sections = re.findall(r"```json\n(.*?)```", section_of("Physical Host Template"), re.S)
    (tmp_path / "basic.yaml").write_text(basic)
    (tmp_path / "advanced.yaml").write_text(advanced)
    # With the comments that the documentation has in them.
    (tmp_path / "host.json").write_text("{\n%s\n}\n" % ",".join(section.rstrip() + "\n" for section in sections))
    template = load_config(
        load_manifest(PLUGINS / "template"), environment, files=[tmp_path / "basic.yaml", tmp_path / "advanced.yaml"]
    )
    assert template.data["email"]["smtp_port"] == 587 and template.data["app"]["user"] == "template"
    host = load_config(load_manifest(PLUGINS / "physical-host"), environment, files=[tmp_path / "host.json"])
    assert host.data == physical_host_sample()


@pytest.mark.parametrize("plugin", NAMES)
def test_the_platform_takes_every_documented_variable(plugin):
    variables = {
        "DB_HOST": "db.example.com",
        "DB_PORT": "5433",
        "DB_NAME": "app",
        "DB_USER": "me",
        "DB_PASSWORD": "0123",
        "SECRET_KEY": "true",
        "DEBUG": "true",
        "LOG_LEVEL": "error",
        "HOST_PORT": "81",
        "ALLOWED_HOSTS": '["example.com", ".example.org"]',
    }
    variables.update({name: "7" for name in MORE_VARIABLES[plugin]})
    config = load_config(load_manifest(PLUGINS / plugin), environ=variables)
    assert config.declared_environment() == variables
    values = [config.get(path) for path in ("database.port", "database.password", "app.debug")]
    assert values == [5433, "0123", True]
    assert config.redacted()["database"]["password"] != "0123"


@pytest.mark.parametrize("plugin", NAMES)
def test_defaults_deploy_anywhere_also_in_production_with_secrets_that_the_host_makes(plugin):
    manifest = load_manifest(PLUGINS / plugin)
    for environment in (None, "development", "production"):
        config = load_config(manifest, environment)
        assert config.generated == config.secrets == {("app", "secret_key"), ("database", "password")}
        assert check_config(config, environment) == ([], [])


@pytest.mark.fault(86)
@pytest.mark.parametrize("plugin", NAMES)
def test_a_password_that_the_host_makes_is_refused_for_a_database_elsewhere(plugin):
    manifest = load_manifest(PLUGINS / plugin)
    elsewhere = {"database": {"host": "db.example.com"}}
    errors, _warnings = check_config(load_config(manifest, None, elsewhere), None)
    assert [(problem.code, problem.path) for problem in errors] == [("E1086", "database.password")]
    elsewhere["database"]["password"] = "its own"
    assert check_config(load_config(manifest, None, elsewhere), None) == ([], [])


# The plugin that others depend on.


def test_the_database_plugin_gives_what_an_application_needs():
    manifest = load_manifest(PLUGINS / "database")
    assert (manifest.version, manifest.targets) == ("2.0.0", ("compose", "host"))
    assert set(manifest.results) == {"host", "port", "name", "user", "password"}
    wanted = {path for path, _node in nodes(schema("template")["properties"]["database"])}
    assert wanted <= set(manifest.results)


def test_the_database_plugin_works_without_any_configuration_also_in_production():
    manifest = load_manifest(PLUGINS / "database")
    for environment in (None, "production"):
        config = load_config(manifest, environment)
        assert config.generated == {("database", "password")} and check_config(config, environment) == ([], [])


def test_every_key_of_the_database_plugin_is_described():
    for path, node in [("", schema("database")), *nodes(schema("database"))]:
        assert node.get("title") and node.get("description", "").endswith("."), path
        assert node["type"] != "object" or node["additionalProperties"] is False, path


def test_both_plugins_have_the_same_database_in_containers():
    for name in ("Dockerfile", "entrypoint.sh"):
        files = [PLUGINS / plugin / "compose/database" / name for plugin in ("template", "database")]
        assert files[0].read_bytes() == files[1].read_bytes()
