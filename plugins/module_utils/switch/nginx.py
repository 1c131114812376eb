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
from ..system.service_layout import real_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CONF = "/etc/nginx/nginx.conf"
BINARY = "/usr/sbin/nginx"
PID_FILE = "/run/nginx.pid"
TEST_SECONDS = 30.0
# nginx tries for 2.5 s to bind a port before it gives a reload up.
RELOAD_SECONDS = 8.0
POLL_SECONDS = 0.02
LARGEST_CONF = 1 << 20
# (what stands before the path, its directory without patterns) of an include.
INCLUDE = re.compile(r"""(\binclude\s+["']?)([^;"'*?\[\s][^;"'*?\[]*/)""")
# The path of a file that `nginx -T` shows.
READ = re.compile(r"^# configuration file (.+):$", re.MULTILINE)


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def stage(conf: str, changes: dict[str, str | None], directory: str) -> str:
    """Mirrors the directory of ``conf`` into ``directory`` with some files replaced; returns the conf there.

    ``changes`` is {absolute path below the directory of ``conf``: text, or None where the file is
    to be absent}. A directory counts by where it really is, whatever names lead to it. Only files that include
    others are copied; the rest are links, so that keys stay where they are.
    """
    root = os.path.dirname(os.path.abspath(conf))
    changed = {real_place(path): text for path, text in changes.items()}
    folders = [
        (real, os.path.normpath(os.path.join(directory, relative)))
        for real, relative in _folders(root, {os.path.dirname(path) for path in changed})
    ]
    staged = dict(reversed(folders))
    for _real, copy in folders:
        os.makedirs(copy, mode=0o700, exist_ok=True)
    for real, copy in folders:
        for name in os.listdir(real):
            if os.path.join(real, name) not in changed and not os.path.lexists(os.path.join(copy, name)):
                _mirror(os.path.realpath(os.path.join(real, name)), os.path.join(copy, name), root, staged)
    for path, text in changed.items():
        if text is not None:
            for copy in _places(path, root, folders):
                os.makedirs(os.path.dirname(copy), mode=0o700, exist_ok=True)
                with open(copy, "w", encoding="utf-8") as stream:
                    stream.write(text)
    return os.path.join(directory, os.path.basename(conf))


def _folders(
    folder: str, wanted: set[str], relative: str = "", above: tuple[str, ...] = ()
) -> Iterator[tuple[str, str]]:
    """Yields (real path, path below the first folder) of the folders to mirror: all that are no links, and the links
    that lead to one of the real paths in ``wanted``."""
    real = os.path.realpath(folder)
    above = (*above, real)
    yield real, relative
    for name in sorted(os.listdir(real)):
        path = os.path.join(real, name)
        target = os.path.realpath(path)
        leads = any((item + os.sep).startswith(target + os.sep) for item in wanted)
        if os.path.isdir(path) and target not in above and (leads or not os.path.islink(path)):
            yield from _folders(path, wanted, os.path.join(relative, name), above)


def _places(path: str, root: str, folders: list[tuple[str, str]]) -> list[str]:
    """Where a changed file stands in the mirror; its own directory may not exist yet. Raises E4034 if nowhere."""
    parent = os.path.dirname(path)
    while parent != os.sep:
        places = [os.path.join(copy, os.path.relpath(path, parent)) for real, copy in folders if real == parent]
        if places:
            return places
        parent = os.path.dirname(parent)
    raise WindflowError(Problem("E4034", "sites below %s" % root, path, "name directories that nginx.conf includes"))


def _mirror(original: str, copy: str, root: str, staged: dict[str, str]) -> None:
    """Links what is at a real path, or copies it where it includes files of directories that are ``staged``."""

    def moved(match: re.Match[str]) -> str:
        place = staged.get(os.path.realpath(os.path.join(root, match.group(2))))
        return "%s%s/" % (match.group(1), place) if place else match.group(0)

    if os.path.isfile(original) and os.path.getsize(original) <= LARGEST_CONF:
        with open(original, encoding="utf-8", errors="surrogateescape") as stream:
            text = stream.read()
        rewritten = INCLUDE.sub(moved, text)
        if rewritten != text:
            with open(copy, "w", encoding="utf-8", errors="surrogateescape") as stream:
                stream.write(rewritten)
            return
    if os.path.exists(original):
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
        wanted = [real_place(path) for path, text in changes.items() if text is not None]
        if wanted and not {real_place(path) for path in READ.findall(output)}.intersection(wanted):
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
