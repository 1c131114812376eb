# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backends import service_images
from ansible_collections.windflow.platform.plugins.module_utils.compose.compose_documents import read_compose
from ansible_collections.windflow.platform.plugins.module_utils.compose.model import filled
from ansible_collections.windflow.platform.plugins.module_utils.containers import engine
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.manifest.compose_section import RELEASE_DIR
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest

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
        ("privileged: '${X:-true}'", "privileged"),
        ("network_mode: host", "host-network"),
        ("pid: host", "host-namespaces"),
        ("volumes: ['/var/run/docker.sock:/var/run/docker.sock']", "docker-socket"),
        ("volumes: [{type: bind, source: /run/docker.sock, target: /s}]", "docker-socket"),
    ],
)
def test_the_hosts_rights_need_a_word(plugin, service, name):
    compose = "services: {app: {image: a, %s}}\n" % service
    assert set(codes(plugin, compose)) == {("E1055", "compose")}
    assert plugin(compose, "compose: {allow: [%s]}\n" % name).compose.allow == (name,)


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


@pytest.mark.fault(63)
@pytest.mark.parametrize(
    ("compose", "more", "name"),
    [
        ("network_mode: '${NET:-host}'", {}, "host-network"),
        ("volumes: ['/var/run/../run/docker.sock:/s']", {}, "docker-socket"),
        ("volumes: ['/:/host']", {}, "host-paths"),
        ("cap_add: [ALL]", {}, "capabilities"),
        ("env_file: /root/.env", {}, "host-paths"),
        ("extends: {file: x.yaml, service: b}", {"x.yaml": "services: {b: {pid: host}}"}, "host-namespaces"),
        ("extends: b}, b: {devices: [/dev/sda]", {}, "devices"),
        ("volumes: ['v:/host']}}\nvolumes: {v: {driver_opts: {type: none, device: /}", {}, "volume-drivers"),
        (
            "image: a}}\ninclude: [x.yaml]\nx-y: {y: {z: 1",
            {"x.yaml": "services: {b: {privileged: true}}"},
            "privileged",
        ),
        ("image: a", {"compose.production.yaml": "services: {app: {privileged: true}}"}, "privileged"),
        ("image: a", {"compose.swarm.yaml": "services: {app: {cap_add: [SYS_ADMIN]}}"}, "capabilities"),
    ],
)
def test_whatever_way_a_service_gets_the_hosts_rights_needs_a_word(plugin, tmp_path, compose, more, name):
    compose = "services: {app: {%s}}\n" % compose
    plugin()
    for file, text in more.items():
        (tmp_path / "shop/compose" / file).write_text(text, encoding="utf-8")
    assert set(codes(plugin, compose)) == {("E1055", "compose")}
    assert plugin(compose, "compose: {allow: [%s]}\n" % name).compose.allow == (name,)


@pytest.mark.parametrize(
    ("compose", "code"),
    [
        ("include: [/etc/x.yaml]", "E1057"),
        ("include: ['https://example.com/x.git']", "E1057"),
        ("include: [../../x.yaml]", "E1057"),
        ("include: [missing.yaml]", "E1057"),
        ("include: [compose.yaml]", "E1070"),
        ("services: {app: {extends: {file: ../../x.yaml, service: b}}}", "E1057"),
        ("services: {app: {extends: {service: b}}}", "E1069"),
        ("services: {app: {extends: {service: app}}}", "E1070"),
        ("services: {app: {image: a, env_file: missing.env}}", "E1057"),
    ],
)
def test_a_file_that_is_not_the_plugins_is_refused(plugin, compose, code):
    assert {found for found, _path in codes(plugin, compose + "\n")} == {code}


def test_the_application_may_be_in_an_overlay_or_an_include(plugin, tmp_path):
    plugin()
    (tmp_path / "shop/compose/app.yaml").write_text("services: {app: {image: a}}\n", encoding="utf-8")
    assert plugin("include: [app.yaml]\n").compose.app == "app"
    (tmp_path / "shop/compose/compose.production.yaml").write_text("services: {web: {image: a}}\n", encoding="utf-8")
    assert plugin("services: {b: {image: a}}\n", "compose: {app: web}\n").compose.app == "web"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A", "1"),
        ("${A}", "1"),
        ("${B}", ""),
        ("${B:-x}", "x"),
        ("${B-x}", "x"),
        ("${E:-x}", "x"),
        ("${E-x}", ""),
        ("${B:-${A:-y}}z", "1z"),
        ("${A:+x}${B:+y}", "x"),
        ("${A:?no}", "1"),
        ("$$A $$", "$A $"),
        ("100%", "100%"),
        ("a$", "a$"),
        ("${A", "1"),
    ],
)
def test_variables_are_filled_in_as_compose_does(text, value):
    assert filled(text, {"A": "1", "E": ""}) == value


@pytest.mark.system
def test_the_controllers_model_is_that_of_compose(compose_client, plugin, tmp_path):
    compose = """
include: [redis.yaml]
services:
  app:
    extends: {file: common.yaml, service: base}
    environment: {GREETING: "${GREETING:-none}"}
    ports: ["${HOST_PORT:-8080}:8000", "127.0.0.1:9:9/udp"]
    volumes: [./data:/data, "./x:/x:ro", "named:/named"]
    depends_on: [redis]
  web:
    build: {context: ../build, dockerfile: ../Dockerfile, args: [A=1]}
volumes: {named: {}}
"""
    plugin()
    folder = tmp_path / "shop/compose"
    (folder / "redis.yaml").write_text("services: {redis: {image: r, volumes: ['.:/r']}}\n", encoding="utf-8")
    (folder / "app.env").write_text("X=1\n", encoding="utf-8")
    base = "services: {base: {build: ../build, restart: always, env_file: app.env}}\n"
    (folder / "common.yaml").write_text(base, encoding="utf-8")
    overlay = "services: {app: {build: {target: dev}, ports: ['81:81'], volumes: ['./other:/x']}}\n"
    (folder / "compose.development.yaml").write_text(overlay, encoding="utf-8")
    spec = plugin(compose).compose
    variables = {"GREETING": "two\nlines of \"both\" 'quotes' and $HOME"}
    files = spec.files("development")
    question = {
        "files": {"compose/%s" % path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()},
        "variables": variables,
        "release_dir": RELEASE_DIR,
        "runs": {"compose": ["app/compose/%s" % name for name in files]},
    }
    theirs = engine.Models("windflow-shop", question).answers()["compose"]["model"]
    ours = spec.model_of(files, tmp_path / "shop", variables)
    assert set(theirs["services"]) == set(ours["services"])
    assert theirs["services"]["app"]["environment"]["GREETING"] == variables["GREETING"].replace("$", "$$")
    for name, service in theirs["services"].items():
        mine = ours["services"][name]
        assert service_images.sections(theirs).get(name, {}).get("context") == service_images.sections(ours).get(
            name, {}
        ).get("context")
        for key in ("source", "target", "type"):
            found = [sorted(str(item.get(key)) for item in one.get("volumes", ())) for one in (service, mine)]
            assert found[0] == found[1]
        assert [
            (str(item["target"]), item.get("published"), item.get("host_ip")) for item in service.get("ports", ())
        ] == [(str(item["target"]), item.get("published"), item.get("host_ip")) for item in mine.get("ports", ())]
