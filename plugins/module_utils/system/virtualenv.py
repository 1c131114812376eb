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

import errno
import hashlib
import json
import os
import re
import shutil
import signal
import sys
from glob import glob

from ..errors import Problem, WindflowError
from ..files.nofollow import FLAGS, flush_filesystem, open_parent, reason
from ..files.turns import turn
from . import unprivileged

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pwd
    from collections.abc import Iterator, Mapping
    from typing import Any


ARGUMENTS: dict[str, dict[str, Any]] = {
    "path": {"type": "str", "required": True},
    "requirements_content": {"type": "str"},
    "requirements": {"type": "str"},
    "root": {"type": "str"},
    "application": {"type": "str"},
    "application_at": {"type": "str", "default": ""},
    "user": {"type": "str", "default": "nobody"},
    "only_binary": {"type": "bool", "default": False},
    "source_packages": {"type": "list", "elements": "str", "default": []},
    "python": {"type": "str"},
    "extra_args": {"type": "list", "elements": "str", "default": []},
    "cache_dir": {"type": "str"},
    "timeout": {"type": "int", "default": 600},
    "wait": {"type": "bool", "default": True},
}
# How the options depend on each other.
RULES: dict[str, Any] = {
    "mutually_exclusive": [("requirements_content", "requirements")],
    "required_one_of": [("requirements_content", "requirements")],
}
# The options that a recipe takes as they are.
RECIPE = (
    "application",
    "application_at",
    "user",
    "only_binary",
    "source_packages",
    "extra_args",
    "timeout",
    "cache_dir",
)
MARKER = ".windflow-complete"
BUILDING = ".windflow-building"
TEMPORARY = ".windflow-tmp"
# What the account has built, beside the environment until it is copied. It counts as an environment that nobody uses.
BUILT = "%s.built"
# By the number of the system's error; any other gets the usual one.
REMEDIES = {errno.EROFS: "mount the file system writable (mount -o remount,rw)"}
REMOVED = "The virtual environment was removed. Nothing else was changed."
# Names the directory of the requirements' own files in them.
DIRECTORY = "WINDFLOW_REQUIREMENTS"

_LAST_LINES = 20
# MB. With less, what fails has lacked space: it has removed its temporary files by then.
_LITTLE_SPACE = 64
# The commands of one environment.
_COMMANDS = 3
_PROBE = (
    "import json, os, sys, sysconfig; print(json.dumps(["
    "sys.version_info[0], sys.version_info[1], os.path.dirname(os.__file__), "
    "sysconfig.get_config_var('WHEEL_PKG_DIR') or '']))"
)
# What reaches pip of the environment: how it gets to an index, and what a compiler is told. Everything else could lead
# it elsewhere, or is nothing that a package's code should see.
_KEPT = re.compile(
    r"(?:PATH|LANG|LC_[A-Z]+|TZ|(?:https?|ftp|all|no)_proxy|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE"
    r"|CC|CXX|LD|AR|[A-Z]+FLAGS|PKG_CONFIG_[A-Z]+"
    r"|PIP_(?:INDEX_URL|EXTRA_INDEX_URL|NO_INDEX|FIND_LINKS|TRUSTED_HOST|CERT|CLIENT_CERT|PROXY|TIMEOUT|DEFAULT_TIMEOUT"
    r"|RETRIES|CONFIG_FILE|REQUIRE_HASHES|USE_FEATURE|USE_DEPRECATED))\Z",
    re.IGNORECASE,
)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What compilers and those who look for one say.
_NOT_COMPILED = re.compile(
    r"command '\S*(?:gcc|g\+\+|cc|clang|c\+\+|cargo|rustc)\S*' failed|fatal error: \S+: No such file"
    r"|[Uu]nknown compiler|_config executable not found|[Rr]ust compiler|No CMAKE_\w+_COMPILER|cmake: not found"
)
_NO_DISTRIBUTION = re.compile(r"No matching distribution found for ([A-Za-z0-9][A-Za-z0-9._-]*)")


class Recipe:
    """What an environment is made of.

    ``text`` are the requirements. With ``file`` they are that file. Everything below ``root``, where it lies, goes to
    pip with it, and ``application`` is a directory that it expects at ``application_at`` below ``root``. ``user`` is
    the account that installs where root runs this. With ``only_binary`` no package but those of ``source_packages`` is
    built from source.
    """

    def __init__(
        self,
        python: str,
        text: str = "",
        file: str = "",
        root: str = "",
        application: str = "",
        application_at: str = "",
        **options: Any,
    ) -> None:
        self.python = python
        self.text = text
        self.file = file
        self.root = root
        self.application = application
        self.application_at = application_at
        self.user = options.get("user") or ""
        self.only_binary = bool(options.get("only_binary"))
        self.source_packages = list(options.get("source_packages") or ())
        self.extra_args = list(options.get("extra_args") or ())
        self.timeout = options.get("timeout") or 600
        self.cache_dir = options.get("cache_dir") or ""

    def digest(self) -> str:
        """SHA-256 of the requirements with everything of the plugin's that they refer to."""
        found = hashlib.sha256(self.text.encode("utf-8"))
        for path, place in self.files():
            found.update(("%s\0%s\0" % (place, _content_digest(path))).encode())
        return found.hexdigest()

    def files(self) -> Iterator[tuple[str, str]]:
        """(path, place below the directory that pip is given) of every file; those of ``root`` come last."""
        if self.file and not self.root:
            yield self.file, os.path.basename(self.file)
        for top, at in ((self.application, self.application_at), (self.root, "")):
            for directory, directories, names in os.walk(top) if top else ():
                directories.sort()
                links = [name for name in directories if os.path.islink(os.path.join(directory, name))]
                for name in sorted([*names, *links]):
                    path = os.path.join(directory, name)
                    yield path, os.path.join(at, os.path.relpath(path, top))

    def marker(self) -> str:
        """Returns what the marker of a complete environment holds: digest, interpreter, options, a line each.

        The interpreter is the real path (/usr/bin/python3.11): after an upgrade of the distribution the packages lie
        in a directory that the new one does not read.
        """
        options = [*self.extra_args, *self.policy()]
        return "%s\n%s\n%s\n" % (self.digest(), os.path.realpath(self.python), json.dumps(options))

    def policy(self) -> list[str]:
        """pip's options about packages that are built from source."""
        if not self.only_binary:
            return []
        named = ["--no-binary", ",".join(self.source_packages)] if self.source_packages else []
        return ["--only-binary", ":all:", *named]


def _content_digest(path: str) -> str:
    if os.path.islink(path):
        content = os.fsencode(os.readlink(path))
    else:
        with open(path, "rb") as stream:
            content = stream.read()
    return hashlib.sha256(content).hexdigest()


def is_complete(path: str, marker: str) -> bool:
    """Returns whether the environment at ``path`` was completed with this marker, by who runs this, and can still
    run."""
    try:
        with open(os.open(os.path.join(path, MARKER), FLAGS | os.O_NONBLOCK), encoding="utf-8") as file:
            owners = {os.lstat(path).st_uid, os.fstat(file.fileno()).st_uid}
            same = owners == {os.geteuid()} and file.read() == marker
        return same and os.access(os.path.join(path, "bin", "python"), os.X_OK)
    except OSError:
        return False


def wants_hashes(requirements: str) -> bool:
    """Returns whether a requirement carries a hash, so that all of them must."""
    return bool(re.search(r"(?m)^[^#\n]*\s--hash[=\s]", requirements))


def is_empty(requirements: str) -> bool:
    """Returns whether there is nothing to install."""
    return not re.search(r"(?m)^\s*[^#\s]", requirements)


def pip_wheel(stdlib: str, packaged: str) -> str:
    """Returns the pip that the interpreter brings along: its newest bundled wheel, or an empty string.

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


def install_command(path: str, wheel: str, file: str, hashes: bool, recipe: Recipe) -> list[str]:
    """argv that installs the requirements in ``file`` into the environment at ``path``."""
    pip = [os.path.join(wheel, "pip")] if wheel else ["-m", "pip"]
    argv = [os.path.join(path, "bin", "python"), *pip, "install", "--no-input", "--disable-pip-version-check"]
    argv += ["--no-warn-script-location", "--compile", "--progress-bar", "off"]
    argv += ["--cache-dir", recipe.cache_dir] if recipe.cache_dir else ["--no-cache-dir"]
    argv += ["--require-hashes"] if hashes else []
    return [*argv, *recipe.extra_args, *recipe.policy(), "-r", file]


def environment(path: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """pip's environment: index, proxy and certificate settings stay; home and temporary files are below ``path``, so
    that no account's pip.conf counts."""
    kept = {name: value for name, value in inherited.items() if _KEPT.match(name)}
    temporary = os.path.join(path, TEMPORARY)
    mine = {"HOME": temporary, "TMPDIR": temporary, DIRECTORY: os.path.join(temporary, "requirements")}
    return {"PATH": _PATH, **kept, "PIP_USER": "0", "PYTHONUTF8": "1", "PYTHONNOUSERSITE": "1", **mine}


def check_place(path: str) -> None:
    """Raises WindflowError if nobody should make a directory at ``path``, whatever is there."""
    if not os.path.isabs(path) or os.path.normpath(path) != path or path.count("/") < 2:
        raise _problem("E4060", "an absolute path below a directory", path, "correct it")
    try:
        os.close(open_parent(path))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _no_directory(error) from error


def check_path(path: str) -> None:
    """Raises WindflowError if something is at ``path`` that is not a virtual environment of ours.

    While somebody makes one there, it is in no state that this would know.
    """
    check_place(path)
    try:
        names = os.listdir(path) if os.path.lexists(path) else []
    except OSError as error:
        raise _no_directory(error) from error
    if os.path.islink(path) or (names and not {MARKER, BUILDING, "pyvenv.cfg"} & set(names)):
        got = "a link" if os.path.islink(path) else "a directory with other things in it"
        raise _problem("E4061", "a virtual environment or nothing at %s" % path, got, "move it away")


def _no_directory(error: OSError) -> WindflowError:
    return _problem("E4061", "a directory for the virtual environment", reason(error), "move away what is there")


def build(path: str, recipe: Recipe, wait: bool = True) -> bool:
    """Makes the environment anew, or has a process of its own do it; returns whether one before has completed it.

    An environment that was at ``path`` goes first; ``check_place`` comes before. What packages do while they are
    installed, they do as the recipe's account, in a directory of that account's; what is there afterwards is copied.
    Raises WindflowError, with the end of pip's output, and nothing stays at ``path``. A failure that nobody waited for
    is raised for who comes next and waits.
    """
    try:
        _make_parent(path)
        with turn(path, _COMMANDS * recipe.timeout) as mine:
            if is_complete(path, recipe.marker()):
                return True
            check_path(path)
            if not wait:
                mine.detach(lambda: _build(path, recipe))
            elif mine.failure:
                raise mine.failure
            else:
                _build(path, recipe)
    except OSError as error:
        raise _not_made(error) from error
    return False


def _build(path: str, recipe: Recipe) -> None:
    umask = os.umask(0o022)
    entry = unprivileged.account(recipe.user)
    marker = recipe.marker()
    try:
        _remove(path)
        _make(path, entry)
        _fill(path, recipe, entry)
        if entry is not None:
            os.rename(path, BUILT % path)
            unprivileged.take_over(BUILT % path, path, (MARKER, BUILDING, TEMPORARY))
            shutil.rmtree(BUILT % path)
        else:
            shutil.rmtree(os.path.join(path, TEMPORARY))
        flush_filesystem(path)
        _write(os.path.join(path, BUILDING), marker)
        os.rename(os.path.join(path, BUILDING), os.path.join(path, MARKER))
    except OSError as error:
        _remove(path)
        raise _not_made(error) from error
    except BaseException:
        _remove(path)
        raise
    finally:
        os.umask(umask)


def _not_made(error: OSError) -> WindflowError:
    remedy = REMEDIES.get(error.errno or 0, "free some space or install the program")
    problem = Problem.plain("E4062", "the virtual environment could not be made", reason(error), remedy)
    return WindflowError(problem, REMOVED)


def _fill(path: str, recipe: Recipe, entry: pwd.struct_passwd | None) -> None:
    settings = environment(path, dict(os.environ))
    temporary = settings["TMPDIR"]
    probe = _run([recipe.python, "-I", "-S", "-c", _PROBE], settings, temporary, recipe, entry, "E4062")
    major, minor, stdlib, packaged = json.loads(probe)
    wheel = pip_wheel(stdlib, packaged)
    make = [recipe.python, "-I", "-m", "venv", *(["--without-pip"] if wheel else []), path]
    _run(make, settings, temporary, recipe, entry, "E4062")
    text = recipe.text
    if recipe.file:
        with open(recipe.file, encoding="utf-8") as stream:
            text = stream.read()
    if not is_empty(text):
        file = _place(recipe, settings[DIRECTORY], entry)
        argv = install_command(path, wheel, file, wants_hashes(text), recipe)
        _run(argv, settings, os.path.dirname(file), recipe, entry, "E4063")
    if not os.path.isdir(os.path.join(path, "lib", "python%d.%d" % (major, minor))):
        raise _problem("E4062", "packages for Python %d.%d" % (major, minor), "none", "correct python")


def _place(recipe: Recipe, directory: str, entry: pwd.struct_passwd | None) -> str:
    """Puts what pip is given where the account may read and, for a project that is built in its place, write it."""
    os.mkdir(directory, 0o700)
    if not recipe.file:
        file = os.path.join(directory, "requirements.txt")
        _write(file, recipe.text)
    else:
        file = os.path.join(directory, os.path.relpath(recipe.file, recipe.root or os.path.dirname(recipe.file)))
        for path, place in recipe.files():
            target = os.path.join(directory, place)
            os.makedirs(os.path.dirname(target), 0o700, exist_ok=True)
            if os.path.lexists(target):
                os.unlink(target)
            shutil.copyfile(path, target, follow_symlinks=False)
            shutil.copymode(path, target, follow_symlinks=False)
    if entry is not None:
        for top, _directories, names in os.walk(directory):
            for name in [".", *names]:
                os.chown(os.path.join(top, name), entry.pw_uid, entry.pw_gid, follow_symlinks=False)
    return file


def installed(path: str) -> list[str]:
    """Returns what is installed, as name-version, from the names of the metadata directories; sorted."""
    found = glob(os.path.join(glob(os.path.join(path, "lib", "python3.*", "site-packages"))[0], "*.dist-info"))
    return sorted(os.path.basename(name)[: -len(".dist-info")] for name in found)


def _make_parent(path: str) -> None:
    """Makes the directory of the environment if only that is missing."""
    parent, umask = os.path.dirname(path), os.umask(0o022)
    try:
        if not os.path.isdir(parent):
            os.mkdir(parent, 0o755)
    finally:
        os.umask(umask)


def _make(path: str, entry: pwd.struct_passwd | None) -> None:
    """The empty directory, marked as being built."""
    os.mkdir(path, 0o755)
    _write(os.path.join(path, BUILDING), "")
    os.mkdir(os.path.join(path, TEMPORARY), 0o700)
    if entry is not None:
        for place in (os.path.join(path, TEMPORARY), path):
            os.chown(place, entry.pw_uid, entry.pw_gid)


def _remove(path: str) -> None:
    """Removes the environment. The marker goes first, so that half of one never counts as complete."""
    for place in (path, BUILT % path):
        if not os.path.lexists(place):
            continue
        if os.path.lexists(os.path.join(place, MARKER)):
            os.rename(os.path.join(place, MARKER), os.path.join(place, BUILDING))
        shutil.rmtree(place)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _run(
    argv: list[str], settings: dict[str, str], cwd: str, recipe: Recipe, entry: pwd.struct_passwd | None, code: str
) -> str:
    """stdout and stderr of a command that ends well."""
    status, text = unprivileged.run(argv, settings, cwd, recipe.timeout, entry)
    if status == 0:
        return text
    lines = [re.sub(r"://[^/\s@]*@", "://********@", line) for line in text.splitlines()[-_LAST_LINES:]]
    ended = "no end within %d s" % recipe.timeout if status is None else "exit code %d" % status
    if status is not None and status < 0:
        ended = "ended by signal %d" % -status
    said = "\n".join([ended, *lines])
    missing = _NO_DISTRIBUTION.search(text)
    if code == "E4063" and recipe.only_binary and missing:
        name = missing.group(1)
        fault = "no wheel of %s fits this host's Python" % name
        remedy = (
            "look at the version and the index; where there is only source, and its code may run on the host, "
            "write app.source_packages: [%s]" % name
        )
        raise WindflowError(Problem.plain("E4064", fault, said, remedy), REMOVED)
    fault = "pip could not install the requirements"
    if code == "E4062":
        fault = "%s could not make the virtual environment" % argv[0]
    remedy = "look at its last lines: index, certificate, hash or version"
    if _NOT_COMPILED.search(text):
        remedy = "add what it is compiled with, such as gcc and python3-dev, to host.packages of plugin.yml"
    if code == "E4062":
        remedy = "install the interpreter with its venv module; the account %s must reach it" % (recipe.user or "root")
    space = shutil.disk_usage(settings["TMPDIR"]).free >> 20
    if space < _LITTLE_SPACE or "No space left on device" in text:
        # What it says is lost where the disk is full.
        said = "\n".join(["%s, with %d MB free on its file system" % (ended, space), *lines])
        remedy = "free some space, then run again"
    elif status == -signal.SIGKILL:
        remedy = "free some memory, if the kernel killed it for lack of that (journalctl -k, dmesg), then run again"
    raise WindflowError(Problem.plain(code, fault, said, remedy), REMOVED)


def _problem(code: str, expected: str, got: str, remedy: str) -> WindflowError:
    return WindflowError(Problem(code, expected, got, remedy))


def recipe_of(params: dict[str, Any], check: bool) -> Recipe | None:
    """Returns what the environment is made of; None for a file that does not exist yet in a check."""
    python = params["python"] or ("/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable)
    text, file = params["requirements_content"], params["requirements"] or ""
    if text is None:
        try:
            with open(file, encoding="utf-8") as stream:
                stream.read()
        except (OSError, UnicodeDecodeError) as error:
            if check and isinstance(error, FileNotFoundError):
                return None
            problem = Problem("E4060", "requirements in UTF-8", str(error), "correct the file", path="requirements")
            raise WindflowError(problem) from error
    options = {key: params[key] for key in RECIPE}
    return Recipe(python, text or "", file, params["root"] or "", **options)


def run(params: dict[str, Any]) -> dict[str, Any]:
    """The answer of M(windflow.platform.venv) to its options. Raises WindflowError."""
    path, check = params["path"], params["check"]
    check_place(path)
    recipe = recipe_of(params, check)
    complete = recipe is not None and is_complete(path, recipe.marker())
    ready = complete
    if recipe and not complete and not check:
        complete = build(path, recipe, params["wait"])
        ready = complete or params["wait"]
    else:
        check_path(path)
    return {
        "changed": not complete,
        "digest": recipe.digest() if recipe else "",
        "packages": installed(path) if ready else [],
        "python": os.path.realpath(recipe.python) if recipe else "",
    }
