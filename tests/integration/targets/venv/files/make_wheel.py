# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a wheel of one module to the directory that the first argument names."""

from __future__ import annotations

import os
import sys
import zipfile

with zipfile.ZipFile(os.path.join(sys.argv[1], "canarypkg-1.0-py3-none-any.whl"), "w") as wheel:
    wheel.writestr("canarypkg.py", "VALUE = 42\n")
    wheel.writestr("canarypkg-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: canarypkg\nVersion: 1.0\n")
    wheel.writestr("canarypkg-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr("canarypkg-1.0.dist-info/RECORD", "")
