# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL's own programs against a local server: on the host as user postgres, or inside its container.

Data come and go through pipes, so that no program needs to enter root's directories, and every program
ends when its pipe does, so also with a run that was killed. What a server says may quote the
application's data; ``shown`` lets only its errors through, without values.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import subprocess
import tempfile
from dataclasses import dataclass

from ..errors import Problem, WindflowError
from ..system import processes
from . import hba, logins, postgres
from .logins import Login

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any


CHUNK = 1 << 20
# Sessions take no names from the application's schemas and outwait everything.
OPTIONS = (
    postgres.OPTIONS + " -c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0"
    " -c default_transaction_read_only=off"
)
# ``shown`` knows the server's words in English; only a superuser can choose them.
SUPERUSER_OPTIONS = OPTIONS + " -c lc_messages=C"
# A program whose list of what to restore comes before its input.
_WITH_LIST = """\
list=$(mktemp) || exit 125
head -c "$1" >"$list" || exit 125
shift
"$@" --use-list="$list"
code=$?
rm -f "$list"
exit "$code"
"""
# Time limits that only newer servers know.
_PATIENT = """\
SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('transaction_timeout', 'idle_session_timeout');
"""
_DIRECTORIES = ("/usr/lib/postgresql/%d/bin", "/usr/pgsql-%d/bin")
# A line that begins an error, what follows one, and what is nothing but a notice.
_ERROR = re.compile(r"(?:(psql|pg_dump|pg_restore)\b.*?)?(?:ERROR|FATAL|PANIC|[Ee]rror):\s")
_DETAIL = re.compile(r"(DETAIL|HINT|QUERY|CONTEXT|STATEMENT|LOCATION|LINE \d+|Command was):")
_NOTICE = re.compile(r"(WARNING|NOTICE|INFO|LOG|DEBUG):")
_NO_ENGINE = ("No such container", "Error response from daemon", "Cannot connect to the Docker daemon")


@dataclass(frozen=True)
class Server:
    """Where the server is, and who asks it: the superuser over the socket, or a ``login`` with its password over
    ``host``. ``application`` names its sessions; ``major`` is 0 as long as it is not known."""

    port: int = 5432
    socket_dir: str = ""
    container: str = ""
    application: str = "windflow"
    major: int = 0
    login: Login | None = None
    host: str = ""

    @property
    def user(self) -> str:
        """Name of the role that programs log in as."""
        return self.login.name if self.login else "postgres"

    def place(self) -> str:
        if self.container:
            return "in the container %s" % self.container
        return "on the local socket, port %d" % self.port

    def connection(self, database: str = "postgres") -> list[str]:
        """Options that psql, pg_dump and pg_restore have in common."""
        found = ["-w", "-U", self.user, "-p", str(self.port), "-d", postgres.conninfo(database)]
        host = self.host or self.socket_dir or ("/tmp" if self.container else "")
        return [*found, "-h", host] if host else found

    def psql(self, database: str = "postgres") -> list[str]:
        """Arguments of a psql that reads SQL from stdin and stops at an error."""
        return ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *self.connection(database)]

    def command(self, program: str, arguments: list[str]) -> list[str]:
        """argv of a program where the server is."""
        if not self.container:
            return [*self.program(program), *arguments]
        variables = [item for pair in sorted(self.variables().items()) for item in ("-e", "%s=%s" % pair)]
        # Anybody can read the arguments of a process: the client passes on what it has in its environment.
        variables += ["-e", "PGPASSWORD"] if self.login else []
        return ["docker", "exec", "-i", *variables, self.container, program, *arguments]

    def program(self, name: str) -> list[str]:
        """A program of the server's own version if it is there."""
        found = (
            [] if self.container else [os.path.join(place % self.major, name) for place in _DIRECTORIES if self.major]
        )
        return [next((path for path in found if os.path.exists(path)), name)]

    def variables(self) -> dict[str, str]:
        return {
            "PGAPPNAME": self.application,
            "PGOPTIONS": OPTIONS if self.login else SUPERUSER_OPTIONS,
            "PGREQUIREAUTH": "!password",
            "PGCLIENTENCODING": "UTF8",
            "LC_ALL": "C",
        }

    def start(
        self, program: str, arguments: list[str], listing: bytes = b"", **streams: Any
    ) -> subprocess.Popen[bytes]:
        """Returns the program with pipes at stdin and stdout. Raises WindflowError (E4090, E4092) if it cannot be
        started."""
        secret = {"PGPASSWORD": self.login.password} if self.login else {}
        argv = self.command(program, arguments)
        if listing:
            argv = self.command("sh", ["-c", _WITH_LIST, "sh", str(len(listing)), *self.program(program), *arguments])
        try:
            if not self.container:
                return postgres.start(argv, {**self.variables(), **secret}, **streams)
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            return subprocess.Popen(  # pylint: disable=ansible-bad-function
                argv, **{**pipes, **streams}, env={**os.environ, "LC_ALL": "C", **secret}
            )
        except OSError as error:
            if not error.filename or self.container:
                raise self.absent(
                    "there is no program docker" if self.container else error.strerror or str(error)
                ) from error
            raise self.missing(program) from error

    def run(self, program: str, arguments: list[str], given: bytes = b"") -> tuple[int, str, str]:
        """(return code, stdout, stderr) of a program that says little."""
        with tempfile.TemporaryFile() as errors:
            process = self.start(program, arguments, stderr=errors)
            with ending(process):
                out = process.communicate(given)[0]
            return process.returncode, out.decode("utf-8", "replace"), _text(errors)

    def sql(self, text: str, database: str = "postgres") -> str:
        """psql's output for ``text``. Raises WindflowError (E4090, E4092, E4094)."""
        code, out, err = self.run("psql", self.psql(database), text.encode("utf-8"))
        if code:
            raise self.failure("psql", code, err)
        return out

    def feed(
        self, program: str, arguments: list[str], path: str, listing: bytes = b"", out: IO[bytes] | None = None
    ) -> str:
        """Gives a file to a program and returns the SHA-256 of what was read. ``listing`` is what pg_restore is to take
        of it, ``out`` where its output goes. Raises WindflowError (E4090, E4094)."""
        with tempfile.TemporaryFile() as errors, open(path, "rb") as stream:
            process = self.start(program, arguments, listing, stdout=out or subprocess.DEVNULL, stderr=errors)
            digest = hashlib.sha256()
            with ending(process):
                stdin = processes.pipe(process.stdin)
                listening = _write(stdin, listing)
                for chunk in iter(lambda: stream.read(CHUNK), b""):
                    digest.update(chunk)
                    # A program that has seen enough, or failed, closes its end.
                    listening = listening and _write(stdin, chunk)
                _close(stdin)
                process.wait()
            if process.returncode:
                raise self.failure(program, process.returncode, _text(errors))
        return digest.hexdigest()

    def listing(self, path: str) -> str:
        """Returns what is in a dump, as pg_restore lists it. Raises WindflowError (E4090, E4094)."""
        with tempfile.TemporaryFile() as out:
            self.feed("pg_restore", ["--list"], path, out=out)
            out.seek(0)
            return out.read().decode("utf-8", "replace")

    def drain(self, program: str, arguments: list[str], stream: IO[bytes]) -> tuple[str, int]:
        """Writes a program's output to ``stream``: (SHA-256, size). Raises WindflowError (E4090, E4094), OSError."""
        with tempfile.TemporaryFile() as errors:
            process = self.start(program, arguments, stdin=subprocess.DEVNULL, stderr=errors)
            digest, size = hashlib.sha256(), 0
            with ending(process):
                output = processes.pipe(process.stdout)
                for chunk in iter(lambda: output.read(CHUNK), b""):
                    digest.update(chunk)
                    size += len(chunk)
                    stream.write(chunk)
                process.wait()
            if process.returncode:
                raise self.failure(program, process.returncode, _text(errors))
        return digest.hexdigest(), size

    def check_program(self, program: str) -> None:
        """Raises WindflowError (E4092) for a program that is not there or older than the server."""
        code, out, err = self.run(program, ["--version"])
        found = re.search(r"PostgreSQL\) (\d+)", out)
        if code or not found:
            raise self.failure(program, code, err)
        if int(found.group(1)) < self.major:
            raise self.missing(program, "version %s" % found.group(1))

    def missing(self, program: str, got: str = "") -> WindflowError:
        version = str(self.major or "<version of the server>")
        where = "in the container's image" if self.container else "on the host"
        expected = "%s of version %s or later %s" % (program, version, where)
        remedy = "install the package postgresql-client-%s (Debian) or postgresql (Red Hat) %s" % (version, where)
        return WindflowError(Problem("E4092", expected, got or "none", remedy))

    def absent(self, got: str) -> WindflowError:
        if hba.refused(got):
            place = "pg_hba.conf" if self.container else hba.line(self.port, self.socket_dir)
            return WindflowError(Problem.plain("E4090", hba.REFUSED, "%s (%s)" % (place, got), hba.REMEDY))
        remedy = "start PostgreSQL, or correct port, socket_dir or container"
        return WindflowError(Problem.plain("E4090", "no PostgreSQL answers %s" % self.place(), got, remedy))

    def failure(self, program: str, code: int, err: str) -> WindflowError:
        """Returns what a program's failure means."""
        if self.container and code in (126, 127) or "must install at least one postgresql-client" in err:
            return self.missing(program)
        if self.container and any(sign in err for sign in _NO_ENGINE):
            return self.absent(err.strip()[-500:])
        # psql's own code for a lost or refused connection is 2.
        if program == "psql" and code == 2 and self.login:
            return WindflowError(logins.refused(shown(err)))
        if program == "psql" and code == 2:
            return self.absent(shown(err))
        got = shown(err) or "exit code %d" % code
        return WindflowError(
            Problem.plain("E4094", "%s failed" % program, got, "correct what it names, then run again")
        )


class Session:
    """A psql that stays connected and answers one question after the other."""

    def __init__(self, server: Server, database: str = "postgres") -> None:
        self.server = server
        self.errors = tempfile.TemporaryFile()
        try:
            self.process = server.start("psql", server.psql(database), stderr=self.errors)
        except BaseException:
            self.errors.close()
            raise

    def __enter__(self) -> Session:
        try:
            self.ask(_PATIENT)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_unused: object) -> None:
        self.close()

    def close(self) -> None:
        with ending(self.process):
            _close(processes.pipe(self.process.stdin))
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.errors.close()

    def ask(self, sql: str) -> list[Any]:
        """Returns what ``sql`` answers, a JSON document a line; other lines are dropped. Raises WindflowError."""
        marker = secrets.token_hex(16)
        _write(processes.pipe(self.process.stdin), ("%s\n\\echo %s\n" % (sql, marker)).encode("utf-8"))
        found: list[Any] = []
        for raw in processes.pipe(self.process.stdout):
            line = raw.decode("utf-8", "replace").rstrip("\n")
            if line == marker:
                return found
            if line[:1] in ("{", "["):
                found.append(json.loads(line))
        self.process.wait()
        raise self.server.failure("psql", self.process.returncode, _text(self.errors))


class ending:
    """The process has ended when this has, whatever happens in between."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, *_unused: object) -> None:
        if kind is not None:
            self.process.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                _close(stream)
        self.process.wait()


def shown(err: str) -> str:
    """Returns the errors of a program without the data that they quote: no details, no context, no statement, no
    values.

    A value may hold anything: quotation marks, line breaks, and lines that look like errors. So from the first error on
    only what the program itself says is kept, up to the first detail or value.
    """
    kept: list[str] = []
    lines = err.strip().split("\n")
    for line in lines:
        found = _ERROR.match(line)
        if kept and _DETAIL.match(line):
            break
        if found and (found.group(1) or not kept):
            kept.append(_without_values(line))
            if ': "' in line:
                break
    # Other programs, a wrapper's for example, have words of their own.
    if not kept and not _NOTICE.match(lines[0]) and not _DETAIL.match(lines[0]):
        kept.append(_without_values(lines[0])[:200])
    return "; ".join(kept)[-1000:]


def _without_values(line: str) -> str:
    """The server does not escape the quotation marks of a value: where it ends cannot be known."""
    return re.sub(r': ".*', ': "(value)"', line.strip())


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read(CHUNK).decode("utf-8", "replace")


def _write(stream: IO[bytes], data: bytes) -> bool:
    try:
        stream.write(data)
        stream.flush()
    except BrokenPipeError:
        return False
    return True


def _close(stream: IO[bytes]) -> None:
    try:
        stream.close()
    except BrokenPipeError:
        pass
