#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release
short_description: Begin and end a run on a host's record of a plugin
version_added: 1.0.0
description:
  - A run begins by taking the lease of the plugin's record, which is the lock against a second run,
    and by opening a revision. It ends by closing that revision, well or badly.
  - The lease of a dead run expires. The next run then records the dead one as abandoned at its step.
author: Windflow contributors (@windflow)
extends_documentation_fragment:
  - windflow.platform.attributes
  - windflow.platform.attributes.action
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    description: The record is not shown.
  idempotent:
    support: partial
    details:
      - Beginning again under the same O(run) changes nothing. A run can end only once.
options:
  plugin:
    description: Name of the plugin.
    type: str
    required: true
  state:
    description:
      - V(started) takes the lease and opens a revision.
      - V(renewed) says that the run is still at work, before something that takes long, and notes O(revision). Where
        another run has taken over meanwhile it fails.
      - V(finished) records what the host has now, makes the revision current, and prunes old releases.
      - V(failed) records the error and deletes what the run had made and nothing uses.
      - V(removed) records that the plugin is no longer on the host.
      - V(unlocked) removes the lease of a run that is certainly dead, and records that run as abandoned.
    type: str
    required: true
    choices: [started, renewed, finished, failed, removed, unlocked]
  run:
    description: Identity of the run, the same for all its tasks. Required except for V(unlocked).
    type: str
    default: ""
  holder:
    description: Who runs it, as a second operator is told. Without it, user and host of the controller.
    type: str
    default: ""
  purpose:
    description: What the run is for, as a second operator is told.
    type: str
    default: deploy
  seen:
    description:
      - Where the record was when it was decided what the run does, for V(started); a C(position) of
        M(windflow.platform.plan) or M(windflow.platform.release_info). If any run has begun or ended since, it fails.
    type: str
    default: ""
  wait:
    description:
      - Seconds to wait for another run's end, for V(started). The host is asked to wait, in one connection.
      - With O(seen) it is of no use, because that run moves the record; wait before the record is looked at.
    type: int
    default: 0
  lease_seconds:
    description:
      - Seconds after which the lease of a run expires, unless the run renews it. Without it 900, and for V(renewed)
        what it was taken for.
    type: int
  revision:
    description: What to note of the revision (release, version, environment, target, event, digests, venv, port).
    type: dict
    default: {}
  generate:
    description: Keys in dots of secrets that are made on the host unless they are there, for V(started).
    type: list
    elements: str
    default: []
  secrets_of:
    description:
      - Plugins whose secrets the run needs, for V(started). The host's answer spares the tasks of the run a question.
    type: list
    elements: str
    default: []
  resources:
    description: What the run manages, for V(finished); see the result of M(windflow.platform.plan).
    type: dict
    default: {}
  install_dir:
    description: The application's directory, where releases are pruned. Nothing is pruned without it.
    type: path
  keep_releases:
    description: How many good releases to keep, the current one included.
    type: int
    default: 5
  step:
    description: The step that failed, for V(failed), or that the run is at, for V(renewed).
    type: str
    default: ""
  error:
    description: The message of what failed, for V(failed).
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Begin the run
  windflow.platform.release:
    plugin: template
    state: started
    run: 20261123T012327Z-4711
    revision: {release: 20261123T012327Z-1a2b3c4d, version: 1.0.0, target: host, event: deploy}

- name: Record that the run ended well
  windflow.platform.release:
    plugin: template
    state: finished
    run: 20261123T012327Z-4711
    install_dir: /opt/template
"""

RETURN = r"""
revision:
  description: The revision that was opened or closed.
  returned: success
  type: dict
  sample: {revision: 7, release: 20261123T012327Z-1a2b3c4d, state: deployed}
known:
  description:
    - What M(windflow.platform.dependency_info) returns for O(secrets_of). In a playbook the action keeps it for the
      tasks of the run, and the result of the task has none.
  returned: when O(state) is V(started), O(secrets_of) is given, and only the module itself is run
  type: dict
deleted:
  description: Directories of releases and virtual environments that were deleted.
  returned: when O(state) is V(finished) or V(failed)
  type: list
  elements: str
restored:
  description: Whether the release that served before the run serves after it; on a first deploy, none.
  returned: when O(state) is V(failed) and O(install_dir) is given
  type: bool
serves:
  description: The release that serves, or an empty string.
  returned: when O(install_dir) is given
  type: str
lease:
  description: The lease that was taken away, or nothing.
  returned: when O(state) is V(unlocked)
  type: dict
recorded:
  description: Whether the host has a record of the plugin.
  returned: when O(state) is V(unlocked)
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.answer import answer
from ansible_collections.windflow.platform.plugins.module_utils.run import recording


def main():
    module = AnsibleModule(argument_spec=recording.ARGUMENTS, supports_check_mode=True)
    answer(module, recording.run)


if __name__ == "__main__":
    main()
