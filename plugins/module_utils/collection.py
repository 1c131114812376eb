# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where this collection lies on the controller."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
