# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test hosts: containers of Debian, or of another OS family, with a real init and a real SSH daemon.

    python tests/lab/lab.py image SYSTEM [--variant systemd|packages|hardened|plain]
    python tests/lab/lab.py up NAME SYSTEM [--variant …] [--init systemd|none] [--ports 8080]
    python tests/lab/lab.py inventory NAME… [--user deploy|root]
    python tests/lab/lab.py ssh NAME [--user deploy|root] [COMMAND]
    python tests/lab/lab.py give NAME SUITE TAG       # the suite's bare image, to the host's own engine
    python tests/lab/lab.py down NAME…

A host has the user ``deploy`` with sudo, and ``root``; both take the key in .cache/lab. Its host keys are
read through the engine and recorded, so host key checking stays on. Its ports are published on 127.0.0.1
and stay the same across ``docker restart``. Container names begin with ``windflow-``.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import engine  # noqa: E402
import images  # noqa: E402
import machine  # noqa: E402
from machine import LabError  # noqa: E402

STATE = Path(__file__).resolve().parents[2] / ".cache" / "lab"
KEY = STATE / "key"
WAIT = 60.0  # seconds
# What a container may, as the engine's package takes it.
SYSTEMD = {
    "cgroupns": "host",
    "binds": ["/sys/fs/cgroup:/sys/fs/cgroup:rw"],
    "tmpfs": {"/run": "", "/run/lock": ""},
}
# An engine inside a container needs nearly all of a machine's rights, and a disk of its own.
ENGINE = {
    "cap_add": ["ALL"],
    "cap_drop": ["SYS_RESOURCE"],
    "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
    "system_paths": True,
}
# Nothing runs from /tmp, a place is read-only, and it has an IPv6 address of its own, by which it is reached.
HARDENED = {
    "tmpfs": {"/tmp": "rw,noexec,nosuid,nodev,mode=1777", "/srv": "ro"},
    "sysctls": {"net.ipv6.conf.lo.disable_ipv6": "0", "net.ipv6.conf.all.disable_ipv6": "0"},
}
# A host of another family has its own firewall, which is active where the family's is. nftables in a network namespace
# of its own is all that firewalld and ufw need of the kernel.
FAMILY = {"cap_add": ["NET_ADMIN"]}
NO_INIT = ["sh", "-c", "mkdir -p /run/sshd && ssh-keygen -A && /usr/sbin/sshd && exec sleep infinity"]
# Lets the key in as root and as deploy.
AUTHORISE = """
for user in root deploy; do
    home=$(getent passwd $user | cut -d : -f 6)
    install -d -m 0700 -o $user -g $user $home/.ssh
    printf %s "$KEY" >$home/.ssh/authorized_keys
    chown $user:$user $home/.ssh/authorized_keys
    chmod 0600 $home/.ssh/authorized_keys
done
"""


def container(name: str) -> str:
    """The container's name."""
    return f"windflow-{name}"


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nothing listens on."""
    sockets: list[socket.socket] = []
    try:
        while len(sockets) < count:
            sockets.append(socket.socket())
            sockets[-1].bind(("127.0.0.1", 0))
        return [item.getsockname()[1] for item in sockets]
    finally:
        for item in sockets:
            item.close()


def ensure_key() -> str:
    """The public half of the lab's key pair, which is made on first use."""
    STATE.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not KEY.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "windflow-lab", "-f", KEY], check=True)
    return KEY.with_suffix(".pub").read_text(encoding="utf-8")


def together(*parts: dict) -> dict:
    """What several parts of a host say of its container: maps and lists grow."""
    found: dict = {}
    for part in parts:
        for key, value in part.items():
            if isinstance(value, dict):
                found[key] = {**found.get(key, {}), **value}
            else:
                found[key] = found.get(key, []) + value if isinstance(value, list) else value
    return found


def wait_for(what: str, check) -> str:
    """Call ``check`` until it returns something true."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        result = check()
        if result:
            return result
        time.sleep(0.2)
    raise LabError(f"{what} did not happen within {WAIT:.0f} s.")


def up(name: str, suite: str, variant: str, init: str, ports: list[int]) -> None:
    """Start a fresh host, in place of any host of that name, and wait until it takes SSH sessions."""
    tag = images.ensure(suite, variant)
    engine.remove(container(name))
    published = dict(zip([22, *ports], free_ports(len(ports) + 1), strict=True))
    parts = [{"port_bindings": {inner: ("127.0.0.1", outer) for inner, outer in published.items()}}]
    command = []
    if variant == "sysvinit":
        init = "sysvinit"
    if variant != "plain":
        parts += [SYSTEMD] if init == "systemd" else []
        parts += [ENGINE] if variant == "docker" else []
        parts += [HARDENED] if variant == "hardened" else []
        parts += [FAMILY] if suite in images.FAMILIES else []
        command = NO_INIT if init == "none" else []
    engine.create(container(name), name, tag, command, machine.proxies(), **together(*parts))
    engine.start(container(name))
    if variant == "plain":
        return
    keys = wait_for(
        f"{name}: the SSH daemon with its host keys",
        lambda: engine.said(container(name), "sh", "-c", "cat /etc/ssh/ssh_host_*_key.pub"),
    )
    engine.run(container(name), "sh", "-ec", AUTHORISE, environment={"KEY": ensure_key()})
    known = "".join(f"[127.0.0.1]:{published[22]} {' '.join(line.split()[:2])}\n" for line in keys.splitlines())
    (STATE / f"{name}.known_hosts").write_text(known, encoding="utf-8")
    (STATE / f"{name}.json").write_text(
        json.dumps({"suite": suite, "variant": variant, "ports": published}), encoding="utf-8"
    )
    wait_for(f"{name}: an SSH session", lambda: images.succeeds(ssh(name, "root", ["true"])))
    if init == "systemd":
        ask = (container(name), "systemctl", "is-system-running")
        wait_for(f"{name}: systemd being up", lambda: engine.said(*ask) in ("running", "degraded"))


def state(name: str) -> dict:
    """What `up` wrote down about a host."""
    try:
        return json.loads((STATE / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LabError(f"there is no host {name!r}; make it with: lab.py up {name} SUITE") from None


def ssh_options(name: str) -> str:
    """Options of ssh(1) that keep host key checking on, with the keys that `up` recorded."""
    known = STATE / f"{name}.known_hosts"
    return f"-o UserKnownHostsFile={known} -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes"


def ssh(name: str, user: str, command: list[str]) -> list[str]:
    """The ssh command line that runs ``command`` on a host."""
    port = state(name)["ports"]["22"]
    options = [*ssh_options(name).split(), "-o", "BatchMode=yes", "-o", "LogLevel=ERROR"]
    return ["ssh", *options, "-i", str(KEY), "-p", str(port), f"{user}@127.0.0.1", *command]


def host_vars(name: str, user: str) -> dict:
    """The inventory variables of a host. A hardened one has a password for sudo, which wants a terminal, and is reached
    by its IPv6 address, through a jump host, which it is itself."""
    ports = state(name)["ports"]
    if state(name).get("variant") == "hardened":
        jump = f"ssh {ssh_options(name)} -o BatchMode=yes -i {KEY} -p {ports['22']} -W [%h]:%p root@127.0.0.1"
        alias = f"-o HostKeyAlias=[127.0.0.1]:{ports['22']}"
        return {
            "ansible_host": "::1",
            "ansible_user": user,
            "ansible_become_password": "deploy",
            "ansible_pipelining": False,
            "ansible_ssh_private_key_file": str(KEY),
            "ansible_ssh_common_args": f'{ssh_options(name)} {alias} -o "ProxyCommand={jump}"',
            "lab_container": container(name),
            "lab_system": state(name)["suite"],
            "lab_ports": {inner: outer for inner, outer in ports.items() if inner != "22"},
        }
    return {
        "ansible_host": "127.0.0.1",
        "ansible_port": ports["22"],
        "ansible_user": user,
        "ansible_ssh_private_key_file": str(KEY),
        "ansible_ssh_common_args": ssh_options(name),
        "lab_container": container(name),
        "lab_system": state(name)["suite"],
        "lab_ports": {inner: outer for inner, outer in ports.items() if inner != "22"},
    }


def down(name: str) -> None:
    """Remove a host and what was written down about it."""
    engine.remove(container(name))
    for path in (STATE / f"{name}.json", STATE / f"{name}.known_hosts"):
        path.unlink(missing_ok=True)


def give(name: str, suite: str, tag: str) -> None:
    """Load the suite's bare image into a host's own engine."""
    base = images.ensure(suite, "base")
    # By the client: the engine's package gives a program in a container no input.
    inner = ["docker", "exec", "-i", container(name), "docker"]
    with subprocess.Popen(["docker", "save", base], stdout=subprocess.PIPE) as saved:
        loaded = subprocess.run([*inner, "load", "-q"], stdin=saved.stdout, capture_output=True, check=False)
    if saved.returncode or loaded.returncode:
        raise LabError(f"{name}: its engine did not take the image: {loaded.stderr.decode(errors='replace').strip()}")
    engine.run(container(name), "docker", "tag", base, tag)


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line as a namespace."""
    parser = argparse.ArgumentParser(prog="lab.py", description="Test hosts in containers.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    image = verbs.add_parser("image", help="make an image and print its tag")
    start = verbs.add_parser("up", help="start a fresh host")
    start.add_argument("name")
    for verb in (image, start):
        verb.add_argument("suite", metavar="system", choices=(*images.SUITES, *images.FAMILIES))
        variants = sorted({*images.PARENTS, *images.FAMILY_VARIANTS})
        verb.add_argument("--variant", choices=variants, default="systemd")
    start.add_argument("--init", choices=("systemd", "none"), default="systemd")
    start.add_argument("--ports", type=int, nargs="*", default=[], help="ports of the host to publish")
    inventory = verbs.add_parser("inventory", help="print an inventory")
    inventory.add_argument("names", nargs="+")
    shell = verbs.add_parser("ssh", help="run a command over SSH")
    shell.add_argument("name")
    for verb in (inventory, shell):
        verb.add_argument("--user", choices=("deploy", "root"), default="deploy")
    shell.add_argument("command", nargs=argparse.REMAINDER)
    gift = verbs.add_parser("give", help="load a bare image into a host's engine")
    gift.add_argument("name")
    gift.add_argument("suite", choices=images.SUITES)
    gift.add_argument("tag")
    verbs.add_parser("down", help="remove hosts").add_argument("names", nargs="+")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    options = parse(arguments)
    try:
        if options.verb == "ssh":
            return subprocess.run(ssh(options.name, options.user, options.command), check=False).returncode
        if options.verb == "inventory":
            # JSON is YAML.
            hosts = {name: host_vars(name, options.user) for name in options.names}
            print(json.dumps({"all": {"hosts": hosts}}, indent=2))
            return 0
        engine.find()
        if options.verb == "image":
            print(images.ensure(options.suite, options.variant))
        elif options.verb == "up":
            up(options.name, options.suite, options.variant, options.init, options.ports)
        elif options.verb == "give":
            give(options.name, options.suite, options.tag)
        else:
            for name in options.names:
                down(name)
    except (LabError, *engine.ERRORS) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
