#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# test.sh [PART…]: everything, or the parts that are named (system, compose, …). Set-up comes first, so that what is
# missing is said before anything runs. scripts/run_parts.py has the list.
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
use_venv

say "All tests, two parts at a time; the output of each is in .cache/test"
status=0
python "$ROOT/scripts/run_parts.py" "$CACHE/test" "$@" || status=$?
say "$([ "$status" = 0 ] && echo "All tests passed" || echo "Tests failed") after $((SECONDS - started)) s"
exit "$status"
