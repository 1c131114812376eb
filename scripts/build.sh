#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Builds the collection's tarball, looks into it, installs it offline into an empty directory and runs the playbook from
# there, from a directory with nothing else in it.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$ROOT/scripts/bootstrap.sh" dev
use_venv
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say "Build: the collection's tarball"
tarball=$("$ROOT/scripts/tarball.sh" "$ROOT/build")
strays=$(tar -tzf "$tarball" | grep -E '^(collections|\.[a-z]+|build|molecule|tests)/|/__pycache__/|\.pyc$' || true)
[ -z "$strays" ] || fail "the tarball holds what it must not: $(echo "$strays" | head -n 5 | paste -sd' ')" \
    "Add it to build_ignore in galaxy.yml."

say "Build: offline install into an empty directory, and the playbook from there"
mkdir -p "$work/installed" "$work/empty"
unset ANSIBLE_CONFIG
export ANSIBLE_COLLECTIONS_PATH=$work/installed
cd "$work/empty"
ansible-galaxy collection install "$tarball" --offline -p "$work/installed"
ansible-playbook windflow.platform.deploy -e plugin=template --check
echo "   $tarball"
