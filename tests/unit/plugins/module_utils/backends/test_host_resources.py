# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.windflow.platform.plugins.module_utils.backends.families import load_all
from ansible_collections.windflow.platform.plugins.module_utils.backends.host_resources import resources, revision

TABLE = load_all()["debian"]
DATABASE = {"managed": True, "local": True, "name": "shop", "user": "shop", "port": 5432, "adopt": []}


def plan(program="windflow-shop-R1", port=8080, **steps):
    known = {
        "packages": {"all": ["nginx"], "names": []},
        "services": {"all": ["nginx"], "firewall": {"backend": "", "port": 8080}, "selinux": {"name": ""}},
        "database": {"managed": False},
        "network": {"networks": [], "files": []},
        "directories": {"entries": [{"path": "/opt"}, {"path": "/opt/shop", "owner": "root"}]},
        "volumes": {"entries": [{"path": "/srv/data", "owner": "shop"}]},
        "virtualenv": {"name": "v-R1", "path": "/opt/shop/venvs/v-R1"},
    }
    host = {"install_dir": "/opt/shop", "config_dir": "/etc/windflow/shop", "program": program, "port": port}
    host.update(os=TABLE, sockets=["/opt/shop/run/R1-0.sock"], storage=[])
    host.update(replicas=2, program_log_dir="/var/log/windflow/shop")
    return {"plugin": "shop", "release": "R1", "host": host, "steps": {**known, **steps}}


def paths(found):
    return {item["path"]: item["step"] for item in found["paths"]}


def test_what_was_made_is_remembered_by_its_step_and_what_was_there_is_not():
    found = paths(resources(plan()))
    assert found["/opt/shop"] == "directories" and found["/srv/data"] == "volumes" and "/opt" not in found
    assert found["/opt/shop/releases/R1/config.yaml"] == found["/etc/windflow/shop/config.yaml"] == "config"
    assert found["/etc/supervisor/conf.d/windflow-shop-R1.conf"] == "program"


def test_the_application_and_its_environment_are_remembered_whole():
    assert resources(plan())["trees"] == [
        {"root": "/opt/shop/releases/R1/app", "step": "application"},
        {"root": "/opt/shop/venvs/v-R1", "step": "virtualenv"},
    ]


def test_logs_of_all_instances_are_remembered():
    program = resources(plan())["program"]
    assert program["logs"] == ["/var/log/windflow/shop/windflow-shop-%d.log" % number for number in range(2)]
    assert program["conf"] == TABLE["supervisor"]["conf"]


def test_only_what_serves_has_a_site():
    sites = [path for path, step in paths(resources(plan())).items() if step == "site"]
    assert sites == ["/etc/nginx/sites-available/windflow-shop.conf", "/etc/nginx/sites-enabled/windflow-shop.conf"]
    assert "site" not in paths(resources(plan(port=0))).values()


def test_without_a_program_packages_services_and_database_are_left():
    found = resources(plan(program="", database=DATABASE))
    assert found == {
        "packages": ["nginx"],
        "services": ["nginx"],
        "database": {"name": "shop", "user": "shop", "port": 5432},
    }


def test_a_database_elsewhere_is_not_compared_with():
    assert resources(plan(database={**DATABASE, "local": False}))["database"] == {}


def test_a_firewall_is_remembered_where_one_is_active_and_selinux_where_it_is():
    services = {"all": [], "firewall": {"backend": "ufw", "port": 8080, "opened": True}}
    rules = {"name": "windflow_shop", "module": "d", "directory": "/opt/shop/run", "port": 8080, "text": "(...)"}
    found = resources(plan(services={**services, "selinux": rules}))
    assert found["firewall"] == {"backend": "ufw", "port": 8080}
    assert set(found["selinux"]) == {"name", "module", "directory", "port"}
    assert not {"firewall", "selinux"} & set(resources(plan()))


def test_files_of_networks_are_remembered_with_or_without_a_program():
    network = {"networks": [{"name": "data"}], "files": ["/etc/netplan/windflow-shop-data.yaml"]}
    for program in ("windflow-shop-R1", ""):
        found = resources(plan(program, network=network))
        assert paths(found)["/etc/netplan/windflow-shop-data.yaml"] == "network"
        assert found["networks"] == [{"name": "data"}]


def test_a_revision_keeps_its_environment_and_its_database():
    made = {**plan(), "resources": {"database": {"name": "shop"}}}
    found = revision(made)
    assert (found["venv"], found["port"], found["database"]) == ("v-R1", 8080, {"name": "shop"})
