# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``platform`` command. It only spares typing: everything it does is a playbook of windflow.platform."""

__version__ = "1.0.0"
