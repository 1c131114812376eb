#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Deploys PLUGIN to this machine, or to the hosts of INVENTORY. TARGET, CONFIG, ENV and REPLICAS pass through.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$ROOT/scripts/bootstrap.sh" runtime
use_venv

host_arguments
[ -z "${TARGET:-}" ] || arguments+=(--target "$TARGET")
[ -z "${REPLICAS:-}" ] || arguments+=(--replicas "$REPLICAS")

# A line now and then, so that a person sees that a long task (packages, virtual environment) lives. `read` waits without
# a process of its own, which would outlive this one and hold its output open.
beat() {
    local pipe
    exec {pipe}<> <(:)
    while ! read -r -t 20 -u "$pipe"; do
        printf '   ... %d s so far\n' "$SECONDS"
    done
}

cd "$ROOT"
beat &
pulse=$!
trap 'kill "$pulse" 2>/dev/null' EXIT
platform plugin deploy "${arguments[@]}" -- "${PLUGIN:-template}" "${more[@]}"
