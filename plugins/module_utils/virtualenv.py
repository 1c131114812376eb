# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual environment with its requirements: complete, or not there.

The environment is made without pip, and pip runs from the wheel that the interpreter's own ensurepip
would unpack. Unpacking and compiling pip first is half of the CPU time of an ordinary installation:
5.8 s against 2.8 s for four packages, and 25 MB in each environment.

pip's cache is not used unless a directory is named for it: an environment is made anew only when
its requirements change, and a cache would grow outside the directories that the plan knows.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from glob import glob

from .errors import Problem, WindflowError
from .nofollow import flush_filesystem, open_parent, reason

MARKER = ".windflow-complete"
BUILDING = ".windflow-building"
REQUIREMENTS = ".windflow-requirements.txt"
TEMPORARY = ".windflow-tmp"
REMOVED = "The virtual environment was removed. Nothing else was changed."

_LAST_LINES = 20
_PROBE = (
    "import json, os, sys, sysconfig; print(json.dumps(["
    "sys.version_info[0], sys.version_info[1], os.path.dirname(os.__file__), "
    "sysconfig.get_config_var('WHEEL_PKG_DIR') or '']))"
)
# What would make pip install elsewhere, or Python read modules from elsewhere.
_DROPPED = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "VIRTUAL_ENV",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_PYTHON",
    "PIP_REQUIREMENT",
    "PIP_CONSTRAINT",
    "PIP_NO_COMPILE",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_DRY_RUN",
)


def requirements_digest(requirements: str) -> str:
    """sha256 of the text of the requirements."""
    return hashlib.sha256(requirements.encode("utf-8")).hexdigest()


def marker_text(requirements: str, python: str, extra_args: list) -> str:
    """What the marker of a complete environment holds: digest, interpreter, arguments, a line each.

    The interpreter is the real path (/usr/bin/python3.11): after an upgrade of the distribution the
    packages lie in a directory that the new one does not read.
    """
    return "%s\n%s\n%s\n" % (requirements_digest(requirements), os.path.realpath(python), json.dumps(extra_args))


def is_complete(path: str, marker: str) -> bool:
    """Whether the environment at ``path`` was completed with this marker and can still run."""
    try:
        with open(os.path.join(path, MARKER), encoding="utf-8") as file:
            return file.read() == marker and os.access(os.path.join(path, "bin", "python"), os.X_OK)
    except OSError:
        return False


def wants_hashes(requirements: str) -> bool:
    """Whether a requirement carries a hash, so that all of them must."""
    return bool(re.search(r"(?m)^[^#\n]*\s--hash[=\s]", requirements))


def is_empty(requirements: str) -> bool:
    """Whether there is nothing to install."""
    return not re.search(r"(?m)^\s*[^#\s]", requirements)


def pip_wheel(stdlib: str, packaged: str) -> str:
    """The pip that the interpreter brings along: its newest bundled wheel, or an empty string.

    ``stdlib``: the interpreter's library directory; ``packaged``: the directory where its distribution
    keeps wheels instead, if it does (Debian, Fedora: /usr/share/python-wheels).
    """
    places = [os.path.join(stdlib, "ensurepip", "_bundled"), packaged]
    if stdlib.startswith("/usr/lib"):
        places.append("/usr/share/python-wheels")
    for place in places:
        wheels = glob(os.path.join(place, "pip-*.whl")) if place else []
        if wheels:
            return max(
                wheels, key=lambda wheel: [int(digits) for digits in re.findall(r"\d+", os.path.basename(wheel))]
            )
    return ""


def install_command(path: str, wheel: str, file: str, hashes: bool, extra_args: list, cache_dir: str) -> list:
    """argv that installs the requirements in ``file`` into the environment at ``path``."""
    pip = [os.path.join(wheel, "pip")] if wheel else ["-m", "pip"]
    argv = [os.path.join(path, "bin", "python"), *pip, "install", "--no-input", "--disable-pip-version-check"]
    argv += ["--no-warn-script-location", "--compile", "--progress-bar", "off"]
    argv += ["--cache-dir", cache_dir] if cache_dir else ["--no-cache-dir"]
    argv += ["--require-hashes"] if hashes else []
    return [*argv, *extra_args, "-r", file]


def environment(path: str, inherited: dict) -> dict:
    """pip's environment: index, proxy and certificate settings stay, temporary files go below ``path``."""
    kept = {name: value for name, value in inherited.items() if name not in _DROPPED}
    return {**kept, "PIP_USER": "0", "PYTHONUTF8": "1", "TMPDIR": os.path.join(path, TEMPORARY)}


def check_path(path: str) -> None:
    """Raises WindflowError if something is at ``path`` that is not a virtual environment of ours."""
    if not os.path.isabs(path) or os.path.normpath(path) != path or path.count("/") < 2:
        raise _problem("E4060", "an absolute path below a directory", path, "correct it")
    try:
        os.close(open_parent(path))
        names = os.listdir(path) if os.path.lexists(path) else []
    except FileNotFoundError:
        return
    except OSError as error:
        raise _problem("E4061", "a directory for the virtual environment", reason(error), "move it away") from error
    if os.path.islink(path) or (names and not {MARKER, BUILDING, "pyvenv.cfg"} & set(names)):
        got = "a link" if os.path.islink(path) else "a directory with other things in it"
        raise _problem("E4061", "a virtual environment or nothing at %s" % path, got, "move it away")


def build(path: str, python: str, requirements: str, file: str, extra_args: list, timeout: int, cache_dir: str) -> None:
    """Makes the environment anew; whatever was at ``path`` goes first. ``check_path`` comes before.

    ``file``: the file that holds the requirements, or an empty string: then they are kept below
    ``path``. Raises WindflowError, with the end of pip's output, and nothing stays at ``path``.
    """
    umask = os.umask(0o022)
    try:
        _remove(path)
        _make(path)
        _fill(path, python, requirements, file, extra_args, timeout, cache_dir)
        flush_filesystem(path)
        _write(os.path.join(path, BUILDING), marker_text(requirements, python, extra_args))
        os.rename(os.path.join(path, BUILDING), os.path.join(path, MARKER))
    except OSError as error:
        _remove(path)
        problem = _problem(
            "E4062", "to make the virtual environment", reason(error), "make room or install the program"
        )
        raise WindflowError(list(problem.problems), REMOVED) from error
    except BaseException:
        _remove(path)
        raise
    finally:
        os.umask(umask)


def _fill(path: str, python: str, requirements: str, file: str, extra_args: list, timeout: int, cache_dir: str) -> None:
    settings = environment(path, dict(os.environ))
    major, minor, stdlib, packaged = json.loads(_run([python, "-I", "-S", "-c", _PROBE], settings, timeout, "E4062"))
    wheel = pip_wheel(stdlib, packaged)
    make = [python, "-I", "-m", "venv", *(["--without-pip"] if wheel else []), path]
    _run(make, settings, timeout, "E4062")
    if not is_empty(requirements):
        if not file:
            file = os.path.join(path, REQUIREMENTS)
            _write(file, requirements)
        argv = install_command(path, wheel, file, wants_hashes(requirements), extra_args, cache_dir)
        _run(argv, settings, timeout, "E4063")
    shutil.rmtree(os.path.join(path, TEMPORARY))
    if not os.path.isdir(os.path.join(path, "lib", "python%d.%d" % (major, minor))):
        raise _problem("E4062", "packages for Python %d.%d" % (major, minor), "none", "correct python")


def installed(path: str) -> list:
    """What is installed, as name-version, from the names of the metadata directories; sorted."""
    found = glob(os.path.join(glob(os.path.join(path, "lib", "python3.*", "site-packages"))[0], "*.dist-info"))
    return sorted(os.path.basename(name)[: -len(".dist-info")] for name in found)


def _make(path: str) -> None:
    """The empty directory, marked as being built; its parent too if only that is missing."""
    parent = os.path.dirname(path)
    if not os.path.isdir(parent):
        os.mkdir(parent, 0o755)
    os.mkdir(path, 0o755)
    _write(os.path.join(path, BUILDING), "")
    os.mkdir(os.path.join(path, TEMPORARY), 0o700)


def _remove(path: str) -> None:
    """Removes the environment. The marker goes first, so that half of one never counts as complete."""
    if not os.path.lexists(path):
        return
    if os.path.exists(os.path.join(path, MARKER)):
        os.rename(os.path.join(path, MARKER), os.path.join(path, BUILDING))
    shutil.rmtree(path)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _run(argv: list, settings: dict, timeout: int, code: str) -> str:
    """stdout and stderr of a command that ends well. Its whole process group ends with it."""
    # A file and not a pipe: a child that outlives the command would keep a pipe open.
    with tempfile.TemporaryFile(dir=settings["TMPDIR"]) as output:
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=settings,
            start_new_session=True,
        )
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _end(process)
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    if status == 0:
        return text
    lines = [re.sub(r"://[^/\s@]*@", "://********@", line) for line in text.splitlines()[-_LAST_LINES:]]
    ended = "no end within %d s" % timeout if status is None else "exit code %d" % status
    what = "pip to install the requirements" if code == "E4063" else "%s to make the virtual environment" % argv[0]
    remedy = "look at its last lines: index, certificate, hash or version"
    if code == "E4062":
        remedy = "install the interpreter with its venv module"
    problem = Problem(code, what, "\n".join([ended, *lines]), remedy)
    raise WindflowError(problem, REMOVED)


def _end(process: subprocess.Popen) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _problem(code: str, expected: str, got: str, remedy: str) -> WindflowError:
    return WindflowError(Problem(code, expected, got, remedy))
