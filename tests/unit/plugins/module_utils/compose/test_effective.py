# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
import yaml

from ansible_collections.windflow.platform.plugins.module_utils.compose import effective as compose_effective

RELEASE = "/opt/shop/releases/r"
THERE = {"compose/conf": "1", "compose/x.conf": "2", "compose/data": "3", "compose/data/sub": "4"}


def bind(path, **more):
    return {"type": "bind", "source": "%s/app/%s" % (RELEASE, path), "target": "/t/" + path, **more}


def effective(*volumes, **options):
    places = compose_effective.Places(RELEASE, "/opt/shop/shared", lambda path: THERE.get(path, ""))
    model = {"services": {"app": {"volumes": list(volumes), "develop": {}}, **options.pop("services", {})}}
    return compose_effective.effective({**model, **options}, places), places


def sources(model):
    return [item["source"].replace("/opt/shop/shared/", "") for item in model["services"]["app"]["volumes"]]


def test_what_is_written_and_what_is_read_get_places_of_their_own():
    model, places = effective(bind("compose/new"), bind("compose/x.conf", read_only=True))
    assert sources(model) == ["binds/compose/new", "files/2"]
    assert (places.written, places.read) == (["compose/new"], {"compose/x.conf": "2"})
    assert "develop" not in model["services"]["app"]


def test_what_one_service_writes_the_others_read_at_the_same_place():
    other = {"db": {"volumes": [bind("compose/data")]}}
    model, places = effective(
        bind("compose/data/sub", read_only=True), bind("compose/conf", read_only=True), services=other
    )
    assert sources(model) == ["binds/compose/data/sub", "files/1"]
    assert places.written == ["compose/data"]


def test_what_a_release_does_not_have_outlives_it_even_if_it_is_only_read():
    model, _places = effective(bind("compose/certs", read_only=True))
    assert sources(model) == ["binds/compose/certs"]


def test_other_mounts_stay_where_they_are():
    volumes = [{"type": "volume", "source": "v", "target": "/v"}, {"type": "bind", "source": "/srv", "target": "/srv"}]
    assert effective(*volumes)[0]["services"]["app"]["volumes"] == volumes


def test_configurations_and_secrets_of_the_plugin_are_read_by_their_digest():
    top = {"configs": {"c": {"file": RELEASE + "/app/compose/x.conf"}, "d": {"content": "x"}}}
    top["secrets"] = {"s": {"file": RELEASE + "/secrets/KEY"}}
    model, _places = effective(**top)
    assert model["configs"] == {"c": {"file": "/opt/shop/shared/files/2"}, "d": {"content": "x"}}
    assert model["secrets"] == top["secrets"]


def test_a_service_is_made_anew_when_a_release_brings_other_files_for_what_it_writes_to():
    service = effective(bind("compose/data"), bind("compose/new"))[0]["services"]["app"]
    assert service["labels"] == {"windflow.files": "3"}
    assert "labels" not in effective(bind("compose/new"))[0]["services"]["app"]


@pytest.mark.parametrize(("bind_to", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("", None)])
def test_the_port_of_the_front_is_published_at_one_address(bind_to, shown):
    ports = [{"target": 80, "published": "8080"}, {"target": 81, "published": "81"}]
    model = {"services": {"front": {"ports": ports}, "db": {"ports": [dict(item) for item in ports]}}}
    places = compose_effective.Places(RELEASE, "/opt/shop/shared", lambda path: "")
    found = compose_effective.effective(model, places, bind_to, 8080, "front")["services"]
    assert [item.get("host_ip") for item in found["front"]["ports"]] == [shown, None]
    assert [item.get("host_ip") for item in found["db"]["ports"]] == [None, None]
    assert compose_effective.published_at(found["front"], 8080) == (shown or "")


@pytest.mark.parametrize(
    ("bind_to", "asked"), [("", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.0.0.7", "10.0.0.7")]
)
def test_a_host_reaches_itself_where_the_port_is_published(bind_to, asked):
    assert compose_effective.reached(bind_to) == asked


def test_services_that_others_wait_for_to_end_are_known():
    needs = {"a": {"condition": "service_completed_successfully"}, "b": {"condition": "service_healthy"}}
    assert compose_effective.one_shot({"services": {"app": {"depends_on": needs}, "a": {}, "b": {}}}) == ["a"]


def test_a_compose_file_reads_alike_as_json_and_as_yaml_whatever_characters_are_in_it():
    text = (
        "".join(map(chr, range(1, 0x180))) + "\u0085\u2028\ufeff\uffff\U0001f389\U0010ffff \\ud83c\\udf89 \\\U0001f389"
    )
    model = {"services": {"app": {"environment": {"TEXT": text, "\x7f\U0001f389": "key"}}}}
    written = compose_effective.as_file(model).decode()
    assert json.loads(written) == model
    # The parser of Compose knows no pairs of escapes, as PyYAML does not.
    assert yaml.safe_load(written) == model
