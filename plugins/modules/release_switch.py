#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_switch
short_description: Switch to a release on the host without losing a request
version_added: 1.0.0
description:
  - The release's Supervisor program starts beside the one that serves. Each of its instances is probed on its own
    socket. nginx's whole configuration is tested with the new site, the site is installed, nginx reloads, and the
    answer through nginx is checked. Then C(current) is switched, the old workers of nginx drain, and the old program
    stops.
  - A release that does not get healthy, or does not answer through nginx, is taken away again. The old one has served
    all the time. The error shows the end of the application's log, without the texts of the release's C(secrets.json).
  - Nothing is started that does not belong to the plugin. Supervisor and nginx must be running.
author: Windflow contributors (@windflow)
extends_documentation_fragment:
  - windflow.platform.attributes.action
attributes:
  check_mode:
    support: full
    description: Compares files and links and asks no service.
  diff_mode:
    support: full
    description: Shows the program's and the site's file. The configuration is never shown.
  idempotent:
    support: full
    description: Where the release is current, healthy and its files are as they should be, nothing changes.
options:
  plugin:
    description: Name of the plugin.
    type: str
    required: true
  run:
    description:
      - The run that has the lease of the plugin's record. It is renewed, and without it nothing is switched.
      - Without this option no lease is checked.
    type: str
    default: ""
  release:
    description: Name of the release, as C(20261123T012327Z-1a2b3c4d). Required for O(state=present).
    type: str
    default: ""
  state:
    description:
      - V(present) puts the release into service.
      - V(absent) stops every program of the plugin and removes its site, C(current) and O(config_copy).
    type: str
    choices: [present, absent]
    default: present
  install_dir:
    description: Directory that holds C(releases), C(run) and C(current).
    type: path
    required: true
  replicas:
    description: Number of instances.
    type: int
    default: 1
  health:
    description:
      - Path that an instance answers with status 200 when it is healthy.
      - Where it is empty, an instance counts as healthy when it has been running for O(settle) seconds.
    type: str
    default: ""
  health_timeout:
    description: Seconds in which all instances must get healthy.
    type: int
    default: 30
  settle:
    description: Seconds that an instance without a health path must have been running.
    type: int
    default: 7
  drain_timeout:
    description: Seconds in which nginx's old workers may finish their answers.
    type: int
    default: 30
  host_header:
    description: Name of the host in the probes.
    type: str
    default: localhost
  address:
    description: Address at which nginx is asked at O(port).
    type: str
    default: 127.0.0.1
  port:
    description: Port of nginx's site. 0 for a program that serves nothing; what site a release before had goes then.
    type: int
    default: 0
  program_dir:
    description: Directory of Supervisor's program files.
    type: path
    default: /etc/supervisor/conf.d
  program_ext:
    description: Extension of Supervisor's program files.
    type: str
    default: conf
  supervisor_conf:
    description: Supervisor's configuration, which names its socket.
    type: path
    default: /etc/supervisor/supervisord.conf
  supervisor_socket:
    description: Supervisor's socket, instead of the one that O(supervisor_conf) names.
    type: path
    default: ""
  site_available_dir:
    description: Directory of nginx's sites.
    type: path
    default: /etc/nginx/sites-available
  site_enabled_dir:
    description: Directory of links to the sites in use. May be the same as O(site_available_dir).
    type: path
    default: /etc/nginx/sites-enabled
  nginx_conf:
    description: nginx's main configuration. Both directories of sites are below its directory.
    type: path
    default: /etc/nginx/nginx.conf
  nginx_binary:
    description: nginx's program.
    type: path
    default: /usr/sbin/nginx
  remove_default_site:
    description: Whether to disable the distribution's own site.
    type: bool
    default: false
  default_site:
    description: That site. C(default) in O(site_enabled_dir) where it is not given.
    type: path
    default: ""
  config_copy:
    description: Where to copy the release's C(config.yaml).
    type: dict
    suboptions:
      path:
        description: Path of the copy.
        type: path
        required: true
      owner:
        description: Owner of the copy.
        type: str
        default: root
      group:
        description: Group of the copy.
        type: str
        default: root
      mode:
        description: Mode of the copy.
        type: str
        default: "0640"
  log_dir:
    description: Directory of the program's logs. An error then shows only what the new release wrote.
    type: path
    default: ""
  backup_dir:
    description: Where a managed file that was edited by hand is kept before it is overwritten.
    type: path
    default: ""
"""

EXAMPLES = r"""
- name: Switch to the new release
  windflow.platform.release_switch:
    plugin: template
    release: 20261123T012327Z-1a2b3c4d
    install_dir: /opt/template
    replicas: 3
    health: /healthz
    port: 8080

- name: Stop the application
  windflow.platform.release_switch:
    plugin: template
    install_dir: /opt/template
    state: absent
"""

RETURN = r"""
url:
  description: Address of the application.
  returned: success, when O(state=present)
  type: str
  sample: http://localhost:8080/
status:
  description: Status of the answer through nginx.
  returned: success, when O(state=present)
  type: int
  sample: 200
previous:
  description: The release that served before, or an empty string.
  returned: success
  type: str
stopped:
  description: Supervisor's programs that were stopped.
  returned: success
  type: list
  elements: str
changes:
  description: Files, links and programs that were changed.
  returned: always
  type: list
  elements: str
backups:
  description: Copies of files that had been edited by hand.
  returned: always
  type: list
  elements: str
timings:
  description: Seconds for each phase.
  returned: always
  type: dict
  sample: {start: 0.02, health: 0.61, nginx: 0.15, verify: 0.01, current: 0.0, drain: 0.02, stop: 0.1}
code:
  description: Stable code of the error.
  returned: failure
  type: str
  sample: E4040
probe_status:
  description: Status of the last answer; 0 where there was none.
  returned: when the release did not get healthy
  type: int
probe_body:
  description: Begin of the last answer's body.
  returned: when the release did not get healthy
  type: str
probe_error:
  description: Why there was no answer.
  returned: when the release did not get healthy
  type: str
processes:
  description: Supervisor's states of the processes.
  returned: when the release did not get healthy
  type: list
  elements: str
log:
  description: The last 20 lines of the application's log.
  returned: when the release did not get healthy
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.answer import answer
from ansible_collections.windflow.platform.plugins.module_utils.switch import host_switch


def main():
    module = AnsibleModule(argument_spec=host_switch.ARGUMENTS, supports_check_mode=True)
    answer(module, host_switch.run)


if __name__ == "__main__":
    main()
