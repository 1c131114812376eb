# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every backend's plan is made of: the operator's settings, the plugin's files, steps and their digests."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..config.loading import Config
from ..manifest.reader import Manifest
from ..manifest.requirements import Requirements

FINGERPRINT_ROUNDS = 10_000
DIGEST = re.compile(r"[0-9a-f]{64}")
SourceDigest = Callable[[str], tuple[str, list[tuple[str, int, str]]]]  # sources.digest


@dataclass(frozen=True)
class Settings:
    """What the operator asks for besides configuration."""

    environment: str = ""
    replicas: int = 1
    force: bool = False
    engine: str = "compose"  # of the target compose: what runs its containers, compose or swarm
    downgrade: bool = False  # whether an older version than the deployed one may be deployed
    networks: tuple[str, ...] = ()  # of the target compose: networks of other projects, where dependencies are reached
    network_consent: bool = False  # whether the interface that carries the connection may be changed
    time: str = ""  # UTC, as in a release's name: 20261123T012327Z


@dataclass(frozen=True)
class Source:
    """The application's files: digest of all, and (relative path, mode, sha256) of each."""

    digest: str = ""
    listing: tuple[tuple[str, int, str], ...] = ()
    requirements: Requirements = Requirements()


@dataclass
class Shipped:
    """What a release is packed of besides the files of its ``Source``, which lie below ``root``.

    Texts by name: ``documents`` anyone may read, ``readable`` is for ``group`` and root, ``private`` for root, as is
    everything in ``files``, (name, mode, content) of each. ``folders`` are there, whatever is in them.
    """

    root: str
    group: str
    documents: dict[str, str]
    readable: dict[str, str]
    private: dict[str, str] = field(default_factory=dict)
    files: tuple[tuple[str, int, bytes], ...] = ()
    venv: str = ""
    folders: tuple[str, ...] = ()


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


class Backend(Protocol):
    """The side of a plan that each target has: what a module such as ``host_plan`` offers to ``plan``.

    ``host`` is the answer of ``host_info``, ``table`` is that of the host's OS family, ``plan`` the plan as far as it
    is made.
    """

    @property
    def TITLES(self) -> dict[str, str]:
        """The titles of all steps, in their order."""

    @property
    def RELEASE_STEPS(self) -> tuple[str, ...]:
        """The steps of a release: if one of them is pending, a new release is made with all of them."""

    @property
    def FORCED(self) -> str:
        """The step that is pending where the operator forces a deploy."""

    @property
    def SCALED(self) -> str:
        """The step whose digest the number of instances is part of; empty for none."""

    def source_of(self, manifest: Manifest, source_digest: SourceDigest, /) -> Source:
        """Returns the application's files."""

    def questions(
        self,
        manifest: Manifest,
        config: Config,
        source: Source,
        tables: dict[str, dict[str, Any]],
        environment: str,
        /,
    ) -> dict[str, Any]:
        """Returns what the host is asked: some of the arguments of ``host_info``."""

    def relevant_drift(self, host: dict[str, Any], table: Any, /) -> list[dict[str, Any]]:
        """Returns the drift of the host that this target cares for."""

    def steps(
        self,
        manifest: Manifest,
        config: Config,
        settings: Settings,
        source: Source,
        host: dict[str, Any],
        table: Any,
        /,
    ) -> dict[str, Step]:
        """Returns the steps with digests, and with the reasons that the host itself gives."""

    def hook_user(self, manifest: Manifest, config: Config, /) -> str:
        """Returns the account that hooks on the host run as."""

    def adopted(self, manifest: Manifest, config: Config, host: dict[str, Any], table: Any, /) -> list[str]:
        """Returns what is used though windflow has not made it, in words."""

    def section(
        self,
        manifest: Manifest,
        config: Config,
        settings: Settings,
        host: dict[str, Any],
        table: Any,
        plan: dict[str, Any],
        /,
    ) -> dict[str, Any]:
        """Returns what the tasks need besides the steps."""

    def resources(self, plan: dict[str, Any], /) -> dict[str, Any]:
        """Returns what the host is asked to remember at the end of the run, and is compared with afterwards."""

    def revision(self, plan: dict[str, Any], /) -> dict[str, Any]:
        """Returns what the record keeps of a revision of this target, besides what it keeps of every one."""


class ReleaseBackend(Backend, Protocol):
    """The same of a target that has releases."""

    def application_digest(self, manifest: Manifest, config: Config, source: Source, plan: dict[str, Any], /) -> str:
        """Returns the digest of the step ``application``."""

    def shipped(self, manifest: Manifest, config: Config, source: Source, plan: dict[str, Any], /) -> Shipped:
        """Returns what a release is packed of."""


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


def layout(manifest: Manifest, config: Config) -> dict[str, str]:
    """Directories and account of an application, as configured or after the plugin's name."""
    name = manifest.name
    install_dir = config.get("app.install_dir", "/opt/%s" % name)
    user = config.get("app.user", name)
    return {
        "install_dir": install_dir,
        "data_dir": config.get("app.data_dir", "/var/lib/%s" % name),
        "log_dir": config.get("app.log_dir", "/var/log/%s" % name),
        # Supervisor opens its logs as root: not in a directory where the application could plant a link.
        "program_log_dir": "/var/log/windflow/%s" % name,
        "run_dir": "%s/run" % install_dir,
        "shared_dir": "%s/shared" % install_dir,
        "user": user,
        "group": config.get("app.group", user),
        "config_dir": "/etc/windflow/%s" % name,
    }


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
