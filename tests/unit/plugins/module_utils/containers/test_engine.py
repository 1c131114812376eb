# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.containers import engine
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.run import managed

KEPT = {"app": "app", "release": "r2", "images": {"a:1": "sha256:a"}, "services": {"app": 2, "db": 1}}


def container(service, release="r2", state="running"):
    status = "Exited (0) 2 minutes ago" if state == "exited" else "Up 2 minutes"
    return {"id": "x", "name": service, "state": state, "status": status, "service": service, "release": release}


def drift(containers, images=None):
    now = {"containers": containers, "images": images or {"a:1": "sha256:a"}}
    return [(item["resource"], item["expected"], item["found"]) for item in managed.compose_drift(KEPT, now)]


def test_containers_as_deployed_are_no_drift():
    assert drift([container("app"), container("app"), container("db", "")]) == []


@pytest.mark.parametrize(
    ("containers", "found"),
    [
        ([container("app"), container("db", "")], ("service app", "2", "1")),
        ([container("app"), container("app", state="exited"), container("db", "")], ("service app", "2", "1")),
        ([container("app"), container("app", "r1"), container("db", "")], ("service app", "2", "1")),
        ([container("app"), container("app")], ("service db", "1", "0")),
    ],
)
def test_containers_that_are_missing_stopped_or_of_another_release_are_drift(containers, found):
    assert drift(containers) == [found]


def test_a_service_that_has_ended_well_is_no_drift_where_others_wait_for_its_end(monkeypatch):
    good = [container("app"), container("app"), container("db", "", "exited")]
    assert drift(good) == [("service db", "1", "0")]
    monkeypatch.setitem(KEPT, "one_shot", ["db"])
    assert drift(good) == []
    assert drift([*good[:2], {**good[2], "status": "Exited (1) 2 minutes ago"}]) == [("service db", "1", "0")]


@pytest.mark.parametrize(("has", "shown"), [("sha256:b", "sha256:b"), ("", "absent")])
def test_an_image_that_is_another_or_gone_is_drift(has, shown):
    good = [container("app"), container("app"), container("db", "")]
    assert drift(good, {"a:1": has}) == [("image a:1", "sha256:a", shown)]


def test_a_plugin_without_containers_has_no_drift_of_containers():
    assert managed.compose_drift({}, {"containers": [], "images": {}}) == []


def test_images_are_read_by_each_of_their_tags():
    output = 'sha256:1 ["a:1","a:2"]\nsha256:2 []\nsha256:3 null\n'
    assert engine.read_images(output) == {"a:1": "sha256:1", "a:2": "sha256:1"}


def test_a_host_without_the_client_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    answers = engine.Questions("p").answers()
    assert (answers["version"], answers["compose"], answers["error"]) == ("", "", engine.NO_CLIENT)
    with pytest.raises(WindflowError, match="E4070"):
        engine.run(["ps"], "to list", "E4070")


def test_an_engine_that_does_not_answer_says_why(monkeypatch, tmp_path):
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\necho 'Cannot connect to the daemon' >&2\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", "%s:/usr/bin:/bin" % tmp_path)
    answers = engine.Questions("p").answers()
    assert answers["version"] == "" and "Cannot connect" in answers["error"]
    with pytest.raises(WindflowError, match="exit code 1: CANNOT"):
        engine.run(["ps"], "to list", "E4070", redact=str.upper)


SERVICES = '{"name":"p_front","replicas":"2/2"}\n{"name":"p_app","replicas":"1/3 (max 1 per node)"}\n'


def test_services_of_a_stack_are_read_with_what_runs_and_what_is_to_run():
    assert engine.read_services(SERVICES) == [
        {"name": "p_app", "running": 1, "desired": 3, "job": False},
        {"name": "p_front", "running": 2, "desired": 2, "job": False},
    ]


def test_a_job_of_a_stack_counts_by_what_has_ended_well():
    output = '{"name":"p_init","replicas":"0/1 (1/1 completed)"}\n{"name":"p_bad","replicas":"0/1 (0/1 completed)"}\n'
    assert [(item["running"], item["desired"], item["job"]) for item in engine.read_services(output)] == [
        (0, 1, True),
        (1, 1, True),
    ]


def test_another_specification_has_another_digest():
    one, two = (engine.read_specs('p_app {"replicas": %d}\n' % number)["p_app"] for number in (2, 3))
    assert one != two


def stack_drift(specs, services):
    kept = {"images": {}, "engine": "swarm", "services": {"p_app": "d1", "p_front": "d2"}}
    now = {"images": {}, "containers": [], "specs": specs, "services": engine.read_services(services)}
    return [
        (item["resource"], item["attribute"], item["expected"], item["found"])
        for item in managed.compose_drift(kept, now)
    ]


def test_a_stack_as_deployed_is_no_drift():
    assert stack_drift({"p_app": "d1", "p_front": "d2"}, SERVICES.replace("1/3", "3/3")) == []


@pytest.mark.parametrize(
    ("specs", "services", "found"),
    [
        ({"p_app": "d1", "p_front": "d2"}, SERVICES, ("service p_app", "running tasks", "3", "1")),
        ({"p_app": "d3", "p_front": "d2"}, SERVICES, ("service p_app", "specification", "d1", "d3")),
        ({"p_front": "d2"}, SERVICES, ("service p_app", "specification", "present", "absent")),
    ],
)
def test_services_that_were_changed_are_gone_or_lack_tasks_are_drift(specs, services, found):
    assert stack_drift(specs, services) == [found]
