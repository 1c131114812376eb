# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A steady load on one address, as a process of its own: python load.py PORT RATE SECONDS HOST

Prints JSON: requests, failed (what went wrong, by kind), longest gap between two good answers in
seconds, by how much the load itself was late at most (a busy machine, and no fault of who answers),
and how many answers each release gave. Ends early when its standard input is closed.
"""

from __future__ import annotations

import asyncio
import collections
import json
import sys
import time


async def request(port: int, host: str, done: list, failed: collections.Counter, releases: collections.Counter) -> None:
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 10)
        writer.write(b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % host.encode())
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
    except (OSError, asyncio.TimeoutError) as error:
        failed[type(error).__name__] += 1
        return
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
    status = head.split(" ", 2)[1] if head.startswith("HTTP/") else "no answer"
    if status != "200":
        failed[status] += 1
        return
    done.append(time.monotonic())
    releases.update(
        line.partition(":")[2].strip() for line in head.split("\r\n") if line.startswith("X-Windflow-Release")
    )


async def main(port: int, rate: int, seconds: float, host: str) -> None:
    done: list[float] = []
    failed: collections.Counter = collections.Counter()
    releases: collections.Counter = collections.Counter()
    loop = asyncio.get_running_loop()
    closed = loop.run_in_executor(None, sys.stdin.read)
    started = time.monotonic()
    tasks = []
    late = 0.0
    while time.monotonic() - started < seconds and not closed.done():
        late = max(late, time.monotonic() - started - len(tasks) / rate)
        tasks.append(asyncio.create_task(request(port, host, done, failed, releases)))
        await asyncio.sleep(max(started + len(tasks) / rate - time.monotonic(), 0))
    await asyncio.gather(*tasks)
    done.sort()
    gap = max((later - earlier for earlier, later in zip(done, done[1:], strict=False)), default=seconds)
    print(
        json.dumps({"requests": len(tasks), "failed": failed, "gap": gap, "late": late, "releases": releases}),
        flush=True,
    )


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]))
