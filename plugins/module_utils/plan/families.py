# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and paths per OS family: the files ``roles/host/vars/<family>.yml``."""

from __future__ import annotations

from typing import Any

from ..collection import ROOT
from ..text.documents import read

VARS = ROOT / "roles" / "host" / "vars"


def load_all() -> dict[str, dict[str, Any]]:
    """{family: table}; each table knows its family."""
    return {path.stem: {**read(path).data["__host_os"], "family": path.stem} for path in sorted(VARS.glob("*.yml"))}
