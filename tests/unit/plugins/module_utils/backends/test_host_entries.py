# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backends import host_entries
from ansible_collections.windflow.platform.plugins.module_utils.backends.host_plan import HostBackend
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest

PLUGIN = Path(__file__).parents[5] / "windflow_plugins" / "physical-host"
DIRECTORY = {"name": "data", "path": "/srv/data", "type": "local", "size_gb": 2}
FILE = {"name": "inside", "path": "/srv/inside", "type": "local", "size_gb": 1, "options": {"backing": "file"}}
NFS = {
    "name": "shared",
    "path": "/mnt/shared",
    "type": "nfs",
    "options": {"server": "nas", "export": "/exports/shared"},
}
TABLE = {"nologin": "/usr/sbin/nologin"}


def backend_with(*volumes, **app):
    manifest = load_manifest(PLUGIN)
    return HostBackend(
        manifest, load_config(manifest, None, {"storage": {"volumes": list(volumes)}, "app": app}, [], {}, [])
    )


def host(volumes=None, current=None, drift=(), made=(), account=None, init="systemd"):
    facts = {"volumes": volumes or {}, "account": account, "init": init}
    return {"facts": facts, "current": current, "drift": list(drift), "made": {"account": list(made)}}


def test_sockets_belong_to_nginx_s_group_and_configuration_to_root():
    places = backend_with(user="web", group="staff").layout
    found = {entry["path"]: entry for entry in host_entries.directory_entries(places, "www-data")}
    run, config = found[places["run_dir"]], found[places["config_dir"]]
    assert (run["owner"], run["group"], run["mode"]) == ("web", "www-data", "02750")
    assert (config["owner"], config["group"], config["mode"]) == ("root", "staff", "0750")


def test_data_and_logs_in_one_directory_are_one_entry():
    places = backend_with(data_dir="/srv/one", log_dir="/srv/one").layout
    paths = [entry["path"] for entry in host_entries.directory_entries(places, "www-data")]
    assert paths.count("/srv/one") == 1


def test_only_a_volume_that_is_a_directory_is_made_as_one_and_needs_room_of_its_own():
    backend = backend_with(DIRECTORY, FILE, NFS)
    assert [entry["path"] for entry in host_entries.volume_entries(backend)] == ["/srv", "/srv/data"]
    assert host_entries.volume_sizes(backend.config) == {"/srv/data": ("storage.volumes[0].size_gb", 2)}
    every = [entry["path"] for entry in host_entries.all_entries(backend, "root")]
    assert {"/srv/data", "/srv/inside", "/mnt/shared"} <= set(every)


def test_a_directory_is_the_applications_unless_the_volume_says_whose_it_is():
    other = {**DIRECTORY, "options": {"owner": "backup", "mode": "0700"}}
    found = host_entries.volume_entries(backend_with(other, user="web", group="web"))[-1]
    assert (found["owner"], found["group"], found["mode"]) == ("backup", "web", "0700")


def test_room_for_files_is_looked_for_where_a_volume_is_in_one():
    assert host_entries.backing_places(backend_with(DIRECTORY, NFS).config) == []
    assert len(host_entries.backing_places(backend_with(FILE).config)) == 1


def test_volumes_with_a_file_system_of_their_own_are_mounted():
    found = host_entries.mounted_volumes(backend_with(DIRECTORY, FILE, NFS))
    assert [(volume["name"], volume["kind"]) for volume in found] == [("shared", "nfs"), ("inside", "file")]
    assert [line[:3] for line in host_entries.mount_lines(found[:1])] == [["nas:/exports/shared", "/mnt/shared", "nfs"]]


def test_a_recorded_volume_that_is_not_wanted_is_gone_and_one_of_another_kind_stays():
    recorded = [{"path": "/mnt/shared", "name": "shared"}, {"path": "/srv/data", "name": "data"}]
    step = host_entries.volumes_step(backend_with(DIRECTORY), host(current={"host": {"storage": recorded}}))
    assert [volume["path"] for volume in step.data["gone"]] == ["/mnt/shared"] and step.data["mounted"] == []


def test_without_mounts_the_step_is_that_of_its_directories():
    backend = backend_with(DIRECTORY)
    step = host_entries.volumes_step(backend, host())
    assert step.digest and step.data["entries"] == host_entries.volume_entries(backend)
    assert host_entries.volumes_step(backend_with(), host()).digest == ""


@pytest.mark.parametrize(
    ("account", "made", "why"),
    [
        (None, [], ["user web does not exist"]),
        ({"group": "web", "home": "/var/lib/web", "shell": "/usr/sbin/nologin"}, ["web"], []),
        (
            {"group": "web", "home": "/home/web", "shell": "/usr/sbin/nologin"},
            ["web"],
            ["user web has home /home/web instead of /var/lib/web"],
        ),
        ({"group": "web", "home": "/home/web", "shell": "/bin/sh"}, [], []),
    ],
    ids=["absent", "as wanted", "other home", "adopted"],
)
def test_an_account_is_brought_to_what_is_wanted_only_if_it_was_made_for_the_plugin(account, made, why):
    step = host_entries.account_step(
        backend_with(user="web", group="web", data_dir="/var/lib/web"), host(account=account, made=made), TABLE
    )
    assert step.why == why and step.data["user"] == "web"
