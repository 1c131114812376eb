# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands and their options."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from . import __version__
from .errors import explain as explain_code
from .outcome import INVALID
from .playbook import run

HELP = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(context_settings=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
plugin = typer.Typer(no_args_is_help=True, help="Deploy plugins, look after them, remove them.")
app.add_typer(plugin, name="plugin")

Name = Annotated[str, typer.Argument(help="A plugin's name, or its directory.")]
Passed = Annotated[list[str] | None, typer.Argument(metavar="[-- ARGS]...", help="Go to ansible-playbook as they are.")]
ConfigFiles = Annotated[
    list[str] | None, typer.Option("--config", "-c", metavar="FILE", help="Configuration file; the last one wins.")
]
Environment = Annotated[str | None, typer.Option("--env", metavar="NAME", help="Environment, for example production.")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One value, above everything else. No secrets.")
]
Inventory = Annotated[
    list[str] | None,
    typer.Option("--inventory", "-i", metavar="PATH", help="Hosts. Without it: host.connection, or this machine."),
]
Force = Annotated[bool, typer.Option("--force", help="A new release even if nothing differs.")]
Downgrade = Annotated[bool, typer.Option("--allow-downgrade", help="An older version than the deployed one.")]
LockWait = Annotated[int | None, typer.Option(min=0, metavar="SECONDS", help="Wait so long for another run's end.")]
Replicas = Annotated[
    int | None, typer.Option(min=1, help="Instances of the application. Without it, as many as there are, or one.")
]
Target = Annotated[
    Literal["compose", "host"] | None, typer.Option(help="Backend. Without it, the plugin's first that is possible.")
]
Engine = Annotated[Literal["compose", "swarm"] | None, typer.Option(help="Of the backend compose: swarm for a stack.")]
Check = Annotated[bool, typer.Option("--check", help="Say what would change. Exit code 2 if something would.")]
Diff = Annotated[bool, typer.Option("--diff", help="Show what changes, line by line.")]


def _inputs(name: str | None, config: list[str] | None, env: str | None, sets: list[str] | None) -> dict[str, Any]:
    """Returns the variables for a plugin and its configuration."""
    return {"plugin": name, "config": config, "environment_name": env, "sets": sets}


def _sets(sets: list[str] | None, debug: bool) -> list[str]:
    """Returns the values of --set, and what --debug stands for."""
    return [*(sets or ()), *(["app.debug=true"] if debug else ())]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo("windflow-platform %s" % __version__)
        raise typer.Exit()


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Windflow platform: takes plugins to hosts. Exit codes: 0 done, 2 pending (--check), 3 invalid input,
    4 preflight, 5 failed but what served before still serves, 6 failed and a person has to look, 7 locked,
    8 unreachable, 130 interrupted."""


@app.command()
def error(code: Annotated[str, typer.Argument(help="An error code, such as E1138.")]) -> None:
    """Say what an error code means, what was left unchanged, and what to do."""
    text, known = explain_code(code)
    typer.echo(text, err=not known)
    raise typer.Exit(0 if known else INVALID)


@plugin.command()
def deploy(
    name: Name,
    arguments: Passed = None,
    config: ConfigFiles = None,
    env: Environment = None,
    replicas: Replicas = None,
    debug: Annotated[bool, typer.Option("--debug", help="The same as --set app.debug=true.")] = False,
    target: Target = None,
    engine: Engine = None,
    sets: Sets = None,
    force: Force = False,
    allow_downgrade: Downgrade = False,
    rollback_on_failure: Annotated[
        bool | None, typer.Option(help="Whether a failure behind the switch brings back what served before.")
    ] = None,
    lock_wait: LockWait = None,
    plan_file: Annotated[
        str | None, typer.Option("--plan", metavar="FILE", help="A plan that was saved; anything else is refused.")
    ] = None,
    inventory: Inventory = None,
    check: Check = False,
    diff: Diff = False,
) -> None:
    """Bring hosts to what the plugin and its configuration say."""
    values = {
        "plugin": name,
        "config": config,
        "environment_name": env,
        "replicas": replicas,
        "target": target,
        "engine": engine,
        "sets": _sets(sets, debug),
        "force": force or None,
        "allow_downgrade": allow_downgrade or None,
        "lock_wait": lock_wait,
        "plan_file": plan_file,
        "rollback_on_failure": rollback_on_failure,
    }
    raise typer.Exit(run("deploy", values, inventory, check, diff, arguments))


@plugin.command()
def rollback(
    name: Name,
    arguments: Passed = None,
    revision: Annotated[
        int | None, typer.Option(min=1, help="A revision of the record. Without it, the last good one.")
    ] = None,
    config: ConfigFiles = None,
    env: Environment = None,
    sets: Sets = None,
    lock_wait: LockWait = None,
    inventory: Inventory = None,
    check: Check = False,
) -> None:
    """Go back to an earlier release that is still on the host. Data and database stay as they are."""
    values = {**_inputs(name, config, env, sets), "revision": revision, "lock_wait": lock_wait}
    raise typer.Exit(run("rollback", values, inventory, check, False, arguments))


@plugin.command()
def remove(
    name: Name,
    arguments: Passed = None,
    config: ConfigFiles = None,
    env: Environment = None,
    purge: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The plugin's name again: data, logs, database go, too."),
    ] = None,
    skip_hooks: Annotated[bool, typer.Option("--skip-hooks", help="For a plugin whose hooks fail.")] = False,
    lock_wait: LockWait = None,
    sets: Sets = None,
    inventory: Inventory = None,
    check: Check = False,
    diff: Diff = False,
) -> None:
    """Take an application away. Data, logs and database stay."""
    values = {
        "plugin": name,
        "config": config,
        "environment_name": env,
        "purge": purge,
        "skip_hooks": skip_hooks or None,
        "lock_wait": lock_wait,
        "sets": sets,
    }
    raise typer.Exit(run("remove", values, inventory, check, diff, arguments))


@plugin.command()
def plan(
    name: Name,
    arguments: Passed = None,
    config: ConfigFiles = None,
    env: Environment = None,
    replicas: Replicas = None,
    debug: Annotated[bool, typer.Option("--debug", help="The same as --set app.debug=true.")] = False,
    target: Target = None,
    engine: Engine = None,
    sets: Sets = None,
    force: Force = False,
    allow_downgrade: Downgrade = False,
    save: Annotated[str | None, typer.Option(metavar="FILE", help="Save it, for deploy --plan FILE.")] = None,
    inventory: Inventory = None,
) -> None:
    """Say what a deploy would do. Exit code 2 if anything."""
    values = {
        "plugin": name,
        "config": config,
        "environment_name": env,
        "replicas": replicas,
        "target": target,
        "engine": engine,
        "sets": _sets(sets, debug),
        "force": force or None,
        "allow_downgrade": allow_downgrade or None,
        "plan_file": save,
    }
    raise typer.Exit(run("plan", values, inventory, False, False, arguments, asks=True))


@plugin.command()
def validate(
    name: Name,
    arguments: Passed = None,
    config: ConfigFiles = None,
    env: Environment = None,
    sets: Sets = None,
    inventory: Inventory = None,
) -> None:
    """Say everything that is wrong with a plugin and its configuration. No host is asked."""
    raise typer.Exit(run("validate", _inputs(name, config, env, sets), inventory, False, False, arguments))


@plugin.command()
def explain(
    name: Name,
    key: Annotated[str, typer.Argument(help="A key of the configuration, in dots: server.workers.")],
    arguments: Passed = None,
    config: ConfigFiles = None,
    env: Environment = None,
    sets: Sets = None,
    inventory: Inventory = None,
) -> None:
    """Say where a value comes from, and what other layers say. No host is asked."""
    values = {**_inputs(name, config, env, sets), "key": key}
    raise typer.Exit(run("explain", values, inventory, False, False, arguments))


@plugin.command()
def status(
    name: Annotated[str | None, typer.Argument(help="A plugin's name. Without it, every plugin of the hosts.")] = None,
    arguments: Passed = None,
    config: ConfigFiles = None,
    env: Environment = None,
    sets: Sets = None,
    inventory: Inventory = None,
) -> None:
    """Say what is deployed, how the last action ended, and who is at work."""
    if name and name.startswith("-"):
        # The first word after "--".
        name, arguments = None, [name, *(arguments or ())]
    raise typer.Exit(run("status", _inputs(name, config, env, sets), inventory, False, False, arguments))


@plugin.command()
def history(
    name: Name,
    arguments: Passed = None,
    config: ConfigFiles = None,
    env: Environment = None,
    sets: Sets = None,
    inventory: Inventory = None,
) -> None:
    """List every revision that the hosts remember."""
    raise typer.Exit(run("history", _inputs(name, config, env, sets), inventory, False, False, arguments))


@plugin.command()
def drift(
    name: Name,
    arguments: Passed = None,
    config: ConfigFiles = None,
    env: Environment = None,
    sets: Sets = None,
    inventory: Inventory = None,
) -> None:
    """Name everything that differs from what the last good run left. Exit code 2 if anything; a deploy repairs it."""
    raise typer.Exit(run("drift", _inputs(name, config, env, sets), inventory, False, False, arguments, asks=True))


@plugin.command()
def unlock(
    name: Name,
    arguments: Passed = None,
    config: ConfigFiles = None,
    env: Environment = None,
    sets: Sets = None,
    inventory: Inventory = None,
) -> None:
    """Take the lease away from a run that is dead for certain."""
    raise typer.Exit(run("unlock", _inputs(name, config, env, sets), inventory, False, False, arguments))


@plugin.command()
def backup(
    name: Name,
    arguments: Passed = None,
    label: Annotated[
        str | None, typer.Option(help="Name of the backup, which must be a new one. Without it, the time.")
    ] = None,
    config: ConfigFiles = None,
    env: Environment = None,
    sets: Sets = None,
    list_only: Annotated[
        bool, typer.Option("--list", help="List the backups that are there, with age, size and release.")
    ] = False,
    inventory: Inventory = None,
    check: Check = False,
) -> None:
    """Back up the plugin's database, where it is on the host, and read the backup back."""
    values = {**_inputs(name, config, env, sets), "label": label, "list_only": list_only or None}
    raise typer.Exit(run("backup", values, inventory, check, False, arguments))


@plugin.command()
def restore(
    name: Name,
    arguments: Passed = None,
    backup_label: Annotated[
        str | None,
        typer.Option("--backup", metavar="LABEL", help="Without it, that of when the release that serves was well."),
    ] = None,
    config: ConfigFiles = None,
    env: Environment = None,
    sets: Sets = None,
    lock_wait: LockWait = None,
    inventory: Inventory = None,
    check: Check = False,
) -> None:
    """Put a backup in the place of the plugin's database. What was written since is kept under another name.

    Of several hosts those that are meant have to be named: platform plugin restore NAME -- -e windflow_hosts=HOST"""
    values = {**_inputs(name, config, env, sets), "backup": backup_label, "lock_wait": lock_wait}
    raise typer.Exit(run("restore", values, inventory, check, False, arguments))
