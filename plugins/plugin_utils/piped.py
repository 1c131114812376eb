# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own code on a host, without the weight of a module.

For a small question or a small change a module costs more than what it does: Ansible looks through its
own code for what to send, and the host unpacks and loads that. Our code needs none of it, so its few
files are piped to Python as they are. It is the same code as the module's, which is run where piping
does not work, for whatever reason, and by who wants the module by itself.

A piece that can be called so is a file of ``module_utils`` with a function ``run(arguments) -> result``. Its name
is its path there with dots.
"""

from __future__ import annotations

import base64
import functools
import json
import re
import zlib
from pathlib import Path
from types import ModuleType
from typing import Any

SOURCES = Path(__file__).parents[1] / "module_utils"
IMPORT = re.compile(r"^from (\.+)([\w.]*) import (\([^)]*\)|.+)$", re.MULTILINE)
PACKAGE = "windflow_host"
STARTED = "windflow-started"
MARKER = "windflow-answer:"
# The system's Python 3, as for the virtual environments; ``-`` reads the program from standard input. On SUSE 15 it is
# 3.6, and a newer one has another name.
COMMAND = (
    "p=$(command -v /usr/bin/python3 || command -v python3 || command -v /usr/libexec/platform-python); "
    'case $(readlink -f "$p") in *python3.[0-7]|*platform-python3.[0-7]) '
    'for v in 14 13 12 11 10 9; do n=$(command -v "python3.$v") && p=$n && break; done;; esac; '
    '[ -n "$p" ] && exec "$p" -'
)

PROGRAM = """\
import base64, importlib, importlib.util, json, sys, zlib
def unpacked(text):
    return json.loads(zlib.decompress(base64.b64decode(text)))
sources, arguments = unpacked("%(sources)s"), unpacked("%(arguments)s")
class Sources:
    def find_spec(self, name, path=None, target=None):
        if name in sources:
            # Most hosts have no volumes, no networks or no containers: what is for them is not even compiled.
            loader = self if sources[name] is None else importlib.util.LazyLoader(self)
            return importlib.util.spec_from_loader(name, loader, is_package=sources[name] is None)
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        name = module.__name__
        exec(compile(sources[name] or "", "<%%s>" %% name, "exec"), module.__dict__)
sys.meta_path.insert(0, Sources())
from %(package)s import errors
entry = importlib.import_module("%(package)s.%(entry)s")
print("%(started)s", flush=True)
try:
    answer = entry.run(arguments)
except errors.WindflowError as error:
    answer = dict(error.as_result(), failed=True)
print("%(marker)s" + json.dumps(answer))
"""


@functools.lru_cache(maxsize=None)
def sources(entry: str) -> dict[str, str | None]:
    """Returns the text of ``entry`` and of everything of ours that it imports, by dotted name; None for a package."""
    found: dict[str, str | None] = {}
    pending = ["errors", entry]
    while pending:
        name = pending.pop()
        if name not in found:
            text = SOURCES.joinpath(*name.split(".")).with_suffix(".py").read_text(encoding="utf-8")
            found.update({package: None for package in packages(name)})
            found[name] = text
            pending += imported(name, text)
    return found


@functools.lru_cache(maxsize=None)
def packed_sources(entry: str) -> str:
    """Returns ``sources`` as the program has them. Who pipes in several processes calls it before it forks those."""
    return packed({PACKAGE: None, **{"%s.%s" % (PACKAGE, name): text for name, text in sources(entry).items()}})


def packed(value: Any) -> str:
    return base64.b64encode(zlib.compress(json.dumps(value).encode(), 1)).decode("ascii")


def packages(name: str) -> list[str]:
    """Returns the packages that a dotted name lies in, but for the outermost one."""
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def imported(name: str, text: str) -> list[str]:
    """The dotted names of our files that the file ``name`` imports at its top."""
    found = []
    for dots, module, names in IMPORT.findall(text):
        # One dot is the package of the file, two dots are the package around that.
        around = name.split(".")[: -len(dots)]
        path = around + (module.split(".") if module else [])
        if SOURCES.joinpath(*path).is_dir():
            found += [".".join([*path, item]) for item in re.findall(r"(\w+)(?: as \w+)?", names)]
        else:
            found.append(".".join(path))
    return found


def entry_of(piece: ModuleType) -> str:
    """Returns the dotted name of a file of ``module_utils``."""
    return piece.__name__.partition(".module_utils.")[2]


def program(entry: str, arguments: dict[str, Any]) -> str:
    """A program that prints what ``entry`` returns for ``arguments``."""
    return PROGRAM % {
        "sources": packed_sources(entry),
        "arguments": packed(arguments),
        "package": PACKAGE,
        "entry": entry,
        "marker": MARKER,
        "started": STARTED,
    }


def read_answer(output: str) -> dict[str, Any] | None:
    """Returns the answer in what the program printed; None where there is none."""
    for line in output.splitlines():
        if line.startswith(MARKER):
            try:
                return json.loads(line[len(MARKER) :])
            except ValueError:
                return None
    return None


def call(
    action: Any,
    entry: str,
    module: str,
    arguments: dict[str, Any],
    task_vars: dict[str, Any],
    as_module: bool = False,
) -> dict[str, Any]:
    """Returns what ``entry`` returns on the host of ``action``; ``arguments`` are all options of ``module``.

    The module is run with ``as_module``, and in the background, where nothing else can run. Otherwise it is run only if
    the code did not even start: what did start may have changed something.
    """
    background = action._task.async_val
    if action._connection.has_pipelining and not as_module and not background:
        complete = {**arguments, "check": action._task.check_mode, "diff": action._task.diff}
        # The keyword ``environment`` of a play or a task, which Ansible itself gives to modules only.
        environment = action._compute_environment_string()
        command = "export %s; %s" % (environment, COMMAND) if environment else COMMAND
        done = action._low_level_execute_command(command, in_data=program(entry, complete).encode(), sudoable=True)
        answer = read_answer(done["stdout"])
        if answer is not None:
            return answer
        if STARTED in done["stdout"]:
            return {"failed": True, "msg": "%s stopped without an answer: %s" % (module, done["stderr"][-4000:])}
    # For a module, an option with the value None is one that was given.
    given = {name: value for name, value in arguments.items() if value is not None}
    return action._execute_module(module, given, task_vars=task_vars, wrap_async=background)
