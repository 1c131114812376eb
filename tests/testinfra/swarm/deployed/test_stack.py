# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The application as a stack answers at every node, stores data, and is hardened as far as a swarm can."""

from __future__ import annotations

import json


def test_every_node_answers_for_all_tasks(node):
    instances = {json.loads(node.request("/healthz")[1])["instance"] for _number in range(30)}
    assert len(instances) == 3


def test_item_becomes_a_row_in_the_database(app):
    status, body = app.request("/items", {"name": "kept from the first release"})
    assert status == 201, body


def test_another_node_reads_what_one_wrote(node):
    assert node.request("/items", {"name": f"from {node.name}"})[0] == 201
    assert f"from {node.name}" in node.request("/items")[1]


def test_tasks_are_replaced_without_a_gap_and_the_swarm_goes_back_by_itself(services):
    update = services["app"]["Spec"]["UpdateConfig"]
    assert (update["Order"], update["FailureAction"], update["Parallelism"]) == ("start-first", "rollback", 1)


def test_images_come_from_the_registry_by_digest(services):
    for service in ("app", "front", "db"):
        image = services[service]["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
        assert image.startswith(f"registry.test:5000/windflow-template-{service}:") and "@sha256:" in image


def test_tasks_are_hardened(services):
    for service in ("app", "front", "db"):
        task = services[service]["Spec"]["TaskTemplate"]
        container = task["ContainerSpec"]
        assert container["ReadOnly"] and container["CapabilityDrop"] == ["ALL"]
        assert container["User"].split(":")[0] not in ("", "0", "root")
        limits = task["Resources"]["Limits"]
        assert limits["MemoryBytes"] and limits["Pids"]


def test_secrets_are_secrets_of_the_swarm(app, services):
    secrets = app.secrets()
    assert len(secrets) == 2
    assert not [secret for secret in secrets if secret in json.dumps(services)]
    (secret,) = services["db"]["Spec"]["TaskTemplate"]["ContainerSpec"]["Secrets"]
    assert (secret["File"]["UID"], secret["File"]["GID"], secret["File"]["Mode"]) == ("10002", "10000", 0o440)
    release = f"{app.install_dir}/releases/{app.current()['release']}"
    readable = app.host.file(f"{release}/stack.json").content_string
    assert not [secret for secret in secrets if secret in readable]


def test_database_stays_on_the_node_that_has_its_volume(services, app):
    (place,) = services["db"]["Spec"]["TaskTemplate"]["Placement"]["Constraints"]
    assert place == "node.id==" + app.host.check_output("docker info --format '{{.Swarm.NodeID}}'")


def test_a_change_by_hand_is_found_and_repaired(app, deploy):
    app.host.check_output("docker service scale --detach windflow-template_app=2")
    assert "drift: service windflow-template_app: specification" in deploy("--check")
    deploy()
    said = app.host.check_output("docker service ls --filter name=windflow-template_app --format '{{.Replicas}}'")
    assert said == "3/3"
    assert "nothing to do" in deploy()
