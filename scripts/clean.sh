#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Removes what the other scripts made in this directory, test hosts included. A deployed application stays.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cd "$ROOT"
hosts=()
for file in "$CACHE"/lab/*.json; do
    [ ! -e "$file" ] || hosts+=("$(basename "$file" .json)")
done
if [ "${#hosts[@]}" -gt 0 ] && [ -x .venv/bin/python ]; then
    .venv/bin/python tests/lab/lab.py down "${hosts[@]}"
fi
[ ! -e /run/windflow-lab/dockerd.pid ] || scripts/docker.sh stop
rm -rf .venv .cache build collections tests/output .ansible .hypothesis .pytest_cache .ruff_cache
find . -name __pycache__ -type d -prune -exec rm -rf {} +
