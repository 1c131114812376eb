# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test hosts with a kernel of their own, for what containers share with the machine: NFS, LVM, links, SELinux.

    python tests/lab/guests/guests.py build [--kind enforcing]
    python tests/lab/guests/guests.py up NAME… [--ports 8080] [--disk GB] [--links NUMBER] [--memory MB]
    python tests/lab/guests/guests.py up NAME… --kind enforcing [--ports 8080] [--disk GB] [--memory MB]
    python tests/lab/guests/guests.py reboot NAME…     # by the guest's own init; waits until SSH is back
    python tests/lab/guests/guests.py freeze NAME      # stops its kernel, as a server that hangs; thaw NAME
    python tests/lab/guests/guests.py inventory NAME… [--user deploy|root]
    python tests/lab/guests/guests.py ssh [--user deploy|root] NAME [COMMAND]
    python tests/lab/guests/guests.py down NAME…

They are user-mode Linux: a kernel that is a program of this machine, so no emulation and no rights beyond root's are
needed. It trusts the guest's programs, as the tests do. With ``--kind enforcing`` QEMU emulates them, with Debian's
kernel, which enforces Debian's policy of SELinux.

eth0 of each is on a network of its own, by which it is reached and reaches the machine's networks. Guests of user-mode
Linux have eth1 besides, all on one switch, which passes every frame on: 10.0.3.15 and following, the inventory says
which (``lab_address``). The SSH port and ``--ports`` are published on this machine, at 127.0.0.1 alone. A guest has the
users and keys of tests/lab/lab.py. ``--disk`` is an empty second disk, /dev/ubdc. ``--links`` are further interfaces,
eth2 and following, on the switch of all; they have no addresses.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import image  # noqa: E402
import images  # noqa: E402
import lab  # noqa: E402
from machine import LabError  # noqa: E402

STATE = lab.STATE / "guests"
# One switch for a checkout. It passes every frame on, those with a VLAN's tag too.
SWITCH = STATE / "switch"
FIRST = 15
# A program in place of one that the kernel starts.
PLUGS = Path(__file__).resolve().parent / "plugs"
# The last lines of its console, where a guest does not come up.
CONSOLE_LINES = 40


def folder(name: str) -> Path:
    """Where a guest's files are."""
    return STATE / name


def state(name: str) -> dict:
    """What ``up`` wrote down about a guest."""
    try:
        return json.loads((folder(name) / "state.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LabError(f"there is no guest {name!r}; make it with: guests.py up {name}") from None


def alive(pid: int, word: str) -> bool:
    """Whether a process that was started here still runs: its command line has ``word`` in it. For a moment it is
    empty, while the kernel starts itself anew."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
        ended = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return word.encode() in line if line else ended != "Z"


def start(command: list[str], log: Path) -> int:
    """Start a program that outlives this one, and return its number."""
    with open(log, "ab") as stream:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True, close_fds=True
        )
    return process.pid


def stop(pid: int, word: str) -> None:
    """End a program that ``start`` has started; of a guest, all of its processes, which are one session."""
    if not alive(pid, word):
        return
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        # A program that goes to the background by itself leads no group.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for _attempt in range(100):
        if not alive(pid, word):
            return
        time.sleep(0.1)
    raise LabError(f"process {pid} ({word}) did not end.")


def start_switch(place: Path) -> int:
    """Start a switch whose socket is ``place``, and return its number. It passes every frame on, also those with a
    VLAN's tag."""
    shutil.rmtree(place, ignore_errors=True)
    number = place.with_suffix(".pid")
    number.unlink(missing_ok=True)
    # In the foreground it would end with its standard input.
    images.run(["/usr/bin/vde_switch", "-x", "-s", str(place), "-d", "-p", str(number)])
    # The file is there a moment before the number is in it.
    lab.wait_for("a switch of the guests", lambda: (place / "ctl").exists() and number.exists() and number.read_text())
    return int(number.read_text())


def ensure_switch() -> None:
    """Start the switch of all guests where none runs."""
    number = SWITCH.with_suffix(".pid")
    if not (number.exists() and alive(int(number.read_text()), "vde_switch")):
        start_switch(SWITCH)


def free_number() -> int:
    """The last part of an address that no other guest has."""
    taken = {json.loads(path.read_text(encoding="utf-8"))["number"] for path in STATE.glob("*/state.json")}
    return next(number for number in range(FIRST, 100) if number not in taken)


def seed(name: str, place: Path, inner: str) -> None:
    """Write the small disk with a guest's name, keys and addresses: ``inner`` is the one at eth1, if it has that."""
    files = place / "seed" / "files"
    for home in ("root", "home/deploy"):
        path = files / home / ".ssh" / "authorized_keys"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(lab.ensure_key(), encoding="utf-8")
    (files / "etc/ssh").mkdir(parents=True)
    key = files / "etc/ssh/ssh_host_ed25519_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(key)], check=True)
    texts = {
        "etc/hostname": f"{name}\n",
        "etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost\n",
        "etc/resolv.conf": "nameserver 10.0.2.3\n",
        "etc/network/interfaces.d/eth0": (
            "auto eth0\niface eth0 inet static\n    address 10.0.2.15/24\n    gateway 10.0.2.2\n"
        ),
    }
    if inner:
        texts["etc/network/interfaces.d/eth1"] = f"auto eth1\niface eth1 inet static\n    address {inner}/24\n"
    for path, text in texts.items():
        target = files / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    disk = place / "seed.raw"
    with open(disk, "wb") as stream:
        stream.truncate(4 << 20)
    images.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext2", "-d", str(place / "seed"), str(disk)])


def kind_of(found: dict) -> image.Kind:
    """What kernel a guest has."""
    return image.KINDS[found["kind"]]


def word_of(found: dict) -> str:
    """The name of the program that is a guest's kernel, or runs it."""
    return os.path.basename(kind_of(found).program)


def up(names: list[str], ports: list[int], wanted: dict) -> None:
    """Start fresh guests, in place of any of those names, and wait until they take SSH sessions."""
    base = image.ensure(kind_of(wanted))
    for name in names:
        down(name)
    STATE.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in names:
        begin(name, ports, {**wanted, "base": str(base), "pids": {}})
    for name in names:
        wait(name, lambda name=name: answers(name))


def begin(name: str, ports: list[int], wanted: dict) -> None:
    """Start a guest without waiting for it."""
    place, number = folder(name), free_number()
    place.mkdir()
    published = dict(zip([22, *ports], lab.free_ports(len(ports) + 1), strict=True))
    found = {"number": number, "ports": published, **wanted}
    (place / "state.json").write_text(json.dumps(found), encoding="utf-8")
    seed(name, place, address(found))
    if found["disk"]:
        with open(place / "data.raw", "wb") as stream:
            stream.truncate(found["disk"] << 30)
    if kind_of(found) is image.USER_MODE:
        ensure_switch()
        found["pids"]["vde_switch"] = start_switch(place / "switch")
        found["pids"]["vde_plug"] = start(uplink(place / "switch", published), place / "network.log")
        command = kernel(name, found)
    else:
        command = emulator(name, found)
    found["pids"][word_of(found)] = start(command, place / "console.log")
    (place / "state.json").write_text(json.dumps(found), encoding="utf-8")
    public = (place / "seed/files/etc/ssh/ssh_host_ed25519_key.pub").read_text(encoding="utf-8")
    known = f"[127.0.0.1]:{published[22]} {' '.join(public.split()[:2])}\n"
    (place / "known_hosts").write_text(known, encoding="utf-8")


def uplink(place: Path, published: dict) -> list[str]:
    """The command line that connects a guest's switch to this machine's networks, and forwards ports to the guest."""
    # Without an address in front, a forwarded port would listen at every address of the machine.
    forwards = ",".join(f"127.0.0.1:{outer}:10.0.2.15:{inner}" for inner, outer in published.items())
    return ["/usr/bin/vde_plug", f"vde://{place}", f"slirp:///v4/tcpfwd={forwards}"]


def kernel(name: str, found: dict) -> list[str]:
    """The command line of a guest's kernel."""
    place = folder(name)
    mac = f"52:54:00:00:%02d:{found['number']:02x}"

    def link(number: int, switch: Path) -> str:
        return f"vec{number}:transport=vde,vnl=vde://{switch},mac={mac % (number + 1)}"

    disks = [f"ubd0={place}/disk.cow,{found['base']}", f"ubd1r={place}/seed.raw"]
    disks += [f"ubd2={place}/data.raw"] if found["disk"] else []
    return [
        "/usr/bin/env",
        f"PATH={PLUGS}:{os.defpath}",
        image.USER_MODE.program,
        f"mem={found['memory']}M",
        *disks,
        "root=/dev/ubda",
        "rw",
        link(0, place / "switch"),
        *[link(number, SWITCH) for number in range(1, 2 + found["links"])],
        # By seccomp where the machine has it.
        "seccomp=auto",
        "con=none",
        "con0=null,fd:1",
        "ssl=none",
        f"umid=windflow-{name}",
        f"uml_dir={place}/",
        "net.ifnames=0",
    ]


def emulator(name: str, found: dict) -> list[str]:
    """The command line that emulates a machine with Debian's kernel and an enforced policy."""
    place, boot = folder(name), image.boot(Path(found["base"]))
    disks = [(found["base"], "snapshot=on"), (f"{place}/seed.raw", "readonly=on")]
    disks += [(f"{place}/data.raw", "snapshot=off")] if found["disk"] else []
    forwards = ",".join(f"hostfwd=tcp:127.0.0.1:{outer}-:{inner}" for inner, outer in found["ports"].items())
    return [
        image.ENFORCING.program,
        *["-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-smp", "2", "-m", str(found["memory"])],
        *["-nodefaults", "-display", "none", "-serial", "stdio"],
        *["-kernel", str(next(boot.glob("vmlinuz-*"))), "-initrd", str(next(boot.glob("initrd.img-*")))],
        *["-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 security=selinux"],
        *[word for disk, more in disks for word in ("-drive", f"if=virtio,format=raw,file={disk},{more}")],
        *["-netdev", f"user,id=net0,{forwards}", "-device", "virtio-net-pci,netdev=net0"],
    ]


def answers(name: str) -> bool:
    """Whether a guest takes a session and its start is over."""
    # Not whether the system is running: a mount whose server is away is tried for as long as that.
    command = ssh(name, "root", ["systemctl is-active multi-user.target"])
    with contextlib.suppress(subprocess.TimeoutExpired):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        return done.stdout.strip() == "active"
    return False


def wait(name: str, check) -> None:
    """Call ``check`` until it returns something true. What the console says is in the error."""
    found = state(name)
    word, limit = word_of(found), kind_of(found).boot_seconds
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if not alive(found["pids"][word], word):
            break
        if check():
            return
        time.sleep(1)
    lines = (folder(name) / "console.log").read_text(encoding="utf-8", errors="replace").splitlines()
    said = "\n".join(lines[-CONSOLE_LINES:])
    ended = "" if alive(found["pids"][word], word) else " Its kernel has ended."
    raise LabError(f"the guest {name} is not up after {limit:.0f} s.{ended} The end of its console:\n{said}")


def reboot(names: list[str]) -> None:
    """Restart guests as their operator does, and wait until they take sessions again."""
    before = {name: boot_id(name) for name in names}
    for name in names:
        subprocess.run(ssh(name, "root", ["systemctl reboot"]), capture_output=True, check=False, timeout=60)
    for name in names:
        wait(name, lambda name=name: boot_id(name) not in ("", before[name]))
        wait(name, lambda name=name: answers(name))


def boot_id(name: str) -> str:
    """Another one after each start; "" where no session comes about."""
    command = ssh(name, "root", ["cat /proc/sys/kernel/random/boot_id"])
    with contextlib.suppress(subprocess.TimeoutExpired):
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20).stdout.strip()
    return ""


def freeze(name: str, number: int) -> None:
    """Stop the kernel of a guest, or let it go on. The switch keeps what is sent to it, as a network does."""
    found = state(name)
    os.kill(found["pids"][word_of(found)], number)


def ssh(name: str, user: str, command: list[str]) -> list[str]:
    """The ssh command line that runs ``command`` on a guest."""
    options = [*ssh_options(name).split(), "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=10"]
    return ["ssh", *options, "-i", str(lab.KEY), "-p", str(state(name)["ports"]["22"]), f"{user}@127.0.0.1", *command]


def ssh_options(name: str) -> str:
    """Options of ssh(1) that keep host key checking on, with the key that ``up`` has made."""
    known = folder(name) / "known_hosts"
    return f"-o UserKnownHostsFile={known} -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes"


def address(found: dict) -> str:
    """Where other guests reach a guest; "" for one that is emulated."""
    return f"10.0.3.{found['number']}" if kind_of(found) is image.USER_MODE else ""


def host_vars(name: str, user: str) -> dict:
    """The inventory variables of a guest."""
    found = state(name)
    return {
        "ansible_host": "127.0.0.1",
        "ansible_port": found["ports"]["22"],
        "ansible_user": user,
        "ansible_ssh_private_key_file": str(lab.KEY),
        "ansible_ssh_common_args": ssh_options(name),
        "lab_address": address(found),
        "lab_ports": {inner: outer for inner, outer in found["ports"].items() if inner != "22"},
    }


def down(name: str) -> None:
    """End a guest and delete its files; the last one takes the switch with it."""
    if (folder(name) / "state.json").exists():
        for word, pid in state(name)["pids"].items():
            stop(pid, word)
    shutil.rmtree(folder(name), ignore_errors=True)
    number = STATE / "switch.pid"
    if number.exists() and not list(STATE.glob("*/state.json")):
        stop(int(number.read_text()), "vde_switch")
        number.unlink()


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line as a namespace."""
    parser = argparse.ArgumentParser(prog="guests.py", description="Test hosts with a kernel of their own.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    build = verbs.add_parser("build", help="make the disk and print its path")
    start_up = verbs.add_parser("up", help="start fresh guests")
    start_up.add_argument("names", nargs="+")
    start_up.add_argument("--ports", type=int, nargs="*", default=[], help="ports of each guest to publish")
    start_up.add_argument("--disk", type=int, default=0, help="GB of an empty second disk")
    further = range(image.LINKS - 1)
    start_up.add_argument("--links", type=int, default=0, choices=further, help="number of further interfaces")
    start_up.add_argument("--memory", type=int, default=640, help="MB")
    for verb in (build, start_up):
        verb.add_argument("--kind", choices=sorted(image.KINDS), default="user-mode")
    verbs.add_parser("reboot", help="restart guests").add_argument("names", nargs="+")
    for verb in ("freeze", "thaw"):
        verbs.add_parser(verb).add_argument("name")
    listing = verbs.add_parser("inventory", help="print an inventory")
    listing.add_argument("names", nargs="+")
    shell = verbs.add_parser("ssh", help="run a command over SSH")
    shell.add_argument("name")
    for verb in (listing, shell):
        verb.add_argument("--user", choices=("deploy", "root"), default="deploy")
    shell.add_argument("command", nargs=argparse.REMAINDER)
    verbs.add_parser("down", help="remove guests").add_argument("names", nargs="+")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    options = parse(arguments)
    try:
        if options.verb == "ssh":
            return subprocess.run(ssh(options.name, options.user, options.command), check=False).returncode
        if options.verb == "inventory":
            hosts = {name: host_vars(name, options.user) for name in options.names}
            print(json.dumps({"all": {"hosts": hosts}}, indent=2))
        elif options.verb == "build":
            print(image.ensure(image.KINDS[options.kind]))
        elif options.verb == "up":
            wanted = {key: getattr(options, key) for key in ("kind", "memory", "disk", "links")}
            up(options.names, options.ports, wanted)
        elif options.verb == "reboot":
            reboot(options.names)
        elif options.verb in ("freeze", "thaw"):
            freeze(options.name, signal.SIGSTOP if options.verb == "freeze" else signal.SIGCONT)
        else:
            for name in options.names:
                down(name)
    except LabError as error:
        print(f"guests: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
