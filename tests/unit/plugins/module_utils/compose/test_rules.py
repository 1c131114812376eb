# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.compose import rules
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError

RELEASE = "/opt/shop/releases/20261123T012327Z-1a2b3c4d"
OWN = rules.Own("windflow-shop", RELEASE, "/opt/shop/shared", ("windflow-database_default",), ("windflow.release",))


def bind(source, **more):
    return {"volumes": [{"type": "bind", "source": source, "target": "/x", **more}]}


def kinds(service=None, **top):
    model = {"services": {"app": {"image": "a", **(service or {})}}, **top}
    return [item.kind for item in rules.judge(model, OWN)]


@pytest.mark.fault(63)
@pytest.mark.parametrize(
    ("service", "kind"),
    [
        ({"privileged": True}, "privileged"),
        ({"cap_add": ["NET_ADMIN"]}, "capabilities"),
        ({"devices": [{"source": "/dev/sda", "target": "/dev/sda"}]}, "devices"),
        ({"device_cgroup_rules": ["b *:* rwm"]}, "devices"),
        ({"gpus": "all"}, "devices"),
        ({"deploy": {"resources": {"reservations": {"devices": [{"capabilities": ["gpu"]}]}}}}, "devices"),
        ({"network_mode": "host"}, "host-network"),
        ({"network_mode": "container:other"}, "external"),
        ({"network_mode": "windflow-other_default"}, "external"),
        ({"pid": "host"}, "host-namespaces"),
        ({"pid": "container:other"}, "external"),
        ({"ipc": "host"}, "host-namespaces"),
        ({"uts": "host"}, "host-namespaces"),
        ({"cgroup": "host"}, "host-namespaces"),
        ({"userns_mode": "host"}, "host-namespaces"),
        ({"cgroup_parent": "/"}, "host-namespaces"),
        ({"security_opt": ["seccomp:unconfined"]}, "security-options"),
        ({"security_opt": ["apparmor=unconfined"]}, "security-options"),
        ({"security_opt": ["no-new-privileges:false"]}, "security-options"),
        ({"sysctls": {"kernel.core_pattern": "|/x"}}, "sysctls"),
        ({"runtime": "runc-of-mine"}, "runtime"),
        ({"credential_spec": {"file": "/etc/shadow"}}, "host-paths"),
        ({"volumes_from": ["container:other"]}, "external"),
        ({"external_links": ["other"]}, "external"),
        ({"use_api_socket": True}, "docker-socket"),
        ({"provider": {"type": "x"}}, ""),
        ({"models": ["m"]}, ""),
        ({"labels": {"windflow.plugin": "other"}}, ""),
        ({"labels": ["com.docker.compose.project=other"]}, ""),
        ({"deploy": {"labels": {"com.docker.stack.namespace": "other"}}}, ""),
        ({"logging": {"driver": "syslog", "options": {"syslog-address": "unix:///run/x"}}}, "logging"),
        ({"post_start": [{"command": ["id"], "privileged": True}]}, "privileged"),
        ({"env_file": ["/root/.env"]}, "host-paths"),
        ({"env_file": [{"path": RELEASE + "/app/../../../../../etc/environment"}]}, "host-paths"),
        ({"label_file": "/etc/hostname"}, "host-paths"),
        ({"networks": {"windflow-database_default": {"aliases": ["windflow-database-db-1"]}}}, "external"),
        (bind("/"), "host-paths"),
        (bind("/etc", read_only=True), "host-paths"),
        (bind(RELEASE + "/app/../../.."), "host-paths"),
        (bind("/opt/shop/sharedness"), "host-paths"),
        (bind("/opt/shop/releases"), "host-paths"),
        (bind(""), "host-paths"),
        (bind("/var/run/docker.sock"), "docker-socket"),
        (bind("/var/run/../run/docker.sock"), "docker-socket"),
        (bind("/run/containerd/containerd.sock"), "docker-socket"),
        (bind(RELEASE + "/app/compose/x", bind={"propagation": "rshared"}), "host-paths"),
        ({"volumes": [{"type": "npipe", "source": "x", "target": "/x"}]}, "external"),
        ({"volumes": [{"type": "cluster", "source": "x", "target": "/x"}]}, "external"),
        ({"build": {"context": "/etc"}}, "host-paths"),
        ({"build": {"context": "https://example.com/x.git"}}, "remote-build"),
        ({"build": {"context": "git@example.com:x"}}, "remote-build"),
        ({"build": {"context": RELEASE + "/app/build", "dockerfile": "../../../x"}}, "host-paths"),
        ({"build": {"context": RELEASE + "/app/build", "additional_contexts": {"x": "/root"}}}, "host-paths"),
        ({"build": {"context": RELEASE + "/app/build", "network": "host"}}, "host-network"),
        ({"build": {"context": RELEASE + "/app/build", "privileged": True}}, "privileged"),
        ({"build": {"context": RELEASE + "/app/build", "entitlements": ["network.host"]}}, "privileged"),
        ({"build": {"context": RELEASE + "/app/build", "ssh": ["default"]}}, "build-secrets"),
        ({"build": {"context": RELEASE + "/app/build", "secrets": [{"source": "x"}]}}, "build-secrets"),
        ({"build": {"context": RELEASE + "/app/build", "tags": ["debian:trixie-slim"]}}, "external"),
        ({"build": {"context": RELEASE + "/app/build", "cache_to": ["type=local,dest=/root"]}}, "host-paths"),
        ({"build": {"context": RELEASE + "/app/build", "cache_from": ["type=local,src=/root"]}}, "host-paths"),
        ({"oom_kill_disable": True}, ""),
        ({"something_new": {"x": 1}}, ""),
    ],
)
def test_what_reaches_beyond_the_plugin_needs_a_word(service, kind):
    assert kinds(service) == [kind]
    assert kind == "" or kind in rules.ALLOWED


@pytest.mark.fault(63)
@pytest.mark.parametrize(
    ("top", "kind"),
    [
        ({"volumes": {"v": {"driver_opts": {"type": "none", "o": "bind", "device": "/"}}}}, "volume-drivers"),
        ({"volumes": {"v": {"driver_opts": {"type": "tmpfs", "device": "/dev/sda"}}}}, "volume-drivers"),
        ({"volumes": {"v": {"driver": "vieux/sshfs"}}}, "volume-drivers"),
        ({"volumes": {"v": {"external": True, "name": "x"}}}, "external"),
        ({"volumes": {"v": {"name": "windflow-shop2_data"}}}, "external"),
        ({"networks": {"n": {"external": True, "name": "host"}}}, "external"),
        ({"networks": {"n": {"name": "windflow-other_default"}}}, "external"),
        ({"networks": {"n": {"driver": "macvlan", "driver_opts": {}}}}, "host-network"),
        ({"networks": {"n": {"driver_opts": {"com.docker.network.bridge.name": "docker0"}}}}, "host-network"),
        ({"secrets": {"s": {"file": "/etc/shadow"}}}, "host-paths"),
        ({"secrets": {"s": {"external": True}}}, "external"),
        ({"configs": {"c": {"file": RELEASE + "/app/../../../x"}}}, "host-paths"),
        ({"models": {"m": {"model": "x"}}}, ""),
    ],
)
def test_what_the_project_takes_from_elsewhere_needs_a_word(top, kind):
    assert kinds(**top) == [kind]


def test_ordinary_services_ask_for_nothing():
    service = {
        "build": {"context": RELEASE + "/app/build", "dockerfile": "../Dockerfile", "args": {"A": "1"}, "target": "x"},
        "cap_drop": ["ALL"],
        "command": None,
        "deploy": {"resources": {"limits": {"memory": "52428800"}}, "placement": {}},
        "depends_on": {"db": {"condition": "service_healthy", "required": True}},
        "healthcheck": {"test": ["CMD", "true"]},
        "ipc": "private",
        "labels": {"com.example.team": "x", "windflow.release": "r"},
        "logging": {"driver": "json-file", "options": {"max-size": "10m"}},
        "network_mode": "service:db",
        "networks": {"default": None, "windflow-database_default": {}},
        "ports": [{"mode": "ingress", "target": 80, "published": "8080"}],
        "privileged": False,
        "secrets": [{"source": "s"}],
        "security_opt": ["no-new-privileges:true"],
        "volumes": [
            {"type": "volume", "source": "data", "target": "/data", "volume": {}},
            {"type": "tmpfs", "target": "/tmp"},
            {"type": "bind", "source": RELEASE + "/app/compose/x", "target": "/x", "bind": {"create_host_path": True}},
            {"type": "bind", "source": "/opt/shop/shared/front", "target": "/front", "read_only": True},
        ],
        "x-mine": 1,
    }
    top = {
        "name": "windflow-shop",
        "networks": {
            "default": {"name": "windflow-shop_default", "ipam": {}},
            "windflow-database_default": {"name": "windflow-database_default", "external": True},
        },
        "secrets": {"s": {"name": "windflow-shop_s", "file": RELEASE + "/config.yaml"}},
        "configs": {"c": {"name": "windflow-shop_c", "content": "x"}},
        "volumes": {"data": {"name": "windflow-shop_data", "driver_opts": {"type": "tmpfs", "device": "tmpfs"}}},
        "x-anchor": {},
    }
    assert kinds(service, **top) == []


def test_a_word_is_for_one_kind():
    found = rules.judge({"services": {"app": {"privileged": True, "cap_add": ["ALL"], "provider": {"t": 1}}}}, OWN)
    assert [item.kind for item in rules.refused(found, ["capabilities"])] == ["privileged", ""]
    problems = [rules.problem("E4085", item) for item in found]
    assert "allow: [privileged]" in problems[1].remedy and "allow" not in problems[2].remedy


@pytest.mark.system
@pytest.mark.fault(63)
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, as on a host")
@pytest.mark.parametrize(
    ("compose", "more", "kind"),
    [
        ("services: {app: {image: a, network_mode: '${NET:-host}'}}", {}, "host-network"),
        ("services: {app: {image: a, volumes: ['/var/run/../run/docker.sock:/s']}}", {}, "docker-socket"),
        (
            "include: [x.yaml]\nservices: {app: {image: a}}",
            {"x.yaml": "services: {b: {image: a, pid: host}}"},
            "host-n",
        ),
        (
            "services: {app: {extends: {file: x.yaml, service: b}}}",
            {"x.yaml": "services: {b: {image: a, privileged: true}}"},
            "privileged",
        ),
        (
            "services: {app: {image: a, volumes: ['vol:/host']}}\n"
            "volumes: {vol: {driver: local, driver_opts: {type: none, o: bind, device: /}}}",
            {},
            "volume-drivers",
        ),
        ("services: {app: {image: a}, b: {image: a, profiles: [never], cap_add: [ALL]}}", {}, "capabilities"),
    ],
)
def test_the_host_judges_what_compose_makes_of_the_files(compose_host, compose, more, kind):
    host = compose_host
    shipped = {"compose/compose.yaml": compose, **{"compose/%s" % name: text for name, text in more.items()}}
    release = host.release(1, {}, shipped)
    with pytest.raises(WindflowError, match=r"E4085[^\n]*\(%s" % kind) as caught:
        host.deploy(release)
    assert "Nothing was changed." in str(caught.value)
    assert host.switch().containers() == []
    host.switch(release, allow=list(rules.ALLOWED)).judge(json.loads("{}"))
