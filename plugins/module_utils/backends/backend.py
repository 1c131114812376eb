# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a backend is: the side of a plan that each target has.

``BackendBase`` is what every one is made of, ``Backend`` and ``ReleaseBackend`` are what ``plan`` and its callers use.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from ..config.checks import LOCAL_HOSTS
from ..config.loading import Config
from ..manifest.reader import Manifest
from ..manifest.requirements import Requirements
from .steps import Step

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


@dataclass(frozen=True)
class BackendBase:
    """What does not change while a plan is made: a plugin, its configuration and what the operator asks for.

    A backend asks the host with as much of ``settings`` as is known then: the environment.
    """

    manifest: Manifest
    config: Config
    settings: Settings = Settings()

    @functools.cached_property
    def layout(self) -> dict[str, str]:
        """Directories and account of an application, as configured or after the plugin's name."""
        name = self.manifest.name
        install_dir = self.config.get("app.install_dir", "/opt/%s" % name)
        user = self.config.get("app.user", name)
        return {
            "install_dir": install_dir,
            "data_dir": self.config.get("app.data_dir", "/var/lib/%s" % name),
            "log_dir": self.config.get("app.log_dir", "/var/log/%s" % name),
            # Supervisor opens its logs as root: not in a directory where the application could plant a link.
            "program_log_dir": "/var/log/windflow/%s" % name,
            "run_dir": "%s/run" % install_dir,
            "shared_dir": "%s/shared" % install_dir,
            "user": user,
            "group": self.config.get("app.group", user),
            "config_dir": "/etc/windflow/%s" % name,
        }


class Backend(Protocol):
    """One target's side of a plan, made once for each plan.

    ``host`` is the answer of ``host_info``, ``table`` is that of the host's OS family (None in containers), ``plan``
    the plan as far as it is made.
    """

    TARGET: ClassVar[str]  # as in plugin.yml; empty for a plugin that has hooks only
    TITLES: ClassVar[dict[str, str]]  # of all steps, in their order
    RELEASE_STEPS: ClassVar[tuple[str, ...]]  # if one of them is pending, a new release is made with all of them
    FORCED: ClassVar[str]  # the step that is pending where the operator forces a deploy
    SCALED: ClassVar[str]  # the step whose digest the number of instances is part of; empty for none

    @property
    def manifest(self) -> Manifest:
        """Returns the plugin."""

    @property
    def config(self) -> Config:
        """Returns its configuration, with secrets."""

    @property
    def settings(self) -> Settings:
        """Returns what the operator asks for besides configuration."""

    @property
    def layout(self) -> dict[str, str]:
        """Returns {name: path or account}: ``install_dir``, ``data_dir``, ``log_dir``, ``program_log_dir``,
        ``run_dir``, ``shared_dir``, ``config_dir``, ``user`` and ``group``."""

    def source_of(self, source_digest: SourceDigest, /) -> Source:
        """Returns the application's files with one digest of all; ``source_digest`` is ``sources.digest``."""

    def questions(self, source: Source, tables: dict[str, dict[str, Any]], /) -> dict[str, Any]:
        """Returns what the host is asked: some of the arguments of ``host_info``, by name. ``tables`` are those of all
        OS families."""

    def relevant_drift(self, host: dict[str, Any], table: Any, /) -> list[dict[str, Any]]:
        """Returns those of the host's drift that this target cares for: the maps that ``host_info`` has given."""

    def steps(self, source: Source, host: dict[str, Any], table: Any, /) -> dict[str, Step]:
        """Returns {name: step} for each of TITLES, in that order. A step has its digest, the data that its tasks need,
        and the reasons to be pending that the host itself gives; those that the record gives are added by ``plan``."""

    def hook_user(self) -> str:
        """Returns the name of the account that hooks on the host run as."""

    def adopted(self, host: dict[str, Any], table: Any, /) -> list[str]:
        """Returns what is used though windflow has not made it: a sentence for each."""

    def section(self, host: dict[str, Any], table: Any, plan: dict[str, Any], /) -> dict[str, Any]:
        """Returns what the tasks need besides the steps: the map that the plan has below the target's name."""

    def resources(self, plan: dict[str, Any], /) -> dict[str, Any]:
        """Returns {kind: what of it} that the host is asked to remember at the end of the run, and is compared with
        afterwards: paths, trees, packages, services and so on, as ``managed`` takes them."""

    def revision(self, plan: dict[str, Any], /) -> dict[str, Any]:
        """Returns what the record keeps of a revision of this target, besides what it keeps of every one."""


class ReleaseBackend(Backend, Protocol):
    """The same of a target that has releases. ``plan`` is made, and ``settings`` are those that it was made with."""

    def application_digest(self, source: Source, plan: dict[str, Any], /) -> str:
        """Returns the digest of the step ``application``, to tell whether the files are still those of the plan."""

    def shipped(self, source: Source, plan: dict[str, Any], /) -> Shipped:
        """Returns what a release is packed of besides the files of ``source``, secrets among it."""


def database_is_given(config: Config) -> bool:
    """Whether the database is that of another plugin, which sees to it."""
    return config.layer_of("database.host") == "dependency"


def database_is_local(config: Config) -> bool:
    """Whether the database is on the application's own host and the plugin's own."""
    return config.get("database.host") in LOCAL_HOSTS and not database_is_given(config)


def host_header(allowed_hosts: list[str]) -> str:
    """A name that nginx answers to: the first allowed one, something below it if it is a pattern."""
    if not allowed_hosts or "*" in allowed_hosts:
        return "localhost"
    name = allowed_hosts[0]
    return "www.%s" % name.lstrip("*.") if name.startswith(("*", ".")) else name
