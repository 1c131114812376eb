#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# tarball.sh DIRECTORY: builds the collection's tarball in DIRECTORY, from what git knows of this tree, so that nothing
# that happens to lie about gets in. Prints its path.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

use_venv
target=${1:?directory}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
copy=$("$ROOT/scripts/copy_tree.sh" "$work")
rm -rf "$copy/.git"
mkdir -p "$target"
ansible-galaxy collection build "$copy" --output-path "$target" --force >&2
echo "$target/windflow-platform-$(sed -n 's/^version: //p' "$ROOT/galaxy.yml").tar.gz"
