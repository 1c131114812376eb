# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module of ours does with the options that Ansible gives it."""

from __future__ import annotations

from .errors import WindflowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def answer(module: Any, run: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Ends an AnsibleModule with what ``run`` returns for its options and ``check`` and ``diff``."""
    try:
        result = run({**module.params, "check": module.check_mode, "diff": module._diff})
    except WindflowError as error:
        module.fail_json(**error.as_result())
    for warning in result.pop("warnings", []):
        module.warn(warning)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
