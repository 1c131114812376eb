# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs every command of the plugin documentation on this machine, as it stands there, and looks at what it did.

For a machine that may be thrown away. ``platform`` has to be on the PATH and this checkout on the module path.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from ansible_collections.windflow.platform.tests.tools.documentation import (
    make_example_plugin,
    make_walk_through,
    under,
)

URL = "http://localhost:8080"


def run(command: str, folder: Path, **environment: str) -> None:
    print("+ %s" % command, flush=True)
    subprocess.run(["bash", "-euc", command], cwd=folder, env={**os.environ, **environment}, check=True, timeout=900)


def answers(path: str) -> dict:
    with urllib.request.urlopen(URL + path, timeout=10) as answer:
        return json.load(answer)


def record(plugin: str) -> dict:
    """The plugin's current revision."""
    found = json.loads(Path("/var/lib/windflow", plugin, "record.json").read_text(encoding="utf-8"))
    return next(item for item in found["revisions"] if item["revision"] == found["current"])


def deploy_template(folder: Path) -> None:
    basic, advanced = (sample.text for sample in under("Template Plugin", "yaml"))
    (folder / "my-config.yaml").write_text(basic + advanced)
    commands = [line for sample in under("Deployment Examples", "bash") for line in sample.text.splitlines()]
    commands = [line for line in commands if line and not line.startswith("#")]
    assert len(commands) == 4, commands
    for command in commands:
        run(command, folder)
        assert answers("/healthz")["status"] == "ok"
        revision = record("template")
        assert revision["environment"] in ("", command.partition("--env ")[2].partition(" ")[0])
        if "--replicas 3" in command:
            assert len({answers("/healthz")["instance"] for _number in range(60)}) == 3
        assert ("debug: true" in revision["config"]) == ("--debug" in command)
        assert ("smtp.example.com" in revision["config"]) == ("--config" in command)


def deploy_my_plugin(folder: Path) -> None:
    readme = (make_walk_through(folder) / "README.md").read_text(encoding="utf-8")
    (command,) = [line for line in readme.splitlines() if line.startswith("platform ")]
    run(command, folder)
    assert record("my-plugin")["version"] == "1.0.0"


def deploy_example_plugin(folder: Path) -> None:
    """It needs a database, which is deployed before it, and its hooks are told where that is."""
    told = folder / "told.json"
    plugin = make_example_plugin(folder, 'printf "%%s" "$WINDFLOW_DEPENDENCIES" > %s' % told)
    run("platform plugin deploy example-plugin", folder, WINDFLOW_PLUGINS_PATH=str(plugin.parent))
    assert record("database")["version"] == "2.0.0"
    assert record("example-plugin")["needs"] == {"database": {"plugin": "database", "constraint": ">=2.0.0"}}
    given = json.loads(told.read_text(encoding="utf-8"))["database"]
    query = "psql -h %(host)s -p %(port)s -U %(user)s -d %(name)s -Atc 'select 1'" % given
    run('test "$(%s)" = 1' % query, folder, PGPASSWORD=given["password"])


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        deploy_template(folder)
        deploy_my_plugin(folder)
        deploy_example_plugin(folder)
    print("Every command of the documentation works as it stands.")


if __name__ == "__main__":
    main()
