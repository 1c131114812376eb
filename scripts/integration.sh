#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The integration targets of tests/integration/targets, run by ansible-test on this machine: check, real, check again,
# real again. Arguments go to ansible-test (e.g. the name of a target).
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$ROOT/scripts/bootstrap.sh" dev
use_venv
is_root || fail "the integration targets change files, accounts and services of this machine" "Run this as root."
say "Integration: the modules' targets, on this machine"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
copy=$("$ROOT/scripts/copy_tree.sh" "$work")
python_version=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
cd "$copy"
# The copy is the collection under test; the checkout's link must not stand in front of it.
unset ANSIBLE_CONFIG
ansible-test integration --color no --python "$python_version" --requirements --allow-root --allow-destructive "$@"
