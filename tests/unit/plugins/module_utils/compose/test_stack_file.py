# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Compose project as a stack."""

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.compose import stack_file
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError

SHARED = "/opt/demo/shared"


def wanted(**changes) -> stack_file.Wanted:
    values = {
        "project": "windflow-demo",
        "app": "app",
        "front": "front",
        "app_port": 8000,
        "replicas": 3,
        "images": {"app": "sha256:" + "1" * 64},
        "node": "abc",
        "front_dir": SHARED + "/front",
        "places": ("/opt/demo", SHARED),
        "kept": (SHARED + "/binds", SHARED + "/files"),
        "front_file": "/opt/demo/releases/r/front.cfg",
    }
    return stack_file.Wanted(**{**values, **changes})


def stack(**services) -> dict:
    return stack_file.stack({"services": services}, wanted())[0]


def test_application_starts_first_and_goes_back_by_itself():
    deploy = stack(app={"image": "x"})["services"]["app"]["deploy"]
    assert deploy["replicas"] == 3 and deploy["endpoint_mode"] == "dnsrr"
    assert deploy["update_config"]["order"] == "start-first"
    assert deploy["update_config"]["failure_action"] == "rollback"


def test_application_with_a_port_of_its_own_cannot_be_there_twice():
    service = stack(app={"ports": [{"target": 8000, "published": "8080"}]})["services"]["app"]
    assert service["ports"] == [{"target": 8000, "published": 8080, "protocol": "tcp", "mode": "host"}]
    assert service["deploy"]["update_config"]["order"] == "stop-first"


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_port_of_the_loopback_address_is_not_published_and_that_is_said(address):
    ports = [{"target": 5432, "published": "5432", "protocol": "tcp", "mode": "ingress", "host_ip": address}]
    found, warnings = stack_file.stack({"services": {"app": {"ports": ports}}}, wanted())
    assert "ports" not in found["services"]["app"]
    assert found["services"]["app"]["deploy"]["update_config"]["order"] == "start-first"
    (warning,) = warnings
    assert "port 5432 of service app" in warning and "not published" in warning


@pytest.mark.parametrize("address", ["", "0.0.0.0", "::"])
def test_port_of_all_addresses_is_published_beside_one_of_the_loopback_address(address):
    everyone = {"target": 80, "published": "8080", "host_ip": address}
    service = stack(app={"ports": [everyone, {"target": 81, "published": "8081", "host_ip": "127.0.0.1"}]})["services"]
    assert [item["published"] for item in service["app"]["ports"]] == [8080]
    assert service["app"]["deploy"]["update_config"]["order"] == "stop-first"


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7", "fe80::1%eth0", "name"])
def test_port_of_one_address_is_refused(address):
    with pytest.raises(WindflowError) as caught:
        stack(db={"ports": [{"target": 5432, "published": "5432", "host_ip": address}]})
    (problem,) = caught.value.problems
    assert (
        problem.code == "E4080"
        and "port 5432 of service db to %s alone" % address in problem.message
        and problem.remedy
    )


def test_front_is_on_every_node_and_reads_its_servers_from_a_configuration():
    result = stack(
        app={},
        front={
            "ports": [{"target": 8080, "published": "80", "protocol": "tcp"}],
            "volumes": [{"type": "bind", "source": SHARED + "/front", "target": "/etc/haproxy/backends"}],
        },
    )
    front = result["services"]["front"]
    assert front["deploy"]["mode"] == "global" and "replicas" not in front["deploy"]
    assert front["configs"] == [{"source": "front", "target": "/etc/haproxy/backends/app.cfg", "mode": 0o444}]
    assert "volumes" not in front
    assert result["configs"]["front"]["file"] == "/opt/demo/releases/r/front.cfg"
    assert result["configs"]["front"]["name"].startswith("windflow-demo_front_")


def test_number_of_replicas_does_not_change_the_fronts_configuration():
    assert stack_file.servers("app", 8000, 2) == stack_file.servers("app", 8000, 30)
    assert "1-80 app:8000" in stack_file.servers("app", 8000, 40)


def test_bounds_move_to_where_a_stack_has_them():
    service = stack(
        app={"mem_limit": "512m", "cpus": 1.5, "pids_limit": 200, "mem_reservation": "64m", "shm_size": "1048576"}
    )["services"]["app"]
    assert service["deploy"]["resources"] == {
        "limits": {"memory": "512m", "cpus": "1.5", "pids": 200},
        "reservations": {"memory": "64m"},
    }
    assert service["volumes"] == [{"type": "tmpfs", "target": "/dev/shm", "tmpfs": {"size": 1048576}}]
    assert not {"mem_limit", "cpus", "pids_limit", "shm_size"} & set(service)


def test_service_with_a_volume_stays_on_its_node():
    service = stack(app={}, db={"volumes": [{"type": "volume", "source": "data", "target": "/data", "volume": {}}]})
    db = service["services"]["db"]
    assert db["deploy"]["placement"] == {"constraints": ["node.id==abc"]}
    assert db["deploy"]["update_config"]["order"] == "stop-first"
    assert db["volumes"] == [{"type": "volume", "source": "data", "target": "/data"}]
    assert "placement" not in service["services"]["app"]["deploy"]


def test_application_with_a_named_volume_is_never_there_twice():
    volume = {"type": "volume", "source": "data", "target": "/data", "volume": {}}
    deploy = stack(app={"volumes": [volume]})["services"]["app"]["deploy"]
    assert {deploy[key]["order"] for key in ("update_config", "rollback_config")} == {"stop-first"}


@pytest.mark.parametrize(("place", "order"), [("binds/compose/data", "stop-first"), ("files/1", "start-first")])
def test_files_of_the_plugin_bind_a_service_to_the_manager(place, order):
    mount = {"type": "bind", "source": "%s/%s" % (SHARED, place), "target": "/x", "read_only": place == "files/1"}
    deploy = stack(app={"volumes": [mount]})["services"]["app"]["deploy"]
    assert deploy["placement"] == {"constraints": ["node.id==abc"]} and deploy["update_config"]["order"] == order


def test_configurations_of_the_project_are_the_swarms():
    model = {"services": {"app": {"configs": [{"source": "c", "target": "/c"}]}}}
    known = {"c": {"name": "windflow-demo_c_1", "file": "/x"}, "unused": {"name": "n", "file": "/y"}}
    found = stack_file.stack(model, wanted(configs=known))[0]["configs"]
    assert found["c"] == {"name": "windflow-demo_c_1", "file": "/x"} and set(found) == {"c", "front"}


def test_a_service_that_ends_is_a_job():
    found = stack_file.stack({"services": {"init": {"deploy": {"replicas": 2}}}}, wanted(one_shot=("init",)))[0]
    deploy = found["services"]["init"]["deploy"]
    assert deploy["mode"] == "replicated-job" and deploy["restart_policy"]["condition"] == "on-failure"
    assert deploy["replicas"] == 2 and not {"update_config", "rollback_config"} & set(deploy)


def test_volume_without_a_name_binds_nothing_to_its_node():
    service = stack(app={"volumes": [{"type": "volume", "target": "/cache", "volume": {}}]})["services"]["app"]
    assert service["volumes"] == [{"type": "volume", "target": "/cache"}]
    assert service["deploy"]["update_config"]["order"] == "start-first" and "placement" not in service["deploy"]


def test_own_section_wins_over_the_platforms():
    own = {"deploy": {"update_config": {"parallelism": 2}, "placement": {"constraints": ["node.role==worker"]}}}
    deploy = stack(app=own)["services"]["app"]["deploy"]
    assert deploy["update_config"]["parallelism"] == 2 and deploy["update_config"]["order"] == "start-first"
    assert deploy["placement"] == {"constraints": ["node.role==worker"]}


def test_secret_belongs_to_the_services_own_user():
    model = {"services": {"app": {"user": "10001:10000", "secrets": [{"source": "config", "target": "/run/c"}]}}}
    found, _warnings = stack_file.stack(
        model, wanted(secret_files={"config": "/r/config.yaml"}, secret_names={"config": "windflow-demo_config_1"})
    )
    expected = {"source": "config", "target": "/run/c", "uid": "10001", "gid": "10000", "mode": 0o440}
    assert found["services"]["app"]["secrets"] == [expected]
    assert found["secrets"] == {"config": {"name": "windflow-demo_config_1", "file": "/r/config.yaml"}}


def test_other_content_has_another_name_that_a_swarm_accepts():
    one, two = (stack_file.object_name("windflow-" + "x" * 60, "config", made) for made in ("a", "b"))
    assert one != two and max(len(one), len(two)) <= 64


def test_everything_that_a_swarm_cannot_do_is_named_at_once():
    with pytest.raises(WindflowError) as caught:
        stack(
            app={"privileged": True, "network_mode": "host"},
            web={"volumes": [{"type": "bind", "source": "/opt/demo/releases/r/x", "target": "/x"}]},
        )
    said = str(caught.value)
    assert {problem.code for problem in caught.value.problems} == {"E4080"}
    for part in ("privileged of service app", "network_mode of service app", "web mounts /opt/demo/releases/r/x"):
        assert part in said


def test_what_a_swarm_ignores_is_said():
    _stack, warnings = stack_file.stack({"services": {"app": {"security_opt": ["no-new-privileges:true"]}}}, wanted())
    assert warnings == ["a swarm ignores security_opt of service app"]


def test_networks_reach_over_nodes():
    model = {"services": {}, "networks": {"default": {"name": "windflow-demo_default", "ipam": {}}, "out": None}}
    model["networks"]["there"] = {"name": "there", "external": True}
    assert stack_file.stack(model, wanted())[0]["networks"] == {
        "default": {"driver": "overlay", "name": "windflow-demo_default"},
        "out": {"driver": "overlay"},
        "there": {"name": "there", "external": True},
    }
