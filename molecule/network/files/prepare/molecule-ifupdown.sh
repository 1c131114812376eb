#!/bin/sh
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Leaves a guest to ifupdown.
set -eu
# What is there before anything is changed.
ip -o -4 address show scope global >/root/before
