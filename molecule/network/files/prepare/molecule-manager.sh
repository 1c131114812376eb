#!/bin/sh
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# molecule-manager.sh ADDRESS: lets NetworkManager manage eth0 and eth1 of a guest, eth1 with that address.
set -eu
umask 077
# profile NAME INTERFACE ADDRESS [LINE]: writes a profile of the host's own.
profile() {
    cat >"/etc/NetworkManager/system-connections/$1.nmconnection" <<EOF
[connection]
id=$1
uuid=$(cat /proc/sys/kernel/random/uuid)
type=ethernet
interface-name=$2
[ipv4]
method=manual
address1=$3
${4-}
[ipv6]
method=disabled
EOF
}
profile wired eth0 10.0.2.15/24,10.0.2.2 'dns=10.0.2.3;'
profile office eth1 "$1/24"
rm /etc/network/interfaces.d/eth0 /etc/network/interfaces.d/eth1
systemctl disable networking.service
systemctl enable --now NetworkManager.service
# The interfaces have their addresses already: without this, NetworkManager would only watch them.
nmcli connection up wired
nmcli connection up office

# What is there before anything is changed.
ip -o -4 address show scope global >/root/before
