# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tools that are compared. Each deploys a plugin to a host with one command."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import sys
import tarfile
from pathlib import Path

import yaml
from fixture import Plugin
from hosts import PORT, ROOT, Host, inventory
from process import BenchError, Used, run

HERE = Path(__file__).resolve().parent
BIN = ROOT / ".venv" / "bin"
PYINFRA = ROOT / ".cache" / "bench" / "venv"
# What the product installs, from roles/host/vars/debian.yml.
FAMILY = ROOT / "roles" / "host" / "vars" / "debian.yml"
# What ansible-playbook gets of our environment: nothing that changes how it or the plugin works.
KEPT = ("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "TMPDIR", "USER")


def packages() -> list[str]:
    """The packages that a deploy of the plugin needs, the same for every tool. It has no volumes and no SELinux."""
    groups = yaml.safe_load(FAMILY.read_text(encoding="utf-8"))["__host_os"]["packages"]
    needed = ("python", "nginx", "supervisor", "postgresql")
    return sorted({name for concern in needed for name in groups[concern]})


def ensure_pyinfra() -> None:
    """Make the virtual environment with pyinfra if its pins changed or it is not there."""
    pins = ROOT / "requirements" / "bench.txt"
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()
    stamp = PYINFRA / ".stamp"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        return
    print("   pyinfra: virtual environment …", file=sys.stderr, flush=True)
    run([sys.executable, "-m", "venv", "--clear", str(PYINFRA)], 120)
    run([str(PYINFRA / "bin" / "pip"), "-q", "--disable-pip-version-check", "install", "-r", str(pins)], 300)
    stamp.write_text(digest, encoding="utf-8")


class Stage:
    """The files that shell and pyinfra deploy, made from the plugin; outside of what is timed."""

    def __init__(self, plugin: Plugin, path: Path) -> None:
        self.plugin, self.path = plugin, path
        path.mkdir()

    def refresh(self) -> None:
        """Bring the files to the plugin's present state; what did not change keeps its bytes."""
        values = self.plugin.merged()
        app, server, database = values["app"], values["server"], values["database"]
        settings = {
            "PACKAGES": " ".join(packages()),
            "INSTALL_DIR": app["install_dir"],
            "DATA_DIR": app["data_dir"],
            "LOG_DIR": app["log_dir"],
            "ACCOUNT": app["user"],
            "PORT": str(PORT),
            "DB_NAME": database["name"],
            "DB_USER": database["user"],
            "PGPASSWORD": database["password"],
        }
        names = {"account": app["user"], "port": PORT, **app, **server}
        texts = {
            "settings": "".join(f"{key}={shlex.quote(value)}\n" for key, value in settings.items()),
            "settings.json": json.dumps(settings),
            "config.yaml": yaml.safe_dump(values),
            "requirements.txt": self.plugin.requirements.read_text(encoding="utf-8"),
            "deploy.sh": (HERE / "peers" / "deploy.sh").read_text(encoding="utf-8"),
        }
        for name in ("program.conf", "site.conf"):
            texts[name] = (HERE / "peers" / name).read_text(encoding="utf-8").format(**names)
        for name, text in texts.items():
            (self.path / name).write_text(text, encoding="utf-8")
        link = self.path / "app"
        if not link.exists():
            link.symlink_to(self.plugin.app)
        with tarfile.open(self.path / "app.tar", "w") as archive:
            for path in sorted(self.plugin.app.rglob("*")):
                member = archive.gettarinfo(path, str(path.relative_to(self.plugin.app)))
                member.mtime = member.uid = member.gid = 0
                member.uname = member.gname = "root"
                with open(path, "rb") if member.isfile() else open(os.devnull, "rb") as content:
                    archive.addfile(member, content)


class Shell:
    """One script, sent with everything that it needs through one SSH session."""

    name = "shell"

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def deploy(self, host: Host, timeout: float) -> Used:
        remote = "d=$(mktemp -d) && tar -xf - -C $d && sudo bash $d/deploy.sh; code=$?; rm -rf $d; exit $code"
        names = "app requirements.txt config.yaml program.conf site.conf settings deploy.sh"
        send = f"tar -chf - -C {shlex.quote(str(self.stage.path))} {names} | {shlex.join(host.ssh_command(remote))}"
        return run(["bash", "-o", "pipefail", "-c", send], timeout)


class Pyinfra:
    """pyinfra with its own operations."""

    name = "pyinfra"

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def deploy(self, host: Host, timeout: float) -> Used:
        values = host.variables()
        options = dict(item.split("=", 1) for item in values["ansible_ssh_common_args"].split() if "=" in item)
        data = {
            "ssh_port": values["ansible_port"],
            "ssh_user": values["ansible_user"],
            "ssh_key": values["ansible_ssh_private_key_file"],
            "ssh_known_hosts_file": options["UserKnownHostsFile"],
            "ssh_strict_host_key_checking": "yes",
        }
        hosts = self.stage.path / "inventory.py"
        hosts.write_text(f"hosts = [({values['ansible_host']!r}, {data!r})]\n", encoding="utf-8")
        environment = {**os.environ, "BENCH_STAGE": str(self.stage.path)}
        command = [str(PYINFRA / "bin" / "pyinfra"), "-y", str(hosts), str(HERE / "peers" / "pyinfra_deploy.py")]
        return run(command, timeout, env=environment)


class Playbook:
    """ansible-playbook with the project's configuration. Each run opens its own connection: `run` ends the SSH
    master that a run leaves behind."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch

    def play(self, hosts: list[Host], playbook: Path, *arguments: str, timeout: float, **options) -> Used:
        path = inventory(self.scratch / "inventory.json", hosts)
        kept = {key: value for key, value in os.environ.items() if key in KEPT}
        environment = {**kept, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), **options.pop("extra", {})}
        command = [str(BIN / "ansible-playbook"), str(playbook), "-i", str(path), *arguments]
        return run(command, timeout, cwd=ROOT, env=environment, **options)


class Floor(Playbook):
    """One trivial module."""

    name = "floor"

    def deploy(self, hosts: list[Host] | Host, timeout: float, **options) -> Used:
        hosts = hosts if isinstance(hosts, list) else [hosts]
        return self.play(hosts, HERE / "peers" / "floor.yml", timeout=timeout, **options)


class Windflow(Playbook):
    """The product, from the checkout."""

    name = "windflow"

    def __init__(self, scratch: Path, plugin: Plugin) -> None:
        super().__init__(scratch)
        self.plugin = plugin
        self.tasks: list[dict] = []

    def deploy(self, hosts: list[Host] | Host, timeout: float, *arguments: str, **options) -> Used:
        """Afterwards ``tasks`` holds task, action, host, seconds and changed of every task."""
        hosts = hosts if isinstance(hosts, list) else [hosts]
        times = self.scratch / "times.jsonl"
        times.unlink(missing_ok=True)
        extra = {
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "bench_times",
            "BENCH_TIMES": str(times),
        }
        variables = json.dumps({"plugin": str(self.plugin.path), "config": str(self.plugin.config)})
        used = self.play(
            hosts, ROOT / "deploy.yml", "-e", variables, *arguments, timeout=timeout, extra=extra, **options
        )
        if not times.exists():
            raise BenchError(f"no task ran:\n{used.output[-4000:]}")
        self.tasks = [json.loads(line) for line in times.read_text(encoding="utf-8").splitlines()]
        return used

    def seconds_of(self, action: str) -> float:
        """Seconds that the last run spent on the tasks of an action."""
        return sum(task["seconds"] for task in self.tasks if task["action"].endswith(f".{action}"))

    @property
    def changed(self) -> list[str]:
        """Names of the tasks of the last run that changed something."""
        return [task["task"] for task in self.tasks if task["changed"]]


# Where a deploy puts the application and its configuration.
PEER_PLACE = ("/opt/template/app", "/etc/template/config.yaml")
OUR_PLACE = ("/opt/template/current/app", "/etc/windflow/template/config.yaml")


def check_served(host: Host, plugin: Plugin, place: tuple[str, str]) -> None:
    """Raise unless the host answers and has the plugin's present state: every tool must have done its work."""
    health = json.loads(host.get("/healthz"))
    if health["status"] != "ok":
        raise BenchError(f"{host.name}: /healthz answers {health}")
    if not isinstance(json.loads(host.get("/items")), list):
        raise BenchError(f"{host.name}: /items is not a list")
    wanted = (plugin.app / plugin.marker).read_text(encoding="utf-8")
    found = host.ssh(f"sudo cat {place[0]}/{plugin.marker} {place[1]}")
    if wanted not in found or f"log_level: {plugin.level}" not in found.replace('"', ""):
        raise BenchError(f"{host.name}: the change was not deployed")
