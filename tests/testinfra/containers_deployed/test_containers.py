# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The application in containers answers, stores data, is hardened, and survives a restart of its host."""

from __future__ import annotations

import json
import subprocess

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.text.encoders import env_file_value

VALUES = ["plain", "", "two words", "$HOME", "${X:-y}", "100%", 'a"b', "it's", "#no", "a=b", "-x", "a\\b", "`id`", "é"]
REFUSED = ["\t", "\\", "two\nlines", "it's $5", "'\"", "end\\", "\0"]
SERVICES = ("app", "front", "db")


def test_every_container_of_the_application_is_reached(app):
    instances = {json.loads(app.request("/healthz")[1])["instance"] for _number in range(20)}
    assert len(instances) == len(app.containers("app")) == 2


def test_item_becomes_a_row_in_the_database(app):
    status, body = app.request("/items", {"name": "kept from the first release"})
    assert status == 201, body
    assert int(app.contained_sql("select count(*) from items where name = 'kept from the first release'")) >= 1


def test_application_role_has_no_power(app):
    power = "rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls"
    assert app.contained_sql(f"select rolname from pg_roles where rolname !~ '^(pg_|postgres)' and ({power})") == ""


@pytest.mark.parametrize("service", SERVICES)
def test_containers_are_hardened(app, service):
    for container in app.containers(service):
        settings = container["HostConfig"]
        assert settings["ReadonlyRootfs"] and not settings["Privileged"]
        assert settings["CapDrop"] == ["ALL"] and not settings["CapAdd"]
        assert "no-new-privileges:true" in settings["SecurityOpt"]
        assert settings["PidsLimit"] and settings["Memory"]
        assert settings["RestartPolicy"]["Name"] == "unless-stopped"
        assert settings["LogConfig"]["Config"]["max-size"] == "10m"
        assert container["Config"]["User"].split(":")[0] not in ("", "0", "root")


def test_only_the_front_has_a_port_on_the_host(app):
    ports = {service: app.containers(service)[0]["HostConfig"]["PortBindings"] for service in SERVICES}
    assert not ports["app"] and not ports["db"]
    assert list(ports["front"]) == ["8080/tcp"]


def test_secrets_are_in_no_environment_and_in_no_readable_file(app):
    secrets = app.secrets()
    assert len(secrets) == 2
    shown = json.dumps([app.containers(service) for service in SERVICES])
    assert not [secret for secret in secrets if secret in shown]
    release = f"{app.install_dir}/releases/{app.current()['release']}"
    for name in ("config.yaml", "secrets/DB_PASSWORD", "secrets/SECRET_KEY"):
        found = app.host.file(f"{release}/{name}")
        assert (found.mode, found.user, found.gid) == (0o640, "root", 10000)
    assert app.host.file(f"{app.install_dir}/shared/secrets/DB_PASSWORD").mode == 0o640
    readable = app.host.file(f"{release}/.env").content_string
    assert not [secret for secret in secrets if secret in readable]


def test_compose_files_pass_on_their_own(app):
    release = f"{app.install_dir}/releases/{app.current()['release']}/app/compose"
    assert app.host.run(f"cd {release} && docker compose --profile database config --quiet").rc == 0


def test_values_reach_compose_exactly_or_are_refused(app):
    encoded = {}
    for number, value in enumerate([*VALUES, *REFUSED]):
        try:
            encoded[f"V{number}"] = (value, env_file_value(value))
        except WindflowError as error:
            assert error.code in ("E1189", "E1191") and value in REFUSED
    assert [value for value, _text in encoded.values()] == VALUES
    environment = {name: "${%s}" % name for name in encoded}
    written = {
        "values.env": "".join(f"{name}={text}\n" for name, (_value, text) in encoded.items()),
        "values.json": json.dumps({"services": {"app": {"image": "none", "environment": environment}}}),
    }
    for name, text in written.items():
        app.host.check_output("printf %%s %s > /root/" + name, text)
    found = app.host.check_output(
        "cd /root && docker compose --env-file values.env -f values.json config --format json"
    )
    # In what `config` prints, $$ stands for a dollar sign.
    read = json.loads(found)["services"]["app"]["environment"]
    assert [read[name].replace("$$", "$") for name in encoded] == VALUES


def test_what_must_not_be_recreated_is_written_down(app):
    kept = {service: [item["Id"] for item in app.containers(service)] for service in ("front", "db")}
    app.host.check_output("printf %%s %s > /root/first-containers.json", json.dumps(kept))


def test_application_survives_a_restart_of_the_host(app):
    before = int(app.contained_sql("select count(*) from items"))
    subprocess.run(["docker", "restart", app.container], check=True, capture_output=True)
    assert app.answers()
    assert int(app.contained_sql("select count(*) from items")) == before
