#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Takes PLUGIN away from this machine, or from the hosts of INVENTORY. PURGE=PLUGIN deletes its data, too. CONFIG and ENV
# pass through.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$ROOT/scripts/bootstrap.sh" runtime
use_venv
host_arguments
[ -z "${PURGE:-}" ] || arguments+=(--purge "$PURGE")
cd "$ROOT"
platform plugin remove "${arguments[@]}" -- "${PLUGIN:-template}" "${more[@]}"
