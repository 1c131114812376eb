# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own code on a host, without the weight of a module.

For a small question or a small change a module costs more than what it does: Ansible looks through its
own code for what to send, and the host unpacks and loads that. Our code needs none of it, so its few
files are piped to Python as they are. It is the same code as the module's, which is run where piping
does not work, for whatever reason, and by who wants the module by itself.

A piece that can be called so is a file of ``module_utils`` with a function ``run(arguments) -> result``.
"""

from __future__ import annotations

import base64
import functools
import json
import re
import zlib
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).parents[1] / "module_utils"
STARTED = "windflow-started"
MARKER = "windflow-answer:"
# The system's Python 3, as for the virtual environments; ``-`` reads the program from standard input.
COMMAND = (
    'p=$(command -v /usr/bin/python3 || command -v python3 || command -v /usr/libexec/platform-python) && exec "$p" -'
)

PROGRAM = """\
import base64, importlib.util, json, sys, zlib
sources, arguments = json.loads(zlib.decompress(base64.b64decode("%(packed)s")))
class Sources:
    def find_spec(self, name, path=None, target=None):
        package, _dot, module = name.rpartition(".")
        if name == "windflow_host" or package == "windflow_host" and module in sources:
            return importlib.util.spec_from_loader(name, self, is_package=not package)
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        name = module.__name__.rpartition(".")[2]
        exec(compile(sources.get(name, ""), "<%%s>" %% name, "exec"), module.__dict__)
sys.meta_path.insert(0, Sources())
from windflow_host import errors, %(entry)s
print("%(started)s", flush=True)
try:
    answer = %(entry)s.run(arguments)
except errors.WindflowError as error:
    answer = dict(error.as_result(), failed=True)
print("%(marker)s" + json.dumps(answer))
"""


@functools.lru_cache(maxsize=None)
def sources(entry: str) -> dict[str, str]:
    """The text of ``entry`` and of everything of ours that it imports, by name."""
    found: dict[str, str] = {}
    pending = ["errors", entry]
    while pending:
        name = pending.pop()
        if name not in found:
            found[name] = (SOURCES / ("%s.py" % name)).read_text(encoding="utf-8")
            pending += re.findall(r"^from \.(\w+) import", found[name], re.MULTILINE)
            for line in re.findall(r"^from \. import (\([^)]*\)|.+)$", found[name], re.MULTILINE):
                pending += re.findall(r"\w+", line)
    return found


def program(entry: str, arguments: dict[str, Any]) -> str:
    """A program that prints what ``entry`` returns for ``arguments``."""
    packed = zlib.compress(json.dumps([sources(entry), arguments]).encode(), 1)
    return PROGRAM % {
        "packed": base64.b64encode(packed).decode("ascii"),
        "entry": entry,
        "marker": MARKER,
        "started": STARTED,
    }


def read_answer(output: str) -> dict[str, Any] | None:
    """The answer in what the program printed; None where there is none."""
    for line in output.splitlines():
        if line.startswith(MARKER):
            try:
                return json.loads(line[len(MARKER) :])
            except ValueError:
                return None
    return None


def call(action: Any, entry: str, module: str, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
    """What ``entry`` returns on the host of ``action``; ``arguments`` are all options of ``module``.

    The module is run only if the code did not even start: what did start may have changed something.
    """
    if action._connection.has_pipelining:
        complete = {**arguments, "check": action._task.check_mode}
        done = action._low_level_execute_command(COMMAND, in_data=program(entry, complete).encode(), sudoable=True)
        answer = read_answer(done["stdout"])
        if answer is not None:
            return answer
        if STARTED in done["stdout"]:
            return {"failed": True, "msg": "%s stopped without an answer: %s" % (module, done["stderr"][-4000:])}
    return action._execute_module(module_name=module, module_args=arguments, task_vars=task_vars)
