# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps, what every plan is made of: their digests, and why they are pending."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..config.loading import Config

FINGERPRINT_ROUNDS = 10_000
DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass
class Step:
    """One step: what it manages, why it is pending (empty where it is not), what its tasks need."""

    digest: str = ""
    why: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    def as_dict(self, title: str) -> dict[str, Any]:
        return {"title": title, "pending": bool(self.why), "why": self.why, "digest": self.digest, **self.data}


def digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@functools.lru_cache(maxsize=256)
def fingerprint(secret: str, salt: str) -> str:
    """A secret's stand-in inside digests. Slow and salted, because digests are kept and shown."""
    return hashlib.pbkdf2_hmac("sha256", secret.encode(), salt.encode(), FINGERPRINT_ROUNDS).hex()


def without_secrets(config: Config, plugin: str) -> Any:
    """Returns the configuration with each secret replaced by its fingerprint, and by one word if it is made on the
    host: a plan is the same before it is made and after."""

    def walk(value: Any, path: tuple[Any, ...]) -> Any:
        if path in config.generated:
            return "generated"
        if path in config.secrets:
            return fingerprint(json.dumps(value, sort_keys=True), "windflow:%s:%s" % (plugin, path))
        if isinstance(value, dict):
            return {key: walk(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item, (*path, index)) for index, item in enumerate(value)]
        return value

    return walk(config.data, ())


def parents(paths: list[str]) -> list[dict[str, str]]:
    """Returns the directories above ``paths``, outermost first. They have to be there; whose they are is not ours to
    say."""
    found = {str(parent) for path in paths for parent in Path(path).parents}
    return [{"path": path, "state": "directory"} for path in sorted(found - {"/", *paths})]


def owned(entries: list[dict[str, str]]) -> dict[str, str]:
    """{path: owner} of the directories that are the plugin's own."""
    return {entry["path"]: entry["owner"] for entry in entries if "owner" in entry}


def places_in(config: Config, places: dict[str, str]) -> dict[str, str]:
    """{path: key} of the directories that the configuration names."""
    found = {places[key]: "app.%s" % key for key in ("log_dir", "data_dir", "install_dir")}
    volumes = enumerate(config.get("storage.volumes", []))
    return {**{volume["path"]: "storage.volumes[%d].path" % index for index, volume in volumes}, **found}


def entries_step(entries: list[dict[str, str]], adopt: bool) -> Step:
    """``adopt``: whether directories that are there already are used all the same."""
    return Step(digest(entries) if entries else "", data={"entries": entries, "adopt": adopt})


def mark_pending(
    steps: dict[str, Step], current: dict[str, Any] | None, drift: list[dict[str, Any]], forced: str
) -> None:
    """Adds the reasons that come from the record: never applied, changed since, drifted; and
    the step ``forced``, if it is not empty."""
    recorded, revision = (current["digests"], current["revision"]) if current else ({}, 0)
    for name, step in steps.items():
        if step.digest and name not in recorded:
            step.why.append("not applied yet")
        elif step.digest and recorded[name] != step.digest:
            step.why.append("changed since revision %d" % revision)
    for item in drift:
        if item["step"] in steps:
            steps[item["step"]].why.append(describe_drift(item))
    if forced:
        steps[forced].why.append("forced")


def replicas_of(current: dict[str, Any] | None) -> int:
    """Returns how many instances a revision of the record has; 0 where there is none, or no program."""
    revision = current or {}
    return int((revision.get("host") or revision.get("compose") or {}).get("replicas", 0))


def describe_drift(item: dict[str, Any]) -> str:
    found, expected = (
        "%s…" % value[:12] if DIGEST.fullmatch(value) else value for value in (item["found"], item["expected"])
    )
    return "%s: %s is %s, was %s" % (item["resource"], item["attribute"], found, expected)
