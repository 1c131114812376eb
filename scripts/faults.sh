#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# faults.sh [ARGUMENTS of pytest]: the fault matrix of docs/faults.md, and a line for each of its rows.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$ROOT/scripts/bootstrap.sh" dev
use_venv
use_docker
say "Fault matrix"
cd "$ROOT"
exec python -m pytest --fault-rows "${@:-tests/unit}" tests/faults
