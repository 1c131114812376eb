# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What serves on a host by the host itself, whatever the record says: a run may have been ended in the middle."""

from __future__ import annotations

import os
import re

from ..record import store
from . import releases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..record.file_format import Record


RELEASE = r"/run/([0-9]{8}T[0-9]{6}Z-[0-9a-f]{8})-[0-9]+\.sock"


def release(remembered: Record) -> str:
    """Name of the release that serves, or "". nginx's site says it first: ``current`` is the last to be switched."""
    known = store.latest_present(remembered) or {}
    install_dir, host, found = place_of(known), known.get("host") or {}, None
    if not install_dir:
        return ""
    sites = ((host.get("os") or {}).get("nginx") or {}).get("enabled_dir")
    if sites:
        site = os.path.join(sites, "windflow-%s.conf" % remembered["plugin"])
        try:
            with open(site, encoding="utf-8", errors="replace") as stream:
                found = re.search(re.escape(install_dir) + RELEASE, stream.read())
        except OSError:
            pass
    return found.group(1) if found else releases.current_release(install_dir)


def place_of(revision: dict[str, Any]) -> str:
    """Returns the installation directory of a revision's releases, or "": hooks alone and packages alone have none."""
    host, compose = revision.get("host") or {}, revision.get("compose") or {}
    return host.get("install_dir") or compose.get("install_dir") or ""


def other(remembered: Record, now: float) -> str | None:
    """Returns the release that serves if it is not the one that the record names, "" for none; None where the record is
    right, a run is at work, or no release of the plugin is to serve."""
    if not store.free(remembered, now) or not store.latest_present(remembered):
        return None
    known = store.current(remembered) or {}
    if known and not place_of(known):
        return None
    found = release(remembered)
    return None if found == (known.get("release") or "") else found
