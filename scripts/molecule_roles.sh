#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# molecule_roles.sh VERB: the scenario `roles`, as somebody runs it who uses the collection: in a project of its own,
# outside the checkout, that installs the collection's tarball offline. molecule.sh calls it.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

use_venv
use_docker
# Not the checkout's settings, nor its collection.
unset ANSIBLE_CONFIG
# The same directory every time, so that Molecule finds its state again: `converge`, then `verify`.
project=${TMPDIR:-/tmp}/windflow-roles-$(printf '%s' "$ROOT" | cksum | cut -d' ' -f1)
rm -rf "$project"
mkdir -p "$project/molecule"
cp -r "$ROOT/molecule/roles" "$project/molecule/roles"
tarball=$("$ROOT/scripts/tarball.sh" "$project")
ANSIBLE_COLLECTIONS_PATH=$project/collections
LAB_IMAGE=$(python "$ROOT/tests/lab/lab.py" image trixie --variant systemd | tail -n 1)
export ANSIBLE_COLLECTIONS_PATH LAB_IMAGE
cd "$project"
ansible-galaxy collection install "$tarball" --offline -p "$project/collections"
molecule "$1" --no-command-borders -s roles "${@:2}"
[ "$1" != test ] || rm -rf "$project"
