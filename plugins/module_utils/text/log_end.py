# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a program's log, as an error shows it.

A server that starts an application ends with a traceback of its own where the application could not be imported. It is
longer than what is shown, and the reason stands before it. So tracebacks of Python are shortened where not all fits.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


SHOWN = 20
# How many lines to read, of which the last are shown.
READ = 200
_BEGIN = "Traceback (most recent call last):"
_CHAINED = ("During handling of the above exception", "The above exception was the direct cause")
# Frames of Python and of what is installed: an application's own say more.
_THEIRS = re.compile(r"/site-packages/|/dist-packages/|/lib/python3|<frozen ")


def log_end(lines: Sequence[str], shown: int = SHOWN) -> list[str]:
    """Returns the last lines. Of tracebacks it keeps two frames each, if more was written than is shown."""
    if len(lines) <= shown:
        return list(lines)
    found: list[str] = []
    frames: list[list[str]] | None = None
    for line in lines:
        if frames is not None and line.startswith("  "):
            if line.startswith("  File "):
                frames.append([line])
            elif frames and len(frames[-1]) == 1:
                frames[-1].append(line)
            continue
        found += _told(frames or [])
        frames = [] if line.startswith(_BEGIN) else None
        if line.strip() and not line.startswith(_CHAINED):
            found.append(line)
    found += _told(frames or [])
    return found[-shown:]


def _told(frames: list[list[str]]) -> list[str]:
    """The lines of the last frame, and before it those of the last one that is the application's own."""
    own = [frame for frame in frames[:-1] if not _THEIRS.search(frame[0])]
    return [line for frame in [*own[-1:], *frames[-1:]] for line in frame]
