# shellcheck shell=bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What every script shares. Sourced, never run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=$ROOT/.venv
CACHE=$ROOT/.cache
export ROOT VENV CACHE

say() { printf '\n== %s\n' "$*"; }

# fail WHAT-IS-WRONG REMEDY
fail() {
    printf '\nerror: %s\n       %s\n' "$1" "${2:-}" >&2
    exit 1
}

is_root() { [ "$(id -u)" = 0 ]; }

is_debian() { [ -e /etc/debian_version ] && command -v apt-get >/dev/null; }

# apt_install PACKAGE...: only on Debian and only as root; callers ask first.
apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    alive "apt: package lists" apt-get -o DPkg::Lock::Timeout=600 -q update
    alive "apt: install $*" apt-get -o DPkg::Lock::Timeout=600 -q -y --no-install-recommends install "$@"
}

# alive TITLE COMMAND...: runs a long quiet command with its output in a file and a line every ten seconds,
# so that a person sees that it lives. The output is printed only if the command fails.
alive() {
    local title=$1 log started pid status=0 last=0 now
    shift
    log=$(mktemp)
    started=$SECONDS
    printf '   %s ...\n' "$title"
    "$@" >"$log" 2>&1 &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        now=$((SECONDS - started))
        if [ $((now / 10)) -gt "$last" ]; then
            last=$((now / 10))
            printf '   %s: %d s so far\n' "$title" "$now"
        fi
    done
    wait "$pid" || status=$?
    if [ "$status" != 0 ]; then
        cat "$log" >&2
        printf '   %s: failed with exit code %d after %d s\n' "$title" "$status" "$((SECONDS - started))" >&2
    else
        printf '   %s: done in %d s\n' "$title" "$((SECONDS - started))"
    fi
    rm -f "$log"
    return "$status"
}

# use_venv: the tools of .venv come first. pyenv's shims go, because ansible-test takes them for interpreters.
use_venv() {
    PATH=$VENV/bin:$(printf '%s' "$PATH" | tr ':' '\n' | grep -v '/shims$' | paste -sd:)
    export PATH
    export ANSIBLE_CONFIG=$ROOT/ansible.cfg
    # Hundreds of short processes follow: none compiles again what another one has compiled.
    unset PYTHONDONTWRITEBYTECODE
}

# use_docker: starts an engine where none answers and points the client at it.
use_docker() {
    "$ROOT/scripts/docker.sh" start
    eval "$("$ROOT/scripts/docker.sh" env)"
}

# Options of `platform plugin …` for ENV, CONFIG and INVENTORY, in `arguments`, and those of ansible-playbook in `more`.
host_arguments() {
    arguments=() more=()
    [ -z "${ENV:-}" ] || arguments+=(--env "$ENV")
    [ -z "${CONFIG:-}" ] || arguments+=(--config "$CONFIG")
    if [ -n "${INVENTORY:-}" ]; then
        [ -e "$INVENTORY" ] || fail "INVENTORY=$INVENTORY does not exist" "Name an inventory file or directory."
        arguments+=(--inventory "$INVENTORY")
    elif ! is_root && ! sudo -n true 2>/dev/null; then
        # The play changes this machine, so it becomes root there.
        more+=(--ask-become-pass)
    fi
}
