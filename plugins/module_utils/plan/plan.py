# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifest, configuration and what a host reports, turned into the steps that bring it there.

``build`` is pure: the same inputs give the same plan. A plan holds no secret: where a secret decides
whether a step is pending, its digest takes a slow salted fingerprint of it instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..backends.backend import Backend, ReleaseBackend, Settings, Source
from ..backends.compose_plan import ComposeBackend
from ..backends.hooks_plan import HooksBackend, hook_content
from ..backends.host_plan import HostBackend
from ..backends.steps import mark_pending, replicas_of
from ..config.loading import Config
from ..manifest.plugin_files import MIGRATE
from ..manifest.reader import Manifest
from ..text.documents import dump

# What makes a backend, by target; "" is a plugin that has hooks only, which has no releases.
RELEASE_BACKENDS: dict[str, Callable[[Manifest, Config, Settings], ReleaseBackend]] = {
    ComposeBackend.TARGET: ComposeBackend,
    HostBackend.TARGET: HostBackend,
}
BACKENDS: dict[str, Callable[[Manifest, Config, Settings], Backend]] = {
    **RELEASE_BACKENDS,
    HooksBackend.TARGET: HooksBackend,
}


def release_backend(manifest: Manifest, config: Config, plan: Mapping[str, Any]) -> ReleaseBackend:
    """Returns the backend of a plan that is made, with those settings of it that a release depends on."""
    section = plan[plan["target"]]
    settings = Settings(plan["environment"], section["replicas"], engine=section.get("engine", Settings.engine))
    return RELEASE_BACKENDS[plan["target"]](manifest, config, settings)


def questions(candidates: Sequence[tuple[Backend, Source]], tables: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the host is asked in the one call before the plan, arguments of ``host_info``, for each target that one
    plugin may be deployed with."""
    asked: dict[str, Any] = {"plugin": candidates[0][0].manifest.name, "packages": {}, "services": {}, "paths": []}
    asked.update(port=None, user=None, group=None, engine={}, target="", directories={}, database={})
    asked.update(available={}, socket_dir="", volumes=[], networks=[])
    for backend, source in candidates:
        wanted = backend.questions(source, tables)
        directories = {**asked["directories"], backend.TARGET: wanted.get("directories", {})}
        paths = sorted({*asked["paths"], *wanted.get("paths", ())})
        asked.update(wanted, paths=paths, directories=directories)
    if len(candidates) == 1:
        asked["target"] = candidates[0][0].TARGET
    return asked


def event_of(manifest: Manifest, current: dict[str, Any] | None) -> str:
    """install, upgrade (another version) or deploy (the same version again)."""
    if current is None:
        return "install"
    return "deploy" if current["version"] == manifest.version else "upgrade"


def events_of(manifest: Manifest, event: str, new_release: bool) -> dict[str, list[str]]:
    """The hooks' events of a run: the outer pair runs outside the inner one, a migration before a switch."""
    outer = [event] if event != "deploy" else []
    return {
        "pre": ["pre-%s" % name for name in (*outer, "deploy")],
        "migrate": [MIGRATE] if new_release and MIGRATE in manifest.hooks else [],
        "post": ["post-%s" % name for name in ("deploy", *outer)],
    }


def privileged_hooks(manifest: Manifest, events: Mapping[str, list[str]]) -> list[str]:
    """Hooks of a run that have root's rights on the host: path and event."""
    return [
        "%s (%s)" % (hook.path.relative_to(manifest.path), event)
        for event in (*events["pre"], *events["migrate"], *events["post"])
        for hook in manifest.hooks.get(event, ())
        if hook.privileged and hook.on == "target"
    ]


def agreed_hooks(manifest: Manifest, plan: Mapping[str, Any]) -> dict[str, list[str]]:
    """The hooks that a plan would run, by event: how each runs, and what its file holds."""
    found: dict[str, list[str]] = {}
    for event in (event for events in plan["events"].values() for event in events if plan["pending"]):
        for hook in manifest.hooks.get(event, ()):
            _event, path, on, run, timeout, privileged, content = hook_content(manifest, hook)
            rights = ", as root" if privileged else ""
            found.setdefault(event, []).append("%s on %s, %s, %g s%s: %s" % (path, on, run, timeout, rights, content))
    return found


def build(backend: Backend, source: Source, host: dict[str, Any], table: dict[str, Any] | None) -> dict[str, Any]:
    """The plan of one host as plain data; ``host`` is the answer of ``host_info``."""
    manifest, config, settings, target = backend.manifest, backend.config, backend.settings, backend.TARGET
    current = host["current"]
    drift = backend.relevant_drift(host, table)
    event = event_of(manifest, current)
    release = "%s-%s" % (settings.time, source.digest[:8])
    steps = backend.steps(source, host, table)
    forced = backend.FORCED if steps[backend.FORCED].digest else next(iter(steps))
    mark_pending(steps, current, drift, forced if settings.force else "")
    scaling = scaling_of(replicas_of(current), settings.replicas)
    if scaling and backend.SCALED:
        steps[backend.SCALED].why.append(scaling)
    new_release = any(steps[name].why for name in backend.RELEASE_STEPS)
    has_releases = any(steps[name].digest for name in backend.RELEASE_STEPS)
    install_dir = backend.layout["install_dir"] if has_releases else ""
    plan = {
        "plugin": manifest.name,
        "version": manifest.version,
        "from_version": current["version"] if current else "",
        "target": target,
        "role": "windflow.platform.%s" % target if target else "",
        "environment": settings.environment,
        "event": event,
        "events": events_of(manifest, event, new_release),
        "release": release if new_release or current is None else current["release"],
        "new_release": new_release,
        "scaling": scaling,
        "pending": any(step.why for step in steps.values()),
        "steps": {name: step.as_dict(backend.TITLES[name]) for name, step in steps.items()},
        "digests": {name: step.digest for name, step in steps.items() if step.digest},
        "drift": drift,
        "user": backend.hook_user(),
        "install_dir": install_dir,
        "config_before": (current or {}).get("config", ""),
        "config": dump(config.redacted()),
    }
    plan["privileged"] = privileged_hooks(manifest, plan["events"]) if plan["pending"] else []
    plan["adopted"] = backend.adopted(host, table) if plan["pending"] else []
    if target:
        plan[target] = backend.section(host, table, plan)
    plan["resources"] = backend.resources(plan)
    kept = ("release", "version", "environment", "target", "event", "digests", "config", "user", "install_dir")
    plan["revision"] = {**{key: plan[key] for key in kept}, **backend.revision(plan)}
    return plan


def scaling_of(before: int, after: int) -> str:
    """What is said of another number of instances than the deployed one; "" for the same, or where none is deployed."""
    return "replicas %d → %d" % (before, after) if before and before != after else ""


def listening(plan: dict[str, Any]) -> str:
    """Where the application's port will be reached; an empty text for an application that has none."""
    section = plan.get(plan["target"]) or {}
    if not section.get("port"):
        return ""
    address = section["listening"]
    if not address:
        return "port %d at every address of the host" % section["port"]
    return "port %d at %s" % (section["port"], address)


def as_text(plan: dict[str, Any]) -> str:
    """The pending steps with their reasons, the hooks that run as root and what is adopted, one a line."""
    lines = ["hook as root: %s" % hook for hook in plan["privileged"]]
    lines += ["listens: %s" % text for text in [listening(plan)] if text and plan["pending"]]
    lines += ["adopted: %s" % what for what in plan["adopted"]]
    lines += [
        "%s: %s" % (step["title"], reason)
        for step in plan["steps"].values()
        if step["pending"]
        for reason in step["why"]
    ]
    return "".join("%s\n" % line for line in lines)
