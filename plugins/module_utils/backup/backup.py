# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups of one application's database, and the way back. Nothing live goes before a backup was read back.

Whatever a run that was killed has left is found and removed by the next one: files by their names, under the
directory's lock; databases by their names, by CONNECTION LIMIT 0, which they have from their first moment until they
are the live one, and by an advisory lock that the run's own session holds as long as the run lives; sessions by their
application_name.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import time

from ..database import access, copying, logins, postgres
from ..database.programs import Server, Session
from ..errors import Problem, WindflowError
from ..files import atomic
from ..system import processes
from ..text.quoting import quote_identifier, quote_literal
from . import filling
from .bounds import Bounds
from .store import FORMAT, LABEL, Store, digest, directory_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


ARGUMENTS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "label": {"type": "str", "required": True},
    "plugin": {"type": "str"},
    "directory": {"type": "path"},
    "state": {"type": "str", "choices": ["present", "restored", "absent"], "default": "present"},
    "port": {"type": "int", "default": 5432},
    "socket_dir": {"type": "str"},
    "container": {"type": "str"},
    "verify": {"type": "str", "choices": ["restore", "list"], "default": "restore"},
    "keep": {"type": "int", "default": 5},
    "spare": {"type": "list", "elements": "str", "default": []},
    "skip_empty": {"type": "bool", "default": False},
    "drop_replaced": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 3600},
}
# How the options depend on each other.
RULES: dict[str, Any] = {
    "required_one_of": [("plugin", "directory")],
    "mutually_exclusive": [("plugin", "directory")],
}
RESERVED = ("postgres", "template0", "template1")
NOTHING = "Nothing was changed."


def run(params: dict[str, Any]) -> dict[str, Any]:
    """The answer of M(windflow.platform.database_backup) to its options. Raises WindflowError."""
    directory = params["directory"] or directory_of(params["plugin"])
    result = bring({**params, "directory": directory}, params["check"])
    warnings = [
        "The backup %s: %s" % (word, ", ".join(result[found]))
        for word, found in (("does not hold", "left_out"), ("gives to the database's owner", "taken_over"))
        if result[found]
    ]
    return {**result, "warnings": warnings}


def bring(params: dict[str, Any], check: bool) -> dict[str, Any]:
    """Returns the result. Raises WindflowError E4090 to E4099, E4046 for what the file system refuses."""
    begun = time.monotonic()
    check_options(params)
    job = Job(params, check)
    try:
        with job.bounds, job.store.locked(make=params["state"] == "present" and not check):
            job.clean_files()
            {"present": job.present, "restored": job.restored, "absent": job.absent}[params["state"]]()
    except WindflowError as error:
        raise WindflowError(list(error.problems), job.outcome()) from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        found = _no_space(params["directory"], "the backup", error.strerror or "") if full else atomic.problem(error)
        raise WindflowError(found, job.outcome()) from error
    job.result["seconds"] = round(time.monotonic() - begun, 1)
    return job.result


def check_options(params: dict[str, Any]) -> None:
    """Raises WindflowError (E4099, E4050) for options that cannot be."""
    quote_identifier(params["name"])
    found = []
    if params["name"] in RESERVED or any(ord(char) < 32 or ord(char) == 127 for char in params["name"]):
        found.append(("name", "a database of the application's own", ascii(params["name"])))
    if not re.fullmatch(LABEL, params["label"]):
        found.append(("label", "1 to 128 letters, digits, dots, underscores and hyphens", ascii(params["label"])))
    container = params["container"] or ""
    if container and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", container):
        found.append(("container", "a container's name or id", ascii(container)))
    if not os.path.isabs(params["directory"]):
        found.append(("directory", "an absolute path", ascii(params["directory"])))
    for key, least in (("keep", 0), ("timeout", 1)):
        if params[key] < least:
            found.append((key, "at least %d" % least, str(params[key])))
    if found:
        remedy = "correct the option"
        raise WindflowError([Problem("E4099", want, got, remedy, path=path) for path, want, got in found])


class Job:
    """One call of the module."""

    def __init__(self, params: dict[str, Any], check: bool) -> None:
        self.name, self.label, self.directory = params["name"], params["label"], params["directory"]
        self.store = Store(self.directory, self.name)
        self.params, self.check = params, check
        self.bounds = Bounds(params["timeout"])
        # What was done, for an error; empty as long as nothing was.
        self.done = ""
        identity = hashlib.sha256(("%s\0%s" % (self.directory, self.name)).encode("utf-8")).hexdigest()[:16]
        self.server = Server(
            params["port"], params["socket_dir"] or "", params["container"] or "", "windflow-backup-" + identity
        )
        # What a login goes over, once one was let in.
        self.host: str | None = None
        self.dump = self.store.path(self.label, ".dump")
        self.result: dict[str, Any] = {
            "changed": False,
            "path": self.dump,
            "sha256": "",
            "size": 0,
            "tables": 0,
            "rows": 0,
            "verified": "",
            "time": "",
            "made": False,
            "replaced": "",
            "pruned": [],
            "cleaned": [],
            "left_out": [],
            "taken_over": [],
        }

    def outcome(self) -> str:
        """Returns what an error says of what was changed."""
        if self.done:
            return self.done
        if self.result["cleaned"] and not self.check:
            return "What a killed run left was removed. Nothing else was changed."
        return "Nothing live was changed." if self.params["state"] == "restored" else NOTHING

    def clean_files(self) -> None:
        """Removes what runs that were killed have left in the directory."""
        left = self.store.leftovers()
        for name in left:
            if not self.check:
                os.unlink(os.path.join(self.directory, name))
        self.result["cleaned"] += left
        self.result["changed"] |= bool(left)

    def prune(self) -> None:
        """Deletes the oldest backups of this database, so that ``keep`` are left; never our own or one to be spared."""
        others = [label for label in self.store.backups() if label != self.label]
        if self.params["keep"]:
            deletable = [label for label in others if label not in self.params["spare"]]
            self.result["pruned"] = deletable[: max(0, len(others) + 1 - self.params["keep"])]
        for label in self.result["pruned"]:
            if not self.check:
                self.store.delete(label)
                self.done = "The backup exists; some of the old ones were deleted."
        self.result["changed"] |= bool(self.result["pruned"])

    def describe(self, record: dict[str, Any]) -> None:
        rows = record["rows"]
        self.result.update({key: record[key] for key in ("sha256", "size", "verified", "time")})
        self.result.update(tables=len(rows), rows=sum(rows.values()))

    def difference(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        self.result["diff"] = {"before": before, "after": after}

    # The three states.

    def absent(self) -> None:
        record = self.store.read(self.label)
        if record and record["database"] != self.name:
            raise self.store.foreign(self.label, record)
        before = self.store.backups()
        self.result["changed"] |= self.store.exists(self.label)
        if not self.check:
            self.store.delete(self.label)
        self.difference({"backups": before}, {"backups": [label for label in before if label != self.label]})

    def present(self) -> None:
        before = self.store.backups()
        if os.path.lexists(self.dump):
            record = self.store.intact(self.label)
            if self.params["verify"] == "restore" and record["verified"] != "restore":
                self.verify_later(record)
            self.describe(record)
        elif self.params["skip_empty"] and self.empty():
            self.result["path"] = ""
            self.difference({"backups": before}, {"backups": before})
            return
        else:
            self.make()
        self.prune()
        after = [label for label in before if label not in self.result["pruned"] + [self.label]] + [self.label]
        self.difference({"backups": before}, {"backups": before if not self.result["changed"] else after})

    def make(self) -> None:
        facts = self.ask(needed=True)
        size = facts["database"]["bytes"]
        self.need_space(self.directory, size)
        if self.params["verify"] == "restore":
            self.need_data_space(facts, size)
        self.result.update(changed=True, made=True)
        if self.check:
            return
        facts = self.clean_databases(facts)
        partial = self.dump + ".partial"
        try:
            record = self.write_dump(partial, facts)
            self.verify(partial, record, facts)
            # From the rename on there is a backup; until then the JSON file is a leftover.
            self.store.write(self.label, record)
            os.rename(partial, self.dump)
            self.done = "The backup was made and verified."
        except BaseException:
            with self.bounds.shield():
                self.end_sessions()
                atomic.remove(partial)
                if not os.path.lexists(self.dump):
                    self.store.delete(self.label)
            raise
        self.describe(record)
        self.store.settle()

    def write_dump(self, partial: str, facts: dict[str, Any]) -> dict[str, Any]:
        """Returns the dump, and what is known of it. One snapshot serves for the rows that are counted and those
        dumped."""
        moment = time.time()
        with self.reader(facts) as server, Session(server, self.name) as session:
            snapshot = session.ask(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\nSELECT json_build_array(pg_export_snapshot());"
            )[0][0]
            rows, large_objects = copying.counted(session.ask(copying.COUNTS))
            extensions = session.ask(filling.EXTENSIONS)
            with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as stream:
                os.fchmod(stream.fileno(), 0o600)
                # By itself it would take the client's encoding, and a database in SQL_ASCII could not be restored.
                options = ["--format=custom", "--snapshot=" + snapshot, "--encoding=" + facts["database"]["encoding"]]
                found, size = server.drain("pg_dump", [*options, *server.connection(self.name)], stream)
                stream.flush()
                os.fsync(stream.fileno())
                # What is read back comes from the disk and not from memory.
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return {
            "format": FORMAT,
            "database": self.name,
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + ".%06dZ" % (moment % 1 * 1e6),
            "version": facts["version"],
            "bytes": facts["database"]["bytes"],
            "size": size,
            "sha256": found,
            "rows": rows,
            "large_objects": large_objects,
            "extensions": extensions,
            **copying.properties(facts["database"]),
        }

    def verify(self, path: str, record: dict[str, Any], facts: dict[str, Any]) -> None:
        """Reads a dump back and notes in ``record`` how. Raises WindflowError (E4094, E4095, E4097)."""
        listing = self.server.listing(path)
        if self.params["verify"] == "restore":
            with self.scratch(copying.SCRATCH, record, facts) as (scratch, server):
                self.fill(scratch, path, record, server, listing)
        elif digest(path) != record["sha256"]:
            raise self.changed_on_disk()
        self.result["left_out"] = filling.left_out(listing)
        record["verified"] = self.params["verify"]

    def verify_later(self, record: dict[str, Any]) -> None:
        """A backup that was only listed is restored for a proof."""
        facts = self.ask(needed=False)
        self.need_data_space(facts, record["bytes"])
        self.result["changed"] = True
        if not self.check:
            facts = self.clean_databases(facts)
            self.verify(self.dump, record, facts)
            self.store.write(self.label, record)

    def restored(self) -> None:
        record = self.store.intact(self.label)
        self.describe(record)
        facts = self.ask(needed=False)
        self.need_data_space(facts, record["bytes"])
        listing = self.server.listing(self.dump)
        self.result["left_out"] = filling.left_out(listing)
        self.result["changed"] = True
        live = facts["database"]
        if live:
            self.result["replaced"] = copying.replaced_name(self.name, [name for name, _limit in facts["databases"]])
        self.difference(
            {self.name: "as it is now" if live else "absent"},
            {self.name: "backup %s of %s" % (self.label, record["time"])},
        )
        if live and not self.params["drop_replaced"]:
            self.result["diff"]["after"][self.result["replaced"]] = "as it is now"
        if self.check:
            self.forget_replaced()
            return
        facts = self.clean_databases(facts)
        live = facts["database"]
        wanted = copying.properties(live) if live else record
        with self.scratch(copying.restore_prefix(self.name), wanted, facts, record) as (scratch, server):
            self.fill(scratch, self.dump, record, server, listing)
            # Without statistics the first queries would be slow ones.
            server.sql("ANALYZE;\n", scratch)
            self.settle(scratch, server, wanted, listing, facts)
            self.server.sql("\n".join(copying.privileges(scratch, wanted)) + "\n")
            self.swap(scratch, live, wanted["connection_limit"])
        if live and self.params["drop_replaced"]:
            self.drop(self.result["replaced"])
        self.forget_replaced()

    def forget_replaced(self) -> None:
        if self.params["drop_replaced"]:
            self.result["replaced"] = ""

    # What is in the server.

    def facts(self) -> dict[str, Any]:
        """Returns what the server is and has. Raises WindflowError."""
        return json.loads(self.server.sql(copying.FACTS.format(name=quote_literal(self.name))))

    def empty(self) -> bool:
        """Returns whether there is no such database, or nothing was ever made in it. Raises WindflowError."""
        try:
            there = self.facts()["database"]
        except WindflowError as error:
            # What is not there yet will be made by what comes before this in a real run, and be empty.
            if self.check and error.code in ("E4090", "E4092"):
                return True
            raise
        if not there:
            return True
        with self.reader(self.facts()) as server:
            return server.sql(copying.EMPTY, self.name).strip() == "t"

    def ask(self, needed: bool) -> dict[str, Any]:
        """Returns what the server is and has, once it is certain that its programs are there. Raises WindflowError."""
        facts = self.facts()
        self.server = dataclasses.replace(self.server, major=facts["number"] // 10000)
        if needed and not facts["database"]:
            remedy = "name a database that exists"
            raise WindflowError(Problem.plain("E4091", "there is no database %s" % self.name, "", remedy))
        for program in ("pg_dump", "pg_restore"):
            self.server.check_program(program)
        return facts

    def need_space(self, path: str, size: int) -> None:
        while not os.path.isdir(path):
            path = os.path.dirname(path)
        free = shutil.disk_usage(path).free
        if free < size:
            raise WindflowError(
                _no_space(path, "%d bytes, the size of the database" % size, "%d bytes are free" % free)
            )

    def need_data_space(self, facts: dict[str, Any], size: int) -> None:
        path = facts["data_directory"]
        if not self.server.container:
            self.need_space(path, size)
            return
        code, out, _err = self.server.run("df", ["-Pk", path])
        fields = out.splitlines()[-1].split() if code == 0 and out.strip() else []
        # An image may be without df; then the restore itself finds out.
        if len(fields) > 3 and fields[3].isdigit() and int(fields[3]) * 1024 < size:
            place = "%s %s" % (path, self.server.place())
            expected = "%d KiB, the size of the database" % (size // 1024)
            raise WindflowError(_no_space(place, expected, fields[3] + " KiB are free"))

    def end_sessions(self, session: Session | None = None) -> None:
        """Ends what a client that is gone has left running in a container, but not ``session``, which asks for it."""
        condition = "application_name = %s AND pid <> pg_backend_pid()" % quote_literal(self.server.application)
        sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE %s;\n" % condition
        with contextlib.suppress(WindflowError):
            (session.ask if session else self.server.sql)(sql)

    def clean_databases(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Drops what runs that were killed have left in the server. Returns what the server has now."""
        self.end_sessions()
        left = copying.leftovers(self.name, facts["databases"])
        for name in [*left, *facts["logins"]]:
            with Session(self.server) as session:
                # The lock is held by the run that made it. Whoever gets it knows that this run is dead.
                if session.ask("SELECT json_build_array(pg_try_advisory_lock(%s));" % copying.lock_keys(name)) == [
                    [True]
                ]:
                    if name in left:
                        self.drop(name)
                        self.result["cleaned"].append(name)
                    else:
                        self.drop_login(name)
        return self.facts() if left or facts["logins"] else facts

    def drop_login(self, name: str) -> None:
        """Drops a login; one that owns a database is left to who drops that. Raises WindflowError."""
        owned = "SELECT count(*) FROM pg_database JOIN pg_roles r ON r.oid = datdba WHERE rolname = %s;\n"
        if self.server.sql(owned % quote_literal(name)).strip() == "0":
            self.change_access(lambda text: access.without_login(text, name))
            self.server.sql(logins.drop_worker(name))

    def change_access(self, edit: Callable[[str], str]) -> None:
        """Edits pg_hba.conf, where it has lines of windflow's for the database: they are there because the host's own
        let nobody in by a password. Raises WindflowError (E4089)."""
        if self.server.container:
            return
        file = self.server.sql(access.FILE_SQL).strip()
        if access.has_lines(file, self.name):
            postgres.change_access(file, edit, self.server.port, self.server.socket_dir)

    @contextlib.contextmanager
    def login(self, digits: str, grants: list[str], database: str = "") -> Iterator[Server]:
        """The server as a login of its own sees it, which is gone afterwards. Raises WindflowError."""
        login = logins.new(logins.WORKER, digits)
        try:
            self.server.sql(logins.make_worker(login, grants))
            self.change_access(lambda text: access.with_login(text, login.name))
            server = dataclasses.replace(self.server, login=login, host=self.host or "")
            yield self.entered(server, database) if database else server
        except BaseException:
            with self.bounds.shield(), contextlib.suppress(WindflowError):
                self.drop_login(login.name)
            raise
        with self.bounds.shield():
            self.drop_login(login.name)

    def entered(self, server: Server, database: str) -> Server:
        """Returns the server by a way that lets its login in. Raises WindflowError (E4067)."""
        for host in (logins.HOSTS, "") if self.host is None else (self.host,):
            server = dataclasses.replace(server, host=host)
            try:
                server.sql("SELECT 1;\n", database)
            except WindflowError as error:
                if error.code != "E4067":
                    raise
                refused = error
            else:
                self.host = host
                return server
        raise refused

    @contextlib.contextmanager
    def reader(self, facts: dict[str, Any]) -> Iterator[Server]:
        """The server as one sees it who may read everything in the database, and nothing else."""
        name = quote_identifier(self.name)
        grants = ["GRANT CONNECT ON DATABASE %s TO %%s;" % name.replace("%", "%%")]
        if facts["number"] >= 140000:
            grants.append("GRANT pg_read_all_data TO %s;")
        else:
            grants += ["GRANT %s TO %%s;" % quote_identifier(role).replace("%", "%%") for role in facts["owners"]]
        grants.append("ALTER ROLE %s SET lo_compat_privileges = on;")
        with contextlib.ExitStack() as stack:
            _session, digits = stack.enter_context(self.claimed())
            yield stack.enter_context(self.login(digits, grants, self.name))

    @contextlib.contextmanager
    def claimed(self) -> Iterator[tuple[Session, str]]:
        """A session that holds the lock of the eight digits that it comes with."""
        digits = os.urandom(4).hex()
        with Session(self.server) as session:
            session.ask("BEGIN;\nSELECT pg_advisory_xact_lock(%s);" % copying.lock_keys(digits))
            yield session, digits

    @contextlib.contextmanager
    def scratch(
        self, prefix: str, wanted: dict[str, Any], facts: dict[str, Any], record: dict[str, Any] | None = None
    ) -> Iterator[tuple[str, Server]]:
        """A new database, by its name, and the server as its owner sees it, a login. It is dropped unless it became
        the live one."""
        with contextlib.ExitStack() as stack:
            session, digits = stack.enter_context(self.claimed())
            server = stack.enter_context(self.login(digits, []))
            name = prefix + digits
            try:
                self.server.sql(copying.creation(name, wanted, facts["number"], server.user))
                yield name, self.prepared(name, server, facts, record or wanted)
            except BaseException:
                with self.bounds.shield(), contextlib.suppress(WindflowError):
                    # A pg_restore whose client is gone, and not the session that holds the lock.
                    self.end_sessions(session)
                    self.drop(name)
                raise
            # A restored one has another name by now.
            if prefix == copying.SCRATCH:
                with self.bounds.shield():
                    self.drop(name)

    def prepared(self, name: str, server: Server, facts: dict[str, Any], record: dict[str, Any]) -> Server:
        """Makes what only a superuser can, as long as nobody else was let in."""
        untrusted = self.untrusted(record)
        sql = filling.preparation(facts["number"], server.user, untrusted)
        if sql:
            self.server.sql("\n".join(sql) + "\n", name)
        opened = "ALTER DATABASE %s CONNECTION LIMIT %d;\n" % (quote_identifier(name), copying.MAKING)
        self.server.sql(opened)
        return self.entered(server, name)

    def untrusted(self, record: dict[str, Any]) -> list[list[str]]:
        """[extension, schema] of those in a backup that only a superuser can make."""
        noted = record.get("extensions", [])
        names = self.server.sql(filling.UNTRUSTED).splitlines() if noted else []
        return [pair for pair in noted if pair[0] in names]

    def drop(self, name: str) -> None:
        """Raises WindflowError."""
        self.server.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s;\nDROP DATABASE IF EXISTS %s;\n"
            % (quote_literal(name), quote_identifier(name))
        )

    def fill(self, database: str, path: str, record: dict[str, Any], server: Server, listing: str) -> None:
        """Restores a dump into an empty database and counts, all as a login. Raises WindflowError (E4094, E4095,
        E4097)."""
        options = ["--exit-on-error", "--no-owner", "--no-privileges"]
        chosen = filling.content(listing, self.untrusted(record))
        found = server.feed("pg_restore", [*options, *server.connection(database)], path, chosen)
        if found != record["sha256"]:
            raise self.changed_on_disk()
        with Session(server, database) as session:
            rows, large_objects = copying.counted(
                session.ask("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n" + copying.COUNTS)
            )
        expected = dict(record["rows"], **{"large objects": record["large_objects"]})
        actual = dict(rows, **{"large objects": large_objects})
        if expected != actual:
            tables = sorted(key for key in {**expected, **actual} if expected.get(key) != actual.get(key))
            got = ["%s: %s instead of %s" % (key, actual.get(key, "none"), expected.get(key, "none")) for key in tables]
            more = ["%d more" % (len(got) - 5)] if len(got) > 5 else []
            remedy = "see whether a trigger, a rule or an extension adds rows, then run again"
            said = "the restored copy has another number of rows than the database"
            raise WindflowError(Problem.plain("E4095", said, "; ".join(got[:5] + more), remedy))

    def settle(
        self, database: str, server: Server, wanted: dict[str, Any], listing: str, facts: dict[str, Any]
    ) -> None:
        """Gives what was restored to its owners, with its privileges. Raises WindflowError (E4068, E4094)."""
        filler, superusers = server.user, facts["superusers"]
        with Session(server, database) as session:
            objects = session.ask(filling.OBJECTS)
        found = filling.owners(objects, listing, facts["roles"])
        first = filling.new_owner(wanted["owner"], found, superusers)
        owned = [item for item in found if item[3] not in superusers]
        names = {filler, first, *(item[3] for item in owned)}
        names.update(filling.defaults(listing, facts["roles"], superusers))
        self.result["taken_over"] = ["%s %s" % tuple(item[:2]) for item in found if item[3] in superusers]
        grants = ["GRANT %s TO %%s;" % quote_identifier(name).replace("%", "%%") for name in sorted(names)]
        # Nobody but a superuser can give a database away.
        self.server.sql("ALTER DATABASE %s OWNER TO %s;\n" % (quote_identifier(database), quote_identifier(first)))
        with contextlib.ExitStack() as stack:
            _session, digits = stack.enter_context(self.claimed())
            settler = stack.enter_context(self.login(digits, grants, database))
            settler.sql(filling.ownership_sql(filler, first, owned), database)
            chosen = filling.privileges(listing, superusers)
            if chosen:
                settler.feed("pg_restore", ["--exit-on-error", *settler.connection(database)], self.dump, chosen)
            settler.sql("DROP OWNED BY %s;\n" % quote_identifier(filler), database)

    def changed_on_disk(self) -> WindflowError:
        return WindflowError(
            Problem.plain("E4097", "the disk returned other data than was written", "", "check the disk")
        )

    def swap(self, restored: str, live: dict[str, Any] | None, limit: int) -> None:
        """The restored database takes the live one's place. Raises WindflowError (E4094).

        Both get their new names in one transaction, so there is no moment without a live database, whatever
        is killed. The first RENAME locks the live database against new sessions, which wait, and then gives
        the ones that are there five seconds to go; a second psql ends them meanwhile.
        """
        sql = copying.swap_sql(restored, self.name, self.result["replaced"], limit)
        with self.bounds.shield(), Session(self.server) as killer:
            process = self.server.start("psql", self.server.psql(), stderr=subprocess.PIPE)
            with contextlib.suppress(BrokenPipeError):
                processes.pipe(process.stdin).write(sql.encode("utf-8"))
                processes.pipe(process.stdin).close()
            process.stdin = None
            while live and process.poll() is None:
                # By its number: the name may be the restored database's already.
                with contextlib.suppress(WindflowError):
                    killer.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datid = %d;" % live["oid"])
                time.sleep(0.05)
            err = process.communicate()[1].decode("utf-8", "replace")
            if process.returncode:
                # An answer that was lost says nothing about the deed.
                self.done = "Nobody can tell whether %s is the live database now: see psql -l." % self.label
                there = "SELECT count(*) FROM pg_database WHERE datname = %s;" % quote_literal(restored)
                if self.server.sql(there).strip() != "0":
                    self.done = ""
                    raise self.server.failure("psql", process.returncode, err)
            self.done = "The backup was restored."
            if live:
                self.done += " What it replaced is there as %s." % self.result["replaced"]


def _no_space(place: str, expected: str, got: str) -> Problem:
    return Problem.plain("E4093", "there is no space for %s" % expected, got, "free some space there", file=place)
