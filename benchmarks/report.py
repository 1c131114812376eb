# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measured values beside their bars."""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass

from process import Used

NOISY = 0.4  # spread of a series, as a part of its median


@dataclass(frozen=True)
class Row:
    """One bar: it is kept if ``value`` is at most ``limit``."""

    name: str
    value: float
    limit: float
    unit: str
    detail: str

    @property
    def kept(self) -> bool:
        return self.value <= self.limit

    def __str__(self) -> str:
        number = f"{self.value:.2f}" if self.unit else f"{self.value:.0f}"
        limit = f"{self.limit:g}"
        verdict = "ok" if self.kept else "MISSED"
        return f"{self.name:<44} {number:>8} {limit:>6} {self.unit:<5} {verdict:<7} {self.detail}"


def median(series: list[Used]) -> float:
    """Median of the wall clock, in seconds."""
    return statistics.median(used.seconds for used in series)


def spread(series: list[Used]) -> str:
    """Median and range of the wall clock, marked where it says little."""
    times = [used.seconds for used in series]
    low, high = min(times), max(times)
    noisy = ", noisy" if high - low > NOISY * statistics.median(times) else ""
    return f"{statistics.median(times):.2f} s ({low:.2f}–{high:.2f}{noisy})"


def ratio(name: str, limit: float, ours: tuple[str, list[Used]], peer: tuple[str, list[Used]], more: str = "") -> Row:
    """Our median as a multiple of the peer's."""
    detail = f"{ours[0]} {spread(ours[1])}, {peer[0]} {spread(peer[1])}{more}"
    return Row(name, median(ours[1]) / median(peer[1]), limit, "times", detail)


def machine() -> str:
    """What this machine is and how busy it is."""
    with open("/proc/meminfo", encoding="ascii") as stream:
        memory = int(stream.readline().split()[1]) // 2**20
    one, five, _unused = os.getloadavg()
    text = f"{os.cpu_count()} CPUs, {memory} GiB, Linux {os.uname().release}, load {one:.2f} (1 min) {five:.2f} (5 min)"
    if one > 0.5 * (os.cpu_count() or 1):
        text += "\nThe machine is busy with other work: times and ratios are for orientation only."
    return text


def task_table(title: str, tasks: list[dict]) -> str:
    """Where a run's time went."""
    lines = [f"{title}: {sum(task['seconds'] for task in tasks):.2f} s in {len(tasks)} tasks"]
    for task in tasks:
        mark = "*" if task["changed"] else " "
        lines.append(f"  {task['seconds']:6.2f} {mark} {task['action'].rpartition('.')[2]:<16} {task['task']}")
    return "\n".join(lines)
