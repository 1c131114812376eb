# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP GET over a unix socket or TCP, and waiting until a service is healthy.

The request is written by hand: a deadline then covers the whole answer, however slowly it comes.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

REQUEST_SECONDS = 5.0
ANSWER_BYTES = 65536
BODY_CHARACTERS = 500
FIRST_DELAY, LAST_DELAY = 0.05, 1.0
# A socket that is not there yet costs next to nothing to look at.
CONNECT_DELAY, CONNECT_PATIENCE = 0.02, 5.0


@dataclass(frozen=True)
class Answer:
    """Status 0 means that there was none; ``error`` then says why. ``headers`` has names in lower case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    error: str = ""
    connected: bool = False

    def __str__(self) -> str:
        if self.error:
            return self.error
        return "status %d, body %r" % (self.status, self.body[:BODY_CHARACTERS])


@dataclass(frozen=True)
class Health:
    """How waiting ended. ``target`` and ``answer`` are the last that was asked; ``stopped`` is why it ended early."""

    healthy: bool
    target: str | tuple[str, int] = ""
    answer: Answer = Answer()
    stopped: str = ""
    seconds: float = 0.0


def get(target: str | tuple[str, int], path: str, host: str = "localhost", seconds: float = REQUEST_SECONDS) -> Answer:
    """One GET. ``target`` is the path of a socket or (address, port). Never raises for what the peer does."""
    deadline = time.monotonic() + seconds
    family = socket.AF_UNIX if isinstance(target, str) else socket.AF_INET6 if ":" in target[0] else socket.AF_INET
    request = "GET %s HTTP/1.0\r\nHost: %s\r\nUser-Agent: windflow-probe\r\nConnection: close\r\n\r\n" % (path, host)
    received = b""
    connected = False
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(seconds)
            connection.connect(target)
            connected = True
            connection.sendall(request.encode("utf-8"))
            while len(received) < ANSWER_BYTES and not complete(received):
                connection.settimeout(max(deadline - time.monotonic(), 0.001))
                chunk = connection.recv(16384)
                if not chunk:
                    break
                received += chunk
    except socket.timeout:
        if not received:
            return Answer(error="no answer within %.1f s" % seconds, connected=connected)
    except OSError as error:
        if not received:
            return Answer(error=(error.strerror or str(error)).lower(), connected=connected)
    return parse(received)


def complete(received: bytes) -> bool:
    """Returns whether the answer is all there, as far as its length says so."""
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return False
    for line in head.split(b"\r\n")[1:]:
        name, _colon, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return len(body) >= int(value)
    return False


def parse(received: bytes) -> Answer:
    head, _separator, body = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(None, 2)
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
        error = "no HTTP answer: %r" % received[:80] if received else "the connection was closed without an answer"
        return Answer(error=error, connected=True)
    headers = {}
    for line in lines[1:]:
        name, _colon, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    text = body.decode("utf-8", "replace")[: BODY_CHARACTERS * 4]
    return Answer(int(words[1]), headers, text, connected=True)


def wait_healthy(
    targets: Sequence[str | tuple[str, int]],
    path: str,
    host: str = "localhost",
    expect: int = 200,
    limit: float = 30.0,
    stop: Callable[[], str] | None = None,
    accept: Callable[[Answer], bool] | None = None,
) -> Health:
    """Asks each target until it answers ``expect``, for ``limit`` seconds in all.

    ``stop()`` is called between two attempts; text that it returns ends the waiting. ``accept(answer)``
    decides instead of ``expect`` where it is given.
    """
    accept = accept or (lambda answer: answer.status == expect)
    started = time.monotonic()
    target: str | tuple[str, int] = ""
    answer = Answer()
    for target in targets:
        delay = FIRST_DELAY
        while True:
            left = started + limit - time.monotonic()
            answer = get(target, path, host, max(min(left, REQUEST_SECONDS), 0.05))
            if accept(answer):
                break
            passed = time.monotonic() - started
            reason = stop() if stop else ""
            if reason or passed >= limit:
                return Health(False, target, answer, reason, passed)
            if not answer.connected and passed < CONNECT_PATIENCE:
                time.sleep(CONNECT_DELAY)
                continue
            time.sleep(max(min(delay, limit - passed), 0))
            delay = min(delay * 1.5, LAST_DELAY)
    return Health(True, target, answer, "", time.monotonic() - started)
