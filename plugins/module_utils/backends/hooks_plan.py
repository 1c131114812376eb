# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a plugin that has hooks and nothing else."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from ..manifest.plugin_files import HookSpec
from ..manifest.reader import Manifest
from .backend import BackendBase, Source, SourceDigest
from .steps import Step, digest, without_secrets


class HooksBackend(BackendBase):
    """A ``Backend`` that has no releases."""

    TARGET: ClassVar[str] = ""
    TITLES: ClassVar[dict[str, str]] = {"hooks": "hooks"}
    RELEASE_STEPS: ClassVar[tuple[str, ...]] = ()
    FORCED: ClassVar[str] = "hooks"
    SCALED: ClassVar[str] = ""

    def source_of(self, _source_digest: SourceDigest) -> Source:
        """Returns the hooks' contents."""
        hooks = [hook for event in self.manifest.hooks.values() for hook in event]
        return Source(digest([hook_content(self.manifest, hook) for hook in hooks]))

    def questions(self, _source: Source, _tables: dict[str, dict[str, Any]]) -> dict[str, Any]:
        return {}

    def relevant_drift(self, host: dict[str, Any], _table: Any) -> list[dict[str, Any]]:
        return host["drift"]

    def steps(self, source: Source, _host: dict[str, Any], _table: Any) -> dict[str, Step]:
        configuration = without_secrets(self.config, self.manifest.name)
        return {"hooks": Step(digest([self.manifest.version, source.digest, configuration]))}

    def hook_user(self) -> str:
        return "nobody"

    def adopted(self, _host: dict[str, Any], _table: Any) -> list[str]:
        return []

    def section(self, _host: dict[str, Any], _table: Any, _plan: dict[str, Any]) -> dict[str, Any]:
        return {}

    def resources(self, _plan: dict[str, Any]) -> dict[str, Any]:
        return {}

    def revision(self, _plan: dict[str, Any]) -> dict[str, Any]:
        return {}


def hook_content(manifest: Manifest, hook: HookSpec) -> list[Any]:
    """Returns what a hook is, wherever the plugin's directory lies."""
    content = hashlib.sha256(hook.path.read_bytes()).hexdigest()
    path = str(hook.path.relative_to(manifest.path))
    return [hook.event, path, hook.on, hook.run, hook.timeout, hook.privileged, content]
