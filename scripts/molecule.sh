#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# molecule.sh SCENARIO [VERB]: runs a Molecule scenario (VERB: test).
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$ROOT/scripts/bootstrap.sh" dev
use_venv
scenario=${1:-default}
verb=${2:-test}
[ -d "$ROOT/molecule/$scenario" ] || fail "there is no Molecule scenario '$scenario'" "See the directories of molecule/."
say "Molecule: scenario $scenario"
# What the user of the collection has is no part of this checkout.
[ "$scenario" != roles ] || exec "$ROOT/scripts/molecule_roles.sh" "$verb" "${@:3}"
cd "$ROOT"
# The engine is looked for only where the scenario makes hosts of its own in containers.
! grep -qs 'lab/lab.py' "molecule/$scenario/create.yml" || use_docker
exec molecule "$verb" --no-command-borders -s "$scenario" "${@:3}"
