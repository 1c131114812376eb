# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lab images, made from Debian packages, without an image registry.

An image's tag is a digest of everything that it is made from, so an image that exists is never made again
and a changed recipe is never missed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import engine
import machine
from machine import LabError

HERE = Path(__file__).resolve().parent
SUITES = ("bookworm", "trixie")
# Hosts of other OS families: a table each, which names the suite that its programs come from.
FAMILIES = tuple(sorted(path.stem for path in (HERE / "families").glob("*.toml")))
FAMILY_VARIANTS = ("packages", "with-supervisor", "without-supervisor")
# What a family's packages are written with. pacman's are archives, and Debian's are there.
TOOLS = {"dnf4": "createrepo-c rpm", "dnf5": "createrepo-c rpm", "zypper": "createrepo-c rpm", "pacman": "", "apt": ""}
# The suite is of no use for a host but for one: it is the only one with dnf 5. Its systemd wants a kernel's newer
# control groups, which not every machine that runs these tests has.
BORROWED = {"forky": ("trixie", "libsystemd0 libsystemd-shared systemd systemd-sysv libnss-systemd libpam-systemd")}
# What a variant is made from: another variant, or the bare suite.
PARENTS = {
    "plain": "base",
    "systemd": "base",
    "packages": "systemd",
    "sysvinit": "base",
    "docker": "systemd",
    "hardened": "systemd",
}
EXCLUDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
BOOTSTRAP = [
    "mmdebstrap",
    "--variant=minbase",
    "--include=ca-certificates",
    *(f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDED),
]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def succeeds(command: list[str]) -> bool:
    """Whether ``command`` ends with exit code 0; its output is dropped."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def say(text: str) -> None:
    """A line for whoever waits."""
    print(f"   {text}", file=sys.stderr, flush=True)


def run(command: list[str], **options) -> None:
    """Run ``command``; its output is shown only if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options)
    if done.returncode:
        text = done.stdout.decode(errors="replace")[-4000:]
        raise LabError(f"{shlex.join(command[:4])} … failed with exit code {done.returncode}:\n{text}")


def _ensure_mmdebstrap() -> None:
    if shutil.which("mmdebstrap"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise LabError("mmdebstrap is missing. Install it (apt-get install mmdebstrap); as root this is done here.")
    say("apt: install mmdebstrap …")
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=600", "-q"]
    run([*apt, "update"])
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run([*apt, "-y", "--no-install-recommends", "install", "mmdebstrap"], env=environment)


def _borrowed(suite: str) -> dict[str, str]:
    """apt's sources and preferences of a suite that has some packages from another one."""
    if suite not in BORROWED:
        return {}
    other, packages = BORROWED[suite]
    pins = [(packages, other, 1001), ("*", other, 100)]
    return {
        "/etc/apt/sources.list.d/borrowed.list": machine.inherited(other)["/etc/apt/sources.list"],
        "/etc/apt/preferences.d/borrowed": "\n".join(
            f"Package: {names}\nPin: release n={name}*\nPin-Priority: {priority}\n" for names, name, priority in pins
        ),
    }


def _base(suite: str) -> str:
    borrowed = _borrowed(suite)
    files = {**machine.inherited(suite), **borrowed}
    tag = f"windflow-lab-base:{suite}-{_digest(suite, *BOOTSTRAP, *map(str, sorted(files.items())))}"
    if engine.has_image(tag):
        return tag
    _ensure_mmdebstrap()
    say(f"{suite}: base system from Debian packages, about 40 s …")
    with tempfile.TemporaryDirectory(prefix="windflow-lab-") as directory:
        tree = Path(directory, "tree")
        for name, content in files.items():
            target = tree / name.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
        for path in [tree, *tree.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        archive = Path(directory, "root.tar")
        sources = files["/etc/apt/sources.list"].splitlines()
        if borrowed:
            sources += files["/etc/apt/sources.list.d/borrowed.list"].splitlines()
            first = [f"--setup-hook=copy-in {tree}/etc/apt/preferences.d/borrowed /etc/apt/preferences.d"]
        else:
            first = []
        command = [
            *BOOTSTRAP,
            *first,
            *(f"--aptopt={line}" for line in machine.apt_settings()),
            f"--customize-hook=sync-in {tree} /",
            '--customize-hook=chroot "$1" update-ca-certificates',
            suite,
            str(archive),
            *sources,
        ]
        run(command)
        engine.import_image(archive, tag, ["sleep", "infinity"])
    return tag


def ensure(suite: str, variant: str) -> str:
    """The tag of the image of ``suite`` and ``variant``; it is made first if the engine does not have it."""
    if suite in FAMILIES:
        return _family(suite, variant)
    if suite not in (*SUITES, *BORROWED):
        raise LabError(f"expected a system of {', '.join((*SUITES, *FAMILIES))}, got {suite!r}.")
    if variant == "base":
        return _base(suite)
    parent = ensure(suite, PARENTS[variant])
    recipe = (HERE / f"Dockerfile.{variant}").read_text(encoding="utf-8")
    return _build(suite, variant, parent, {"Dockerfile": recipe}, {})


def table(family: str) -> dict:
    """How a family differs from Debian."""
    return tomllib.loads((HERE / "families" / f"{family}.toml").read_text(encoding="utf-8"))


def _family(family: str, variant: str) -> str:
    content = table(family)
    if variant == "systemd":
        names = {"Dockerfile": "Dockerfile", "build.py": "build.py", "table.toml": f"{family}.toml"}
        files = {name: (HERE / "families" / source).read_text(encoding="utf-8") for name, source in names.items()}
        parent = ensure(content["suite"], "systemd")
        return _build(family, variant, parent, files, {"TOOLS": TOOLS[content["manager"]]})
    if variant not in content["variants"]:
        known = ", ".join(("systemd", *content["variants"]))
        raise LabError(f"{family} has no variant {variant!r}; it has {known}.")
    recipe = f"ARG BASE\nFROM ${{BASE}}\nRUN {content['variants'][variant]}\n"
    return _build(family, variant, ensure(family, "systemd"), {"Dockerfile": recipe}, {})


def _build(system: str, variant: str, parent: str, files: dict[str, str], arguments: dict[str, str]) -> str:
    """The tag of an image made from ``parent`` and ``files``, a Dockerfile among them."""
    parts = [files[name] for name in sorted(files)]
    tag = f"windflow-lab-{variant}:{system}-{_digest(parent, *parts, *arguments.values())}"
    if engine.has_image(tag):
        return tag
    say(f"{system}: image {variant}, about a minute …")
    engine.build_image(files, tag, {"BASE": parent, **arguments, **machine.proxies()})
    return tag


def compose(folder: Path) -> str:
    """Copies the client's plugin Compose out of the image of a host with an engine, and returns its path."""
    target = folder / "cli-plugins" / "docker-compose"
    with _locked(folder):
        if not target.exists():
            tag = ensure("trixie", "docker")
            target.parent.mkdir(parents=True, exist_ok=True)
            engine.copy_out(tag, "/usr/libexec/docker/cli-plugins/docker-compose", target.parent)
    return str(target)


@contextlib.contextmanager
def _locked(folder: Path):
    """Tests run side by side, and one of them makes it for all."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
