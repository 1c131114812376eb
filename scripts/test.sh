#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Everything: set-up first, so that what is missing is said before anything runs, then all tests, cheapest first.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cd "$ROOT"
started=$SECONDS
"$ROOT/scripts/bootstrap.sh" dev
if ! is_root || ! is_debian; then
    fail "the tests install packages and services on this machine and make test hosts" "Run this as root on Debian."
fi
"$ROOT/scripts/docker.sh" start

run() {
    local title=$1 begun=$SECONDS
    shift
    "$@" || fail "make test: $title failed" "Its output is above; \`make help\` lists the target that repeats it alone."
    summary+=("$(printf '%-32s %4d s' "$title" "$((SECONDS - begun))")")
}

# Two commands side by side, each of which keeps one processor busy and does not need what the other one changes. What
# the second one prints comes after what the first one prints.
both() {
    local log status=0 second
    log=$(mktemp)
    # shellcheck disable=SC2086
    $2 >"$log" 2>&1 &
    second=$!
    trap 'kill "$second" 2>/dev/null || true' EXIT
    # shellcheck disable=SC2086
    $1 || status=$?
    wait "$second" || status=$?
    trap - EXIT
    cat "$log"
    rm -f "$log"
    return "$status"
}

summary=()
run "lint and sanity" both scripts/sanity.sh scripts/lint.sh
run "unit tests" scripts/unit.sh quick
run "unit tests with servers" scripts/unit.sh system
run "build and offline install" scripts/build.sh
# What is on this machine beside what is in containers.
run "integration, elsewhere" both scripts/integration.sh "scripts/molecule.sh elsewhere"
run "molecule default, dependencies" both "scripts/molecule.sh default" "scripts/molecule.sh dependencies"
# Alone: they put load on what they upgrade.
run "molecule host" scripts/molecule.sh host
run "molecule compose" scripts/molecule.sh compose
run "molecule swarm" scripts/molecule.sh swarm
run "molecule roles, clean clone" both "scripts/molecule.sh roles" scripts/clean_clone.sh

say "All tests passed in $((SECONDS - started)) s"
printf '   %s\n' "${summary[@]}"
