# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs as an action reads them: from the inventory's variables, the disk, and the host where it knows something."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError

from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import Manifest
from ansible_collections.windflow.platform.plugins.module_utils.plan.inputs import (
    EXTERNAL,
    MERGED,
    InputContext,
    Inputs,
    asks_host,
    manifest_of,
    read_inputs,
)
from ansible_collections.windflow.platform.plugins.plugin_utils import inventory_layers, known
from ansible_collections.windflow.platform.plugins.plugin_utils.piped import call


def place_of(action: Any, task_vars: dict[str, Any]) -> InputContext:
    """Returns the context of a task, without what only the host knows. ``action`` may be a lookup, too: it has a
    templar."""
    inventory = {name: inventory_layers.layers(name, task_vars, action._templar) for name in MERGED}
    if EXTERNAL in task_vars:
        inventory[EXTERNAL] = action._templar.template(task_vars[EXTERNAL])
    return InputContext(inventory, os.environ, Path.cwd(), decrypt=decrypter(action._loader))


def decrypter(loader: Any) -> Callable[[bytes], bytes]:
    """Returns what Ansible decrypts its own files with. It raises ValueError, without a word of the content."""

    def decrypt(content: bytes) -> bytes:
        if loader is None or not loader._vault.secrets:
            raise ValueError("none")
        try:
            return loader._vault.decrypt(content)
        except AnsibleError:
            raise ValueError("others, or a damaged text") from None

    return decrypt


def ask_host(
    action: Any,
    manifest: Manifest,
    context: InputContext,
    task_vars: dict[str, Any],
    own_secrets: bool = True,
    reveal: bool = False,
) -> InputContext:
    """Adds to the context what the host knows, if the plugin has dependencies or generated secrets.

    Secrets come as their marks, or with ``reveal`` as they are. It costs a round trip, which any other plugin is
    spared, and a run that has the lease and was told then; without ``own_secrets`` a plugin without dependencies is
    spared it, too. Raises WindflowError E2026 where the host does not answer.
    """
    names: list[str] = []
    # What the host has may decide for other plugins: then it is asked once more, for the secrets of those.
    while not set(wanted := asks_host(manifest, context, own_secrets)) <= set(names):
        names = wanted
        answer = None if reveal else known.recall(task_vars["inventory_hostname"], names)
        if answer is None:
            with unlogged(action) if reveal else contextlib.nullcontext():
                answer = deployed_state(action, {"plugins": names, "reveal": reveal}, task_vars)
        context = replace(context, host=answer)
    return context


@contextlib.contextmanager
def unlogged(action: Any) -> Iterator[None]:
    """What a connection shows of an answer at -vvv and above is not shown, as for a task with ``no_log``."""
    context, task = action._connection._play_context, action._task
    before = context.no_log, task.no_log
    context.no_log = task.no_log = True
    try:
        yield
    finally:
        context.no_log, task.no_log = before


def deployed_state(action: Any, question: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
    """Returns the answer of the module ``dependency_info``. Raises WindflowError E2026 where there is none."""
    answer = call(action, "record.dependency_state", "windflow.platform.dependency_info", question, task_vars)
    if "plugins" not in answer:
        problems = [Problem(**problem) for problem in answer.get("problems", [])]
        got = str(answer.get("msg") or answer.get("module_stderr") or "no answer")
        said = "the host did not say what is deployed on it"
        remedy = "run the task with -vvv and read its output"
        raise WindflowError(problems or Problem.plain("E2026", said, got, remedy))
    return answer


def gather(action: Any, arguments: dict[str, Any], task_vars: dict[str, Any], target: str = "") -> Inputs:
    """``read_inputs`` for the host of a task."""
    place = place_of(action, task_vars)
    manifest = manifest_of(arguments, place)
    return read_inputs(arguments, ask_host(action, manifest, place, task_vars), target, manifest)
