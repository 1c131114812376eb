#!/bin/sh
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# molecule-networkd.sh ADDRESS: lets systemd-networkd manage eth1 of a guest, with that address.
set -eu
cat >/etc/systemd/network/20-office.network <<EOF
[Match]
Name=eth1
[Network]
Address=$1/24
EOF
ifdown eth1
rm /etc/network/interfaces.d/eth1
systemctl enable --now systemd-networkd.service
until ip -4 address show dev eth1 | grep -q " $1/"; do sleep 0.5; done

# What is there before anything is changed.
ip -o -4 address show scope global >/root/before
