# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What modules have in common. Each says for itself which of it it supports, and what is special."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in check mode and tell what it would change, without changing it.
  diff_mode:
    description: Tells what it changed, or would change, in diff mode.
  idempotent:
    description: Run again with the same options, outside check mode, it changes nothing.
"""

    # A module that only reads.
    READS = r"""
attributes:
  check_mode:
    description: Reads only.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
  idempotent:
    description: Changes nothing.
    support: full
"""

    # A module whose work, or a part of it, is done by an action plugin.
    ACTION = r"""
attributes:
  action:
    description: There is an action of the same name, which does the part on the controller.
    support: full
"""
