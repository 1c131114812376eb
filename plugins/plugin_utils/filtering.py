# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions of the core as Jinja filters."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError


def as_filter(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the function with its coded errors as Ansible wants those of a filter."""

    @functools.wraps(function)
    def filtered(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except WindflowError as error:
            raise AnsibleFilterError(str(error)) from error

    return filtered
