# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from ansible_collections.windflow.platform.plugins.module_utils.backends import compose_files
from ansible_collections.windflow.platform.plugins.module_utils.backends.backend import Settings, Source
from ansible_collections.windflow.platform.plugins.module_utils.backends.compose_plan import ComposeBackend
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
from ansible_collections.windflow.platform.plugins.module_utils.files import tree
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest
from ansible_collections.windflow.platform.plugins.module_utils.plan import plan, preflight

TEMPLATE = Path(__file__).parents[5] / "windflow_plugins" / "template"
SETTINGS = Settings(time="20261123T012327Z")
ENGINE = {"version": "20.10.24", "compose": "2.26.1-4", "error": "", "root": "/x", "space": None, "containers": []}
# Secrets as a host makes them.
KEPT = {"app.secret_key": "canary-key-0815", "database.password": "canary-db-4711"}


def template(*sets):
    manifest = load_manifest(TEMPLATE)
    return manifest, load_config(manifest, None, None, [], {}, list(sets), kept=KEPT)


def source_of(manifest):
    return ComposeBackend(manifest, load_config(manifest)).source_of(tree.source_digest)


def blank_host(**changes):
    facts = {"root": True, "cpu_threads": 2, "ram_mb": 2000, "port_owner": None, "space": {}, "python": "3.11.2"}
    absent = defaultdict(lambda: {"state": "absent", "real": "", "empty": True, "never": "", "other": ""})
    facts["directories"] = {"host": absent, "compose": absent}
    engine = {**ENGINE, "images": {}}
    return {
        "facts": facts,
        "current": None,
        "drift": [],
        "made": {"account": [], "group": [], "directories": []},
        "engine": engine,
        "port_sites": [],
        "dependents": [],
        "unreadable": {},
        **changes,
    }


def make(host, *sets, settings=SETTINGS, source=None):
    manifest, config = template(*sets)
    return build(manifest, config, host, settings, source)


def build(manifest, config, host, settings=SETTINGS, source=None):
    return plan.build(ComposeBackend(manifest, config, settings), source or source_of(manifest), host, None)


def findings(manifest, config, host, settings=SETTINGS):
    return preflight.findings(ComposeBackend(manifest, config, settings), host, source_of(manifest))


def after(made):
    """The host as it is when a plan was carried out."""
    images = {tag: "sha256:1" for tag in made["compose"]["images"].values()}
    return blank_host(current={**made["revision"], "revision": 1}, engine={**ENGINE, "images": images})


def pending(made):
    return [name for name, step in made["steps"].items() if step["pending"]]


def documents(made, *sets):
    manifest, config = template(*sets)
    return documents_of(manifest, config, made)


def documents_of(manifest, config, made):
    return compose_files.documents(plan.release_backend(manifest, config, made), made)


def variables(text):
    return dict(line.partition("=")[::2] for line in text.splitlines())


def test_on_a_blank_host_everything_is_pending():
    made = make(blank_host())
    assert pending(made) == ["directories", "application", "config", "containers"]
    assert (made["event"], made["target"], made["role"]) == ("install", "compose", "windflow.platform.compose")
    assert made["user"] == "nobody" and made["install_dir"] == "/opt/template"


def test_a_host_as_planned_has_nothing_pending():
    first = make(blank_host())
    second = make(after(first), settings=Settings(time="20270101T000000Z"))
    assert pending(second) == [] and second["release"] == first["release"]


def test_a_plan_holds_no_secret():
    text = json.dumps(make(blank_host()))
    assert "canary" not in text


def test_the_same_files_give_the_same_tags_and_others_give_others():
    manifest, _config = template()
    source = source_of(manifest)
    tags = make(blank_host())["compose"]["images"]
    assert set(tags) == {"app", "front", "db"}
    assert tags == make(blank_host())["compose"]["images"]
    listing = [item for item in source.listing if item[0] != "build/app/application.py"]
    changed = make(blank_host(), source=Source("0", tuple(listing)))["compose"]["images"]
    assert {name for name in tags if tags[name] != changed[name]} == {"app"}
    other = make(blank_host(), "images.base=debian:bookworm-slim")["compose"]["images"]
    assert not set(tags.values()) & set(other.values())


def test_an_image_that_is_gone_makes_a_release():
    host = after(make(blank_host()))
    tag = next(iter(host["engine"]["images"]))
    host["engine"]["images"][tag] = ""
    made = make(host)
    assert pending(made) == ["application"] and made["new_release"]
    assert made["steps"]["application"]["missing"] == [tag]


def test_more_replicas_make_a_release():
    made = make(after(make(blank_host())), settings=Settings(replicas=3, time="20270101T000000Z"))
    assert pending(made) == ["containers"] and made["compose"]["replicas"] == 3


@pytest.mark.parametrize(
    ("engine", "code"),
    [
        ({"version": "", "compose": "", "error": "no docker"}, "E2017"),
        ({"version": "20.10.24", "compose": ""}, "E2018"),
        ({"version": "20.10.24", "compose": "2.17.3"}, "E2018"),
        ({"version": "20.10.24", "compose": "1.29.2"}, "E2018"),
        ({"version": "20.10.24", "compose": "2.18.0"}, ""),
        ({"version": "28.0.1", "compose": "5.0.0-rc1"}, ""),
    ],
)
def test_the_preflight_names_what_is_missing(engine, code):
    found = preflight.container_engine({**ENGINE, "error": "", **engine})
    assert [problem.code for problem in found] == ([code] if code else [])


def test_the_preflight_wants_the_port_and_room_for_images():
    manifest, config = template()
    host = blank_host()
    host["facts"]["port_owner"] = {"name": "nginx", "pid": 7}
    host["engine"].update(space={"mb": 20, "inodes": None}, root="/var/lib/docker")
    errors, _warnings = findings(manifest, config, host)
    assert sorted(problem.code for problem in errors) == ["E2008", "E2009"]


def test_containers_join_the_networks_of_what_they_need():
    made = make(blank_host(), settings=Settings(time=SETTINGS.time, networks=("windflow-database_default",)))
    overlay = yaml.safe_load(documents(made)["windflow.yaml"])
    assert overlay["networks"] == {"windflow-database_default": {"name": "windflow-database_default", "external": True}}
    assert overlay["services"]["app"]["networks"] == {"default": {}, "windflow-database_default": {}}
    assert made["digests"]["containers"] != make(blank_host())["digests"]["containers"]
    assert "networks" not in documents(make(blank_host()))["windflow.yaml"]
    # Compose prints the project's network where the files say nothing, and leaves it out as soon as one is named.
    host = blank_host()
    manifest, config = template()
    model = ComposeBackend(manifest, config).own_model()
    for service in model["services"].values():
        service["networks"] = {"default": None}
    host["engine"]["models"] = {"compose": {"model": model}}
    made = make(host, settings=Settings(time=SETTINGS.time, networks=("windflow-database_default",)))
    overlay = yaml.safe_load(documents(made)["windflow.yaml"])
    assert overlay["services"]["app"]["networks"] == {"default": {}, "windflow-database_default": {}}


@pytest.mark.parametrize(
    ("ports", "port"),
    [
        (["127.0.0.1:8080:8080"], 0),
        (["[::1]:8080:8080", {"target": 8080, "host_ip": "127.0.0.1"}], 0),
        (["127.0.0.1:8080:8080", "8081:8080"], 8081),
        (["${ADDRESS:-127.0.0.1}:8080:8080"], 0),
        ([{"target": 8080, "published": 8080}], 8080),
    ],
)
def test_a_stack_has_no_port_where_compose_has_one_of_the_loopback_address(ports, port, tmp_path):
    manifest, config = template()
    written = {"services": {"app": {"image": "a"}, "front": {"image": "f", "ports": ports}}}
    shop = tmp_path / "shop"
    (shop / "compose").mkdir(parents=True)
    (shop / "compose/compose.yaml").write_text(json.dumps(written), encoding="utf-8")
    model = manifest.compose.model_of(["compose.yaml"], shop, {})
    assert ComposeBackend(manifest, config).host_port(model) == 8080
    assert ComposeBackend(manifest, config, Settings(engine="swarm")).host_port(model) == port


def test_a_database_that_others_need_has_the_name_of_its_container_in_a_stack_too():
    manifest = load_manifest(TEMPLATE.parent / "database")
    config = load_config(manifest, None, None, [], {}, [])
    made, stack = (
        build(manifest, config, blank_host(), settings)
        for settings in (SETTINGS, Settings(time=SETTINGS.time, engine="swarm"))
    )
    assert "networks" not in documents_of(manifest, config, made)["windflow.yaml"]
    overlay = yaml.safe_load(documents_of(manifest, config, stack)["windflow.yaml"])
    name = compose_files.seen_by_others(ComposeBackend(manifest, config))["database"]["host"]
    assert overlay["services"]["db"]["networks"] == {"default": {"aliases": [name]}}


def test_a_plugin_that_is_a_database_publishes_its_own_port_and_has_no_http():
    manifest = load_manifest(TEMPLATE.parent / "database")
    config = load_config(manifest, None, {"database": {"port": 5499}}, [], {}, [])
    made = build(manifest, config, blank_host())
    assert made["compose"]["port"] == 0 and made["compose"]["app"] == "db"
    values = variables(documents_of(manifest, config, made)[".env"])
    assert values["DB_PORT"] == "5499" and "DB_PASSWORD" not in values
    seen = compose_files.seen_by_others(ComposeBackend(manifest, config))["database"]
    assert (seen["host"], seen["port"]) == ("windflow-database-db-1", 5432)


def test_the_host_is_sent_every_file_that_its_compose_reads(tmp_path):
    files = {
        "plugin.yml": "name: shop\nversion: 1.0.0\n",
        "compose/compose.yaml": "include: [../build/more.yaml]\nservices: {app: {image: a, env_file: ../build/a.env}}",
        "build/more.yaml": "services: {b: {image: b}}",
        "build/a.env": "A=1",
        "build/app/big": "x",
    }
    for name, text in files.items():
        (tmp_path / "shop" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shop" / name).write_text(text, encoding="utf-8")
    manifest = load_manifest(tmp_path / "shop")
    config = load_config(manifest, None, None, [], {}, [])
    asked = ComposeBackend(manifest, config).questions(source_of(manifest), {})["engine"]["model"]
    assert set(asked["files"]) == {"compose/compose.yaml", "build/more.yaml", "build/a.env"}


@pytest.mark.parametrize(("bind", "found"), [("127.0.0.1", ["E1071"]), ("0.0.0.0", []), ("", [])])
def test_a_swarm_cannot_open_a_port_at_one_address(bind, found):
    manifest, config = template(*(["server.bind=" + bind] if bind else []))
    settings = Settings(time=SETTINGS.time, engine="swarm")
    host = blank_host()
    host["engine"]["swarm"] = {"manager": True, "state": "active"}
    errors, _warnings = findings(manifest, config, host, settings)
    assert [problem.code for problem in errors] == found


def test_what_the_hosts_compose_refuses_is_said_before_anything_is_written():
    manifest, config = template()
    host = blank_host()
    host["engine"]["models"] = {"compose": {"error": "services.app Additional property gpus is not allowed"}}
    errors, _warnings = findings(manifest, config, host)
    assert [problem.code for problem in errors] == ["E1072"] and "gpus" in errors[0].got
