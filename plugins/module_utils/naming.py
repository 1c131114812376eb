# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plugin may be called. Its name is part of paths on the host."""

from __future__ import annotations

import re

from .errors import Problem, WindflowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeGuard


LONGEST = 64
NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z")
NAME_RULE = "lower-case letters, digits and hyphens, beginning with a letter, at most %d" % LONGEST


def is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= LONGEST and bool(NAME.match(value))


def refuse_unless_name(value: object) -> None:
    """Raises WindflowError E1032 for what cannot be the name of a plugin that is on a host."""
    if not is_name(value):
        raise WindflowError(
            Problem(
                "E1032",
                "the name of a plugin (%s), or a directory whose plugin.yml has one" % NAME_RULE,
                repr(value),
                "write the name that the hosts know it by; the playbook status lists them",
            )
        )
