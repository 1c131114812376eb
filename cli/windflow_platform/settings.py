# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of ansible-playbook: the user's own settings, and beside them what the command needs."""

from __future__ import annotations

import configparser
import locale
import os
import stat
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
CALLBACK = "windflow.platform.outcome"
SYSTEM_FILE = Path("/etc/ansible/ansible.cfg")
SYSTEM_COLLECTIONS = "/usr/share/ansible/collections"
# Each with UTF-8, without which ansible-playbook does not begin.
LOCALES = ("C.UTF-8", "C.utf8", "en_US.UTF-8")
Sections = Mapping[str, Mapping[str, str]]


def environment(given: Mapping[str, str], cwd: Path, report: Path, stop: Path) -> dict[str, str]:
    """Returns the environment of ansible-playbook. What the user has set, in the environment or in a file, stays; a
    checkout's ansible.cfg serves where there is no other. ``report`` and ``stop`` are the files of the callback."""
    settings = dict(given)
    file = settings_file(given, cwd)
    own = CHECKOUT / "ansible.cfg"
    if file is None and own.exists():
        file = own
        settings["ANSIBLE_CONFIG"] = str(own)
    sections = read_sections(file)
    settings["ANSIBLE_COLLECTIONS_PATH"] = os.pathsep.join(collections(given, sections, file))
    enabled = given.get("ANSIBLE_CALLBACKS_ENABLED") or value_of(sections, "defaults", "callbacks_enabled") or ""
    names = [name.strip() for name in enabled.split(",") if name.strip()]
    settings["ANSIBLE_CALLBACKS_ENABLED"] = ",".join([*names, CALLBACK])
    # A path that was mistyped would be a warning, and the run would go on with the other hosts or none.
    settings.setdefault("ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED", "true")
    chosen = [value_of(sections, section, "pipelining") for section in ("connection", "ssh_connection", "defaults")]
    if not any(chosen) and "ANSIBLE_SSH_PIPELINING" not in given:
        settings.setdefault("ANSIBLE_PIPELINING", "true")
    if not speaks_utf8():
        settings.update(LC_ALL=usable_locale())
    settings.update(WINDFLOW_OUTCOME=str(report), WINDFLOW_STOP=str(stop))
    return settings


def settings_file(given: Mapping[str, str], cwd: Path) -> Path | None:
    """Returns the file that Ansible takes its settings from, by its own rules; None where there is none."""
    found = []
    if "ANSIBLE_CONFIG" in given:
        named = Path(os.path.expandvars(os.path.expanduser(given["ANSIBLE_CONFIG"])))
        found.append(named / "ansible.cfg" if named.is_dir() else named)
    # Ansible does not trust a directory that anybody may write to.
    if not os.stat(cwd).st_mode & stat.S_IWOTH:
        found.append(cwd / "ansible.cfg")
    found += [Path(given.get("HOME", "/"), ".ansible.cfg"), SYSTEM_FILE]
    return next((path for path in found if path.exists() and os.access(path, os.R_OK)), None)


def read_sections(file: Path | None) -> Sections:
    """Returns the file's sections. None of a file that cannot be read: ansible-playbook says what is wrong with it."""
    parser = configparser.ConfigParser(inline_comment_prefixes=(";",), interpolation=None)
    try:
        parser.read_string(file.read_text(encoding="utf-8") if file else "")
    except (OSError, ValueError, configparser.Error):
        return {}
    return parser


def value_of(sections: Sections, section: str, key: str) -> str | None:
    return sections[section].get(key) if section in sections else None


def collections(given: Mapping[str, str], sections: Sections, file: Path | None) -> list[str]:
    """Returns where collections are looked for: that of this command first, then where the user says, then Ansible's
    own places, which a user's setting would else replace."""
    found = []
    # A checkout has a link to itself; an installed collection lies where Ansible looks for it.
    if (CHECKOUT / "collections" / "ansible_collections" / "windflow" / "platform").exists():
        found.append(str(CHECKOUT / "collections"))
    elif CHECKOUT.parts[-3:] == ("ansible_collections", "windflow", "platform"):
        found.append(str(CHECKOUT.parents[2]))
    home = given.get("HOME", "/")
    named = given.get("ANSIBLE_COLLECTIONS_PATH")
    base = Path.cwd()
    if named is None and file is not None:
        named = value_of(sections, "defaults", "collections_path")
        base = file.parent
    for path in (named or "").split(os.pathsep):
        if path:
            # As Ansible reads it: in a file a relative path begins at the file.
            text = os.path.expandvars(path.strip().strip("\"'").replace("{{CWD}}", os.getcwd()))
            found.append(os.path.normpath(base / text.replace("~", home, 1) if text.startswith("~/") else base / text))
    ansible_home = given.get("ANSIBLE_HOME") or os.path.join(home, ".ansible")
    found += [os.path.join(ansible_home, "collections"), SYSTEM_COLLECTIONS]
    return list(dict.fromkeys(found))


def speaks_utf8() -> bool:
    """Returns whether ansible-playbook would begin under the locale of this process, which it asks for in the same
    way."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, "")
        encoding = locale.getlocale()[1] or ""
    except (locale.Error, ValueError):
        return False
    finally:
        locale.setlocale(locale.LC_ALL, before)
    return encoding.lower() in ("utf-8", "utf8")


def usable_locale() -> str:
    """A locale with UTF-8 that the machine has."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        for name in LOCALES:
            try:
                locale.setlocale(locale.LC_ALL, name)
            except locale.Error:
                continue
            return name
    finally:
        locale.setlocale(locale.LC_ALL, before)
    return LOCALES[0]
