# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample plugins' hooks and scripts, run as the platform and people run them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest

from .conftest import NAMES, PLUGINS, RELEASE, ROOT, free_port

pytestmark = pytest.mark.system

EVENTS = ["%s-%s" % (when, stage) for stage in ("install", "deploy", "upgrade", "remove") for when in ("pre", "post")]
SCRIPTS = sorted(path for plugin in NAMES for path in (PLUGINS / plugin).glob("*/*.sh"))
CHANGES = {
    "install": ("", "1.0.0"),
    "deploy": ("1.0.0", "1.0.0"),
    "upgrade": ("1.0.0", "1.1.0"),
    "remove": ("1.0.0", ""),
}


def run_hook(plugin: str, event: str, port: int, versions=None, directory=None, **more: str):
    """The hook in the clean environment that the platform gives it."""
    old, new = versions or CHANGES[event.split("-")[1]]
    directory = directory or PLUGINS / plugin
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "WINDFLOW_EVENT": event,
        "WINDFLOW_PLUGIN": plugin,
        "WINDFLOW_PLUGIN_DIR": str(directory),
        "WINDFLOW_VERSION": new,
        "WINDFLOW_OLD_VERSION": old,
        "WINDFLOW_RELEASE": RELEASE,
        "WINDFLOW_HOST": "web1",
        "WINDFLOW_ADDRESS": "192.0.2.1",
        "WINDFLOW_TARGET": "host",
        "WINDFLOW_ENVIRONMENT": "",
        "WINDFLOW_URL": "http://192.0.2.1:%d" % port,
        "HOST_PORT": str(port),
        "DB_NAME": "myapp",
        "DB_PASSWORD": "canary-77",
        "SECRET_KEY": "canary-78",
        **more,
    }
    return subprocess.run(
        [directory / "hooks" / (event + ".sh"), event, old, new],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_scripts_are_executable_strict_and_well_formed(script):
    text = script.read_text(encoding="utf-8")
    assert script.stat().st_mode & 0o111 == 0o111
    assert text.startswith(("#!/bin/sh\n", "#!/usr/bin/env bash\n")) and "\nset -eu\n" in text
    shell = "bash" if "bash" in text.splitlines()[0] else "dash"
    assert subprocess.run([shell, "-n", script], capture_output=True, check=False).stderr == b""
    shellcheck = shutil.which("shellcheck", path="%s/bin:/usr/bin:/usr/local/bin" % (ROOT / ".venv"))
    if shellcheck:
        done = subprocess.run([shellcheck, script], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("plugin", NAMES)
def test_every_hook_succeeds_on_a_good_deployment_quickly_and_shows_no_secret(plugin, app):
    for event in EVENTS:
        began = time.monotonic()
        done = run_hook(plugin, event, app.port)
        took = time.monotonic() - began
        assert (done.returncode, done.stderr) == (0, ""), event
        assert took < 0.5, "%s took %.2f s" % (event, took)
        assert "canary" not in done.stdout


@pytest.mark.parametrize("plugin", NAMES)
def test_post_deploy_reports_the_release_that_answered(plugin, app, tmp_path):
    result = tmp_path / "result.json"
    assert run_hook(plugin, "post-deploy", app.port, WINDFLOW_RESULT_FILE=str(result)).returncode == 0
    assert json.loads(result.read_text()) == {
        "url": "http://192.0.2.1:%d" % app.port,
        "release": RELEASE,
        "healthy": True,
    }


@pytest.mark.parametrize("plugin", NAMES)
def test_post_deploy_fails_if_another_release_answers_or_the_application_is_sick(plugin, app, postgres):
    other = run_hook(plugin, "post-deploy", app.port, WINDFLOW_RELEASE="20270101T000000Z-00000000")
    assert other.returncode == 1 and "release 20270101T000000Z-00000000 does not answer" in other.stderr
    postgres.stop()
    try:
        sick = run_hook(plugin, "post-deploy", app.port)
        unreadable = run_hook(plugin, "post-upgrade", app.port)
    finally:
        postgres.start()
    assert sick.returncode == 1 and "503" in sick.stderr and "cannot be reached" in sick.stderr
    assert unreadable.returncode == 1 and "the items cannot be read after the upgrade" in unreadable.stderr


@pytest.mark.parametrize("plugin", NAMES)
def test_post_hooks_fail_where_nothing_listens_or_nothing_is_answered(plugin):
    for event in ("post-deploy", "post-upgrade"):
        done = run_hook(plugin, event, free_port())
        assert done.returncode == 1 and "refused" in done.stderr
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        silent.settimeout(10)
        process = subprocess.Popen(  # pylint: disable=consider-using-with
            [PLUGINS / plugin / "hooks/post-upgrade.sh", "post-upgrade", "1.0.0", "1.1.0"],
            env={"PATH": "/usr/bin:/bin", "HOST_PORT": str(port)},
            stderr=subprocess.PIPE,
            text=True,
        )
        connection = silent.accept()[0]
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += connection.recv(4096)
        connection.close()
        assert "the answer was:\nnothing" in process.communicate(timeout=10)[1]
        assert process.returncode == 1


@pytest.mark.parametrize("plugin", NAMES)
@pytest.mark.parametrize("event", ["post-deploy", "post-upgrade"])
def test_post_hooks_ask_for_a_name_that_nginx_answers(plugin, event):
    asked = {
        "[]": "localhost",
        '["*"]': "localhost",
        '["example.com", "localhost"]': "example.com",
        '[".example.com"]': "example.com",
        '["*.example.com", "b.example"]': "www.example.com",
        '["*", "b.example"]': "b.example",
    }
    for allowed, host in asked.items():
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(10)
            call = [PLUGINS / plugin / "hooks" / (event + ".sh"), event, "1.0.0", "1.1.0"]
            environment = {"PATH": "/usr/bin:/bin", "HOST_PORT": str(server.getsockname()[1]), "ALLOWED_HOSTS": allowed}
            process = subprocess.Popen(  # pylint: disable=consider-using-with
                call,
                env={**environment, "WINDFLOW_RELEASE": RELEASE},
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            connection = server.accept()[0]
            connection.settimeout(10)
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += connection.recv(4096)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            connection.close()
        assert b"\r\nHost: %s\r\n" % host.encode() in request, allowed


@pytest.mark.parametrize("plugin", NAMES)
def test_pre_hooks_name_what_is_missing(plugin, tmp_path):
    copy = tmp_path / plugin
    shutil.copytree(PLUGINS / plugin, copy)
    (copy / "build/requirements.txt").write_text("flask==3.1.3\n")
    done = run_hook(plugin, "pre-install", 8080, directory=copy)
    assert done.returncode == 1 and "build/requirements.txt has no hashes" in done.stderr
    (copy / "build/requirements.txt").unlink()
    done = run_hook(plugin, "pre-install", 8080, directory=copy)
    assert done.returncode == 1 and "missing or empty: %s/build/requirements.txt" % copy in done.stderr
    tools = tmp_path / "tools"
    tools.mkdir()
    for connection, code in (("ssh", 1), ("local", 0)):
        done = run_hook(plugin, "pre-deploy", 8080, PATH=str(tools), WINDFLOW_CONNECTION=connection)
        assert done.returncode == code, done.stderr
        assert ("openssh-client" in done.stderr) == bool(code)


@pytest.mark.parametrize("plugin", NAMES)
def test_pre_upgrade_refuses_to_go_back_over_a_major_version(plugin):
    for versions, code in (
        (("2.0.0", "1.9.0"), 1),
        (("10.0.0", "9.0.0"), 1),
        (("1.9.0", "1.2.0"), 0),
        (("1.0.0", "2.0.0"), 0),
    ):
        assert run_hook(plugin, "pre-upgrade", 8080, versions).returncode == code, versions


@pytest.mark.parametrize("plugin", ["template"])
def test_smoke_test_stores_and_reads_back(plugin, app, postgres):
    script = PLUGINS / "template/scripts/smoke-test.sh"
    done = subprocess.run([script, "http://127.0.0.1:%d/" % app.port], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert RELEASE in done.stdout and "stored and read back: item 1" in done.stdout
    assert postgres.sql("select count(*) from items", app.config["database"]["name"]) == "1"
    refused = subprocess.run([script, "http://127.0.0.1:%d" % free_port()], capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and "refused" in refused.stderr and "Traceback" not in refused.stderr
    assert subprocess.run([script], capture_output=True, check=False).returncode == 2


@pytest.mark.parametrize("name", ["my-plugin", "a", "p" + "-23456789" * 7])
def test_a_new_plugin_is_in_order_and_shares_nothing_with_the_template(name, tmp_path):
    made = new_plugin(name, tmp_path)
    assert (made.returncode, made.stderr) == (0, "")
    plugin = tmp_path / "plugins" / name
    assert made.stdout == "%s\n" % plugin.relative_to(tmp_path)
    manifest = load_manifest(plugin)
    assert (manifest.name, manifest.version) == (name, "0.1.0")
    assert set(manifest.hooks) == set(EVENTS)
    defaults = yaml.safe_load((plugin / "config/defaults.yaml").read_text())
    schema = json.loads((plugin / "config/schema.json").read_text())
    assert load_config(manifest).generated == {("app", "secret_key"), ("database", "password")}
    assert defaults["app"]["install_dir"] == "/opt/" + name
    account = schema["properties"]["app"]["properties"]["user"]["default"]
    assert defaults["app"]["user"] == defaults["app"]["group"] == account
    assert defaults["database"]["name"] == defaults["database"]["user"] == name.replace("-", "_")[:63]
    for file in ("plugin.yml", "config/defaults.yaml", "config/schema.json"):
        text = (plugin / file).read_text()
        assert not any(word in text.lower() for word in ("template", "myapp", "dbuser")), file
    assert not (plugin / "scripts/new-plugin.sh").exists() and not list(plugin.rglob("__pycache__"))
    assert (plugin / "hooks/pre-deploy.sh").stat().st_mode & 0o111


def test_a_new_plugin_replaces_nothing_and_needs_a_fit_name(tmp_path):
    assert new_plugin("mine", tmp_path).returncode == 0
    (tmp_path / "plugins/mine/README.md").write_text("my own")
    again = new_plugin("mine", tmp_path)
    assert again.returncode == 1 and "exists already" in again.stderr
    assert (tmp_path / "plugins/mine/README.md").read_text() == "my own"
    for name in ("Mine", "1st", "a b", "../x", "a_b", "a-", "a--b", "core", "", "x" * 65):
        assert new_plugin(name, tmp_path).returncode == 2, name
    assert [path.name for path in (tmp_path / "plugins").iterdir()] == ["mine"]


def new_plugin(name: str, directory: Path):
    script = PLUGINS / "template/scripts/new-plugin.sh"
    return subprocess.run([script, name, "plugins"], cwd=directory, capture_output=True, text=True, check=False)


def test_check_host_reports_and_notices_a_port_in_use():
    script = PLUGINS / "physical-host/scripts/check-host.sh"
    free = subprocess.run([script, str(free_port()), "/opt/not/there"], capture_output=True, text=True, check=False)
    lines = {line.split()[1]: line.split()[0] for line in free.stdout.splitlines()}
    assert lines["port"] == lines["python"] == lines["cpu"] == "ok" and "init" in lines
    assert free.returncode == int("missing" in lines.values())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        busy = subprocess.run([script, str(port)], capture_output=True, text=True, check=False)
    assert "port       %d is in use" % port in busy.stdout
    assert subprocess.run([script, "x"], capture_output=True, check=False).returncode == 2


@pytest.mark.parametrize(("engine", "code"), [("swarm", 0), ("compose", 1)])
def test_the_database_of_a_stack_has_no_port_that_a_hook_could_ask(engine, code, tmp_path):
    # A hook that asks would wait ten times.
    hook = (PLUGINS / "database" / "hooks" / "post-deploy.sh").read_text(encoding="utf-8")
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks" / "post-deploy.sh").write_text(hook.replace("    sleep 1\n", ""), encoding="utf-8")
    (tmp_path / "hooks" / "post-deploy.sh").chmod(0o755)
    more = {"WINDFLOW_ENGINE": engine, "DB_PORT": str(free_port())}
    assert run_hook("database", "post-deploy", 0, directory=tmp_path, **more).returncode == code
