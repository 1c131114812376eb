#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# bootstrap.sh runtime|dev: makes .venv with the pinned requirements, the collections of requirements.yml and the
# `platform` command of this checkout, and the link that lets Ansible find it as a collection. Does nothing where that
# is done already. PYTHON=… chooses the interpreter.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

kind=${1:-runtime}

# An interpreter counts only if it runs: version managers leave names behind that do not.
find_python() {
    local name
    for name in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    fail "Python 3.11 or later was not found (looked for ${PYTHON:-python3.13, python3.12, python3.11, python3})" \
        "Install it, or name one with PYTHON=/path/to/python."
}

# chosen: the environment has the Python version that PYTHON=… asks for, if it asks.
chosen() {
    local ask='import sys; print(sys.version_info[:2])'
    [ -z "${PYTHON:-}" ] || [ "$("$VENV/bin/python" -c "$ask")" = "$("$PYTHON" -c "$ask" 2>/dev/null)" ]
}

make_venv() {
    local python=$1
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        # Debian splits these off; the package belongs to the system's own interpreter.
        if ! is_root || ! is_debian || [ "$(readlink -f "$python")" != "$(readlink -f /usr/bin/python3)" ]; then
            fail "$python cannot make virtual environments: its modules venv and ensurepip are missing" \
                "On Debian: apt-get install python3-venv. As root this is done for you."
        fi
        apt_install python3-venv
    fi
    rm -rf "$VENV"
    "$python" -m venv "$VENV"
}

link_collection() {
    local link=$ROOT/collections/ansible_collections/windflow/platform
    [ -e "$link/galaxy.yml" ] && return
    mkdir -p "$(dirname "$link")"
    ln -sfn ../../.. "$link"
}

main() {
    local python stamp digest
    case $kind in
        runtime | dev) ;;
        *) fail "usage: scripts/bootstrap.sh runtime|dev" "" ;;
    esac
    link_collection
    python=$VENV/bin/python
    # An environment that was moved, or whose interpreter is gone, is made anew.
    if [ "$("$python" -c 'import sys; print(sys.prefix)' 2>/dev/null)" != "$VENV" ] || ! chosen; then
        python=$(find_python)
        rm -f "$VENV"/.stamp-*
    fi
    digest=$(cd "$ROOT" && cat requirements/{runtime,dev,collections}.txt requirements.yml requirements/collections.yml cli/pyproject.toml | sha256sum | cut -d' ' -f1)
    # The development set contains the runtime set, so it serves for both.
    for stamp in "$VENV/.stamp-$kind" "$VENV/.stamp-dev"; do
        if [ "$(cat "$stamp" 2>/dev/null)" = "$digest" ]; then
            return
        fi
    done
    say "Virtual environment: $kind requirements in .venv"
    [ "$python" = "$VENV/bin/python" ] || make_venv "$python"
    alive "pip: $kind requirements" "$VENV/bin/python" -m pip --disable-pip-version-check install \
        -r "$ROOT/requirements/$kind.txt"
    alive "pip: the platform command" "$VENV/bin/python" -m pip --disable-pip-version-check install --no-deps -e "$ROOT/cli"
    alive "collections of requirements.yml" "$VENV/bin/python" "$ROOT/scripts/install_collections.py"
    echo "$digest" >"$VENV/.stamp-$kind"
}

main
