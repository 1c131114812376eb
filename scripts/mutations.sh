#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# mutations.sh [ARGUMENTS of pytest]: deploys of copies of the collection in which one thing of an OS family is wrong.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$ROOT/scripts/bootstrap.sh" dev
use_venv
use_docker
say "Mutations: each has to fail, with an error that names the cause"
cd "$ROOT"
exec python -m pytest "${@:-tests/mutations}"
