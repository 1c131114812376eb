# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""nginx: a test of files before they are installed, a reload that is seen to work, and old workers' end."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from ..errors import Problem, WindflowError
from ..system import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

CONF = "/etc/nginx/nginx.conf"
BINARY = "/usr/sbin/nginx"
PID_FILE = "/run/nginx.pid"
TEST_SECONDS = 30.0
# nginx tries for 2.5 s to bind a port before it gives a reload up.
RELOAD_SECONDS = 8.0
POLL_SECONDS = 0.02
LARGEST_CONF = 1 << 20


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def stage(conf: str, changes: dict[str, str | None], directory: str) -> str:
    """Mirrors the directory of ``conf`` into ``directory`` with some files replaced; returns the conf there.

    ``changes`` is {absolute path below the directory of ``conf``: text, or None where the file is
    to be absent}. Only files that include others by their full path are copied; the rest are links,
    so that keys stay where they are.
    """
    root = os.path.dirname(os.path.abspath(conf))
    include = re.compile(r"""(\binclude\s+["']?)%s/""" % re.escape(root))
    changed = {os.path.relpath(path, root): text for path, text in changes.items()}
    outside = [path for path in changed if path.startswith("..")]
    if outside:
        raise WindflowError(
            Problem(
                "E4034",
                "sites below %s" % root,
                os.path.join(root, outside[0]),
                "name directories that nginx.conf includes",
            )
        )
    for folder, folders, names in os.walk(root):
        relative = os.path.relpath(folder, root)
        os.makedirs(os.path.join(directory, relative), mode=0o700, exist_ok=True)
        for name in list(folders):
            if os.path.islink(os.path.join(folder, name)):
                os.symlink(os.path.realpath(os.path.join(folder, name)), os.path.join(directory, relative, name))
        for name in names:
            path = os.path.normpath(os.path.join(relative, name))
            original = os.path.realpath(os.path.join(folder, name))
            if path not in changed:
                _mirror(original, os.path.join(directory, path), include, directory)
    for path, text in changed.items():
        if text is not None:
            os.makedirs(os.path.join(directory, os.path.dirname(path)), mode=0o700, exist_ok=True)
            with open(os.path.join(directory, path), "w", encoding="utf-8") as stream:
                stream.write(text)
    return os.path.join(directory, os.path.basename(conf))


def _mirror(original: str, copy: str, include: re.Pattern[str], directory: str) -> None:
    if not os.path.isfile(original):
        return
    if os.path.getsize(original) <= LARGEST_CONF:
        with open(original, encoding="utf-8", errors="surrogateescape") as stream:
            text = stream.read()
        rewritten = include.sub(lambda match: "%s%s/" % (match.group(1), directory), text)
        if rewritten != text:
            with open(copy, "w", encoding="utf-8", errors="surrogateescape") as stream:
                stream.write(rewritten)
            return
    os.symlink(original, copy)


def test(changes: dict[str, str | None], conf: str = CONF, binary: str = BINARY) -> None:
    """Runs ``nginx -T`` over the whole configuration as it would be.

    Raises ``WindflowError`` E4035 with what nginx says, or E4034 where nginx reads none of the new files.
    """
    directory = tempfile.mkdtemp(prefix="windflow-nginx-")
    try:
        staged = stage(conf, changes, directory)
        code, output = run([binary, "-T", "-q", "-c", staged])
        output = output.replace(directory, os.path.dirname(os.path.abspath(conf)))
        if code:
            remedy = "correct what nginx names; the files in use were not changed"
            raise WindflowError(
                Problem.plain("E4035", "nginx rejects the configuration", output.strip()[-2000:], remedy)
            )
        wanted = [path for path, text in changes.items() if text is not None]
        if wanted and not any("# configuration file %s:" % path in output for path in wanted):
            remedy = "include its directory in the section http of %s" % conf
            raise WindflowError(Problem.plain("E4034", "nginx would not read %s" % wanted[-1], "", remedy))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def run(argv: list[str]) -> tuple[int, str]:
    """(exit code, output of both kinds) of one of nginx's own commands."""
    try:
        return processes.ask(argv, _environment(), TEST_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WindflowError(
            Problem.plain("E4036", "%s could not be run" % argv[0], str(error), "install nginx, or name its program")
        ) from None


def pid_file(conf: str = CONF, binary: str = BINARY) -> str:
    """Returns where the master writes its pid: as nginx.conf says, else as nginx was built."""
    try:
        with open(conf, encoding="utf-8", errors="replace") as stream:
            found = re.search(r"^\s*pid\s+[\"']?([^;\"'\s]+)", stream.read(), re.MULTILINE)
        if found is None:
            found = re.search(r"--pid-path=(\S+)", run([binary, "-V"])[1])
    except OSError:
        found = None
    return found.group(1) if found else PID_FILE


def master(conf: str = CONF, binary: str = BINARY) -> int:
    """Pid of the running master, or 0."""
    try:
        with open(pid_file(conf, binary), encoding="ascii") as stream:
            pid = int(stream.read())
    except (OSError, ValueError):
        return 0
    return pid if "nginx: master" in _title(pid) else 0


def _title(pid: int) -> str:
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as stream:
            return stream.read().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def workers(pid: int) -> dict[int, bool]:
    """{pid: whether it is shutting down} of a master's workers."""
    found = {}
    for number, state, parent, _group in processes.alive():
        if parent == pid and state != "Z":
            title = _title(number)
            if "nginx: worker process" in title:
                found[number] = "shutting down" in title
    return found


def reload(pid: int, conf: str = CONF) -> list[int]:
    """Tells the master to read its files again, and waits until only new workers take connections.

    Returns the old workers, which may still be answering. Raises E4037 where nginx stays with its
    old configuration, for example because another process has the port.
    """
    # Those that an earlier reload told to go know nothing of what this one replaces.
    old = {worker for worker, shutting in workers(pid).items() if not shutting}
    log = error_log(conf)
    size = os.path.getsize(log) if os.path.exists(log) else 0
    os.kill(pid, signal.SIGHUP)
    deadline = time.monotonic() + RELOAD_SECONDS
    while True:
        now = workers(pid)
        fresh = [worker for worker in now if worker not in old]
        if fresh and all(shutting for worker, shutting in now.items() if worker in old):
            return sorted(worker for worker in old if worker in now)
        said = [line for line in tail(log, size, 200) if "[emerg]" in line]
        if time.monotonic() > deadline or not _title(pid) or any("still could not bind" in line for line in said):
            got = "; ".join(said[-3:]) or "no new workers after %d s" % RELOAD_SECONDS
            raise WindflowError(
                Problem.plain(
                    "E4037", "nginx did not load the new configuration", got, "read %s" % (log or "nginx's log")
                )
            )
        time.sleep(POLL_SECONDS)


def error_log(conf: str) -> str:
    """nginx's own error log, or ""."""
    try:
        with open(conf, encoding="utf-8", errors="replace") as stream:
            found = re.search(r"^\s*error_log\s+[\"']?(/[^;\"'\s]+)", stream.read(), re.MULTILINE)
    except OSError:
        return ""
    return found.group(1) if found else "/var/log/nginx/error.log"


def tail(path: str, offset: int, lines: int) -> list[str]:
    """Returns the last lines of a file, none from before ``offset``. A shorter file was rotated: all of it counts.

    No link is followed: an application that may write beside its log could show us any file by one.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return []
    with os.fdopen(descriptor, "rb") as stream:
        size = os.fstat(descriptor).st_size
        stream.seek(max(offset if offset <= size else 0, size - 65536))
        return stream.read().decode("utf-8", "replace").splitlines()[-lines:]


def drain(pid: int, old: Iterable[int], limit: float) -> list[int]:
    """Waits until old workers have answered what they took. Returns those that are still there."""
    deadline = time.monotonic() + limit
    while True:
        left = sorted(set(old) & set(workers(pid)))
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(POLL_SECONDS)
