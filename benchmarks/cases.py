# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured. Each case makes its own hosts, returns its rows and is told in README.md."""

from __future__ import annotations

import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml
from fixture import Plugin
from hosts import Host
from process import BenchError, Used, run
from report import Row, median, ratio, spread, task_table
from tools import OUR_PLACE, PEER_PLACE, Floor, Pyinfra, Shell, Stage, Windflow, check_served

HERE = Path(__file__).resolve().parent
FILES = 300
MANY_FILES = 3000
FLEET = 10
RATE = 200  # requests per second
SETTLE = 2.0  # seconds that a machine gets to become quiet after its start


@dataclass
class Bench:
    """What the cases share."""

    scratch: Path
    quick: bool
    peaks: list[Used] = field(default_factory=list)  # of single-host runs of ours
    tables: list[str] = field(default_factory=list)
    made: int = 0

    def rounds(self, usual: int, quick: int) -> int:
        return quick if self.quick else usual

    def plugin(self, files: int = FILES) -> Plugin:
        self.made += 1
        return Plugin(self.scratch / f"plugin-{self.made}", files)

    def windflow(self, plugin: Plugin) -> Windflow:
        return Windflow(self.scratch, plugin)

    def stage(self, plugin: Plugin) -> Stage:
        stage = Stage(plugin, plugin.path.with_suffix(".stage"))
        stage.refresh()
        return stage


def interleave(rounds: int, *calls: Callable[[], Used]) -> list[list[Used]]:
    """Run the calls in turn, in reverse order every other round, so that none has the better place."""
    results: list[list[Used]] = [[] for _unused in calls]
    for number in range(rounds):
        order = list(enumerate(calls))
        for index, call in order if number % 2 == 0 else reversed(order):
            results[index].append(call())
    return results


def fresh(name: str, variant: str = "packages") -> Host:
    host = Host(name, variant)
    time.sleep(SETTLE)
    return host


def count_sessions(used: Used) -> int:
    """Commands that were sent to hosts, from output at -vvv."""
    return len(re.findall(r"SSH: EXEC (?!.* -O (?:check|stop|exit))", used.output))


def idle(bench: Bench) -> list[Row]:
    """Nothing to do: against Ansible's floor; one remote execution; drift is found."""
    plugin = bench.plugin()
    ours, floor = bench.windflow(plugin), Floor(bench.scratch)
    host = fresh("idle")
    bench.peaks.append(ours.deploy(host, 180))
    check_served(host, plugin, OUR_PLACE)

    changed = 0

    def nothing() -> Used:
        nonlocal changed
        used = ours.deploy(host, 60)
        changed += len(ours.changed)
        bench.peaks.append(used)
        return used

    interleave(1, nothing, lambda: floor.deploy(host, 60))
    quiet, least = interleave(bench.rounds(9, 5), nothing, lambda: floor.deploy(host, 60))
    bench.tables.append(task_table("nothing to do", ours.tasks))
    sessions = count_sessions(ours.deploy(host, 60, "-vvv"))
    memory = ours.deploy(host, 120, memory=True)

    # A time stamp is no change; a changed byte is.
    host.ssh(f"sudo touch {OUR_PLACE[0]}/{plugin.marker}")
    ours.deploy(host, 60)
    changed += len(ours.changed)
    host.ssh(f"echo drift | sudo tee -a {OUR_PLACE[0]}/{plugin.marker} >/dev/null")
    drift = ours.deploy(host, 120, "--check", "-v")
    found = bool(ours.changed) and str(plugin.marker) in drift.output
    ours.deploy(host, 180)
    check_served(host, plugin, OUR_PLACE)
    ours.deploy(host, 60)
    changed += len(ours.changed)
    host.down()
    return [
        ratio("nothing to do / Ansible's floor", 1.15, ("ours", quiet), ("floor", least)),
        Row("  commands sent to the host", sessions, 1, "", "over SSH, counted at -vvv"),
        Row("  tasks that changed something", changed, 0, "", "all no-op runs, one after a bare mtime change"),
        Row("  drift in the application not found", int(not found), 0, "", f"one byte more in {plugin.marker}"),
        *memory_rows(bench, memory),
    ]


def memory_rows(bench: Bench, sampled: Used) -> list[Row]:
    """The controller's memory, of all runs of this case."""
    peak = max(used.peak_mb for used in bench.peaks)
    detail = f"largest process; all processes together {sampled.sum_mb:.0f} MB (shared pages counted once)"
    return [Row("controller's peak memory, one host", peak, 110, "MB", detail)]


def change(bench: Bench) -> list[Row]:
    """One application file and one config value: against pyinfra, which only restarts."""
    plugin = bench.plugin()
    stage = bench.stage(plugin)
    ours, pyinfra = bench.windflow(plugin), Pyinfra(stage)
    mine, theirs = fresh("change-ours"), fresh("change-pyinfra")
    ours.deploy(mine, 180)
    pyinfra.deploy(theirs, 180)

    def deploy_ours() -> Used:
        used = ours.deploy(mine, 120)
        check_served(mine, plugin, OUR_PLACE)
        return used

    def deploy_theirs() -> Used:
        used = pyinfra.deploy(theirs, 120)
        check_served(theirs, plugin, PEER_PLACE)
        return used

    results: list[list[Used]] = [[], []]
    for number in range(bench.rounds(7, 3)):
        plugin.change()
        stage.refresh()
        calls = [(0, deploy_ours), (1, deploy_theirs)]
        for index, call in calls if number % 2 == 0 else reversed(calls):
            results[index].append(call())
    bench.tables.append(task_table("small change", ours.tasks))
    mine.down()
    theirs.down()
    return [ratio("small change / pyinfra", 0.65, ("ours", results[0]), ("pyinfra", results[1]))]


def _first_deploy(bench: Bench, variant: str, rounds: int, title: str, limit: float) -> list[Row]:
    plugin = bench.plugin()
    stage = bench.stage(plugin)
    ours, shell, pyinfra = bench.windflow(plugin), Shell(stage), Pyinfra(stage)

    def on_fresh_host(deploy: Callable[[Host, float], Used], name: str, place: tuple[str, str]) -> Used:
        host = fresh(f"{variant}-{name}", variant)
        used = deploy(host, 240)
        check_served(host, plugin, place)
        host.down()
        return used

    results = interleave(
        rounds,
        lambda: on_fresh_host(ours.deploy, "ours", OUR_PLACE),
        lambda: on_fresh_host(shell.deploy, "shell", PEER_PLACE),
    )
    bench.tables.append(task_table(title, ours.tasks))
    other = on_fresh_host(pyinfra.deploy, "pyinfra", PEER_PLACE)
    more = f"; pyinfra once {other.seconds:.2f} s"
    return [ratio(f"{title} / shell", limit, ("ours", results[0]), ("shell", results[1]), more)]


def cold(bench: Bench) -> list[Row]:
    """First deploy to a host that has the packages: against one shell script over one ssh."""
    return _first_deploy(bench, "packages", bench.rounds(5, 2), "cold, packages installed", 1.1)


def install(bench: Bench) -> list[Row]:
    """First deploy to a host without the packages: against the same script."""
    return _first_deploy(bench, "systemd", bench.rounds(5, 1), "cold, packages to install", 1.05)


def fleet(bench: Bench) -> list[Row]:
    """Ten hosts with nothing to do: the controller's CPU time for each host beyond the first."""
    plugin = bench.plugin()
    ours, floor = bench.windflow(plugin), Floor(bench.scratch)
    origin = fresh("fleet")
    ours.deploy(origin, 180)
    origin.snapshot()
    origin.down()
    hosts = [Host.of_snapshot(f"fleet-{number}") for number in range(FLEET)]
    time.sleep(SETTLE)
    changed = 0

    def nothing(these: list[Host]) -> Used:
        nonlocal changed
        used = ours.deploy(these, 180)
        changed += len(ours.changed)
        if {task["host"] for task in ours.tasks} < {host.name for host in these}:
            raise BenchError("not every host had a task")
        return used

    nothing(hosts)
    one, ten, ten_floor = interleave(
        bench.rounds(5, 3),
        lambda: nothing(hosts[:1]),
        lambda: nothing(hosts),
        lambda: floor.deploy(hosts, 120),
    )
    for host in hosts:
        host.down()
    cpu = [statistics.median(used.cpu for used in series) for series in (one, ten, ten_floor)]
    detail = (
        f"CPU {cpu[0]:.2f} s for 1 host, {cpu[1]:.2f} s for {FLEET} (floor {cpu[2]:.2f} s); "
        f"wall clock {spread(ten)}, {changed} changes"
    )
    each = (cpu[1] - cpu[0]) / (FLEET - 1)
    return [
        Row("ten hosts: CPU for each beyond the first", each, 0.3, "s", detail),
        Row("  tasks that changed something", changed, 0, "", "on ten hosts"),
    ]


def compose(bench: Bench) -> list[Row]:
    """In containers, nothing to do: against `docker compose up -d` over ssh and one `ansible -m ping`."""
    host = fresh("compose", "docker")
    plugin = Plugin(bench.scratch / "plugin-compose", FILES, host.load_base_image())
    ours, floor = bench.windflow(plugin), Floor(bench.scratch)
    first = ours.deploy(host, 600)
    if json.loads(host.get("/healthz"))["status"] != "ok":
        raise BenchError(f"{host.name}: the application is not well")
    release = "/opt/template/current"
    up = (
        "sudo docker compose --project-name windflow-template"
        f" --env-file $(readlink -f {release})/.env --file $(readlink -f {release})/app/compose/compose.yaml"
        f" --file $(readlink -f {release})/windflow.yaml up --detach --no-build"
    )
    changed = 0

    def nothing() -> Used:
        nonlocal changed
        used = ours.deploy(host, 60)
        changed += len(ours.changed)
        return used

    calls = (nothing, lambda: run(host.ssh_command(up), 60), lambda: floor.deploy(host, 60))
    interleave(1, *calls)
    quiet, plain, ping = interleave(bench.rounds(7, 3), *calls)
    peak = max(used.peak_mb for used in (first, *quiet))
    both = [replace(one, seconds=one.seconds + other.seconds) for one, other in zip(plain, ping, strict=True)]
    host.down()
    return [
        ratio("containers, nothing to do / up -d and ping", 1.2, ("ours", quiet), ("up -d and ping", both)),
        Row("  tasks that changed something", changed, 0, "", "all no-op runs"),
        Row("  controller's peak memory", peak, 250, "MB", "largest process, over the first deploy and the idle ones"),
    ]


def files(bench: Bench) -> list[Row]:
    """A release of 3,000 small files: the step that ships it against `tar | ssh tar` of the same tree."""
    plugin = bench.plugin(MANY_FILES)
    ours = bench.windflow(plugin)
    host = fresh("files")
    ours.deploy(host, 240)
    plain = shlex.join(host.ssh_command("d=/opt/peer; sudo rm -rf $d; sudo mkdir $d; sudo tar -xf - -C $d"))
    pipe = ["bash", "-o", "pipefail", "-c", f"tar -cf - -C {shlex.quote(str(plugin.app))} . | {plain}"]
    whole: list[Used] = []

    def ship() -> Used:
        plugin.change()
        used = ours.deploy(host, 240)
        whole.append(used)
        return Used(ours.seconds_of("release_stage"), used.cpu, used.peak_mb, 0.0, used.output, used.code)

    ours_series, tar = interleave(bench.rounds(5, 3), ship, lambda: run(pipe, 60))
    bench.tables.append(task_table(f"release of {MANY_FILES:,} files", ours.tasks))
    check_served(host, plugin, OUR_PLACE)
    idle_again = [ours.deploy(host, 60) for _unused in range(2)]
    changed = ours.changed
    host.down()
    if changed:
        raise BenchError(f"nothing to do, but these changed: {changed}")
    more = f"; whole deploy {median(whole):.2f} s, nothing to do {median(idle_again):.2f} s"
    return [ratio("release of 3,000 files / tar | ssh tar", 2.0, ("step", ours_series), ("tar", tar), more)]


def load(bench: Bench) -> list[Row]:
    """Upgrades under 200 requests per second."""
    plugin = bench.plugin()
    ours = bench.windflow(plugin)
    host = fresh("load")
    ours.deploy(host, 180)
    alone = _under_load(lambda: time.sleep(2), f"{host.url}/items")
    results = []
    for number in range(bench.rounds(5, 2)):
        plugin.change()
        manifest = plugin.path / "plugin.yml"
        values = yaml.safe_load(manifest.read_text(encoding="utf-8"))
        values["version"] = f"1.0.{number + 1}"
        manifest.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        results.append(_under_load(lambda: ours.deploy(host, 120), f"{host.url}/items"))
        check_served(host, plugin, OUR_PLACE)
    bench.tables.append(task_table("upgrade under load", ours.tasks))
    # More requests under way than nginx has connections for looks like this; then the machine was too slow.
    log = host.ssh("sudo cat /var/log/nginx/*error.log")
    crowded = log.count("worker_connections are not enough")
    host.down()
    sent = sum(result["requests"] for result in results)
    failed = sum(result["failed"] for result in results)
    errors = "; ".join(f"{text}: {count}" for result in results for text, count in result["errors"].items())
    if crowded:
        errors += f"; {crowded} times nginx had no connection left, because the machine was overloaded"
    gaps = ", ".join(f"{result['longest_gap']:.3f}" for result in results)
    late = max(result["latest_start"] for result in results)
    detail = f"{gaps} s; without an upgrade {alone['longest_gap']:.3f} s; the sender was up to {late:.3f} s late"
    return [
        Row("upgrade under 200 requests/s: failed", failed, 0, "", f"of {sent} in {len(results)} upgrades {errors}"),
        Row("  longest gap between answers", max(result["longest_gap"] for result in results), 0.1, "s", detail),
    ]


def _under_load(upgrade: Callable[[], object], url: str) -> dict:
    """What the sender saw during an upgrade, and one second before and after it."""
    command = [sys.executable, str(HERE / "load.py"), url, "--rate", str(RATE), "--seconds", "180"]
    if os.geteuid() == 0:
        # The sender stands for another machine: it must not wait for the CPU that the controller uses here.
        command = ["nice", "-n", "-10", *command]
    sender = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(1)
        upgrade()
        time.sleep(1)
        sender.terminate()
        output, _unused = sender.communicate(timeout=30)
    finally:
        sender.kill()
        sender.wait()
    return json.loads(output)


def parse(bench: Bench) -> list[Row]:
    """Parse, merge and validate 1,000 plugins in one process."""
    found = []
    for _unused in range(bench.rounds(3, 1)):
        text = run([sys.executable, str(HERE / "parse_plugins.py")], 120, accept=(0, 1)).output
        match = re.search(r"seconds\s+([\d.]+).*\n.*peak MB\s+([\d.]+)", text)
        if not match:
            raise BenchError(f"parse_plugins.py:\n{text[-2000:]}")
        found.append((float(match[1]), float(match[2])))
    seconds = [pair[0] for pair in found]
    detail = f"{min(seconds):.2f}–{max(seconds):.2f} s"
    return [
        Row("1,000 plugins: parse, merge, validate", statistics.median(seconds), 6, "s", detail),
        Row("  peak memory", max(pair[1] for pair in found), 200, "MB", ""),
    ]


CASES: dict[str, Callable[[Bench], list[Row]]] = {
    "idle": idle,
    "change": change,
    "cold": cold,
    "install": install,
    "fleet": fleet,
    "compose": compose,
    "files": files,
    "load": load,
    "parse": parse,
}
