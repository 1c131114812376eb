# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shop and the database that it needs, on the host itself or in containers."""

from __future__ import annotations

import json

import pytest


class Shop:
    """What a verification asks of a host."""

    def __init__(self, app) -> None:
        self.app = app
        self.contained = app.current()["target"] == "compose" if app.record()["current"] else False

    def items(self) -> list[str]:
        """Names of what is stored, through the application."""
        status, body = self.app.request("/items")
        assert status == 200, body
        return [item["name"] for item in json.loads(body)]

    def database(self) -> dict:
        """The current revision of the plugin database."""
        record = json.loads(self.app.host.file("/var/lib/windflow/database/record.json").content_string)
        return next(item for item in record["revisions"] if item["revision"] == record["current"])

    def sql(self, query: str, database: str = "app") -> str:
        """The answer of the server to one query, unaligned."""
        inside = "docker exec windflow-database-db-1 psql -h /tmp -U postgres"
        program = inside if self.contained else "runuser -u postgres -- psql"
        return self.app.host.check_output(f"{program} -d %s -Atc %s", database, query)

    def backups(self) -> list[str]:
        """Labels of the shop's backups, the oldest first."""
        files = self.app.host.check_output("ls -tr /var/lib/windflow/shop/backups/database")
        return [name[: -len(".dump")] for name in files.split() if name.endswith(".dump")]


@pytest.fixture
def shop(app) -> Shop:
    return Shop(app)
