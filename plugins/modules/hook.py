#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hook
short_description: Run a plugin's hooks
version_added: 1.0.0
description:
  - Runs the hooks of some events of a plugin in order and stops at the first that fails. A hook that is to run
    C(on) the C(controller) runs there as the user who runs Ansible, one that is to run on the C(target) is shipped
    there and runs as O(user), or as root where it is C(privileged).
  - A hook is called with the event, the old version and the new version. It gets a clean environment of C(WINDFLOW_*)
    and the variables that the plugin's schema declares, and runs in a process group of its own, which is ended with it.
  - A hook may write a JSON map to the file that C(WINDFLOW_RESULT_FILE) names. Later hooks find the results of earlier
    ones in C(WINDFLOW_RESULTS). Secrets of the configuration are replaced by asterisks in results and output.
  - A hook that is to C(run) C(once) runs on the first host of the play that comes to it; the others wait, and take its
    results for theirs or fail with it.
author: Windflow contributors (@windflow)
extends_documentation_fragment:
  - windflow.platform.inputs
attributes:
  action:
    support: full
    description: Hooks on the controller run in the action itself.
  check_mode:
    support: full
    description: No hook runs. The result names those that would.
  diff_mode:
    support: none
    description: What a hook changes is not known.
  idempotent:
    support: N/A
    description: As the hooks are. Changed only where a hook's result says C("changed")C(:) C(true).
options:
  events:
    description: Events whose hooks run, in order.
    type: list
    elements: str
    required: true
    choices:
      - pre-install
      - post-install
      - pre-deploy
      - post-deploy
      - pre-upgrade
      - post-upgrade
      - pre-remove
      - post-remove
      - migrate
  old_version:
    description: Version that is deployed, or an empty string.
    type: str
    default: ""
  new_version:
    description: Version that is being deployed, or an empty string.
    type: str
    default: ""
  release:
    description: Name of the release.
    type: str
    default: ""
  target:
    description: Backend of the run.
    type: str
    default: ""
  engine:
    description: What runs the containers of the target V(compose).
    type: str
    default: ""
  url:
    description: Address of the application.
    type: str
    default: ""
  release_dir:
    description: Directory of the new release on the host, for hooks of a migration.
    type: str
    default: ""
  compose:
    description: Command line of Compose with the new release's project and files, for hooks of a migration.
    type: str
    default: ""
  user:
    description: Account for hooks on the target. Where there is no such account yet, V(nobody).
    type: str
    default: nobody
  results:
    description: Results of earlier hooks.
    type: dict
    default: {}
  script:
    description: Content of the hook in Base64. The action sends it to the target.
    type: str
  script_name:
    description: The hook's path in the plugin. The action sends it to the target.
    type: str
    default: ""
  host:
    description: The host's name in the inventory. The action sends it to the target.
    type: str
    default: ""
  timeout:
    description: Seconds that the hook may take. The action sends it to the target.
    type: float
    default: 300
  environment:
    description: The hook's environment as JSON. The action sends it to the target.
    type: str
    default: "{}"
  secrets:
    description: Values to hide, as JSON. The action sends it to the target.
    type: str
    default: "[]"
  made:
    description:
      - Secrets that were made on the target, as a JSON map of marks and of lists of plugin and key. They take the place
        of the marks in O(environment). The action sends it to the target.
    type: str
    default: "{}"
  masked:
    description: The same for O(secrets). The action sends it to the target.
    type: str
    default: "{}"
"""

EXAMPLES = r"""
- name: Run the hooks before a first deploy
  windflow.platform.hook:
    plugin: template
    events: [pre-install, pre-deploy]
    new_version: 1.0.0
    user: template
  register: before

- name: Run the hooks after it
  windflow.platform.hook:
    plugin: template
    events: [post-deploy, post-install]
    new_version: 1.0.0
    user: template
    results: "{{ before.results }}"
"""

RETURN = r"""
hooks:
  description: The hooks in order, up to the first that failed.
  returned: always
  type: list
  elements: dict
  contains:
    event:
      description: The event.
      type: str
    path:
      description: The hook's path in the plugin.
      type: str
    "on":
      description: V(controller) or V(target).
      type: str
    rc:
      description: Exit code.
      type: int
    seconds:
      description: How long it took.
      type: float
    stdout:
      description: The last 20 lines of its output.
      type: str
    skipped:
      description: Why it did not run.
      type: str
results:
  description: The results of earlier hooks and of these. The later one wins.
  returned: success
  type: dict
code:
  description: Stable code of the error.
  returned: failure
  type: str
  sample: E3001
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.hooks import hook_script

EVENTS = [
    "pre-install",
    "post-install",
    "pre-deploy",
    "post-deploy",
    "pre-upgrade",
    "post-upgrade",
    "pre-remove",
    "post-remove",
    "migrate",
]

ARGUMENTS = {
    "plugin": {"type": "str", "required": True},
    "events": {"type": "list", "elements": "str", "required": True, "choices": EVENTS},
    "old_version": {"type": "str", "default": ""},
    "new_version": {"type": "str", "default": ""},
    "release": {"type": "str", "default": ""},
    "target": {"type": "str", "default": ""},
    "engine": {"type": "str", "default": ""},
    "environment_name": {"type": "str", "default": ""},
    "url": {"type": "str", "default": ""},
    "release_dir": {"type": "str", "default": ""},
    "compose": {"type": "str", "default": ""},
    "config": {"type": "list", "elements": "str", "default": []},
    "sets": {"type": "list", "elements": "str", "default": []},
    "dependency": {"type": "bool", "default": False},
    "user": {"type": "str", "default": "nobody"},
    "results": {"type": "dict", "default": {}},
    "script": {"type": "str"},
    "script_name": {"type": "str", "default": ""},
    "host": {"type": "str", "default": ""},
    "timeout": {"type": "float", "default": 300},
    # Whole texts: the values of a map would each be hidden wherever they occur, "1" and "/" too.
    "environment": {"type": "str", "default": "{}", "no_log": True},
    "secrets": {"type": "str", "default": "[]", "no_log": True},
    "made": {"type": "str", "default": "{}"},
    "masked": {"type": "str", "default": "{}"},
}


def main():
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    if module.params["script"] is None:
        module.fail_json(msg="the action plugin of the same name runs this module")
    if module.check_mode:
        module.exit_json(changed=False, hooks=[])
    try:
        module.exit_json(**hook_script.run(module.params))
    except WindflowError as error:
        module.fail_json(**error.as_result())


if __name__ == "__main__":
    main()
