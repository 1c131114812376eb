#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: files
short_description: Manage the directories, files and links of one step in one call
version_added: 1.0.0
author: Windflow contributors (@windflow)
description:
  - Brings a list of directories, files and links to their desired state.
  - Everything that can be found wrong is reported at once, before anything is written. New files are written whole
    beside their destination before the first of them is renamed into place.
  - A link at the destination of a file is replaced and never followed. A link on the way to it is followed only if
    root owns it.
  - A directory is never replaced by something else, nor something else by a directory.
extends_documentation_fragment:
  - windflow.platform.attributes
attributes:
  check_mode:
    support: full
    details:
      - Users, groups, sources and parent directories that do not exist yet are taken as coming.
  diff_mode:
    description: Returns what changes, as attributes and as the text of files.
    support: full
    details:
      - The content of a secret file is never shown.
  idempotent:
    support: full
options:
  entries:
    description:
      - What there should be. Entries are applied in order. The parent of an entry must exist or be listed before it.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path, without V(.) and V(..) and without a slash at the end.
        type: str
        required: true
      state:
        description:
          - What should be at the path.
          - V(absent) removes a directory with everything in it.
        type: str
        choices: [directory, file, link, absent]
        default: file
      content:
        description: Content of a file, in UTF-8. Shown in the diff.
        type: str
      secret_content:
        description: Content of a file that is never shown.
        type: str
      source:
        description: A file on the host to copy the content from.
        type: str
      target:
        description: Where a link points to.
        type: str
      owner:
        description: Name or number of the user. Left alone if not given; a new entry belongs to who runs the module.
        type: str
      group:
        description: Name or number of the group. Left alone if not given.
        type: str
      mode:
        description:
          - Octal with a leading zero, quoted, as in V("0640"). Not for links.
          - If not given, what is there stays as it is. A new directory is V(0755), a new file V(0644), a new secret
            file V(0600), whatever the umask.
        type: str
      secret:
        description: The content that O(entries[].source) names is secret. Implied by O(entries[].secret_content).
        type: bool
        default: false
      backup:
        description: Whether to keep a copy of a file that differs before it is overwritten.
        type: bool
        default: false
      keep_existing:
        description: Whether something that exists at the path already stays as it is, whatever it is.
        type: bool
        default: false
      recorded:
        description:
          - SHA-256 of the content that was last written here. A file that still has it was not edited by hand, and no
            copy of it is kept.
        type: str
  plugin:
    description:
      - Whose the directories of O(entries) with an owner are. Those that are made now, or are taken because nothing is
        there, are noted in the plugin's record. One with something of somebody's in it is refused.
      - Of what is to be absent only what was made for the plugin is removed. A warning says why something stays.
    type: str
    default: ""
  adopt:
    description: Whether directories that are there already are used all the same, for O(plugin).
    type: bool
    default: false
  purge:
    description: Whether every directory that was made for O(plugin) is removed, instead of O(entries).
    type: bool
    default: false
  parents:
    description: Whether directories above an entry that do not exist are made, with mode V(0755).
    type: bool
    default: false
  test:
    description:
      - A command that must succeed after a change. If it fails, the module puts everything back as it was and fails
        with what the command said.
      - The command does not run in check mode, nor where nothing changes.
    type: list
    elements: str
    default: []
  backup_dir:
    description: Where copies are kept, with mode V(0600). Made with mode V(0700) if it does not exist; its parent must.
    type: str
"""

EXAMPLES = r"""
- name: Remove all that was made for a plugin
  windflow.platform.files:
    plugin: template
    purge: true

- name: Create directories, configuration and link
  windflow.platform.files:
    entries:
      - path: /opt/app
        state: directory
        mode: "0755"
      - path: /opt/app/config.yaml
        secret_content: "{{ app_config }}"
        owner: root
        group: app
        mode: "0640"
        backup: true
      - path: /opt/app/current
        state: link
        target: releases/20261123T012327Z-1a2b3c4d
    backup_dir: /var/lib/windflow/app/backups

- name: Change a site of nginx, unless nginx refuses it
  windflow.platform.files:
    entries:
      - path: /etc/nginx/sites-enabled/app.conf
        content: "{{ lookup('ansible.builtin.file', 'app.conf') }}"
    test: [nginx, -t]
"""

RETURN = r"""
changes:
  description: What was or would be changed, without secrets.
  type: list
  elements: dict
  returned: success
  sample: [{path: /opt/app, attribute: mode, before: "0700", after: "0755"}]
  contains:
    path:
      description: The entry.
      type: str
    attribute:
      description: One of state, content, target, mode, owner and group.
      type: str
    before:
      description: What it was. Contents are given as digests.
      type: str
    after:
      description: What it is now.
      type: str
backups:
  description: The copies that were kept.
  type: list
  elements: dict
  returned: success
  sample: [{path: /opt/app/config.yaml, backup: /var/lib/windflow/app/backups/opt_app_config.yaml.9f3a}]
"""

import os
import subprocess

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.files import paths, placing
from ansible_collections.windflow.platform.plugins.module_utils.system import mounts, places, processes

# How long a test may take, in seconds.
TEST_SECONDS = 60


def run(
    entries: list, backup_dir: str, check: bool, plugin: str = "", adopt: bool = False, test: tuple | list = ()
) -> dict:
    """The module's result. Raises WindflowError."""
    wanted = paths.parse(entries)
    kept = [entry["path"] for entry in wanted if entry["backup"]]
    if kept and not backup_dir:
        raise WindflowError(Problem("E4010", "backup_dir where an entry has backup", "none", "add it", path=kept[0]))
    for entry in wanted:
        answering(entry["path"])
    gone = [entry["path"] for entry in wanted if plugin and entry["state"] == "absent"]
    wanted = [entry for entry in wanted if entry["path"] not in gone]
    if plugin and wanted:
        places.take(plugin, wanted, adopt, check)
    steps = paths.plan(wanted, predict=check)
    changes = [change for step in steps for change in step["changes"]]
    before = paths.reversal(steps) if test else []
    backups = placing.apply(steps, backup_dir) if changes and not check else []
    if before and not check:
        prove(test, before)
    result = {"changed": bool(changes), "changes": changes, "backups": backups, "diff": paths.diffs(steps)}
    return removal(plugin, gone, check, result) if gone else result


def answering(path: str) -> None:
    """Raises WindflowError where a path lies on a mount that does not answer: nobody could end us there."""
    try:
        mounts.answer(path, os.path.lexists, path)
    except mounts.NotAnswering as error:
        remedy = "start the server, or unmount it (umount --lazy) on the host"
        raise WindflowError(
            Problem.plain("E2066", "a mount of the host does not answer", error.text, remedy, path=path)
        ) from None


def prove(test: list, before: list) -> None:
    """Runs the command ``test``. If it fails, puts everything back as it was and raises WindflowError (E4017)."""
    try:
        code, said = processes.ask(test, dict(os.environ, LC_ALL="C"), TEST_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        code, said = -1, str(error)
    if code != 0:
        placing.apply(paths.plan(before))
        remedy = "correct what it reports, then run again"
        problem = Problem("E4017", "%s to accept the files" % " ".join(test), said.strip()[-2000:], remedy)
        raise WindflowError(problem, "Everything was put back as it was.")


def removal(plugin: str, gone: list | None, check: bool, result: dict | None = None) -> dict:
    """The result with what of a plugin was removed."""
    result = result or {"changed": False, "changes": [], "backups": [], "diff": []}
    removed, stays = places.remove(plugin, gone, check)
    was = {"attribute": "state", "before": "directory", "after": "absent"}
    changes = result["changes"] + [{"path": path, **was} for path in removed]
    return {**result, "changed": bool(changes), "changes": changes, "stays": stays}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "entries": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "path": {"type": "str", "required": True},
                    "state": {"type": "str", "choices": ["directory", "file", "link", "absent"], "default": "file"},
                    "content": {"type": "str"},
                    "secret_content": {"type": "str", "no_log": True},
                    "source": {"type": "str"},
                    "target": {"type": "str"},
                    "owner": {"type": "str"},
                    "group": {"type": "str"},
                    "mode": {"type": "str"},
                    "secret": {"type": "bool", "default": False},
                    "backup": {"type": "bool", "default": False},
                    "recorded": {"type": "str"},
                    "keep_existing": {"type": "bool", "default": False},
                },
            },
            "plugin": {"type": "str", "default": ""},
            "adopt": {"type": "bool", "default": False},
            "purge": {"type": "bool", "default": False},
            "parents": {"type": "bool", "default": False},
            "test": {"type": "list", "elements": "str", "default": []},
            "backup_dir": {"type": "str"},
        },
        supports_check_mode=True,
    )
    params, check = module.params, module.check_mode
    try:
        if params["purge"]:
            result = removal(params["plugin"], None, check)
        else:
            backup_dir = params["backup_dir"] or ""
            entries = (paths.parents(params["entries"]) if params["parents"] else []) + params["entries"]
            result = run(entries, backup_dir, check, params["plugin"], params["adopt"], params["test"])
        for reason in result.pop("stays", []):
            module.warn(reason)
        module.exit_json(**result)
    except WindflowError as error:
        module.fail_json(**error.as_result())


if __name__ == "__main__":
    main()
