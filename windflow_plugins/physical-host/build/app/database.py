# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Items in PostgreSQL, over a bounded number of connections."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg.rows import dict_row

# Any fixed number that no other user of the database takes.
SCHEMA_LOCK = 7_406_330_143
# Seconds that a request waits for a connection when all are in use.
WAIT = 5
TABLE = """
create table if not exists items (
    id bigint generated always as identity primary key,
    name text not null,
    has_note boolean not null default false,
    created timestamptz not null default now()
)
"""


class Database:
    """Connections that are kept open between requests and replaced when the server restarted."""

    def __init__(self, settings: dict, limit: int) -> None:
        self._parameters = {
            "host": settings.get("host", "localhost"),
            "port": settings.get("port", 5432),
            "dbname": settings["name"],
            "user": settings["user"],
            "password": settings["password"],
            "application_name": os.environ.get("WINDFLOW_PLUGIN", "items"),
            "connect_timeout": 3,
            # A server that vanished without a word is noticed after 10 s.
            "tcp_user_timeout": 10_000,
            "options": "-c statement_timeout=10s -c timezone=UTC",
        }
        self._idle: list[psycopg.Connection] = []
        self._free = threading.BoundedSemaphore(limit)

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """A working connection in autocommit mode. Raises ``psycopg.OperationalError``, also when
        none gets free in time."""
        if not self._free.acquire(timeout=WAIT):
            raise psycopg.OperationalError("all connections of this process are in use")
        try:
            connection = self._take() or self._connect()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            self._idle.append(connection)
        finally:
            self._free.release()

    def prepare(self) -> None:
        """Make the table if need be. Keeps no connection: two processes must never speak over an
        inherited one. Raises ``psycopg.Error``."""
        self._connect().close()

    def check(self) -> None:
        """Ask the server a question. Raises ``psycopg.Error``."""
        with self.connection() as connection:
            connection.execute("select 1")

    def add(self, name: str, note: bytes, store: Callable[[int, bytes], None]) -> dict:
        """Add an item; ``store`` puts its note, if there is one, in place before the item is committed."""
        with self.connection() as connection, connection.transaction():
            item = connection.execute(
                "insert into items (name, has_note) values (%s, %s) returning *", (name, bool(note))
            ).fetchone()
            if note:
                store(item["id"], note)
            return item

    def items(self, limit: int) -> list[dict]:
        """The newest ``limit`` items, oldest first."""
        with self.connection() as connection:
            rows = connection.execute("select * from items order by id desc limit %s", (limit,)).fetchall()
        return rows[::-1]

    def _take(self) -> psycopg.Connection | None:
        """An idle connection that still answers. The question costs one round trip, and in return
        no request meets a connection that died with the server."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            try:
                connection.execute("")
                return connection
            except psycopg.Error:
                connection.close()

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(**self._parameters, autocommit=True, row_factory=dict_row)
        try:
            # Asking first needs neither a lock nor the right to create tables.
            if connection.execute("select to_regclass('items') as found").fetchone()["found"] is None:
                with connection.transaction():
                    # "if not exists" alone fails where two processes create the table together.
                    connection.execute("select pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
                    connection.execute(TABLE)
        except BaseException:
            connection.close()
            raise
        return connection
