#!/usr/bin/python
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_network
short_description: Configure network interfaces without cutting the host off
version_added: 1.0.0
author: Windflow contributors (@windflow)
description:
  - Gives interfaces addresses, and makes VLANs, bridges and bonds. The host's own program does it, one of
    NetworkManager, systemd-networkd, netplan, ifupdown and wicked. None is installed.
  - Adds to what the host has configured itself. An address, a route or a file of the host stays.
  - O(networks) is the whole list of an owner. What was configured for the owner before and is not in it any more is
    removed, and what was there before comes back.
  - Before the change, a restore is armed on the host. It is disarmed once the host was reached over a new connection
    and everything is as wanted. Otherwise the host restores itself.
  - The task fails with E4101 if the host had to restore itself, and counts as unreachable if the host does not answer
    afterwards.
extends_documentation_fragment:
  - windflow.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    description: Shows what differs from what is wanted.
  idempotent:
    support: full
options:
  plugin:
    description: Name of the plugin that the networks belong to. Without one, they belong to the playbook.
    type: str
    default: ""
  networks:
    description:
      - The networks.
      - One with O(networks[].cidr) alone only asserts that the interface has an address in it.
      - A VLAN, a bridge or a bond with neither O(networks[].cidr) nor O(networks[].address) is a link without an
        address.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the network. Files have it in their names.
        type: str
        required: true
      cidr:
        description: Range of the network, such as V(192.168.1.0/24).
        type: str
      type:
        description: Kind of the interface.
        type: str
        choices: [physical, vlan, bridge, bond]
        default: physical
      interface:
        description: Name of the interface.
        type: str
        required: true
      address:
        description: Address with its prefix length. It configures the interface.
        type: str
      gateway:
        description: Router in the network that the default route leads to.
        type: str
      dns:
        description: Addresses of name servers.
        type: list
        elements: str
      mtu:
        description: Largest packet in bytes.
        type: int
      vlan_id:
        description: Number of the VLAN.
        type: int
      members:
        description: Interfaces of a bridge or a bond, or the one that a VLAN lies on.
        type: list
        elements: str
      mode:
        description: Mode of a bond.
        type: str
        choices: [active-backup, balance-rr, balance-xor, broadcast, 802.3ad, balance-tlb, balance-alb]
  consent:
    description: Whether an interface may be changed that carries the connection of the task.
    type: bool
    default: false
  seconds:
    description: Time after which the host restores itself.
    type: int
    default: 60
  address:
    description:
      - Name or address by which the controller reaches the host after the change.
      - Without one, it is the new address where the change takes away the address that the controller uses, and else
        the same as before.
    type: str
    default: ""
  command:
    description:
      - Command of the shell that the host runs as the last of all, before the change is kept.
      - If it does not end with 0 within 30 seconds, the change is undone, and the task fails with E4100.
    type: str
    default: ""
  state:
    description: Internal. V(apply) begins a change, V(confirm) and V(restore) end it.
    type: str
    choices: [apply, confirm, restore]
    default: apply
  change:
    description: Internal. The change that is to be ended.
    type: str
    default: ""
  settled:
    description: Internal. What the host has answered when all was as wanted.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Give the host an address in the storage network
  windflow.platform.host_network:
    networks:
      - name: storage
        type: vlan
        interface: eth0.20
        vlan_id: 20
        members: [eth0]
        address: 10.20.0.5/24
        mtu: 9000
    consent: true

- name: Bring back what was there before
  windflow.platform.host_network:
    networks: []
"""

RETURN = r"""
why:
  description: What differed from what is wanted.
  returned: success
  type: list
  elements: str
  sample: [eth0.20 is not there]
connection:
  description: Variables of the connection that later tasks need, where the controller reaches the host elsewhere.
  returned: success
  type: dict
  sample: {ansible_host: 10.20.0.5}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.windflow.platform.plugins.module_utils.answer import answer
from ansible_collections.windflow.platform.plugins.module_utils.network_change import host_network

NETWORK = {
    "name": {"type": "str", "required": True},
    "cidr": {"type": "str"},
    "type": {"type": "str", "choices": ["physical", "vlan", "bridge", "bond"], "default": "physical"},
    "interface": {"type": "str", "required": True},
    "address": {"type": "str"},
    "gateway": {"type": "str"},
    "dns": {"type": "list", "elements": "str"},
    "mtu": {"type": "int"},
    "vlan_id": {"type": "int"},
    "members": {"type": "list", "elements": "str"},
    "mode": {
        "type": "str",
        "choices": ["active-backup", "balance-rr", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"],
    },
}


def main():
    module = AnsibleModule(
        argument_spec={
            "plugin": {"type": "str", "default": ""},
            "networks": {"type": "list", "elements": "dict", "default": [], "options": NETWORK},
            "consent": {"type": "bool", "default": False},
            "seconds": {"type": "int", "default": 60},
            "address": {"type": "str", "default": ""},
            "command": {"type": "str", "default": ""},
            "state": {"type": "str", "choices": ["apply", "confirm", "restore"], "default": "apply"},
            "change": {"type": "str", "default": ""},
            "settled": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    answer(module, host_network.run)


if __name__ == "__main__":
    main()
