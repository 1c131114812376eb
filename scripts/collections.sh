#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# collections.sh: puts collections of Galaxy into .cache/collections, from the PyPI package that brings them, so that no
# Galaxy has to be reached. Does nothing where that is done already. Prints the directory.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

WANTED=(ansible/posix community/docker community/library_inventory_filtering_v1)
directory=$CACHE/collections
pin=$(grep -v '^#' "$ROOT/requirements/collections.txt")
stamp="$pin ${WANTED[*]}"

if [ "$(cat "$directory/.stamp" 2>/dev/null)" != "$stamp" ]; then
    use_venv
    rm -rf "$directory"
    mkdir -p "$directory"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    alive "pip: collections" pip --disable-pip-version-check download --no-deps --only-binary :all: --dest "$work" "$pin" >&2
    python - "$work"/*.whl "$directory" "${WANTED[@]}" <<'PYTHON'
import sys
import zipfile

wheel, directory, *wanted = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    places = tuple(f"ansible_collections/{name}/" for name in wanted)
    archive.extractall(directory, [name for name in archive.namelist() if name.startswith(places)])
PYTHON
    echo "$stamp" >"$directory/.stamp"
fi
echo "$directory"
