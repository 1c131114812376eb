# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns a Debian system into one of another OS family. Runs inside the image that is being built.

    build.py packages TABLE REPOSITORY    # Debian's programs as packages of the family, in a local repository
    build.py system TABLE REPOSITORY      # this system gets the family's package manager, files and accounts

TABLE is a TOML file that says how the family differs; el9.toml explains its keys.
"""

from __future__ import annotations

import dataclasses
import glob
import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

UNITS = "/usr/lib/systemd/system/"
TMPFILES = "/usr/lib/tmpfiles.d/"
# What makes a system Debian. It goes last, when the family's own package manager is at work.
DEBIAN = [
    *("/usr/bin/apt*", "/usr/bin/dpkg*", "/usr/bin/deb*", "/usr/sbin/dpkg*", "/usr/sbin/invoke-rc.d"),
    *("/usr/sbin/update-rc.d", "/usr/sbin/adduser", "/usr/sbin/addgroup", "/usr/sbin/deluser", "/usr/sbin/delgroup"),
    *("/usr/bin/lsb_release", "/etc/lsb-release", "/etc/debian_version", "/etc/apt", "/etc/dpkg", "/etc/init.d"),
    *("/etc/rc?.d", "/etc/network", "/etc/cron.daily/apt*", "/etc/cron.daily/dpkg", "/usr/lib/apt", "/usr/lib/dpkg"),
    *("/usr/share/dpkg", "/usr/lib/python3/dist-packages/apt*", "/var/lib/apt", "/var/lib/dpkg", "/var/cache/apt"),
    *("/usr/lib/systemd/system/apt-*", "/usr/lib/systemd/system/dpkg-*"),
]
LIBRARY = re.compile(r"^lib[\w.+-]+$")
# The compiler of PostgreSQL's JIT is as large as everything else, and a package of its own in other families, too.
NEEDLESS = re.compile(r"^libllvm")


@dataclasses.dataclass
class Package:
    """A package as it is in the family's repository."""

    name: str
    version: str
    repository: str
    requires: list[str]
    provides: list[str]
    groups: list[str]
    scripts: dict[str, str]
    paths: dict[str, tuple[str, int]]  # owner and mode by path, where they are not root's and the usual ones
    tree: Path


def run(*command: str, **options) -> str:
    """Run a command; its output is shown only if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        sys.exit(f"{' '.join(command[:6])} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def apt(*arguments: str) -> None:
    """Run apt-get without questions. The package lists may be as old as the image below this one."""
    command = ["apt-get", "-q", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-unsafe-io", *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if subprocess.run(command, env=environment, capture_output=True, check=False).returncode:
        run("apt-get", "-q", "update")
        run(*command, env=environment)


def read(table: Path) -> dict:
    """The table, with the versions of PostgreSQL and Python that the suite has in place of @PG@ and @PY@."""
    text = table.read_text(encoding="utf-8")
    if "@PG@" in text:
        found = re.search(r"^Depends: postgresql-(\d+)", run("apt-cache", "show", "postgresql"), re.M)
        text = text.replace("@PG@", found[1])
    return tomllib.loads(text.replace("@PY@", f"{sys.version_info[0]}.{sys.version_info[1]}"))


def write(path: Path, content: str, mode: int | None = None) -> None:
    """Write a file. One that begins with #! is a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        path.unlink()
    path.write_text(content, encoding="utf-8")
    path.chmod(mode or (0o755 if content.startswith("#!") else 0o644))


def copy(source: Path, target: Path, left: list[str]) -> None:
    """Copy a file, a link or a whole directory, without what matches the patterns ``left``."""
    if any(source.match(pattern) for pattern in left):
        return
    if source.is_dir() and not source.is_symlink():
        target.mkdir(parents=True, exist_ok=True)
        for child in source.iterdir():
            copy(child, target / child.name, left)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)


def shebang(path: Path, python: str) -> None:
    """Let a script that Debian's Python runs be run by the family's."""
    if path.is_symlink() or not path.is_file():
        return
    with path.open("rb") as stream:
        first = stream.readline(80)
    if re.match(rb"#! ?/usr/bin/(env )?python3\s", first):
        content = path.read_bytes()
        path.write_bytes(b"#!" + python.encode() + content[re.match(rb"#! ?/usr/bin/(env )?python3", content).end() :])


# Packages


def unpack(names: set[str], work: Path) -> dict[str, str]:
    """Unpack Debian packages below ``work``, install the libraries that they need, and return their versions."""
    work.mkdir(parents=True)
    run("apt-get", "-q", "download", *sorted(names), cwd=work)
    versions, libraries = {}, set()
    for archive in work.glob("*.deb"):
        name, version = run("dpkg-deb", "-W", "--showformat=${Package} ${Version}", str(archive)).split()
        versions[name] = re.sub(r"^\d+:|[-+~].*$", "", version)
        run("dpkg-deb", "-x", str(archive), str(work / name))
        for old in ("bin", "sbin", "lib"):  # where Debian 12 still has them apart
            if (work / name / old).is_dir():
                copy(work / name / old, work / name / "usr" / old, [])
        for item in run("dpkg-deb", "-W", "--showformat=${Pre-Depends},${Depends}", str(archive)).split(","):
            library = re.split("[|(:]", item)[0].strip()
            if LIBRARY.match(library) and not NEEDLESS.match(library) and library not in names:
                libraries.add(library)
    write(work / "libraries", "\n".join(sorted(libraries)))
    return versions


def stage(name: str, entry: dict, table: dict, work: Path, versions: dict[str, str]) -> Package:
    """Lay out a package as the family has it."""
    tree = work / "stage" / name
    tree.mkdir(parents=True)
    for source, target in entry.get("take", {}).items():
        found = [p for deb in entry["debian"] for p in map(Path, glob.glob(f"{work}/debian/{deb}{source}"))]
        if not found:
            sys.exit(f"{name}: no file of {', '.join(entry['debian'])} is {source}")
        for path in found:
            place = target + path.name if target.endswith("/") else target
            copy(path, tree / place.lstrip("/"), entry.get("leave", []))
    for pair in entry.get("patch", []):
        # A constant in a program, with one that is not longer.
        old, new = (word.encode() for word in pair["text"])
        program = tree / pair["file"].lstrip("/")
        content = program.read_bytes()
        if b"\0" + old + b"\0" not in content or len(new) > len(old):
            sys.exit(f"{name}: cannot put {new!r} in place of {old!r} in {program}")
        program.write_bytes(content.replace(b"\0" + old + b"\0", b"\0" + new.ljust(len(old) + 1, b"\0")))
    for path, content in entry.get("files", {}).items():
        write(tree / path.lstrip("/"), content)
    for path, target in entry.get("links", {}).items():
        link = tree / path.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    paths = {}
    for path, words in entry.get("directories", {}).items():
        (tree / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
        owner, mode = (words or "root:root 0755").split()
        paths[path] = (owner, int(mode, 8))
    if "python" in table:
        for path in tree.rglob("*"):
            shebang(path, table["python"])
    first = next((versions[deb] for deb in entry.get("debian", []) if deb in versions), "1")
    return Package(
        name=name,
        version=entry.get("version", first),
        repository=entry.get("repository", "main"),
        requires=entry.get("requires", []),
        provides=entry.get("provides", []),
        groups=entry.get("groups", []),
        scripts=scripts(entry, tree, table["manager"]),
        paths=paths,
        tree=tree,
    )


def scripts(entry: dict, tree: Path, manager: str) -> dict[str, str]:
    """What a package does before and after it is installed and removed: its accounts, its run-time files, its units."""
    lines: dict[str, list[str]] = {key: [] for key in ("before", "after", "before_removal", "after_removal")}
    for user in entry.get("users", []):
        number = f" -{{}} {user['uid']}" if "uid" in user else ""
        group = f"groupadd -r{number.format('g')} {user['name']}"
        account = f"useradd -r{number.format('u')} -g {user['name']} -d {user['home']} -s {user['shell']} -M"
        lines["before"] += [
            f"getent group {user['name']} >/dev/null || {group}",
            f"getent passwd {user['name']} >/dev/null || {account} {user['name']}",
        ]
    units = sorted(path.name for path in (tree / UNITS.lstrip("/")).glob("*.service"))
    if units:
        lines["after"].append("systemctl daemon-reload >/dev/null 2>&1 || :")
        lines["after_removal"].append("systemctl daemon-reload >/dev/null 2>&1 || :")
        if manager != "pacman":  # which lets a service run on
            ask = '[ "$1" != 0 ] || systemctl disable --now'
            lines["before_removal"].append(f"{ask} {' '.join(units)} >/dev/null 2>&1 || :")
    for path in (tree / TMPFILES.lstrip("/")).glob("*.conf"):
        lines["after"].append(f"systemd-tmpfiles --create {path.name} || :")
    for key in lines:
        lines[key] += [entry[key]] if key in entry else []
    return {key: "\n".join(value) + "\n" for key, value in lines.items() if value}


def rpm_files(package: Package) -> list[str]:
    """The section %files of a package."""
    lines = []
    for path in sorted(package.tree.rglob("*")):
        name = "/" + str(path.relative_to(package.tree))
        if path.is_dir() and not path.is_symlink():
            if name in package.paths:
                owner, mode = package.paths[name]
                lines.append(f"%attr({mode:04o},{owner.replace(':', ',')}) %dir {name}")
        else:
            lines.append(f'{"%config(noreplace) " if name.startswith("/etc/") else ""}"{name}"')
    return lines


def rpm_repository(packages: list[Package], work: Path, target: Path, dist: str) -> None:
    """Build all packages with one run of rpmbuild, and index them."""
    spec = [
        "%global debug_package %{nil}",
        "%global __os_install_post %{nil}",
        "%global _build_id_links none",
        "%global _binary_payload w1.gzdio",
        "%global _unpackaged_files_terminate_build 0",
        "%global _missing_build_ids_terminate_build 0",
        "Name: lab\nVersion: 1\nRelease: 1\nSummary: Test packages\nLicense: none\n\n%description\nNone.\n",
        f"%install\nmkdir -p %{{buildroot}} && cp -a {work}/root/. %{{buildroot}}/\n",
    ]
    root = work / "root"
    root.mkdir()
    for package in packages:
        copy(package.tree, root, [])
        spec += [f"%package -n {package.name}", "Summary: Of the test host", f"Version: {package.version}"]
        spec += [f"Release: 1{dist}", "AutoReqProv: no"]
        spec += [f"Requires: {item}" for item in package.requires]
        spec += [f"Provides: {item}" for item in package.provides]
        spec += [f"%description -n {package.name}\nA package of the test host."]
        for key, tag in (
            ("before", "pre"),
            ("after", "post"),
            ("before_removal", "preun"),
            ("after_removal", "postun"),
        ):
            if key in package.scripts:
                spec += [f"%{tag} -n {package.name}", package.scripts[key].replace("%", "%%")]
        spec += [f"%files -n {package.name}", *rpm_files(package), ""]
    write(work / "lab.spec", "\n".join(spec) + "\n")
    run("rpmbuild", "-bb", "--define", f"_topdir {work}/rpm", str(work / "lab.spec"))
    for package in packages:
        place = target / package.repository
        place.mkdir(parents=True, exist_ok=True)
        for built in work.glob(f"rpm/RPMS/*/{package.name}-{package.version}-1{dist}.*.rpm"):
            shutil.move(built, place / built.name)
    for place in target.iterdir():
        run("createrepo_c", "--no-database", str(place))


def pacman_archive(package: Package, target: Path, owners: dict[str, int]) -> dict[str, list[str]]:
    """Write a package in pacman's format and return its entry in the repository's index."""
    version = f"{package.version}-1"
    size = sum(path.lstat().st_size for path in package.tree.rglob("*") if path.is_file())
    info = [("pkgname", package.name), ("pkgbase", package.name), ("pkgver", version), ("pkgdesc", "Of the test host")]
    info += [("builddate", "0"), ("packager", "Test"), ("size", str(size)), ("arch", "x86_64")]
    info += [("depend", item) for item in package.requires] + [("provides", item) for item in package.provides]
    info += [("group", item) for item in package.groups]
    entries = sorted(path.relative_to(package.tree) for path in package.tree.rglob("*"))
    for path in entries:
        if path.parts[0] == "etc" and (package.tree / path).is_file():
            info.append(("backup", str(path)))
    name = f"{package.name}-{version}-x86_64.pkg.tar.gz"
    target.mkdir(parents=True, exist_ok=True)
    with gzip.open(target / name, "wb", compresslevel=1) as stream, tarfile.open(fileobj=stream, mode="w") as archive:

        def add(path: str, content: str) -> None:
            member = tarfile.TarInfo(path)
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))

        add(".PKGINFO", "".join(f"{key} = {value}\n" for key, value in info))
        hooks = {"before": "pre_install", "after": "post_install"}
        hooks |= {"before_removal": "pre_remove", "after_removal": "post_remove"}
        if package.scripts:
            add(".INSTALL", "".join(f"{hooks[key]}() {{\n{text}}}\n" for key, text in package.scripts.items()))
        for path in entries:
            member = archive.gettarinfo(package.tree / path, str(path))
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            if f"/{path}" in package.paths:
                owner, member.mode = package.paths[f"/{path}"]
                member.uid, member.gid = (owners[word] for word in owner.split(":"))
            if member.isreg():
                with open(package.tree / path, "rb") as content:
                    archive.addfile(member, content)
            else:
                archive.addfile(member)
    content = (target / name).read_bytes()
    return {
        "FILENAME": [name],
        "NAME": [package.name],
        "BASE": [package.name],
        "VERSION": [version],
        "DESC": ["Of the test host"],
        "GROUPS": package.groups,
        "CSIZE": [str(len(content))],
        "ISIZE": [str(size)],
        "SHA256SUM": [hashlib.sha256(content).hexdigest()],
        "ARCH": ["x86_64"],
        "BUILDDATE": ["0"],
        "PACKAGER": ["Test"],
        "DEPENDS": package.requires,
        "PROVIDES": package.provides,
    }


def pacman_repository(packages: list[Package], target: Path, owners: dict[str, int]) -> None:
    """Build all packages and the index of each repository."""
    for repository in {package.repository for package in packages}:
        place = target / repository
        place.mkdir(parents=True, exist_ok=True)
        with tarfile.open(place / f"{repository}.db", "w:gz") as index:
            for package in packages:
                if package.repository == repository:
                    fields = pacman_archive(package, place, owners)
                    text = "".join(f"%{key}%\n" + "\n".join(value) + "\n\n" for key, value in fields.items() if value)
                    member = tarfile.TarInfo(f"{package.name}-{package.version}-1/desc")
                    member.size = len(text.encode())
                    index.addfile(member, io.BytesIO(text.encode()))


def build_packages(table: dict, target: Path) -> None:
    """Make the family's repositories."""
    work = Path("/tmp/lab")
    target.mkdir(parents=True, exist_ok=True)
    if table["manager"] == "apt":
        return
    entries: dict[str, dict] = {name: {"version": version} for name, version in table["installed"].items()}
    for name, entry in table["packages"].items():
        entries[name] = {**entries.get(name, {}), **entry}
    wanted = {deb for entry in entries.values() for deb in entry.get("debian", [])}
    versions = unpack(wanted, work / "debian")
    packages = [stage(name, entry, table, work, versions) for name, entry in entries.items()]
    if table["manager"] == "pacman":
        pacman_repository(packages, target, {"root": 0, **table["numbers"]})
    else:
        rpm_repository(packages, work, target, table["dist"])
    shutil.copy(work / "debian" / "libraries", target / "libraries")


# The system


def accounts(table: dict, etc: Path) -> None:
    """The accounts of the family in place of Debian's; those of people and of the daemons here stay."""
    keep = re.compile(r"^(root|deploy|sshd|_ssh|messagebus|systemd-.*|polkitd)$")
    for database in ("passwd", "group"):
        path = Path(etc, database)
        kept = [line for line in path.read_text(encoding="utf-8").splitlines() if keep.match(line.split(":")[0])]
        path.write_text("\n".join([kept[0], *table["accounts"][database], *kept[1:]]) + "\n", encoding="utf-8")
    for shadow, database in (("shadow", "passwd"), ("gshadow", "group")):
        names = [line.split(":")[0] for line in Path(etc, database).read_text(encoding="utf-8").splitlines()]
        path = Path(etc, shadow)
        known = {line.split(":")[0]: line for line in path.read_text(encoding="utf-8").splitlines()}
        blank = "*:19000:0:99999:7:::" if shadow == "shadow" else "!::"
        path.write_text("".join(known.get(name, f"{name}:{blank}") + "\n" for name in names), encoding="utf-8")


def replace_shell() -> None:
    """/bin/sh is bash in every family but Debian's."""
    link = Path("/usr/bin/sh")
    link.unlink(missing_ok=True)
    link.symlink_to("bash")


def merge_programs(usr: Path) -> None:
    """Where the family has a single directory for programs, /usr/sbin is a link to it."""
    target = usr / "bin"
    for path in (usr / "sbin").iterdir():
        if path.resolve() != (target / path.name).resolve():
            shutil.move(path, target / path.name)
    shutil.rmtree(usr / "sbin")
    (usr / "sbin").symlink_to("bin")


def remove(patterns: list[str]) -> None:
    """Remove files and directories."""
    for pattern in patterns:
        for name in glob.glob(pattern):
            path = Path(name)
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def build_system(table: dict, repository: Path) -> None:
    """Make this system one of the family."""
    libraries = repository / "libraries"
    apt("install", *table["debian"], *(libraries.read_text(encoding="utf-8").split() if libraries.exists() else []))
    libraries.unlink(missing_ok=True)
    for path, content in table["files"].items():
        write(Path(path), content)
    for path, target in table.get("links", {}).items():
        Path(path).unlink(missing_ok=True)
        Path(path).symlink_to(target)
    if table["manager"] != "apt":
        replace_shell()
        accounts(table, Path("/etc"))
    if table.get("merge_programs"):
        merge_programs(Path("/usr"))
    if "python" in table:
        for path in [*Path("/usr/bin").iterdir(), *Path("/usr/sbin").iterdir()]:
            shebang(path, table["python"])
    for command in table.get("commands", []):
        run("sh", "-ec", command, env={**os.environ, "INSTALLED": " ".join(table.get("installed", []))})
    if table["manager"] != "apt":
        remove(DEBIAN)
    remove(table.get("remove", []))


def main(verb: str, table: str, repository: str) -> None:
    """Do what the image's recipe asks for."""
    content = read(Path(table))
    if verb == "packages":
        build_packages(content, Path(repository))
    else:
        build_system(content, Path(repository))


if __name__ == "__main__":
    main(*sys.argv[1:])
