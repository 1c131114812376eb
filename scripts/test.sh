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
    summary+=("$(printf '%-28s %4d s' "$title" "$((SECONDS - begun))")")
}

# Side by side: both only read, and each keeps one processor busy.
lint_and_sanity() {
    local log status=0 lint
    log=$(mktemp)
    scripts/lint.sh >"$log" 2>&1 &
    lint=$!
    scripts/sanity.sh || status=$?
    wait "$lint" || status=$?
    cat "$log"
    rm -f "$log"
    return "$status"
}

summary=()
run "lint and sanity" lint_and_sanity
run "unit tests" scripts/unit.sh quick
run "unit tests with servers" scripts/unit.sh system
run "build and offline install" scripts/build.sh
run "integration targets" scripts/integration.sh
run "molecule default" scripts/molecule.sh default
run "molecule host" scripts/molecule.sh host
run "molecule elsewhere" scripts/molecule.sh elsewhere
run "molecule dependencies" scripts/molecule.sh dependencies
run "molecule compose" scripts/molecule.sh compose
run "molecule swarm" scripts/molecule.sh swarm
run "clean clone" scripts/clean_clone.sh

say "All tests passed in $((SECONDS - started)) s"
printf '   %s\n' "${summary[@]}"
