# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs hooks on the controller itself and ships those for the target; options are in the module's documentation."""

from __future__ import annotations

import base64
import json
from typing import Any

from ansible import constants as C
from ansible.plugins.action import ActionBase

from ansible_collections.windflow.platform.plugins.module_utils.backends.backend import host_header
from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.hooks import hook
from ansible_collections.windflow.platform.plugins.module_utils.manifest.plugin_files import EVENTS, MIGRATE
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import HookSpec
from ansible_collections.windflow.platform.plugins.module_utils.plan.inputs import (
    ARGUMENTS,
    Inputs,
    manifest_of,
    read_inputs,
)
from ansible_collections.windflow.platform.plugins.plugin_utils import once, stopping
from ansible_collections.windflow.platform.plugins.plugin_utils.gathering import ask_host, place_of
from ansible_collections.windflow.platform.plugins.plugin_utils.piped import call

# The system takes 128 KiB in one variable.
RESULTS_BYTES = 120_000


class ActionModule(ActionBase):
    _requires_connection = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _unused, arguments = self.validate_argument_spec(
            {
                **ARGUMENTS,
                "events": {"type": "list", "elements": "str", "required": True, "choices": list(EVENTS)},
                **{name: {"type": "str", "default": ""} for name in ("old_version", "new_version", "release")},
                **{name: {"type": "str", "default": ""} for name in ("target", "engine", "url")},
                **{name: {"type": "str", "default": ""} for name in ("release_dir", "compose")},
                "user": {"type": "str", "default": "nobody"},
                "results": {"type": "dict", "default": {}},
            }
        )
        result.update(changed=False, hooks=[], results=arguments["results"])
        try:
            # What has been taken away is recorded so.
            if "post-remove" not in arguments["events"]:
                first = next(iter(arguments["events"]), "")
                stopping.check(task_vars["inventory_hostname"], effect_of(first))
            place = place_of(self, task_vars)
            manifest = manifest_of(arguments, place)
            specs = [spec for event in arguments["events"] for spec in manifest.hooks.get(event, ())]
            if specs and not self._task.check_mode:
                place = ask_host(self, manifest, place, task_vars)
                inputs = read_inputs(arguments, place, arguments["target"], manifest)
            for spec in specs:
                entry = {"event": spec.event, "path": str(spec.path.relative_to(manifest.path)), "on": spec.on}
                result["hooks"].append(entry)
                if self._task.check_mode:
                    entry["skipped"] = "check mode"
                else:
                    run = self.run_once if spec.run == "once" else self.run_one
                    run(spec, entry, inputs, arguments, result, task_vars)
        except WindflowError as error:
            result.update(error.as_result(), failed=True)
        return result

    def run_once(
        self, spec: HookSpec, entry: dict, inputs: Inputs, arguments: dict, result: dict, task_vars: dict
    ) -> None:
        """The same for a hook that runs once: where another host of the play has run it, what came of it counts."""
        host = task_vars["inventory_hostname"]
        number = inputs.manifest.hooks[spec.event].index(spec)
        key = [str(self._task.play._uuid), inputs.manifest.name, spec.event, str(number)]
        with once.turn(C.DEFAULT_LOCAL_TMP, key, host) as turn:
            if turn["runner"] == host:
                turn["results"] = self.run_one(spec, entry, inputs, arguments, result, task_vars)
                return
        if turn["results"] is None:
            name = "%s (%s)" % (entry["path"], spec.event)
            said = "hook %s failed on %s, which runs it for all hosts" % (name, turn["runner"])
            got = turn["code"] or "it did not end"
            remedy = "correct what is reported for %s, then run again" % turn["runner"]
            raise WindflowError(Problem.plain("E3008", said, got, remedy), effect_of(spec.event))
        entry["skipped"] = "runs once, and ran on %s" % turn["runner"]
        result["results"] = {**result["results"], **turn["results"]}

    def run_one(
        self, spec: HookSpec, entry: dict, inputs: Inputs, arguments: dict, result: dict, task_vars: dict
    ) -> dict[str, Any]:
        """Runs one hook, adds what came of it to its entry and to the result, and returns its own results; raises where
        it failed."""
        if spec.on != "target" and inputs.masked:
            # The one case in which secrets that a host has made leave it.
            place = ask_host(self, inputs.manifest, place_of(self, task_vars), task_vars, reveal=True)
            inputs = read_inputs(arguments, place, arguments["target"], inputs.manifest)
        host = task_vars["inventory_hostname"]
        address = str(task_vars.get("ansible_host") or host)
        environment = hook_environment(spec, inputs, arguments, result["results"])
        environment.update(WINDFLOW_HOST=host, WINDFLOW_ADDRESS=address, WINDFLOW_CONNECTION=self._connection.transport)
        run = self.on_target if spec.on == "target" else on_controller
        outcome = run(spec, entry["path"], inputs, arguments, environment, host, task_vars)
        stdout = hook.lines_tail(outcome.stdout_tail)
        entry.update(rc=outcome.rc, seconds=outcome.seconds, stdout=stdout)
        self.tell(entry, outcome, host)
        hook.check(outcome, "%s (%s)" % (entry["path"], spec.event), host, spec.timeout, effect_of(spec.event))
        result["changed"] |= outcome.result.get("changed") is True
        own = {key: value for key, value in outcome.result.items() if key != "changed"}
        result["results"] = {**result["results"], **own}
        return own

    def tell(self, entry: dict, outcome: hook.HookResult, host: str) -> None:
        """Shows the operator the last lines of a hook that succeeded; those of another one are in its error."""
        said = [
            line for text in (outcome.stdout_tail, outcome.stderr_tail) for line in text.splitlines() if line.strip()
        ]
        if outcome.rc == 0 and not outcome.timed_out and said:
            head = "%s: hook %s (%s) on %s:" % (host, entry["path"], entry["event"], entry["on"])
            lines = ["  %s" % hook.printable(line) for line in said[-hook.TAIL_LINES :]]
            self._display.display("\n".join([head, *lines]))

    def on_target(
        self,
        spec: HookSpec,
        name: str,
        inputs: Inputs,
        arguments: dict,
        environment: dict,
        host: str,
        task_vars: dict,
    ) -> hook.HookResult:
        done = call(
            self,
            "hooks.hook_script",
            "windflow.platform.hook",
            {
                "plugin": inputs.manifest.name,
                "events": [spec.event],
                "old_version": arguments["old_version"],
                "new_version": arguments["new_version"],
                "user": "root" if spec.privileged else arguments["user"],
                "script": base64.b64encode(spec.path.read_bytes()).decode(),
                "script_name": name,
                "host": host,
                "timeout": spec.timeout,
                "environment": json.dumps(environment),
                "secrets": json.dumps(sorted(inputs.secret_values())),
                "made": json.dumps(inputs.made),
                "masked": json.dumps(inputs.masked),
            },
            task_vars,
        )
        if "hook" not in done:
            problems = [Problem(**problem) for problem in done.get("problems", [])]
            got = str(done.get("msg") or done.get("module_stderr") or "no answer")
            remedy = "run the task with -vvv and read its output"
            raise WindflowError(
                problems or Problem.plain("E3007", "%s gave no result of hook %s" % (host, name), got, remedy)
            )
        return hook.HookResult(**done["hook"])


def effect_of(event: str) -> str:
    """Returns what the failure of a hook means for the host."""
    if event == MIGRATE:
        return "The switch was not made: what served before still serves."
    return "The backend had not begun." if event.startswith("pre-") else "The backend had changed the host."


def on_controller(
    spec: HookSpec,
    name: str,
    inputs: Inputs,
    arguments: dict,
    environment: dict,
    host: str,
    task_vars: dict,
) -> hook.HookResult:
    call = hook.hook_argv(str(spec.path), spec.event, arguments["old_version"], arguments["new_version"])
    place, secrets = str(inputs.manifest.path), inputs.secret_values()
    environment = {**environment, "WINDFLOW_PLUGIN_DIR": place}
    stop = stopping.asked(host)
    done = hook.run_hook(call, environment, place, spec.timeout, None, secrets, name, host, stop)
    if done.rc:
        stopping.check(host, effect_of(spec.event))
    return done


def hook_environment(spec: HookSpec, inputs: Inputs, arguments: dict, results: dict[str, Any]) -> dict[str, str]:
    """Returns what a hook is told, but for the host: the declared variables, and ours, which they cannot replace."""
    earlier = json.dumps(results)
    if len(earlier.encode()) > RESULTS_BYTES:
        said = "the results of all hooks have more than %d bytes" % RESULTS_BYTES
        raise WindflowError(
            Problem.plain("E3006", said, "%d" % len(earlier.encode()), "write files and pass their paths")
        )
    return {
        **inputs.config.declared_environment(),
        "WINDFLOW_EVENT": spec.event,
        "WINDFLOW_PLUGIN": inputs.manifest.name,
        "WINDFLOW_PLUGIN_DIR": "",
        "WINDFLOW_VERSION": arguments["new_version"],
        "WINDFLOW_OLD_VERSION": arguments["old_version"],
        "WINDFLOW_RELEASE": arguments["release"],
        "WINDFLOW_RELEASE_DIR": arguments["release_dir"],
        "WINDFLOW_COMPOSE": arguments["compose"],
        "WINDFLOW_TARGET": arguments["target"],
        "WINDFLOW_ENGINE": arguments["engine"],
        "WINDFLOW_ENVIRONMENT": arguments["environment_name"],
        "WINDFLOW_URL": arguments["url"],
        "WINDFLOW_HOST_HEADER": host_header(inputs.config.get("app.allowed_hosts", [])),
        "WINDFLOW_RESULTS": earlier,
        "WINDFLOW_DEPENDENCIES": json.dumps({item.name: dict(item.values) for item in inputs.provided}),
    }
