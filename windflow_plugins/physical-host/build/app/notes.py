# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text files that belong to items, one for each, in the data directory."""

from __future__ import annotations

import os
from pathlib import Path


class Notes:
    def __init__(self, data_dir: str) -> None:
        self._directory = Path(data_dir) / "notes"

    def problem(self) -> str:
        """Why notes cannot be stored, or an empty string."""
        try:
            self._directory.mkdir(mode=0o750, exist_ok=True)
        except OSError as error:
            return "The directory for notes cannot be made: %s." % error.strerror
        return "" if os.access(self._directory, os.W_OK | os.X_OK) else "The directory for notes is not writable."

    def write(self, item: int, text: bytes) -> None:
        """Whole or not at all, also when the power fails. Raises ``OSError``."""
        self._directory.mkdir(mode=0o750, exist_ok=True)
        # The number comes from the database and is used once, so the temporary name is this process's own.
        draft = self._directory / (".%d.new" % item)
        try:
            with open(draft, "wb") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            draft.rename(self._path(item))
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def path(self, item: int) -> Path | None:
        found = self._path(item)
        return found if found.is_file() else None

    def _path(self, item: int) -> Path:
        return self._directory / ("%d.txt" % item)
