# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a hook: argv, environment, process group, time-out, output, result file.

The same on the controller and on a target. A hook never sees a shell, inherits nothing from the
caller's environment, and leaves no process of its group behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import selectors
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

from ..errors import Problem, WindflowError
from ..redaction import redact, revealing
from ..system import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from typing import Any

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
KEPT_BYTES = 65536
RESULT_BYTES = 1 << 20
TAIL_LINES = 20
GRACE_SECONDS = 5.0
POLL_SECONDS = 0.05
# Output of a process that left the hook's group is not waited for.
LAST_WORDS_SECONDS = 0.2
# Numbers of groups that nothing else uses, as (first, how many): those of no distribution, and those that Debian
# reserves and systemd leaves out.
NOBODYS = ((0x60000000, 0x10000000), (65520, 14))
_DONE = "What the hook has done stays."


@dataclass(frozen=True)
class HookResult:
    """How a hook ended. ``rc`` is negative for a signal; ``result`` is what it wrote to its result file."""

    rc: int
    stdout_tail: str = ""
    stderr_tail: str = ""
    seconds: float = 0.0
    result: dict[str, Any] = field(default_factory=dict)
    timed_out: bool = False


def hook_argv(path: str, event: str, old_version: str = "", new_version: str = "") -> list[str]:
    """Returns how a hook is called, as Debian's maintainer scripts are: event, old version, new version."""
    return [path, event, old_version or "", new_version or ""]


def script_argv(content: bytes, path: str) -> list[str]:
    """Returns what runs a script that was written to ``path``: its interpreter by name.

    The kernel would find the interpreter itself, but not on a filesystem mounted with noexec.
    """
    if not content.startswith(b"#!"):
        return [path]
    words = content[2:].split(b"\n", 1)[0].decode("utf-8", "surrogateescape").strip().split(None, 1)
    return [*words, path]


def lines_tail(text: str, lines: int = TAIL_LINES) -> str:
    return "\n".join(text.splitlines()[-lines:])


def printable(line: str) -> str:
    """A line that cannot steer a terminal."""
    return "".join(char if char.isprintable() or char == "\t" else "?" for char in line)


def account(user: str | None) -> pwd.struct_passwd | None:
    """Returns the password entry to run as, or None for the caller's own; raises E3005 where that is impossible."""
    if not user:
        return None
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise WindflowError(
            Problem.plain("E3005", "the account that is to run the hook does not exist", user, "create it first")
        ) from None
    if entry.pw_uid == os.geteuid():
        return None
    if os.geteuid() != 0:
        raise WindflowError(Problem.plain("E3005", "only root can run a hook as %s" % user, "", "use become"))
    return entry


@contextlib.contextmanager
def private_directory(entry: pwd.struct_passwd | None = None) -> Iterator[str]:
    """A directory that only the hook (and root) can look into; gone afterwards.

    The application runs as the hook's account, too, and is not to write what the hook is thought to have written. So
    the directory is root's, and opens for a group that the hook alone has.
    """
    directory = tempfile.mkdtemp(prefix="windflow-hook-")
    try:
        if entry is not None:
            _lend(directory)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _lend(directory: str) -> None:
    """Gives a directory to a group that nobody has. Where numbers are mapped (containers), high ones are not valid."""
    for first, count in NOBODYS:
        try:
            os.chown(directory, 0, first + int.from_bytes(os.urandom(4), "big") % count)
        except OSError as error:
            failed = error
        else:
            os.chmod(directory, 0o770)
            return
    raise failed


def run_hook(
    argv: list[str],
    env: Mapping[str, str],
    cwd: str,
    timeout: float,
    user: str | None = None,
    secrets: Iterable[str] = (),
    name: str = "",
    host: str = "",
    stop: str = "",
) -> HookResult:
    """Runs ``argv`` and waits for it, at most ``timeout`` seconds, and no longer than until there is a file ``stop``.

    ``env`` is all it gets besides PATH, LANG, HOME and WINDFLOW_RESULT_FILE, the path of a file that
    it may write a JSON map to. Raises WindflowError where it cannot be started (E3003), as the
    account (E3005), or where the result file is no such map or has a secret in it (E3004); how it ended is for
    ``check``.
    """
    hidden = list(secrets)
    entry = account(user)
    home = entry.pw_dir if entry is not None else pwd.getpwuid(os.geteuid()).pw_dir
    if not os.path.isdir(home):
        home = "/"
    with private_directory(entry) as directory:
        result_file = os.path.join(directory, "result.json")
        environment = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": home, **env, "WINDFLOW_RESULT_FILE": result_file}
        started = time.monotonic()
        lent = sorted({os.stat(place).st_gid for place in (directory, cwd)}) if entry is not None else []
        process = _start(argv, environment, cwd, entry, name, host, lent)
        try:
            outputs, timed_out = _follow(process, started + timeout, stop)
        finally:
            # However the waiting ended, an interrupt included: nothing of the group stays.
            _end_group(process.pid)
            rc = process.wait()
        seconds = round(time.monotonic() - started, 3)
        result = {} if rc or timed_out else _read_result(result_file, name, host, hidden)
    tails = [_text(output, hidden) for output in outputs]
    return HookResult(rc, tails[0], tails[1], seconds, result, timed_out)


def _start(
    argv: list[str],
    environment: dict[str, str],
    cwd: str,
    entry: pwd.struct_passwd | None,
    name: str,
    host: str,
    lent: list[int],
) -> subprocess.Popen[bytes]:
    groups = [*os.getgrouplist(entry.pw_name, entry.pw_gid), *filter(_is_nobodys, lent)] if entry is not None else []

    def become() -> None:
        # What a hook makes has the usual modes, whatever the umask of who runs it.
        os.umask(0o022)
        if entry is not None:
            os.setgroups(groups)
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)

    try:
        return subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            close_fds=True,
            preexec_fn=become,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        remedy = "give it a first line such as #!/bin/sh that names an interpreter of this host, and make it executable"
        raise WindflowError(
            Problem.plain("E3003", "hook %s could not be started on %s" % (name or argv[0], host), reason, remedy)
        ) from None


def _is_nobodys(group: int) -> bool:
    return any(first <= group < first + count for first, count in NOBODYS)


class _Tail:
    """The last bytes of a stream, with some before them."""

    def __init__(self) -> None:
        self.data = bytearray()

    def add(self, chunk: bytes) -> None:
        self.data += chunk
        if len(self.data) > 2 * KEPT_BYTES:
            del self.data[:-KEPT_BYTES]


def _text(tail: _Tail, secrets: Iterable[str]) -> str:
    text = bytes(tail.data).decode("utf-8", "replace")
    return redact(text, secrets)[-KEPT_BYTES:]


def _follow(process: subprocess.Popen[bytes], deadline: float, stop: str) -> tuple[tuple[_Tail, _Tail], bool]:
    """Reads both streams until the hook itself has ended, the deadline, or a file ``stop``. Returns their tails."""
    tails = (_Tail(), _Tail())
    streams = (processes.pipe(process.stdout), processes.pipe(process.stderr))
    timed_out = False
    with selectors.DefaultSelector() as selector:
        for stream, tail in ((streams[0], tails[0]), (streams[1], tails[1])):
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, selectors.EVENT_READ, tail)
        while not _ended(process.pid):
            if time.monotonic() > deadline:
                timed_out = True
                break
            if stop and os.path.exists(stop):
                break
            if selector.get_map():
                _read(selector, POLL_SECONDS)
            else:
                time.sleep(0.01)
        _end_group(process.pid)
        last = time.monotonic() + LAST_WORDS_SECONDS
        while selector.get_map() and time.monotonic() < last:
            _read(selector, 0.02)
    for stream in streams:
        stream.close()
    return tails, timed_out


def _read(selector: selectors.BaseSelector, seconds: float) -> None:
    for key, _events in selector.select(seconds):
        try:
            chunk = os.read(key.fd, 65536)
        except BlockingIOError:
            continue
        if chunk:
            key.data.add(chunk)
        else:
            selector.unregister(key.fileobj)


def _ended(pid: int) -> bool:
    """Returns whether the hook has ended. It is not reaped here: its group's number stays taken until the group is
    gone."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end_group(group: int) -> None:
    """Ends every process of a group: TERM, and KILL for those that are there after five seconds."""
    if not _alive(group):
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline:
        if not _alive(group):
            return
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _alive(group: int) -> bool:
    """Returns whether a process of the group is left that is more than an entry waiting to be reaped."""
    return any(of == group and state not in "ZX" for _pid, state, _parent, of in processes.alive())


def _read_result(path: str, name: str, host: str, secrets: Collection[str]) -> dict[str, Any]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _bad_result(name, host, error.strerror) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _bad_result(name, host, "no regular file")
    with os.fdopen(descriptor, "rb") as stream:
        content = stream.read(RESULT_BYTES + 1)
    if len(content) > RESULT_BYTES:
        raise _bad_result(name, host, "more than %d bytes" % RESULT_BYTES)
    try:
        result = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _bad_result(name, host, redact(str(error), secrets)) from None
    if not isinstance(result, dict):
        raise _bad_result(name, host, type(result).__name__)
    # Results are shown, recorded and used as configuration: nothing in them may be hidden, and nothing changed.
    found = revealing(result, secrets)
    if found:
        said = "the result of hook %s on %s holds a secret" % (name, host)
        remedy = (
            "leave it out, and name secrets for dependents under results in plugin.yml; "
            "or, if it is there by chance, choose a secret that is no part of other values"
        )
        raise WindflowError(Problem.plain("E3004", said, ", ".join(found[:10]), remedy), _DONE)
    return result


def _bad_result(name: str, host: str, got: object) -> WindflowError:
    said = "the result of hook %s on %s is no JSON map of at most 1 MB" % (name, host)
    return WindflowError(Problem.plain("E3004", said, str(got), 'write for example {"changed": true}'), _DONE)


def check(result: HookResult, name: str, host: str, timeout: float, outcome: str) -> None:
    """Raises WindflowError where the hook did not end well: E3002 out of time, E3001 otherwise."""
    if result.rc == 0 and not result.timed_out:
        return
    last = lines_tail("\n".join(part.rstrip("\n") for part in (result.stdout_tail, result.stderr_tail) if part))
    said = "; its last lines:\n%s" % last if last else "; it wrote nothing"
    if result.timed_out:
        fault = "hook %s did not end on %s within %g s" % (name, host, timeout)
        raise WindflowError(
            Problem.plain(
                "E3002",
                fault,
                "it was ended after %.1f s%s" % (result.seconds, said),
                "find out what it waits for, or raise its timeout",
            ),
            outcome,
        )
    ending = "signal %d" % -result.rc if result.rc < 0 else "exit code %d" % result.rc
    fault = "hook %s failed on %s" % (name, host)
    got = "%s after %.1f s%s" % (ending, result.seconds, said)
    raise WindflowError(Problem.plain("E3001", fault, got, "correct what it reports, then run again"), outcome)
