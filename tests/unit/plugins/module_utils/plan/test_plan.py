# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
import shutil
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backends import families
from ansible_collections.windflow.platform.plugins.module_utils.backends.backend import (
    Settings,
    Source,
    database_is_local,
)
from ansible_collections.windflow.platform.plugins.module_utils.backends.host_plan import HostBackend
from ansible_collections.windflow.platform.plugins.module_utils.config.layers import Provided
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
from ansible_collections.windflow.platform.plugins.module_utils.files import paths, tree
from ansible_collections.windflow.platform.plugins.module_utils.manifest.plugin_files import HookSpec
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest
from ansible_collections.windflow.platform.plugins.module_utils.plan import plan

TEMPLATE = Path(__file__).parents[5] / "windflow_plugins" / "template"
PHYSICAL = TEMPLATE.parent / "physical-host"
TABLE = families.load_all()["debian"]
SETTINGS = Settings(time="20261123T012327Z")
# Secrets as a host makes them.
KEPT = {"app.secret_key": "canary-key-0815", "database.password": "canary-db-4711"}


def blank_host(**changes):
    facts = {
        "database": {},
        "volumes": {},
        "os": {"family": "debian", "id": "debian", "version": "12"},
        "python": "3.11.2",
        "ipv6": False,
        "init": "systemd",
        "account": None,
        "group": None,
        "directories": dict.fromkeys(
            ("host", "compose"), defaultdict(lambda: {"state": "absent", "empty": True, "never": "", "other": ""})
        ),
    }
    service = {"exists": False, "running": False, "enabled": False}
    return {
        "facts": facts,
        "current": None,
        "drift": [],
        "made": {"account": [], "group": [], "directories": []},
        "packages": ["nginx", "supervisor"],
        "missing_packages": ["nginx", "supervisor"],
        "services": {name: dict(service) for name in ("nginx", "supervisor", "postgresql")},
        **changes,
    }


def template(**sets):
    manifest = load_manifest(TEMPLATE)
    return manifest, load_config(manifest, None, None, [], {}, ["%s=%s" % item for item in sets.items()], kept=KEPT)


def make(host, config=None, settings=SETTINGS, source=None):
    manifest, loaded = template()
    return build(manifest, config or loaded, host, settings, source)


def build(manifest, config, host, settings=SETTINGS, source=None, target="host"):
    backend = plan.BACKENDS[target](manifest, config, settings)
    return plan.build(backend, source or source_of(manifest, target), host, TABLE)


def source_of(manifest, target="host"):
    # Files are the same with any configuration.
    return plan.BACKENDS[target](manifest, None, SETTINGS).source_of(tree.source_digest)


def shipped_of(manifest, config, made):
    return plan.release_backend(manifest, config, made).shipped(source_of(manifest, made["target"]), made)


def after(made):
    """The host as it is when a plan was carried out."""
    service = {"exists": True, "running": True, "enabled": True}
    host = blank_host(
        missing_packages=[], services={name: dict(service) for name in ("nginx", "supervisor", "postgresql")}
    )
    step = made["steps"]["account"]
    host["facts"].update(account={key: step[key] for key in ("group", "home", "shell")}, group={"gid": 900})
    host["made"] = {"account": [step["user"]], "group": [step["group"]], "directories": []}
    host["current"] = {**made["revision"], "revision": 1}
    return host


def pending(made):
    return [name for name, step in made["steps"].items() if step["pending"]]


def test_on_a_blank_host_every_step_that_manages_something_is_pending():
    made = make(blank_host())
    assert pending(made) == [
        "packages",
        "account",
        "directories",
        "application",
        "virtualenv",
        "config",
        "program",
        "site",
        "database",
        "services",
    ]
    assert made["event"] == "install" and made["new_release"] and made["pending"]


def test_a_host_as_planned_has_nothing_pending_and_keeps_its_release():
    first = make(blank_host())
    second = make(after(first), settings=Settings(time="20270101T000000Z"))
    assert pending(second) == []
    assert not second["pending"] and not second["new_release"]
    assert second["release"] == first["release"]


def test_the_plan_is_the_same_for_the_same_inputs():
    assert make(blank_host()) == make(blank_host())


def test_a_plan_holds_no_secret_and_can_be_written_as_json():
    text = json.dumps(make(blank_host()))
    assert "canary" not in text


@pytest.mark.parametrize("key", ["database.password", "app.secret_key"])
def test_another_secret_makes_the_configuration_pending(key):
    manifest, loaded = template()
    section, name = key.split(".")
    changed = {**loaded.data, section: {**loaded.data[section], name: "another"}}
    other = load_config(manifest, None, changed, [], {}, [])
    assert "config" in pending(make(after(make(blank_host())), other))


def test_a_changed_file_of_the_application_makes_a_new_release_with_the_same_environment():
    first = make(blank_host())
    manifest, _config = template()
    source = source_of(manifest)
    changed = Source("0" * 64, source.listing, source.requirements)
    second = make(after(first), settings=Settings(time="20270101T000000Z"), source=changed)
    assert pending(second) == ["application"]
    assert second["release"] == "20270101T000000Z-00000000"
    assert second["steps"]["virtualenv"]["name"] == first["steps"]["virtualenv"]["name"]


def test_other_requirements_make_another_environment():
    first = make(blank_host())
    manifest, _config = template()
    source = source_of(manifest)
    changed = Source(source.digest, source.listing, replace(source.requirements, digest="0" * 64))
    second = make(after(first), settings=Settings(time="20270101T000000Z"), source=changed)
    assert pending(second) == ["virtualenv"]
    assert second["steps"]["virtualenv"]["name"] != first["steps"]["virtualenv"]["name"]


def test_packages_from_source_are_a_matter_of_the_environment_and_of_what_is_named():
    first = make(blank_host(), settings=replace(SETTINGS, environment="production"))
    step = first["steps"]["virtualenv"]
    assert (step["only_binary"], step["source_packages"]) == (True, [])
    assert not make(blank_host())["steps"]["virtualenv"]["only_binary"]
    _manifest, config = template(**{"app.source_packages": '["six"]'})
    second = make(after(first), config, replace(SETTINGS, environment="production", time="20270101T000000Z"))
    assert second["steps"]["virtualenv"]["source_packages"] == ["six"]
    assert second["steps"]["virtualenv"]["name"] != step["name"]


def test_another_python_on_the_host_makes_another_environment():
    host = after(make(blank_host()))
    host["facts"]["python"] = "3.13.5"
    assert pending(make(host)) == ["virtualenv"]


def test_a_patch_release_of_python_changes_nothing():
    host = after(make(blank_host()))
    host["facts"]["python"] = "3.11.9"
    assert pending(make(host)) == []


def test_a_drifted_environment_is_made_anew_and_not_repaired_in_place():
    host = after(make(blank_host()))
    host["drift"] = [{"step": "virtualenv", "resource": "/x", "attribute": "content", "expected": "a", "found": "b"}]
    second = make(host, settings=Settings(time="20270101T000000Z"))
    assert second["steps"]["virtualenv"]["name"].endswith("20270101T000000Z")


def test_drift_is_named_with_what_was_and_what_is():
    host = after(make(blank_host()))
    host["drift"] = [
        {"step": "site", "resource": "/etc/site", "attribute": "mode", "expected": "0644", "found": "0666"}
    ]
    made = make(host)
    assert made["steps"]["site"]["why"] == ["/etc/site: mode is 0666, was 0644"]
    assert "/etc/site: mode is 0666, was 0644" in plan.as_text(made)


def test_processes_that_wait_for_a_stopped_supervisor_are_no_reason_for_a_release():
    host = after(make(blank_host()))
    host["services"]["supervisor"]["running"] = False
    host["drift"] = [
        {"step": "program", "resource": "/s", "attribute": "socket", "expected": "listening", "found": "not listening"}
    ]
    made = make(host)
    assert pending(made) == ["services"] and not made["new_release"]


def test_more_replicas_change_program_and_site():
    made = make(after(make(blank_host())), settings=Settings(replicas=3, time="20270101T000000Z"))
    assert pending(made) == ["program", "site"]
    assert made["steps"]["program"]["why"][-1] == made["scaling"] == "replicas 1 → 3"
    assert len(made["host"]["sockets"]) == 3


def test_force_makes_a_new_release():
    made = make(after(make(blank_host())), settings=Settings(force=True, time="20270101T000000Z"))
    assert made["new_release"] and made["steps"]["application"]["why"] == ["forced"]


@pytest.mark.parametrize(
    ("version", "event", "pre", "post"),
    [
        (None, "install", ["pre-install", "pre-deploy"], ["post-deploy", "post-install"]),
        ("0.9.0", "upgrade", ["pre-upgrade", "pre-deploy"], ["post-deploy", "post-upgrade"]),
        ("1.0.0", "deploy", ["pre-deploy"], ["post-deploy"]),
    ],
)
def test_the_outer_pair_of_hooks_runs_outside_the_inner_one(version, event, pre, post):
    host = after(make(blank_host()))
    host["current"] = {**host["current"], "version": version} if version else None
    made = make(host)
    assert made["event"] == event
    assert made["events"] == {"pre": pre, "migrate": [], "post": post}


def test_a_migration_belongs_to_a_new_release_of_a_plugin_that_has_one():
    manifest, _config = template()
    migrating = replace(manifest, hooks={**manifest.hooks, "migrate": (HookSpec("migrate", TEMPLATE),)})
    events = [
        plan.events_of(*given)["migrate"] for given in ((manifest, "upgrade", True), (migrating, "upgrade", False))
    ]
    assert events == [[], []]
    assert plan.events_of(migrating, "install", True)["migrate"] == ["migrate"]


def test_a_plan_names_the_hooks_that_run_as_root():
    manifest, config = template()
    root = HookSpec("pre-deploy", TEMPLATE / "hooks" / "pre-deploy.sh", on="target", privileged=True)
    later = HookSpec("pre-remove", TEMPLATE / "hooks" / "pre-remove.sh", on="target", privileged=True)
    hooks = {**manifest.hooks, "pre-deploy": (root,), "pre-remove": (later,)}
    source = source_of(manifest)
    made = build(replace(manifest, hooks=hooks), config, blank_host(), source=source)
    assert made["privileged"] == ["hooks/pre-deploy.sh (pre-deploy)"]
    assert "hook as root: hooks/pre-deploy.sh (pre-deploy)\n" in plan.as_text(made)


def test_a_remote_database_needs_no_server_here():
    manifest, config = template(**{"database.host": "db.example.com"})
    asked = plan.questions([(HostBackend(manifest, config), Source())], {"debian": TABLE})
    assert "postgresql" not in asked["packages"]["debian"] + asked["services"]["debian"]
    made = make(blank_host(), config)
    assert made["resources"]["database"] == {}


def test_what_is_remembered_names_every_file_outside_the_release():
    paths = {item["path"] for item in make(blank_host())["resources"]["paths"]}
    assert {
        "/etc/windflow/template/config.yaml",
        "/etc/nginx/sites-available/windflow-template.conf",
        "/etc/nginx/sites-enabled/windflow-template.conf",
        "/opt/template/current",
    } <= paths


def test_what_is_agreed_to_of_hooks_is_how_they_run_and_what_they_are(tmp_path):
    manifest, config = template()
    source = source_of(manifest)
    script = tmp_path / "hook.sh"
    script.write_text("echo one")
    hook = HookSpec("migrate", script, on="target", run="once", privileged=True)
    manifest = replace(manifest, path=tmp_path, hooks={"migrate": (hook,), "pre-remove": (hook,)})
    made = build(manifest, config, blank_host(), source=source)
    one = plan.agreed_hooks(manifest, made)
    (text,) = one.pop("migrate")
    assert not one and text.startswith("hook.sh on target, once, 300 s, as root: ")
    script.write_text("echo two")
    assert plan.agreed_hooks(manifest, made)["migrate"] != [text]
    assert plan.agreed_hooks(manifest, {**made, "pending": False}) == {}


def test_a_plugin_of_hooks_only_is_pending_once():
    manifest, config = template()
    host = blank_host()
    first = build(manifest, config, host, source=Source("1" * 64), target="")
    assert first["pending"] and first["role"] == "" and first["resources"] == {}
    assert first["user"] == "nobody" and first["install_dir"] == ""
    host["current"] = {**first["revision"], "revision": 1}
    assert not build(manifest, config, host, source=Source("1" * 64), target="")["pending"]
    changed = build(manifest, config, host, source=Source("2" * 64), target="")
    assert changed["pending"]


def test_directories_above_the_application_are_made_but_neither_changed_nor_remembered():
    manifest, config = template(**{"app.install_dir": "/srv/apps/one"})
    made = make(blank_host(), config)
    entries = {entry["path"]: entry for entry in made["steps"]["directories"]["entries"]}
    assert entries["/srv/apps"] == {"path": "/srv/apps", "state": "directory"}
    assert list(entries).index("/srv/apps") < list(entries).index("/srv/apps/one")
    assert "/srv/apps" not in {item["path"] for item in made["resources"]["paths"]}


# A plugin that runs no program of its own.

DATABASE = TEMPLATE.parent / "database"


def make_database(host, **config):
    manifest = load_manifest(DATABASE)
    loaded = load_config(manifest, None, config, [], {}, [])
    return build(manifest, loaded, host)


def test_without_a_program_packages_database_and_services_are_left():
    made = make_database(blank_host(missing_packages=["postgresql"]))
    assert pending(made) == ["packages", "database", "services"]
    assert not made["new_release"] and made["install_dir"] == "" and made["host"]["port"] == 0
    assert made["resources"] == {
        "packages": ["nginx", "supervisor"],
        "services": ["nginx", "postgresql", "supervisor"],
        "database": {"name": "app", "user": "app", "port": 5432},
    }


def test_a_secret_that_is_made_later_makes_no_other_plan():
    manifest = load_manifest(DATABASE)
    before = load_config(manifest, None, None, [], {}, [])
    after_it = load_config(manifest, None, None, [], {}, [], kept={"database.password": "made"})
    assert before.get("database.password") != after_it.get("database.password")
    assert make_database(blank_host()) == build(manifest, after_it, blank_host())


@pytest.mark.parametrize("target", ["host", "compose"])
@pytest.mark.parametrize("sets", [[], ["database.password=canary-mine"]], ids=["given", "replaced"])
def test_a_secret_of_a_dependency_is_in_no_plan_and_no_file_that_is_shown(tmp_path, target, sets):
    plugin = tmp_path / "plugin"
    shutil.copytree(TEMPLATE, plugin)
    schema = plugin / "config" / "schema.json"
    schema.write_text(re.sub('"(writeOnly|x-generate)": true,', "", schema.read_text()))
    manifest = load_manifest(plugin)
    given = Provided("database", "database 2.0.0", {"host": "db", "password": "canary-4711"}, frozenset({"password"}))
    sets = ["app.secret_key=public", *sets]
    loaded = load_config(manifest, None, None, [], {}, sets, provided=[given])
    host = blank_host(engine={"images": {}})
    made = build(manifest, loaded, host, target=target)
    assert "canary" not in json.dumps(made) + plan.as_text(made) and "********" in made["config"]
    shipped = shipped_of(manifest, loaded, made)
    assert "canary" not in str(shipped.documents) and "canary" in str(shipped.private) + str(shipped.readable)


def test_a_database_that_another_plugin_gives_is_not_managed():
    manifest = load_manifest(TEMPLATE)
    given = Provided("database", "database 2.0.0", {"host": "localhost", "password": "x"}, frozenset({"password"}))
    loaded = load_config(manifest, None, None, [], {}, [], provided=[given])
    made = make(blank_host(), loaded)
    assert made["steps"]["database"]["managed"] is False and "database" not in pending(made)
    assert not database_is_local(loaded) and made["resources"]["database"] == {}


def test_the_directories_are_as_the_module_files_takes_them():
    entries = make(blank_host())["steps"]["directories"]["entries"]
    modes = {entry["path"]: entry["mode"] for entry in paths.parse(entries)}
    assert modes["/opt/template/run"] == 0o2750


def test_a_program_without_a_socket_has_neither_site_nor_port(make_plugin):
    worker = "name: worker\nversion: 1.0.0\nhost: {command: [/bin/sleep, '1000'], health: null}\n"
    manifest = load_manifest(make_plugin(worker, {"build/app/x": ""}))
    config = load_config(manifest)
    asked = plan.questions([(HostBackend(manifest, config), source_of(manifest))], {"debian": TABLE})
    assert asked["port"] is None and "nginx" not in asked["packages"]["debian"] + asked["services"]["debian"]
    source = source_of(manifest)
    made = build(manifest, config, blank_host(), source=source)
    assert made["host"]["port"] == 0 and made["host"]["sockets"] == [] and "site" not in made["digests"]
    assert list(shipped_of(manifest, config, made).documents) == ["supervisor.conf"]
    assert not [item for item in made["resources"]["paths"] if item["step"] == "site"]
    groups = {entry["path"]: entry.get("group") for entry in made["steps"]["directories"]["entries"]}
    assert groups["/opt/worker/run"] == "worker"


def guarded(host, backend="firewalld", is_open=False):
    host["facts"]["firewall"] = {"backend": backend, "open": is_open}
    return host


def test_a_port_that_an_active_firewall_keeps_closed_is_opened_and_stays_windflows():
    made = make(guarded(blank_host()))
    services = made["steps"]["services"]
    assert services["firewall"] == {"backend": "firewalld", "port": 8080, "opened": True, "close": 0, "pending": True}
    assert "port 8080 is closed in firewalld" in services["why"]
    assert made["resources"]["firewall"] == {"backend": "firewalld", "port": 8080}
    again = make(guarded(after(made), is_open=True))
    assert pending(again) == [] and again["host"]["firewall"]["opened"]


def under_selinux(host, module="", labelled=True, port=True):
    host["facts"]["selinux"] = {"mode": "enforcing", "module": module, "labelled": labelled, "port": port}
    return host


def test_under_selinux_nginx_gets_the_rules_that_it_needs_once():
    assert make(blank_host())["steps"]["services"]["selinux"]["name"] == ""
    made = make(under_selinux(blank_host(), labelled=False))
    rules = made["steps"]["services"]["selinux"]
    assert rules["pending"] and rules["name"] == "windflow_template" and rules["label"] == 0
    assert '(filecon "/opt/template/run(/.*)?" any' in rules["text"]
    assert "SELinux does not let nginx reach /opt/template/run" in made["steps"]["services"]["why"]
    assert made["resources"]["selinux"]["module"] == rules["module"]
    again = make(under_selinux(after(made), rules["module"]))
    assert pending(again) == []
    assert pending(make(under_selinux(after(made), "another"))) == ["services"]
    assert pending(make(under_selinux(after(made), rules["module"], labelled=False))) == ["services"]


def test_a_label_that_a_port_got_for_selinux_is_taken_back_with_the_port():
    _manifest, config = template(**{"server.host_port": 8099})
    made = make(under_selinux(blank_host(), port=False), config)
    assert made["steps"]["services"]["selinux"]["label"] == 8099
    assert "SELinux does not let nginx listen at port 8099" in made["steps"]["services"]["why"]
    module = made["steps"]["services"]["selinux"]["module"]
    again = make(under_selinux(after(made), module), config)
    assert pending(again) == [] and again["host"]["selinux"]["label"] == 8099
    moved = make(under_selinux(after(again), module))
    assert moved["steps"]["services"]["selinux"]["unlabel"] == 8099 and moved["host"]["selinux"]["label"] == 0


@pytest.mark.parametrize(("backend", "is_open"), [("", False), ("ufw", True)])
def test_a_port_that_was_open_before_is_never_windflows_to_close(backend, is_open):
    made = make(guarded(blank_host(), backend, is_open))
    assert not made["host"]["firewall"]["opened"] and not made["steps"]["services"]["firewall"]["pending"]


@pytest.mark.parametrize(
    ("sets", "port", "is_pending"), [({"server.host_port": 8081}, 8081, True), ({"server.bind": "127.0.0.1"}, 0, False)]
)
def test_the_port_of_the_revision_before_is_closed_if_windflow_has_opened_it(sets, port, is_pending):
    before = after(make(guarded(blank_host())))
    _manifest, config = template(**sets)
    made = make(guarded(before), config)
    expected = {"port": port, "close": 8080, "pending": is_pending}
    found = made["steps"]["services"]["firewall"]
    assert {key: found[key] for key in expected} == expected
    assert ("firewall" in made["resources"]) is is_pending
    assert not [why for why in made["steps"]["services"]["why"] if "port 0" in why]


NFS = {
    "name": "shared",
    "path": "/mnt/shared",
    "type": "nfs",
    "options": {"server": "nfs.example.com", "export": "/exports/shared"},
}
NOT_MOUNTED = {"at": "/mnt/shared", "mounts": [], "fstab": [], "size_gb": 0, "fault": "", "owner": "root"}


def with_volume(host, given=None, **changes):
    """A host that is asked about a volume, an NFS export unless another is given, and the configuration with it."""
    given = given or NFS
    host["facts"]["volumes"] = {given["path"]: {**NOT_MOUNTED, **changes}}
    return host, with_volumes(given)


def with_volumes(*given):
    volumes = {"storage": {"volumes": list(given)}}
    return load_config(load_manifest(PHYSICAL), None, volumes, [], {}, [], kept=KEPT)


def make_physical(host, config):
    manifest = load_manifest(PHYSICAL)
    return build(manifest, config, host)


def as_wanted(made):
    """What a host reports of a volume that was mounted by a plan."""
    (volume,) = made["steps"]["volumes"]["mounted"]
    mounted = {"source": volume["source"], "type": "nfs4", "options": ["rw", "soft"]}
    line = [volume["source"], "/mnt/shared", "nfs", ",".join(volume["options"]), "0", "0"]
    return {"mounts": [mounted], "fstab": [line], "owner": volume["owner"], "group": volume["group"], "mode": "0755"}


def test_a_volume_that_is_not_mounted_is_pending_and_the_application_waits_for_it():
    host, config = with_volume(blank_host())
    made = make_physical(host, config)
    assert "volume shared at /mnt/shared: mount is none" in made["steps"]["volumes"]["why"][0]
    manifest = load_manifest(PHYSICAL)
    shipped = shipped_of(manifest, config, made)
    assert "/proc/self/mounts" in shipped.documents["supervisor.conf"]
    assert " /mnt/shared -- " in shipped.documents["supervisor.conf"]
    assert made["resources"]["volumes"] == made["steps"]["volumes"]["mounted"] != []


def test_a_mounted_volume_is_as_planned_and_another_source_makes_new_processes():
    made = make_physical(*with_volume(blank_host()))
    assert pending(make_physical(*with_volume(after(made), **as_wanted(made)))) == []
    other = {**NFS, "options": {**NFS["options"], "export": "/exports/other"}}
    again = make_physical(*with_volume(after(made), other, **as_wanted(made)))
    assert pending(again) == ["config", "program", "volumes"] and again["new_release"]


def test_a_volume_that_grows_keeps_the_processes():
    given = {"name": "data", "path": "/srv/data", "type": "local", "size_gb": 1, "options": {"backing": "file"}}
    there = {**NOT_MOUNTED, "at": "/srv/data"}
    host = blank_host()
    host["facts"]["volumes"] = {"/srv/data": there}
    made = make_physical(host, with_volumes(given))
    later = after(made)
    later["facts"]["volumes"] = {"/srv/data": there}
    again = make_physical(later, with_volumes({**given, "size_gb": 2}))
    assert "volumes" in pending(again) and "program" not in pending(again)


def test_a_volume_that_is_not_wanted_any_more_is_named_and_goes_after_the_switch():
    made = make_physical(*with_volume(blank_host()))
    again = make_physical(after(made), with_volumes())
    assert [volume["path"] for volume in again["steps"]["volumes"]["gone"]] == ["/mnt/shared"]
    assert "volumes" in pending(again) and "program" in pending(again)


def test_the_packages_of_a_volume_are_those_of_the_family():
    manifest = load_manifest(PHYSICAL)
    _host, config = with_volume(blank_host())
    asked = HostBackend(manifest, config).questions(Source(), families.load_all())
    assert "nfs-common" in asked["packages"]["debian"] and "nfs-client" in asked["packages"]["suse"]
    assert [volume["path"] for volume in asked["volumes"]] == ["/mnt/shared"]
