#!/bin/sh
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# molecule-netplan.sh ADDRESS: lets netplan manage eth0 and eth1 of a guest, eth1 with that address.
set -eu
umask 077
cat >/etc/netplan/50-office.yaml <<EOF
network:
  version: 2
  ethernets:
    eth0:
      addresses: [10.0.2.15/24]
      routes: [{to: default, via: 10.0.2.2}]
      nameservers: {addresses: [10.0.2.3]}
    eth1:
      addresses: [$1/24]
EOF
rm /etc/network/interfaces.d/eth0 /etc/network/interfaces.d/eth1
systemctl disable networking.service
systemctl enable --now systemd-networkd.service

# systemd-networkd takes over the interface of this connection, so this goes on by itself. What is there before anything is
# changed comes last.
cat >/root/take-over <<EOF
netplan apply
until networkctl --no-legend list eth0 eth1 | grep -c configured | grep -qx 2; do sleep 0.5; done
ip -o -4 address show scope global >/root/before.new
mv /root/before.new /root/before
EOF
systemd-run --collect --on-active=2 sh -e /root/take-over
