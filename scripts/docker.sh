#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A Docker Engine for the tests: start | stop | env.
# An engine that answers already is used as it is. Otherwise, as root on Debian, docker.io is installed if it is
# missing and an engine of our own is started, with its own socket and data root, beside anything else.
# `env` prints what points the Docker client at it. `stop` ends only an engine that `start` started.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

STATE=/var/lib/windflow-lab
RUN=/run/windflow-lab
SOCKET=unix://$RUN/docker.sock
PIDFILE=$RUN/dockerd.pid
LOG=$RUN/dockerd.log

answers() { command -v docker >/dev/null && timeout 10 docker ${1:+-H "$1"} info >/dev/null 2>&1; }

start() {
    if answers || answers "$SOCKET"; then
        return
    fi
    if ! is_root || ! is_debian; then
        fail "no Docker Engine answers on this machine (\`docker info\` fails)" \
            "Start Docker and allow $(id -un) to use it, or run this as root on Debian, where it is installed."
    fi
    say "Docker Engine: none answers, starting one of our own"
    [ -x /usr/sbin/dockerd ] || apt_install docker.io
    command -v docker >/dev/null || apt_install docker.io
    ! answers || return 0  # the package has started its own service, as it does under systemd
    mkdir -p "$STATE/docker" "$RUN"
    chmod 0711 "$STATE" "$RUN"
    if [ "$(sysctl -n fs.inotify.max_user_instances)" -lt 1024 ]; then
        # Every systemd container takes some; the kernel's default of 128 is used up by a handful.
        sysctl -q -w fs.inotify.max_user_instances=1024 || true
    fi
    rm -f "$PIDFILE"
    setsid nohup /usr/sbin/dockerd --host "$SOCKET" --data-root "$STATE/docker" --exec-root "$RUN/exec" \
        --pidfile "$PIDFILE" >"$LOG" 2>&1 </dev/null &
    for _ in $(seq 1 120); do
        if answers "$SOCKET"; then
            echo "   Docker Engine $(docker -H "$SOCKET" version -f '{{.Server.Version}}') answers at $SOCKET"
            return
        fi
        sleep 0.5
    done
    tail -n 30 "$LOG" >&2
    fail "dockerd did not answer within 60 s; the end of $LOG is above" "Mend what it says and run this again."
}

stop() {
    [ -e "$PIDFILE" ] || return 0
    kill "$(cat "$PIDFILE")" 2>/dev/null || true
    for _ in $(seq 1 60); do
        [ -e "$PIDFILE" ] || return 0
        sleep 0.5
    done
    fail "dockerd with pid $(cat "$PIDFILE") did not end within 30 s" "See $LOG."
}

case ${1:-} in
    start) start ;;
    stop) stop ;;
    env)
        if ! answers && answers "$SOCKET"; then
            echo "export DOCKER_HOST=$SOCKET"
        fi
        ;;
    *) fail "usage: scripts/docker.sh start|stop|env" "" ;;
esac
