#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# `make deploy` in a fresh clone, in clean containers that have root, git, make and Python and nothing else. The second
# run must change nothing. In the first of them, every command of the plugin documentation is then run, in the other one
# `make remove`.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$ROOT/scripts/bootstrap.sh" dev
use_venv
use_docker
lab() { python "$ROOT/tests/lab/lab.py" "$@"; }

work=$(mktemp -d)
hosts=()
cleanup() {
    rm -rf "$work"
    [ "${#hosts[@]}" = 0 ] || lab down "${hosts[@]}"
}
trap cleanup EXIT

# What is committed and what is not yet, as one commit, so that a developer tests what will be committed.
copy=$("$ROOT/scripts/copy_tree.sh" "$work/tree")
git -C "$copy" -c user.name=windflow -c user.email=windflow@localhost commit -q -m "The tree under test"
git -C "$copy" bundle create -q "$work/clone.bundle" main

deploy_twice() {
    local suite=$1 name=clone-$1
    inside() { docker exec -w /root "windflow-$name" bash -c "$1"; }
    lab up "$name" "$suite" --variant plain
    docker cp "$work/clone.bundle" "windflow-$name:/root/clone.bundle" >/dev/null
    inside 'git clone -q -b main clone.bundle platform && rm clone.bundle'
    inside 'cd platform && make deploy' | tee "$work/$suite.first"
    url=$(grep -oE 'http://[A-Za-z0-9.-]+:[0-9]+' "$work/$suite.first" | tail -n 1 || true)
    [ -n "$url" ] || { echo "make deploy printed no URL" >&2; return 1; }
    # The container has no curl, and needs none.
    inside "python3 -c 'import sys, urllib.request as u; r = u.urlopen(sys.argv[1], timeout=10); print(r.status)' '$url'" |
        grep -qx 200 || { echo "$url did not answer 200" >&2; return 1; }
    inside 'cd platform && make deploy' | tee "$work/$suite.second"
    if grep -E 'changed=[1-9]|failed=[1-9]|unreachable=[1-9]' "$work/$suite.second"; then
        echo "the second make deploy changed something" >&2
        return 1
    fi
    grep -q 'changed=0' "$work/$suite.second"
}

take_away() {
    docker exec -w /root/platform "windflow-clone-$1" bash -euc '
        make remove PURGE=template
        left=$(ls -d /opt/template /etc/nginx/sites-enabled/*template* /etc/supervisor/conf.d/*template* 2>/dev/null || true)
        [ -z "$left" ] || { echo "make remove left $left" >&2; exit 1; }'
}

walk_documentation() {
    docker exec -w /root/platform "windflow-clone-$1" bash -c \
        '. .venv/bin/activate && PYTHONPATH=collections python tests/tools/walk_documentation.py'
}

walked=
for suite in ${SUITES:-bookworm trixie}; do
    say "Clean clone: make deploy in a clean container of $suite"
    hosts+=("clone-$suite")
    deploy_twice "$suite"
    if [ -z "$walked" ]; then
        say "Clean clone: every command of the plugin documentation in the same container"
        walk_documentation "$suite"
        walked=yes
    else
        say "Clean clone: make remove in the same container"
        take_away "$suite"
    fi
done
