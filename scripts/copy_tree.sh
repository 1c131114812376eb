#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# copy_tree.sh DIRECTORY: copies what git would know of this tree, tracked or new but not ignored, into
# DIRECTORY/ansible_collections/windflow/platform, and prints that path. ansible-test works nowhere else.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

copy=${1:?directory}/ansible_collections/windflow/platform
mkdir -p "$copy"
cd "$ROOT"
git ls-files -z --cached --others --exclude-standard --deduplicate |
    while IFS= read -r -d '' file; do
        [ ! -e "$file" ] && [ ! -L "$file" ] || printf '%s\0' "$file"
    done |
    tar --create --null --no-recursion --files-from=- | tar --extract --directory "$copy"
# ansible-test asks git which files are the project's.
git -C "$copy" init -q -b main
git -C "$copy" add -A
printf '%s\n' "$copy"
