#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# fuzz.sh [SECONDS]: whatever the input, the core answers with a result or with coded findings. Rounds of the fuzzed
# tests with other examples each, in at most that many seconds (300). A round is not begun that would not end in time;
# one that does not end counts as a hang. Each round names its seed, with which it can be run again.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

budget=${1:-300}
"$ROOT/scripts/bootstrap.sh" dev
use_venv
cd "$ROOT"
SECONDS=0
rounds=0
longest=0
export WINDFLOW_FUZZ_EXAMPLES=${WINDFLOW_FUZZ_EXAMPLES:-200}
while [ $((SECONDS + longest + longest / 4)) -lt "$budget" ]; do
    began=$SECONDS
    seed=$((RANDOM * 32768 + RANDOM))
    say "Fuzz, round $((rounds + 1)), --hypothesis-seed=$seed"
    timeout --kill-after=5 $((budget - SECONDS)) python -m pytest -q -n 2 -m system "--hypothesis-seed=$seed" \
        tests/unit/plugins/module_utils/plan/test_inputs_fuzz.py ||
        fail "round $((rounds + 1)) failed, or did not end (exit code $?)" \
            "Run it again: WINDFLOW_FUZZ_EXAMPLES=$WINDFLOW_FUZZ_EXAMPLES with --hypothesis-seed=$seed"
    rounds=$((rounds + 1))
    [ $((SECONDS - began)) -le "$longest" ] || longest=$((SECONDS - began))
done
say "Fuzz: $rounds rounds of at most $WINDFLOW_FUZZ_EXAMPLES examples a test, $SECONDS s, nothing found"
