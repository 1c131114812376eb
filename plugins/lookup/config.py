# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: config
short_description: Look up a value of a plugin's merged configuration
version_added: 1.0.0
author: Windflow contributors (@windflow)
description:
  - Reads a plugin's configuration from its layers and returns the value of each key.
  - Lets a task take a secret straight from its source, so that no variable or result carries it.
    Set C(no_log) on such a task.
  - No host is asked. A secret that is made on the host, the plugin's own or a dependency's, is refused.
extends_documentation_fragment:
  - windflow.platform.inputs
options:
  _terms:
    description: Keys, in dots.
    required: true
  default:
    description: Value of a key that is not set. Without it such a key is an error.
    type: raw
"""

EXAMPLES = r"""
- name: Create the database
  windflow.platform.database:
    name: myapp
    user: dbuser
    password: >-
      {{ lookup('windflow.platform.config', 'database.password', plugin='template', config=['my-config.yaml']) }}
  become: true
  no_log: true

- name: Show where the application answers
  ansible.builtin.debug:
    msg: "port {{ lookup('windflow.platform.config', 'server.host_port', plugin='template', default=8080) }}"
"""

RETURN = r"""
_list:
  description: The values.
  type: list
  elements: raw
"""

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.plan.inputs import ARGUMENTS, Inputs, read_inputs
from ansible_collections.windflow.platform.plugins.plugin_utils.gathering import place_of


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        self.set_options(var_options=variables, direct=kwargs)
        arguments = {key: self.get_option(key) for key in ARGUMENTS}
        try:
            inputs = read_inputs(arguments, place_of(self, variables or {}))
            unknown = made_on_host(inputs)
            return [value_of(inputs, term, unknown, kwargs) for term in terms]
        except WindflowError as error:
            raise AnsibleLookupError(str(error)) from error


def value_of(inputs: Inputs, key: str, unknown: set[tuple], options: dict) -> object:
    """Returns the value of a key; raises E1151 for one that only the host knows, E1152 for one that is not set."""
    path = tuple(key.split("."))
    if any(within(secret, path) for secret in unknown):
        said = "only the host knows this secret, which is generated there"
        remedy = "give it in the configuration, or leave it to the tasks of the platform"
        raise WindflowError(Problem.plain("E1151", said, "", remedy, path=key))
    value = inputs.config.get(key)
    if value is None and "default" not in options:
        remedy = "correct the key, or give a default"
        raise WindflowError(
            Problem.plain(
                "E1152", "the configuration of %s does not set the key" % inputs.manifest.name, "", remedy, path=key
            )
        )
    return options["default"] if value is None else value


def made_on_host(inputs: Inputs) -> set[tuple]:
    """Paths of secrets that are made on the host, for the plugin or for what gives them to it."""
    config, found = inputs.config, set(inputs.config.generated)
    for item in inputs.provided:
        provider = inputs.providers[item.name]
        theirs = made_on_host(provider)
        given = {path[:2] for path, index in config.owners.items() if config.layers[index].file == item.file}
        for key, source in provider.manifest.results.items():
            if (item.name, key) in given and any(within(secret, tuple(source)) for secret in theirs):
                found.add((item.name, key))
    return found


def within(one: tuple, other: tuple) -> bool:
    """Returns whether one path is the other or lies below it, whichever is the longer."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
