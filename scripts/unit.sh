#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# unit.sh [quick|system] [ARGUMENTS of pytest]: the unit tests that take no time, or those that start servers.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$ROOT/scripts/bootstrap.sh" dev
use_venv
# The tests start servers of their own: nginx, HAProxy, PostgreSQL.
if ! [ -x /usr/sbin/nginx ] || ! [ -x /usr/sbin/haproxy ] || ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    if ! is_root || ! is_debian; then
        fail "nginx, HAProxy or PostgreSQL is missing, which the unit tests start" \
            "On Debian: apt-get install nginx-light haproxy postgresql"
    fi
    apt_install nginx-light haproxy postgresql
fi
case ${1:-quick} in
    quick) title="Unit tests" marked="not system" ;;
    # Some of them need a server in a container.
    system) title="Unit tests that start servers" marked=system && use_docker ;;
    *) fail "usage: scripts/unit.sh [quick|system] [ARGUMENTS of pytest]" "" ;;
esac
[ $# = 0 ] || shift
say "$title"
cd "$ROOT"
exec python -m pytest -n 2 --durations 20 --durations-min 1 -m "$marked" "${@:-tests/unit}"
