# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.compose_documents import read_compose
from ansible_collections.windflow.platform.plugins.module_utils.compose_spec import build_context, dangers
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.manifest import load_manifest

HEAD = "name: shop\nversion: 1.0.0\n"
SERVICES = "services:\n  app: {image: a}\n  front: {image: f}\n  db: {image: d}\n"


@pytest.fixture
def plugin(tmp_path):
    def make(compose=SERVICES, manifest="", **more):
        root = tmp_path / "shop"
        (root / "compose").mkdir(parents=True, exist_ok=True)
        (root / "plugin.yml").write_text(HEAD + manifest, encoding="utf-8")
        (root / "compose" / "compose.yaml").write_text(compose, encoding="utf-8")
        for name in more.get("overlays", ()):
            (root / "compose" / ("compose.%s.yaml" % name)).write_text("services: {}\n", encoding="utf-8")
        return load_manifest(root)

    return make


def codes(function, *arguments):
    with pytest.raises(WindflowError) as caught:
        function(*arguments)
    return [(problem.code, problem.path) for problem in caught.value.problems]


def test_conventions_need_no_section(plugin):
    spec = plugin().compose
    assert (spec.app, spec.front, spec.database) == ("app", "front", "db")
    assert (spec.port, spec.health, spec.health_timeout, spec.group) == (8000, "/healthz", 60, 10000)


def test_a_single_service_needs_neither_front_nor_database(plugin):
    spec = plugin("services: {app: {image: a}}\n").compose
    assert (spec.app, spec.front, spec.database) == ("app", "", "")


def test_an_environment_adds_its_overlay_where_there_is_one(plugin):
    spec = plugin(overlays=["production"]).compose
    assert spec.files("production") == ["compose.yaml", "compose.production.yaml"]
    assert spec.files("development") == spec.files("") == ["compose.yaml"]


@pytest.mark.parametrize(
    ("section", "found"),
    [
        ("{app: web}", ("E1039", "compose.app")),
        ("{front: 7}", ("E1039", "compose.front")),
        ("{port: 0}", ("E1031", "compose.port")),
        ("{port: '8000'}", ("E1031", "compose.port")),
        ("{health: healthz}", ("E1054", "compose.health")),
        ("{group: -1}", ("E1031", "compose.group")),
        ("{allow: privileged}", ("E1031", "compose.allow")),
        ("{allow: [root]}", ("E1039", "compose.allow[0]")),
        ("{apps: app}", ("E1034", "compose.apps")),
    ],
)
def test_a_wrong_section_is_named(plugin, section, found):
    assert codes(plugin, SERVICES, "compose: %s\n" % section) == [found]


@pytest.mark.parametrize(
    "compose",
    [
        "",
        "services: {}\n",
        "services: [a]\n",
        "services: {a: image}\n",
        "services:\n\t- a\n",
        "services: {a: *no}\n",
    ],
)
def test_a_file_without_services_is_refused(plugin, compose):
    assert "E1049" in {code for code, _path in codes(plugin, compose)}


def test_no_service_that_could_be_the_application(plugin):
    assert codes(plugin, "services: {web: {image: w}}\n") == [("E1039", "compose.app")]


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("privileged: true", "privileged"),
        ("privileged: '${X}'", "privileged"),
        ("network_mode: host", "host-network"),
        ("pid: host", "host-network"),
        ("volumes: ['/var/run/docker.sock:/var/run/docker.sock']", "docker-socket"),
        ("volumes: [{type: bind, source: /run/docker.sock, target: /s}]", "docker-socket"),
    ],
)
def test_the_hosts_rights_need_a_word(plugin, service, name):
    compose = "services: {app: {image: a, %s}}\n" % service
    assert codes(plugin, compose) == [("E1055", "compose")]
    assert plugin(compose, "compose: {allow: [%s]}\n" % name).compose.allow == (name,)


def test_harmless_services_ask_for_nothing():
    assert dangers({"volumes": ["data:/data", {"type": "volume"}], "privileged": False, "network_mode": "bridge"}) == []


def test_anchors_merges_and_tags_of_compose_are_read(tmp_path):
    path = tmp_path / "compose.yaml"
    path.write_text("x: &x {image: a}\nservices: {app: {<<: *x, ports: !reset []}}\n", encoding="utf-8")
    assert read_compose(path, "f")["services"] == {"app": {"image": "a", "ports": []}}


@pytest.mark.parametrize("kind", ["lists", "merges", "circle"])
def test_an_alias_bomb_is_refused_in_a_second(tmp_path, kind):
    if kind == "circle":
        text = "a: &a [*a]\nservices: {app: {image: a}}\n"
    elif kind == "lists":
        rows = ["a0: &a0 [x]"] + ["a%d: &a%d [%s]" % (n, n, ",".join(["*a%d" % (n - 1)] * 9)) for n in range(1, 12)]
        text = "\n".join(rows) + "\n"
    else:
        rows = ["a0: &a0 {x: 1}"]
        rows += ["a%d: &a%d {<<: [%s]}" % (n, n, ",".join(["*a%d" % (n - 1)] * 9)) for n in range(1, 12)]
        text = "\n".join(rows) + "\n"
    path = tmp_path / "compose.yaml"
    path.write_text(text, encoding="utf-8")
    start = time.process_time()
    with pytest.raises(WindflowError) as caught:
        read_compose(path, "f")
    assert caught.value.code == "E1049"
    assert time.process_time() - start < 1


def test_build_contexts_are_relative_to_the_plugin():
    assert build_context({"build": "front"}) == "compose/front"
    assert build_context({"build": {"context": "../build"}}) == "build"
    assert build_context({"image": "postgres"}) == ""
