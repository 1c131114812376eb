# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container has to inherit from this machine to reach the same package sources.

Mirrors, proxies, package indexes and local certificate authorities are read here, at run time, and go into
images of this machine's engine. None of it is ever written into the project.
"""

from __future__ import annotations

import configparser
import os
import re
import subprocess
from pathlib import Path

CERTIFICATES = Path("/usr/local/share/ca-certificates")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


class LabError(Exception):
    """The lab cannot do what was asked; the message says why and what helps."""


def codename() -> str:
    """The suite of this machine, e.g. ``bookworm``."""
    for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2].strip('"')
    raise LabError("/etc/os-release names no VERSION_CODENAME; lab images are made on Debian only.")


def entries(apt: Path) -> list[tuple[str, str]]:
    """Pairs of URI and suite from the sources in the directory ``apt``, in order, in both of apt's formats."""
    found: list[tuple[str, str]] = []
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".sources":
            for stanza in re.split(r"\n\s*\n", text):
                fields = {key.lower(): value for key, value in re.findall(r"^([\w-]+):[ \t]*(.*)$", stanza, re.M)}
                if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes") != "no":
                    found += [(u, s) for u in fields.get("uris", "").split() for s in fields.get("suites", "").split()]
        else:
            for match in re.finditer(r"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)", text, re.M):
                found.append((match.group(1), match.group(2)))
    return found


def apt_sources(suite: str, here: str, apt: Path = Path("/etc/apt")) -> list[tuple[str, str]]:
    """The machine's Debian sources, as pairs of URI and suite, with its suite ``here`` replaced by ``suite``."""
    sources = [(uri, name.replace(here, suite, 1)) for uri, name in entries(apt) if name.split("-")[0] == here]
    sources = [pair for pair in dict.fromkeys(sources) if re.fullmatch(rf"{suite}(-updates|-security)?", pair[1])]
    if suite not in [name for uri, name in sources]:
        raise LabError(f"the apt sources of this machine name no archive for {here}; lab images need one.")
    return sources


def apt_settings() -> list[str]:
    """Lines of this machine's apt configuration that say how to reach the archive."""
    dump = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
    wanted = re.compile(r'^Acquire::(https?|ftp|Check-Valid-Until|Check-Date|Retries|ForceIPv4)\b.* ".+";$', re.I)
    return [line for line in dump.splitlines() if wanted.match(line)]


def certificates() -> list[Path]:
    """Local certificate authorities of this machine."""
    return sorted(CERTIFICATES.glob("**/*.crt")) if CERTIFICATES.is_dir() else []


def pip_settings() -> dict[str, str]:
    """pip's settings of this machine that say how to reach an index, without those that name local files."""
    settings: dict[str, str] = {}
    user = [Path.home() / ".pip/pip.conf", Path.home() / ".config/pip/pip.conf"]
    for path in ["/etc/pip.conf", *user, os.environ.get("PIP_CONFIG_FILE")]:
        parser = configparser.RawConfigParser()
        if path and parser.read(path, encoding="utf-8") and parser.has_section("global"):
            settings.update(parser.items("global"))
    names = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "default-timeout", "retries")
    for name in names:
        value = os.environ.get("PIP_" + name.upper().replace("-", "_"))
        if value:
            settings[name] = value
    kept = {}
    for name in names:
        words = [word for word in settings.get(name, "").split() if not word.startswith(("file:", "/"))]
        if words:
            kept[name] = " ".join(words)
    if certificates():
        # pip brings its own list of authorities, which does not know the local ones.
        kept["cert"] = BUNDLE
    return kept


def proxies() -> dict[str, str]:
    """Proxy variables of this machine's environment."""
    names = ("http_proxy", "https_proxy", "no_proxy")
    return {name: os.environ[name] for name in (*names, *map(str.upper, names)) if os.environ.get(name)}


def inherited(suite: str) -> dict[str, str]:
    """Files, by absolute path, that give a container of ``suite`` this machine's way to its package sources."""
    files = {
        "/etc/apt/sources.list": "".join(
            f"deb [signed-by={KEYRING}] {uri} {name} main\n" for uri, name in apt_sources(suite, codename())
        )
    }
    if apt_settings():
        files["/etc/apt/apt.conf.d/90machine"] = "\n".join(apt_settings()) + "\n"
    if pip_settings():
        files["/etc/pip.conf"] = "[global]\n" + "".join(f"{k} = {v}\n" for k, v in pip_settings().items())
    for number, path in enumerate(certificates()):
        files[f"/usr/local/share/ca-certificates/machine-{number}.crt"] = path.read_text(encoding="utf-8")
    if proxies():
        files["/etc/environment"] = "".join(f"{k}={v}\n" for k, v in proxies().items())
    return files
