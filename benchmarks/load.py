# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send requests at a fixed rate until told to stop, and say how they were answered.

    python benchmarks/load.py http://127.0.0.1:8080/items --rate 200

Requests start by the clock, whether or not earlier ones were answered, each on a connection of its own. Ends on
TERM, on INT or after ``--seconds``; then answers what is under way and prints one line of JSON: requests, failed,
errors, longest gap between two answers and longest answer in seconds, and how late requests were sent.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import itertools
import json
import signal
import sys
import time
from urllib.parse import urlsplit

LIMIT = 10.0  # seconds for one answer


class Load:
    """What was sent and what came back."""

    def __init__(self, host: str, port: int, path: str) -> None:
        self.host, self.port = host, port
        self.request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode()
        self.answered: list[float] = []
        self.durations: list[float] = []
        self.errors: collections.Counter[str] = collections.Counter()
        self.late = 0.0

    async def ask(self) -> None:
        """One request. Anything but a whole answer with status 200 is a failure."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(LIMIT):
                reader, writer = await asyncio.open_connection(self.host, self.port)
                try:
                    writer.write(self.request)
                    answer = await reader.read()
                finally:
                    writer.close()
                    with contextlib.suppress(OSError):
                        await writer.wait_closed()
            head, _unused, body = answer.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").splitlines() or ["no answer"]
            length = next(
                (int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:")), None
            )
            if " 200 " not in lines[0]:
                self.errors[lines[0]] += 1
            elif length is not None and length != len(body):
                self.errors["cut off"] += 1
            else:
                now = time.monotonic()
                self.answered.append(now)
                self.durations.append(now - started)
        except (OSError, TimeoutError, ValueError) as error:
            self.errors[f"{type(error).__name__}: {error}"] += 1

    async def send(self, rate: float, seconds: float) -> None:
        """Send until TERM or INT comes or ``seconds`` are over, then wait for the answers."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        started, count, tasks = time.monotonic(), 0, set()
        while not stop.is_set() and time.monotonic() - started < seconds:
            due = started + count / rate
            now = time.monotonic()
            if now < due:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), due - now)
                continue
            self.late = max(self.late, now - due)
            task = asyncio.create_task(self.ask())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            count += 1
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)

    def result(self) -> dict:
        """Counts, and times in seconds."""
        times = sorted(self.answered)
        return {
            "requests": len(times) + self.errors.total(),
            "failed": self.errors.total(),
            "errors": dict(self.errors.most_common(5)),
            "longest_gap": max((after - before for before, after in itertools.pairwise(times)), default=0.0),
            "longest_answer": max(self.durations, default=0.0),
            "latest_start": self.late,
        }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Requests at a fixed rate.")
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, default=200.0, help="requests per second")
    parser.add_argument("--seconds", type=float, default=300.0, help="at most this long")
    options = parser.parse_args(arguments)
    parts = urlsplit(options.url)
    load = Load(parts.hostname or "127.0.0.1", parts.port or 80, parts.path or "/")
    asyncio.run(load.send(options.rate, options.seconds))
    result = load.result()
    print(json.dumps(result))
    return 1 if result["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
