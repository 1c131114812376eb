# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a plugin that has hooks and nothing else. The module is a ``Backend``."""

from __future__ import annotations

import hashlib
from typing import Any

from ..config.loading import Config
from ..manifest.plugin_files import HookSpec
from ..manifest.reader import Manifest
from .steps import Settings, Source, Step, digest, without_secrets

TITLES = {"hooks": "hooks"}
RELEASE_STEPS = ()
FORCED = "hooks"
SCALED = ""


def questions(*_given: Any) -> dict[str, Any]:
    return {}


def source_of(manifest: Manifest, _source_digest: Any) -> Source:
    """Returns the hooks' contents."""
    return Source(digest([hook_content(manifest, hook) for hooks in manifest.hooks.values() for hook in hooks]))


def hook_content(manifest: Manifest, hook: HookSpec) -> list[Any]:
    """Returns what a hook is, wherever the plugin's directory lies."""
    content = hashlib.sha256(hook.path.read_bytes()).hexdigest()
    path = str(hook.path.relative_to(manifest.path))
    return [hook.event, path, hook.on, hook.run, hook.timeout, hook.privileged, content]


def hook_user(_manifest: Manifest, _config: Config) -> str:
    """Returns the account that hooks on the host run as."""
    return "nobody"


def relevant_drift(host: dict[str, Any], _table: Any) -> list[dict[str, Any]]:
    return host["drift"]


def steps(
    manifest: Manifest,
    config: Config,
    _settings: Settings,
    source: Source,
    _host: dict[str, Any],
    _table: Any,
) -> dict[str, Step]:
    return {"hooks": Step(digest([manifest.version, source.digest, without_secrets(config, manifest.name)]))}


def adopted(*_given: Any) -> list[str]:
    return []


def section(*_given: Any) -> dict[str, Any]:
    return {}


def resources(_plan: dict[str, Any]) -> dict[str, Any]:
    return {}


def revision(_plan: dict[str, Any]) -> dict[str, Any]:
    return {}
