# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backends.backend import Settings, Source
from ansible_collections.windflow.platform.plugins.module_utils.backends.families import load_all
from ansible_collections.windflow.platform.plugins.module_utils.backends.host_plan import HostBackend
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
from ansible_collections.windflow.platform.plugins.module_utils.files import tree
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest

SERVES = "name: shop\nversion: 1.0.0\nhost: {wsgi: 'app:application'}\n"
WORKER = "name: shop\nversion: 1.0.0\nhost: {command: [/bin/sleep, '9'], health: null}\n"
PACKAGES = "name: shop\nversion: 1.0.0\nhost: {program: false, packages: {debian: [libfoo]}}\n"
SCHEMA = {"properties": {"app": {"type": "object"}, "server": {"type": "object"}}}
TABLE = load_all()["debian"]


@pytest.fixture
def backend(make_plugin):
    def call(manifest=SERVES, config=None, **settings):
        files = {"config/schema.json": SCHEMA, "build/app/app.py": ""}
        if manifest == PACKAGES:
            files = {"config/schema.json": SCHEMA}
        loaded = load_manifest(make_plugin(manifest, files, "shop"))
        return HostBackend(loaded, load_config(loaded, None, config, [], {}, []), Settings(time="NOW", **settings))

    return call


def host(**changes):
    facts = {"ipv6": False, "python": "3.11.2", "init": "systemd", "account": None, "volumes": {}}
    known = {"facts": facts, "current": None, "drift": [], "services": {}, "packages": [], "missing_packages": []}
    return {**known, "made": {"account": [], "group": [], "directories": []}, **changes}


def steps_of(backend, **changes):
    return backend.steps(backend.source_of(tree.source_digest), host(**changes), TABLE)


def test_a_program_is_asked_about_where_it_will_be_and_one_that_serves_about_its_port(backend):
    asked = backend().questions(Source(), {"debian": TABLE})
    assert (asked["port"], asked["user"], asked["socket_dir"]) == (8080, "shop", "/opt/shop/run")
    assert asked["paths"] == ["/opt/shop", "/var/lib/shop", "/var/log/shop"]
    asked = backend(WORKER).questions(Source(), {"debian": TABLE})
    assert asked["port"] is None and asked["socket_dir"] == "" and "nginx" not in asked["packages"]["debian"]


def test_of_a_plugin_without_a_program_only_its_packages_are_asked(backend):
    asked = backend(PACKAGES).questions(Source(), {"debian": TABLE})
    assert asked["packages"] == {"debian": ["libfoo"]} and "port" not in asked and "user" not in asked


def test_every_step_is_there_in_the_order_of_the_titles(backend):
    for manifest in (SERVES, WORKER, PACKAGES):
        assert list(steps_of(backend(manifest))) == list(HostBackend.TITLES)


def test_a_plugin_without_a_program_has_no_step_of_a_release(backend):
    found = steps_of(backend(PACKAGES))
    assert not [name for name in HostBackend.RELEASE_STEPS if found[name].digest]
    assert found["packages"].digest


def test_the_environment_is_kept_as_long_as_nothing_of_it_changes(backend):
    first = steps_of(backend())["virtualenv"]
    kept = "%s-EARLIER" % first.digest[:12]
    assert first.data["name"] == "%s-NOW" % first.digest[:12]
    assert steps_of(backend(), current={"venv": kept})["virtualenv"].data["name"] == kept
    drift = [{"step": "virtualenv"}]
    assert steps_of(backend(), current={"venv": kept}, drift=drift)["virtualenv"].data["name"] != kept


def test_another_python_makes_another_environment(backend):
    facts = {**host()["facts"], "python": "3.13.1"}
    assert steps_of(backend())["virtualenv"].digest != steps_of(backend(), facts=facts)["virtualenv"].digest


def test_in_production_only_wheels_are_installed_unless_a_package_is_named(backend):
    named = {"app": {"source_packages": ["b", "a"]}}
    assert backend().packages_policy() == {"only_binary": False, "source_packages": []}
    assert backend(SERVES, named, environment="production").packages_policy() == {
        "only_binary": True,
        "source_packages": ["a", "b"],
    }


def test_more_instances_are_more_sockets_of_the_program_alone(backend):
    one, three = backend(), backend(replicas=3)
    assert len(three.render_values(TABLE, "R", False)["sockets"]) == 3
    differing = {name for name, step in steps_of(one).items() if step.digest != steps_of(three)[name].digest}
    # nginx shares the requests out among them.
    assert differing == {"program", "site"}


def test_a_process_that_waits_for_supervisor_has_not_drifted(backend):
    drift = [{"attribute": "socket"}, {"attribute": "mode"}]
    name = TABLE["services"]["supervisor"]
    stopped, running = ({"drift": drift, "services": {name: {"running": runs}}} for runs in (False, True))
    assert backend().relevant_drift(stopped, TABLE) == [{"attribute": "mode"}]
    assert backend().relevant_drift(running, TABLE) == drift


def test_hooks_run_as_the_application_where_there_is_one(backend):
    assert backend(config={"app": {"user": "web"}}).hook_user() == "web"
    assert backend(PACKAGES).hook_user() == "nobody"
