#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# ansible-test sanity on a copy of the tree; arguments go to ansible-test (e.g. --test validate-modules).
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$ROOT/scripts/bootstrap.sh" dev
use_venv
say "Sanity: ansible-test on a copy of the tree"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
copy=$("$ROOT/scripts/copy_tree.sh" "$work")

# ansible-test makes virtual environments without pip and fetches a bootstrap script for it. The interpreter's own
# ensurepip does the same without a network. It takes that script's place in a private home directory, which sees the
# user's pip settings and cache and changes nothing else.
private=$CACHE/ansible-test
mkdir -p "$private/.ansible/test/cache"
for name in .pip .config .cache; do
    [ ! -e "$HOME/$name" ] || ln -sfn "$HOME/$name" "$private/$name"
done
export HOME=$private
pip_version=$(python -c 'import re, ansible_test._internal.python_requirements as m
print(re.search(r"pip=.([0-9.]+)", open(m.__file__).read()).group(1).replace(".", "_"))')
echo 'import ensurepip; ensurepip.bootstrap(upgrade=True, default_pip=True)' \
    >"$HOME/.ansible/test/cache/get_pip_$pip_version.py"
python_version=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
cd "$copy"
ansible-test sanity --color no --python "$python_version" "$@"
