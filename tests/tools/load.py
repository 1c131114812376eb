# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A steady, bounded load on one URL: python tests/tools/load.py URL [--rate 200] [--seconds 60] [--until FILE]
[--least 0]

The loop is open: a request starts when its time has come, whether or not the ones before it were answered, each on
a connection of its own. It ends after ``--seconds``, or one second after FILE exists and ``--least``
requests have begun, so that what is quicker than expected still meets a load. Prints JSON: total, failed,
failures (by kind), failed_between (seconds since the start of the first and the last one), longest_gap (seconds
between two good answers) and releases (good answers of each release).
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import dataclasses
import json
import os
import sys
import time
from urllib.parse import urlsplit

TIMEOUT = 10.0  # seconds for one answer


@dataclasses.dataclass
class Result:
    """What was seen; times are ``time.monotonic()``."""

    total: int = 0
    answered: list[float] = dataclasses.field(default_factory=list)
    failures: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    releases: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    start: float = dataclasses.field(default_factory=time.monotonic)
    failed_at: list[float] = dataclasses.field(default_factory=list)

    def fail(self, kind: str) -> None:
        """Writes down that a request was not answered well."""
        self.failures[kind] += 1
        self.failed_at.append(round(time.monotonic() - self.start, 2))

    def summary(self) -> dict:
        """The result as JSON-ready data."""
        times = sorted(self.answered)
        gaps = [after - before for before, after in zip(times, times[1:], strict=False)]
        return {
            "total": self.total,
            "failed": sum(self.failures.values()),
            "failures": dict(self.failures),
            "failed_between": [min(self.failed_at), max(self.failed_at)] if self.failed_at else [],
            "longest_gap": round(max(gaps, default=0.0), 4),
            "releases": dict(self.releases),
        }


async def ask(host: str, port: int, message: bytes, result: Result) -> None:
    """Send one request and write down how it ended."""
    result.total += 1
    try:
        async with asyncio.timeout(TIMEOUT):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(message)
                answer = await reader.read(-1)
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        result.fail(type(error).__name__)
        return
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    status = head[0].split(" ")[1] if head[0].startswith("HTTP/1.") else "no answer"
    if status != "200":
        result.fail(status)
        return
    result.answered.append(time.monotonic())
    for line in head:
        name, separator, value = line.partition(":")
        if separator and name.lower() == "x-windflow-release":
            result.releases[value.strip()] += 1


async def load(url: str, rate: float, seconds: float, until: str, least: int) -> Result:
    """Ask ``url`` ``rate`` times a second for ``seconds``, or until a second after the file ``until`` exists and
    ``least`` requests have begun."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    path = parts.path or "/"
    message = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
    result = Result()
    tasks: set[asyncio.Task] = set()
    start = time.monotonic()
    end = start + seconds
    number = 0
    seen = False
    while time.monotonic() < end:
        task = asyncio.create_task(ask(host, port, message, result))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        number += 1
        if until and not seen and number % 20 == 0 and number >= least and os.path.exists(until):
            seen = True
            end = min(end, time.monotonic() + 1)
        await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
    if tasks:
        await asyncio.wait(tasks)
    return result


def main(arguments: list[str]) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="load.py", description="A steady, bounded load on one URL.")
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=60.0, help="bound of the whole run")
    parser.add_argument("--until", default="", help="end one second after this file exists")
    parser.add_argument("--least", type=int, default=0, help="requests that begin before the file ends the load")
    options = parser.parse_args(arguments)
    result = asyncio.run(load(options.url, options.rate, options.seconds, options.until, options.least))
    print(json.dumps(result.summary()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
