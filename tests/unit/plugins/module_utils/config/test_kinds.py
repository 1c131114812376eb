# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of another kind than the host backend reads, in plugins whose schema does not say so."""

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.config.checks import check_config
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest


@pytest.fixture
def found(make_plugin, tmp_path):
    def call(text, on_host=True):
        path = make_plugin.write(tmp_path / "my.yaml", text + "\n")
        config = load_config(load_manifest(make_plugin()), None, None, [path])
        errors = check_config(config, None, on_host)[0]
        return [(problem.code, problem.path, problem.got) for problem in errors]

    return call


VOLUMES = "storage: {volumes: [{name: a, path: /srv/a, %s}]}"

# case: (configuration, code, path, got)
WRONG = {
    "names without brackets": ("app: {allowed_hosts: example.org}", "E1101", "app.allowed_hosts", '"example.org"'),
    "names in a map": ("app: {allowed_hosts: {a: 1}}", "E1101", "app.allowed_hosts", "a map"),
    "a name that is none": ("app: {allowed_hosts: [a, 1]}", "E1101", "app.allowed_hosts[1]", "1"),
    "directory": ("app: {install_dir: 5}", "E1101", "app.install_dir", "5"),
    "account": ("app: {user: [web]}", "E1101", "app.user", "a list"),
    "group": ("app: {group: 7}", "E1101", "app.group", "7"),
    "database": ("database: {host: localhost, name: 5}", "E1101", "database.name", "5"),
    "connections": ("database: {max_connections: many}", "E1101", "database.max_connections", '"many"'),
    "connection": ("host: {connection: ssh}", "E1101", "host.connection", '"ssh"'),
    "version": ("host: {os: {version: 12}}", "E1101", "host.os.version", "12"),
    "resources": ("host: {resources: {ram_mb: lots}}", "E1101", "host.resources.ram_mb", '"lots"'),
    "networks": ("network: {networks: [eth0]}", "E1101", "network.networks[0]", '"eth0"'),
    "workers in quotes": ("server: {workers: '4'}", "E1101", "server.workers", '"4"'),
    "no workers": ("server: {workers: 0}", "E1101", "server.workers", "0"),
    "true workers": ("server: {workers: true}", "E1101", "server.workers", "true"),
    "half a second": ("server: {timeout: 0.5}", "E1101", "server.timeout", "0.5"),
    "no name": ("app: {allowed_hosts: [a, null]}", "E1102", "app.allowed_hosts[1]", "nothing"),
    "volumes by name": ("storage: {volumes: {a: {}}}", "E1101", "storage.volumes", "a map"),
    "names of volumes": ("storage: {volumes: [a]}", "E1101", "storage.volumes[0]", '"a"'),
    "volume without a path": ("storage: {volumes: [{name: a}]}", "E1102", "storage.volumes[0].path", "nothing"),
    "options": (VOLUMES % "options: soft", "E1101", "storage.volumes[0].options", '"soft"'),
    "size": (VOLUMES % "size_gb: '10'", "E1101", "storage.volumes[0].size_gb", '"10"'),
    "type": (VOLUMES % "type: NFS", "E1140", "storage.volumes[0].type", '"NFS"'),
}


@pytest.mark.parametrize("text, code, path, got", WRONG.values(), ids=WRONG)
def test_a_value_of_another_kind_is_an_error_with_its_place(found, text, code, path, got):
    assert found(text) == [(code, path, got)]


@pytest.mark.parametrize(
    "text",
    [
        "{app: shop, server: 0.0.0.0, host: example.org, email: a@example.org, storage: s3, network: bridge}",
        "database: sqlite:////var/lib/shop/shop.db",
        "app: {allowed_hosts: ['*'], user: null}",
        "server: {workers: 4, timeout: 60}",
        "host: {os: {version: '12'}, resources: {cpu_threads: 4, ram_mb: 512.5}}",
        VOLUMES % "size_gb: 0.5, options: {}, type: local",
    ],
)
def test_what_the_platform_reads_or_leaves_alone_is_no_error(found, text):
    assert found(text) == []


def test_containers_read_none_of_it(found):
    assert found("storage: {volumes: ['data:/data']}", on_host=False) == []
