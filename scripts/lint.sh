#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# All linters; every one runs, and the result is bad if one of them found something.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$ROOT/scripts/bootstrap.sh" dev
use_venv
cd "$ROOT"

failed=()
check() {
    local title=$1
    shift
    say "Lint: $title"
    "$@" || failed+=("$title")
}

# Every shell script of the tree, by name or by its first line.
shell_scripts() {
    git ls-files --cached --others --exclude-standard | while IFS= read -r file; do
        if [ -f "$file" ] && { [[ $file == *.sh ]] || head -n 1 "$file" | grep -aqE '^#!.*[ /](ba)?sh( |$)'; }; then
            printf '%s\0' "$file"
        fi
    done
}

check ruff ruff check .
check mypy mypy
check shellcheck xargs -0 -r shellcheck -x < <(shell_scripts)
check "changelog fragments" antsibull-changelog lint
check ansible-lint python scripts/ansible_lint.py --profile production --offline

if [ "${#failed[@]}" -gt 0 ]; then
    fail "found something: ${failed[*]}" "The findings are above."
fi
