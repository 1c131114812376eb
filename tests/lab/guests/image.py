# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disks of guests with a kernel of their own: Debian with all packages that the scenarios need.

A disk is made once, and again when anything that it is made from changes. Guests write to copies of their own.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import images  # noqa: E402
import machine  # noqa: E402
from images import run, say  # noqa: E402
from machine import LabError  # noqa: E402

# Beside the data of the lab's own engine: what checkouts of one machine share.
CACHE = Path("/var/lib/windflow-lab/guests")
# Of a later Debian than the guests: its kernel runs programs by seccomp instead of ptrace, three times as fast as
# that of bookworm. It brings the C library that it needs, as the machine may have an older one.
KERNEL_SUITE = "forky"
KERNEL_PACKAGE = "user-mode-linux"
KERNEL = CACHE / f"kernel-{KERNEL_SUITE}"
MODULES = KERNEL / "usr/lib/uml/modules"
LIBRARIES = KERNEL / f"usr/lib/{os.uname().machine}-linux-gnu"
# The user-mode kernel names interfaces vec0 and following. A guest has no more than this.
LINKS = 10
LINK = "[Match]\nOriginalName=vec{0}\n[Link]\nName=eth{0}\n"
# The documentation asks for a volume of 10 GB. What is not written takes no space.
SIZE_MB = 14336
PACKAGES = (
    "acl ca-certificates dbus e2fsprogs ifupdown iproute2 iputils-ping kmod lvm2 nginx openssh-server postgresql "
    "procps python3 python3-apt python3-packaging python3-psycopg2 python3-venv sudo supervisor systemd systemd-sysv "
    "systemd-timesyncd udev util-linux"
).split()
# Timers that would hold apt's lock, what a guest without a screen and without a clock server of its own lacks, and what
# nothing here needs: a program starts in a tenth of a second there.
MASKED = (
    "apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer getty.target "
    "systemd-timesyncd.service systemd-networkd-wait-online.service e2scrub_reap.service ifupdown-pre.service "
    "rpc-statd-notify.service systemd-logind.service systemd-binfmt.service systemd-update-utmp.service "
    "nfs-blkmap.service modprobe@configfs.service modprobe@drm.service modprobe@efi_pstore.service "
    "modprobe@fuse.service dev-hugepages.mount dev-mqueue.mount sys-fs-fuse-connections.mount sys-kernel-config.mount "
    "sys-kernel-debug.mount sys-kernel-tracing.mount proc-sys-fs-binfmt_misc.automount "
    "NetworkManager-wait-online.service NetworkManager-dispatcher.service"
).split()
# The guest's name, keys and address come on a small disk, which is copied at the first start.
# At each start, it waits until the interfaces have the names that the guest's files know.
SEED = """#!/bin/sh
set -eu
for _attempt in $(seq 100); do
    ls /sys/class/net | grep -q '^vec' || break
    sleep 0.1
done
[ ! -e /var/lib/windflow-seeded ] || exit 0
mount -o ro /dev/%s /mnt
cp -r /mnt/files/. /
umount /mnt
chmod 0600 /etc/ssh/ssh_host_*_key
chown -R deploy:deploy /home/deploy/.ssh
chmod 0700 /root/.ssh /home/deploy/.ssh
! command -v restorecon >/dev/null || restorecon -R /etc /root /home
hostname -F /etc/hostname
touch /var/lib/windflow-seeded
"""
UNIT = """[Unit]
Description=Name, keys and address of the guest
DefaultDependencies=no
After=local-fs.target systemd-udev-settle.service
Before=networking.service ssh.service network-pre.target systemd-networkd.service
Wants=network-pre.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/windflow-seed
[Install]
WantedBy=multi-user.target
"""
# Of all devices, those that a guest has something for: each of its many terminals would take a moment.
DEVICES = """[Service]
ExecStart=
ExecStart=-udevadm trigger --type=all --action=add --subsystem-match=block --subsystem-match=net
"""
FILES = {
    "/etc/systemd/system/windflow-seed.service": UNIT,
    "/etc/sudoers.d/deploy": "deploy ALL=(ALL) NOPASSWD: ALL\n",
    "/etc/network/interfaces": "auto lo\niface lo inet loopback\nsource /etc/network/interfaces.d/*\n",
    # What a test asks for is a module that the kernel has, and not one that it would look for on the network.
    "/etc/systemd/system.conf.d/lab.conf": "[Manager]\nDefaultTimeoutStartSec=90s\nDefaultTimeoutStopSec=30s\n",
}
SETUP = """set -eu
chroot "$1" useradd --create-home --shell /bin/bash deploy
chroot "$1" systemctl mask %(masked)s
chroot "$1" systemctl enable windflow-seed.service ssh.service networking.service
for unit in nfs-server nginx postgresql supervisor NetworkManager; do
    chroot "$1" systemctl disable $unit.service || true
done
# Scripts that would run at each session and for each interface.
rm -f "$1"/etc/update-motd.d/* "$1/etc/network/if-up.d/resolved" "$1/etc/network/if-down.d/resolved"
chroot "$1" systemctl set-default multi-user.target
chmod 0755 "$1/usr/local/sbin/windflow-seed"
chmod 0440 "$1/etc/sudoers.d/deploy"
# The machine that makes the disk may have a server on the usual port.
sed -i 's/^port = .*/port = 5432/' "$1"/etc/postgresql/*/main/postgresql.conf
rm -f "$1"/etc/ssh/ssh_host_* "$1/etc/machine-id"
touch "$1/etc/machine-id"
: > "$1/etc/resolv.conf"
%(more)s"""
USER_MODE_SETUP = f"""for version in {MODULES}/*; do
    mkdir -p "$1/lib/modules"
    cp -r "$version" "$1/lib/modules/"
    depmod -b "$1" "$(basename "$version")"
done
"""
# So that no start of the guest has to. A kernel without SELinux stores labels as well.
LABEL = "setfiles -m -F -e /proc -e /sys -e /dev /etc/selinux/default/contexts/files/file_contexts /"


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kernel, and what its guests' disk has besides what every one has."""

    # The program that is the kernel or runs it.
    program: str
    # Programs of the machine, a library of theirs, and the packages that have them.
    programs: dict[str, str]
    packages: tuple[str, ...]
    files: dict[str, str]
    # Shell commands that add to SETUP, and a command of the guest's own at the very end.
    setup: str
    last: str
    # The start of its disks' names: the first is the system, the second the seed, the third is empty.
    disk: str
    boot_seconds: float


# A program of this machine: no emulation, and no rights beyond root's are needed.
USER_MODE = Kind(
    program=str(KERNEL / "usr/bin/linux.uml"),
    programs={
        "/usr/bin/patchelf": "patchelf",
        "/usr/bin/vde_switch": "vde2",
        "/usr/bin/vde_plug": "vdeplug",
        f"/usr/lib/{os.uname().machine}-linux-gnu/vdeplug/libvdeplug_seqpacket.so": "libvdeplug2",
        f"/usr/lib/{os.uname().machine}-linux-gnu/vdeplug/libvdeplug_slirp.so": "libvdeplug-slirp",
    },
    packages=("netplan.io", "network-manager", "nfs-common", "nfs-kernel-server", "rpcbind", "xfsprogs"),
    files={
        "/etc/systemd/system/systemd-udev-trigger.service.d/lab.conf": DEVICES,
        "/etc/NetworkManager/conf.d/lab.conf": "[main]\nno-auto-default=*\n",
        **{f"/etc/systemd/network/10-eth{number}.link": LINK.format(number) for number in range(LINKS)},
    },
    setup=USER_MODE_SETUP,
    last="true",
    disk="ubd",
    boot_seconds=180.0,
)
# Debian's own kernel, which enforces the policy of SELinux that Debian has. The processor is emulated.
ENFORCING = Kind(
    program="/usr/bin/qemu-system-x86_64",
    programs={"/usr/bin/qemu-system-x86_64": "qemu-system-x86"},
    packages=(
        "auditd",
        "checkpolicy",
        "initramfs-tools",
        "linux-image-cloud-amd64",
        "policycoreutils",
        "policycoreutils-python-utils",
        "python3-selinux",
        "python3-semanage",
        "selinux-policy-default",
        "semodule-utils",
    ),
    files={"/etc/selinux/config": "SELINUX=enforcing\nSELINUXTYPE=default\n"},
    setup="",
    last=LABEL,
    disk="vd",
    boot_seconds=600.0,
)
KINDS = {"user-mode": USER_MODE, "enforcing": ENFORCING}
# What makes the disks.
MAKERS = {"/usr/bin/mmdebstrap": "mmdebstrap", "/sbin/mke2fs": "e2fsprogs", "/sbin/depmod": "kmod"}


def missing(kind: Kind) -> list[str]:
    """Packages of this machine that the guests need."""
    wanted = {**MAKERS, **kind.programs}
    return sorted({package for program, package in wanted.items() if not os.path.exists(program)})


def ensure_programs(kind: Kind) -> None:
    """Install what this machine lacks; as root on Debian only."""
    lacks = missing(kind)
    if not lacks:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise LabError(f"guests need {', '.join(lacks)}. Install them (apt-get install); as root this is done here.")
    say(f"apt: install {' '.join(lacks)} …")
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=600", "-q"]
    run([*apt, "update"])
    run(
        [*apt, "-y", "--no-install-recommends", "install", *lacks],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
    if missing(kind):
        raise LabError(f"guests need {', '.join(missing(kind))}, and the packages do not have the programs.")


def ensure_kernel() -> None:
    """Unpack the user-mode kernel with its libraries from Debian's packages, if it is not there."""
    if KERNEL.exists():
        return
    say(f"{KERNEL_SUITE}: user-mode kernel from Debian packages, about half a minute …")
    with tempfile.TemporaryDirectory(prefix="making-", dir=CACHE) as directory:
        root = Path(directory, "root")
        command = ["mmdebstrap", "--mode=root", "--variant=extract", f"--include={KERNEL_PACKAGE}"]
        command += [f"--aptopt={line}" for line in machine.apt_settings()]
        run([*command, KERNEL_SUITE, str(root), *machine.inherited(KERNEL_SUITE)["/etc/apt/sources.list"].splitlines()])
        program = str(root / "usr/bin/linux.uml")
        loader = next(iter(sorted((root / LIBRARIES.relative_to(KERNEL)).glob("ld-linux-*"))), None)
        if loader is None or not (root / MODULES.relative_to(KERNEL)).is_dir():
            raise LabError(f"{KERNEL_SUITE}: {KERNEL_PACKAGE} with its libraries has no modules or no loader.")
        run(["patchelf", "--set-interpreter", str(LIBRARIES / loader.name), "--set-rpath", str(LIBRARIES), program])
        os.rename(root, KERNEL)


def modules() -> str:
    """The names of the directories of the user-mode kernel's modules, which change with it."""
    return " ".join(sorted(path.name for path in MODULES.iterdir()))


def contents(suite: str, kind: Kind) -> dict[str, str]:
    """The files that every guest of a kind has, and what is in them."""
    return {
        **machine.inherited(suite),
        **FILES,
        "/usr/local/sbin/windflow-seed": SEED % f"{kind.disk}b",
        "/etc/fstab": f"/dev/{kind.disk}a / ext4 defaults,noatime 0 1\n",
        **kind.files,
    }


def digest(suite: str, kind: Kind) -> str:
    """Another one whenever something changes that the disk is made from."""
    parts = [suite, str(SIZE_MB), *PACKAGES, *kind.packages, *MASKED, SETUP, kind.setup, kind.last, *images.BOOTSTRAP]
    parts += [modules()] if kind is USER_MODE else []
    parts += [text for item in sorted(contents(suite, kind).items()) for text in item]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def ensure(kind: Kind = USER_MODE, suite: str = "bookworm") -> Path:
    """The disk's file; it is made first if it is not there. Beside it lies the directory boot, as the disk has it."""
    ensure_programs(kind)
    CACHE.mkdir(parents=True, exist_ok=True, mode=0o711)
    with open(CACHE / "lock", "w", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        if kind is USER_MODE:
            ensure_kernel()
        target = CACHE / f"{suite}-{digest(suite, kind)}.raw"
        if not target.exists():
            say(f"{suite}: disk of guests from Debian packages, about four minutes …")
            make(suite, kind, target)
    return target


def boot(target: Path) -> Path:
    """The directory with the kernel of a disk."""
    return target.with_suffix(".boot")


def make(suite: str, kind: Kind, target: Path) -> None:
    """Write the disk beside ``target``, then put it in place."""
    with tempfile.TemporaryDirectory(prefix="making-", dir=CACHE) as directory:
        root, tree, disk = Path(directory, "root"), Path(directory, "tree"), Path(directory, "disk")
        for name, content in contents(suite, kind).items():
            path = tree / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        for path in [tree, *tree.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        setup = Path(directory, "setup")
        setup.write_text(SETUP % {"masked": " ".join(MASKED), "more": kind.setup}, encoding="utf-8")
        command = [*images.BOOTSTRAP, "--mode=root", f"--include={','.join([*PACKAGES, *kind.packages])}"]
        command += [f"--aptopt={line}" for line in machine.apt_settings()]
        command += [f"--customize-hook=sync-in {tree} /", '--customize-hook=chroot "$1" update-ca-certificates']
        command += [f'--customize-hook=sh {setup} "$1"', "--format=directory", suite, str(root)]
        run([*command, *machine.inherited(suite)["/etc/apt/sources.list"].splitlines()])
        # Programs of the guest's may look into /proc.
        run(["unshare", "--fork", "--pid", f"--mount-proc={root}/proc", "chroot", str(root), *kind.last.split()])
        with open(disk, "wb") as stream:
            stream.truncate(SIZE_MB << 20)
        run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-d", str(root), str(disk)])
        shutil.rmtree(boot(target), ignore_errors=True)
        shutil.copytree(root / "boot", boot(target))
        os.rename(disk, target)
