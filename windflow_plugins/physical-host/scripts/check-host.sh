#!/bin/sh
# Reports whether this machine offers what a deployment needs. Reads only; changes nothing.
# Usage: check-host.sh [PORT [DIRECTORY]]        default: 8080 /opt/app
# Over SSH: ssh admin@host sh -s -- 8080 /opt/app < check-host.sh
# Ends with 1 if something is missing.
set -eu

port=${1:-8080}
directory=${2:-/opt/app}
failed=0

ok() { printf 'ok       %-10s %s\n' "$1" "$2"; }
note() { printf 'note     %-10s %s\n' "$1" "$2"; }
missing() {
    printf 'missing  %-10s %s\n' "$1" "$2"
    failed=1
}

case $port in
    *[!0-9]* | "")
        echo "usage: $0 [PORT [DIRECTORY]]" >&2
        exit 2
        ;;
esac

# The operating system's family, by the names in os-release.
ID=unknown ID_LIKE='' PRETTY_NAME=''
# shellcheck source=/dev/null
[ ! -r /etc/os-release ] || . /etc/os-release
case " $ID $ID_LIKE " in
    *" debian "*) ok system "$PRETTY_NAME, family debian" ;;
    *) missing system "${PRETTY_NAME:-$ID}: expected a system of the Debian family" ;;
esac

if ! command -v python3 >/dev/null; then
    missing python "python3 is not installed"
elif python3 -c 'import sys; sys.exit(sys.version_info < (3, 8))'; then
    ok python "$(python3 --version)"
else
    missing python "$(python3 --version): expected 3.8 or newer"
fi

if [ "$(id -u)" = 0 ]; then
    ok sudo "logged in as root"
elif ! command -v sudo >/dev/null; then
    missing sudo "sudo is not installed and $(id -un) is not root"
elif sudo -n true 2>/dev/null; then
    ok sudo "$(id -un) may use it without a password"
else
    note sudo "$(id -un) is asked for a password; run the deployment with --ask-become-pass"
fi

ok cpu "$(getconf _NPROCESSORS_ONLN) threads"
ok memory "$(awk '/^MemTotal:/ {printf "%d MB, ", $2 / 1024} /^MemAvailable:/ {printf "%d MB of it free", $2 / 1024}' /proc/meminfo)"

existing=$directory
while [ ! -d "$existing" ]; do existing=$(dirname "$existing"); done
free=$(df -Pk "$existing" | awk 'NR == 2 {printf "%d", $4 / 1024}')
if [ "$free" -ge 500 ]; then
    ok disk "$free MB free at $existing"
else
    missing disk "$free MB free at $existing: expected 500 MB or more"
fi

# State 0A is a listening socket; the port stands in hexadecimal after the last colon of the second column.
listening=$(awk -v port="$(printf ':%04X' "$port")" '$4 == "0A" && index($2, port) == length($2) - 4 {print; exit}' \
    /proc/net/tcp /proc/net/tcp6 2>/dev/null || true)
if [ -z "$listening" ]; then
    ok port "$port is free"
elif [ -n "$(ls /etc/nginx/sites-enabled/windflow-* 2>/dev/null)" ]; then
    note port "$port is in use; a plugin of this platform is deployed here, perhaps it is its port"
else
    missing port "$port is in use"
fi

for program in nginx supervisord psql; do
    if command -v "$program" >/dev/null; then
        ok "$program" "installed"
    else
        note "$program" "not installed; the deployment installs it"
    fi
done
note init "$(cat /proc/1/comm)"

exit "$failed"
