# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's core and one remote call; options and result are in the module's documentation."""

from __future__ import annotations

import ipaddress
import os
import time
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.windflow.platform.plugins.module_utils.backends import compose_files, families
from ansible_collections.windflow.platform.plugins.module_utils.backends.backend import Settings, Source
from ansible_collections.windflow.platform.plugins.module_utils.backends.steps import describe_drift, replicas_of
from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.files import sources
from ansible_collections.windflow.platform.plugins.module_utils.manifest.compatibility import may_be_needed
from ansible_collections.windflow.platform.plugins.module_utils.manifest.plugin_files import MIGRATE
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import Manifest
from ansible_collections.windflow.platform.plugins.module_utils.plan import by_hand, plan, preflight, saved_plans
from ansible_collections.windflow.platform.plugins.module_utils.plan.inputs import (
    ARGUMENTS,
    LATER,
    InputContext,
    Inputs,
    asks_host,
    database_on_host,
    manifest_of,
    out_of_reach,
    read_inputs,
    target_of,
    unreachable_dependencies,
)
from ansible_collections.windflow.platform.plugins.module_utils.record.store import LEASE_SECONDS
from ansible_collections.windflow.platform.plugins.module_utils.text import render
from ansible_collections.windflow.platform.plugins.plugin_utils import stopping
from ansible_collections.windflow.platform.plugins.plugin_utils.gathering import ask_host, place_of
from ansible_collections.windflow.platform.plugins.plugin_utils.piped import call, packed_sources

# The main process imports an action once, before it forks a worker for each host: so what costs time is done once, and
# the names are the same for every host and every batch of a run.
QUESTION = "run.host_state"
packed_sources(QUESTION)
render.compile_templates()
RUN_TIME = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
RUN = "%s-%d" % (RUN_TIME, os.getpid())
DRIFT_LINES = 20
# What can run the containers of the target compose; the first is usual.
ENGINES = ("compose", "swarm")


class ActionModule(ActionBase):
    _requires_connection = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _unused, arguments = self.validate_argument_spec(
            {
                **ARGUMENTS,
                "target": {"type": "str", "default": ""},
                "replicas": {"type": "int"},
                "force": {"type": "bool", "default": False},
                "allow_downgrade": {"type": "bool", "default": False},
                "wait": {"type": "int", "default": 0},
                "saved": {"type": "path"},
                "network_consent": {"type": "bool", "default": False},
                "engine": {"type": "str", "choices": ["", *ENGINES], "default": ""},
                # Not used here: what cannot be meant ends a run before anything is done.
                "backup": {"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
            }
        )
        refused: tuple[Problem, ...] = ()
        try:
            stopping.check(task_vars["inventory_hostname"])
            place = place_of(self, task_vars)
            manifest = manifest_of(arguments, place)
            place = ask_host(self, manifest, place, task_vars, own_secrets=False)
            inputs = read_inputs(arguments, place, arguments["target"], manifest, LATER)
            refused = inputs.refused
            able = candidates(inputs, arguments["target"], place)
            known = Settings(inputs.environment)
            backends = [plan.BACKENDS[name](inputs.manifest, inputs.config, known) for name in able]
            found = {backend.TARGET: backend.source_of(sources.digest) for backend in backends}
            asked = plan.questions([(one, found[one.TARGET]) for one in backends], families.load_all())
            asked["wait"] = arguments["wait"]
            host = call(self, QUESTION, "windflow.platform.host_info", asked, task_vars)
            if host.get("failed") or host.get("unreachable"):
                if refused:
                    raise WindflowError(list(refused))
                return host
            target, passed = choose_target(inputs, able, host)
            if inputs.provided and target != arguments["target"]:
                # Where a dependency is reached depends on where its dependent is.
                inputs = read_inputs(arguments, place, target, manifest, LATER)
            made = make(inputs, arguments, host, target, found[target], place)
            if arguments["saved"]:
                name = made["plugin"] if arguments["dependency"] else ""
                saved_plans.compare(arguments["saved"], task_vars["inventory_hostname"], made["agreement"], name)
            result.update(made, url=url(made, task_vars))
            self._display.display(summary(result, task_vars["inventory_hostname"], passed))
        except WindflowError as error:
            if not set(refused) <= set(error.problems):
                error = WindflowError([*refused, *error.problems], error.outcome)
            result.update(error.as_result(), failed=True)
            if refused:
                # What is wrong is first of all what was asked for.
                result["code"] = refused[0].code
        return result


def candidates(inputs: Inputs, wanted: str, context: InputContext) -> list[str]:
    """The targets that are left before the host is asked about them; "" for a plugin of hooks only.

    What is wanted of the plugin that the operator names is only a wish towards those that it needs.
    """
    offered = list(inputs.manifest.targets) or [""]
    if wanted in offered:
        offered = [wanted]
    elif wanted and not inputs.arguments["dependency"]:
        expected = "a target that the plugin supports (%s)" % (", ".join(offered) or "none")
        raise WindflowError(Problem("E2012", expected, wanted, "choose one of them", path="target"))
    problems = {name: out_of_reach(inputs, name, context) for name in offered}
    able = [name for name in offered if not problems[name]]
    if not able:
        raise WindflowError(problems[offered[0]])
    return able


def choose_target(inputs: Inputs, able: list[str], host: dict) -> tuple[str, list[str]]:
    """The target on a host, and what is to be said of those before it in the plugin's list.

    It is the one that the plugin is deployed with there, else the first whose prerequisites the host meets.
    """
    current = host["current"]
    if current and current["target"]:
        if current["target"] in able:
            return current["target"], []
        raise WindflowError(
            Problem.plain(
                "E2016",
                "the plugin is deployed here with target %s and cannot change to another" % current["target"],
                ", ".join(able) or "none",
                "remove the plugin first: the data in its database do not move with it",
                path="target",
            )
        )
    passed = []
    for name in able:
        found = preflight.unmet(name, inputs.config, host) if name else []
        if not found:
            return name, passed
        passed += ["%s is not possible here: %s" % (name, problem) for problem in found]
    # None is possible: the preflight of the first says why.
    return able[0], []


def choose_engine(wanted: str, host: dict, wish: bool = False) -> str:
    """What runs the containers: the same as before, else what is asked for, which may be no more than a wish."""
    current = host["current"] if (host["current"] or {}).get("target") == "compose" else None
    known = current["compose"].get("engine", ENGINES[0]) if current else ""
    if wanted and known and wanted != known and not wish:
        remedy = "remove the plugin first: its containers and its database are in that engine"
        said = "the plugin is deployed here with engine %s and cannot change to another" % known
        raise WindflowError(Problem.plain("E2019", said, wanted, remedy))
    return known or wanted or ENGINES[0]


def wanted_replicas(wanted: int | None, before: int) -> int:
    """How many instances: what is asked for, else as many as there are, else one."""
    if wanted is not None and wanted < 1:
        raise WindflowError(Problem("E2045", "one replica at least", str(wanted), "give 1 or more", path="replicas"))
    return wanted or before or 1


def make(
    inputs: Inputs, arguments: dict, host: dict, target: str, source: Source, context: InputContext
) -> dict[str, Any]:
    """The result of the task: the plan, or the findings of the preflight."""
    dependency = arguments["dependency"]
    engine = choose_engine(arguments["engine"], host, dependency) if target == "compose" else ENGINES[0]
    swarm = engine == "swarm"
    before = replicas_of(host["current"])
    settings = Settings(
        environment=inputs.environment,
        # How many, whether by force and whether an older one is asked of the plugin that the operator names.
        replicas=before or 1 if dependency else wanted_replicas(arguments["replicas"], before),
        force=arguments["force"] and not dependency,
        engine=engine,
        networks=networks(inputs, target, context),
        downgrade=arguments["allow_downgrade"] and not dependency,
        network_consent=arguments["network_consent"],
        time=RUN_TIME,
    )
    table, host = families.settle(inputs.config, host) if target == "host" else (None, host)
    backend = plan.BACKENDS[target](inputs.manifest, inputs.config, settings)
    errors, warnings = preflight.findings(backend, host, source)
    if dependency:
        errors += by_hand.changed(inputs.config, inputs.manifest.name, host["current"])
    errors += unreachable_dependencies(inputs, target, engine, context)
    if swarm and MIGRATE in inputs.manifest.hooks:
        remedy = "migrate when the application starts, under a lock"
        errors.append(Problem.plain("E2028", "a swarm cannot run the migration hooks of the plugin", "", remedy))
    if errors or inputs.refused:
        raise WindflowError([*inputs.refused, *errors])
    made = plan.build(backend, source, host, table)
    # A swarm's tasks have names of their own.
    made["local_database"] = {} if swarm else database_on_host(inputs, target, context)
    made["revision"].update(
        needs=inputs.needs,
        provides=dict(inputs.manifest.provides),
        shared=may_be_needed(inputs.manifest, dependency),
        by_hand={} if dependency else by_hand.given(inputs.config, inputs.manifest.name),
        local_database=made["local_database"],
    )
    made["dependencies"] = [] if arguments["dependency"] else dependencies(inputs)
    return {
        **made,
        "generate": sorted(".".join(path) for path in inputs.config.generated),
        "secrets_of": asks_host(inputs.manifest, context, resolution=inputs.resolution),
        "engine": engine if target == "compose" else "",
        "changed": False,
        "run": RUN,
        "position": host["position"],
        "lease_seconds": lease_seconds(inputs.manifest),
        "inputs": {**inputs.arguments, "replicas": settings.replicas},
        "warnings": [str(problem) for problem in (*host.get("warnings", []), *inputs.warnings, *warnings)],
        "directory": str(Path.cwd()),
        "agreement": saved_plans.agreement(made, host["current"], plan.agreed_hooks(inputs.manifest, made)),
        "diff": {"before": "", "after": plan.as_text(made), "after_header": "what is pending"},
    }


def lease_seconds(manifest: Manifest) -> int:
    """As long as a run may be without a word: whatever else it does takes less than the hooks of one event may."""
    longest = max((sum(hook.timeout for hook in hooks) for hooks in manifest.hooks.values()), default=0)
    return max(LEASE_SECONDS, longest + LEASE_SECONDS // 3)


def networks(inputs: Inputs, target: str, context: InputContext) -> tuple[str, ...]:
    """Where containers reach the containers of what the plugin needs."""
    if target != "compose":
        return ()
    providers = (provider.manifest for provider in inputs.providers.values())
    return tuple(
        sorted(
            compose_files.network(manifest.name)
            for manifest in providers
            if target_of(manifest, target, context) == "compose"
        )
    )


def dependencies(inputs: Inputs) -> list[dict[str, str]]:
    """What has to be deployed before, in order."""
    return [
        {"plugin": str(manifest.path), "name": manifest.name, "version": manifest.version}
        for manifest in inputs.resolution.order[:-1]
    ]


def url(made: dict[str, Any], task_vars: dict[str, Any]) -> str:
    """Where the application answers, seen from the controller; "" for a plugin that serves nothing."""
    if not made["target"] or not made[made["target"]]["port"]:
        return ""
    found = made[made["target"]]["listening"]
    known = task_vars.get("ansible_host") or task_vars["inventory_hostname"]
    address = found if found and not ipaddress.ip_address(found).is_unspecified else known
    return "http://%s:%d" % ("[%s]" % address if ":" in address else address, made[made["target"]]["port"])


def summary(made: dict[str, Any], host: str, passed: list[str]) -> str:
    """For the operator: what is pending, or that nothing is; which target was taken and why; what drifted, by name."""
    if not made["pending"]:
        place = " at %s" % made["url"] if made["url"] else ""
        return "%s: nothing to do, %s %s (%s) is deployed%s" % (
            host,
            made["plugin"],
            made["version"],
            made["release"],
            place,
        )
    steps = ", ".join(step["title"] for step in made["steps"].values() if step["pending"])
    lines = ["%s: target %s, because %s" % (host, made["target"], reason) for reason in passed]
    lines.append("%s: %s %s, pending: %s" % (host, made["event"], made["version"], steps))
    lines += ["%s: %s" % (host, made["scaling"])] * bool(made["scaling"])
    lines += ["%s: listens: %s" % (host, text) for text in [plan.listening(made)] if text]
    lines += ["%s: hook as root: %s" % (host, hook) for hook in made["privileged"]]
    lines += ["%s: adopted: %s" % (host, what) for what in made["adopted"]]
    lines += ["%s: drift: %s" % (host, describe_drift(item)) for item in made["drift"][:DRIFT_LINES]]
    if len(made["drift"]) > DRIFT_LINES:
        lines.append("%s: drift: and %d more" % (host, len(made["drift"]) - DRIFT_LINES))
    return "\n".join(lines)
