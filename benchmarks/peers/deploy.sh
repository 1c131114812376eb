#!/usr/bin/env bash
# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The peer "shell": runs on the host as root, next to app/, requirements.txt, config.yaml, program.conf, site.conf
# and settings. Does what a deploy of the plugin does, and nothing where it is done already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck disable=SC1091
. ./settings # PACKAGES INSTALL_DIR DATA_DIR LOG_DIR ACCOUNT PORT DB_NAME DB_USER PGPASSWORD
export PGPASSWORD DEBIAN_FRONTEND=noninteractive
restart=no reload=no

# shellcheck disable=SC2086
installed=$(dpkg-query -W -f '${db:Status-Status}\n' $PACKAGES 2>/dev/null | grep -cx installed || true)
# shellcheck disable=SC2086
[ "$installed" = "$(wc -w <<<"$PACKAGES")" ] || apt-get -q -y --no-install-recommends install $PACKAGES

getent group "$ACCOUNT" >/dev/null || groupadd --system "$ACCOUNT"
getent passwd "$ACCOUNT" >/dev/null ||
    useradd --system --gid "$ACCOUNT" --home-dir "$DATA_DIR" --shell /usr/sbin/nologin "$ACCOUNT"
install -d -m 0755 "$INSTALL_DIR"
install -d -m 0750 -o "$ACCOUNT" -g "$ACCOUNT" "$DATA_DIR" "$LOG_DIR"
install -d -m 0750 -o "$ACCOUNT" -g www-data "$INSTALL_DIR/run"
install -d -m 0750 -g "$ACCOUNT" "/etc/$ACCOUNT"

# put FILE TARGET MODE GROUP: true if the target was changed
put() {
    ! cmp -s "$1" "$2" || return 1
    install -m "$3" -g "$4" "$1" "$2"
}

if ! diff -rq app "$INSTALL_DIR/app" >/dev/null 2>&1; then
    rm -rf "$INSTALL_DIR/app.new"
    cp -r app "$INSTALL_DIR/app.new"
    rm -rf "$INSTALL_DIR/app"
    mv "$INSTALL_DIR/app.new" "$INSTALL_DIR/app"
    restart=yes
fi
if ! cmp -s requirements.txt "$INSTALL_DIR/venv/requirements.txt"; then
    python3 -m venv "$INSTALL_DIR/venv"
    "$INSTALL_DIR/venv/bin/pip" -q --disable-pip-version-check install --require-hashes -r requirements.txt
    cp requirements.txt "$INSTALL_DIR/venv/requirements.txt"
    restart=yes
fi
if put config.yaml "/etc/$ACCOUNT/config.yaml" 0640 "$ACCOUNT"; then restart=yes; fi
if put site.conf "/etc/nginx/sites-available/$ACCOUNT" 0644 root; then reload=yes; fi
[ -e "/etc/nginx/sites-enabled/$ACCOUNT" ] || ln -s "../sites-available/$ACCOUNT" /etc/nginx/sites-enabled/

for service in postgresql supervisor nginx; do
    if ! { systemctl -q is-enabled "$service" && systemctl -q is-active "$service"; }; then
        systemctl -q enable --now "$service"
    fi
done
if ! psql -qtA -h localhost -U "$DB_USER" -d "$DB_NAME" -c 'select 1' >/dev/null 2>&1; then
    runuser -u postgres -- psql -q -v ON_ERROR_STOP=1 <<SQL
set password_encryption = 'scram-sha-256';
create role "$DB_USER" login password '$PGPASSWORD';
create database "$DB_NAME" owner "$DB_USER";
SQL
fi

if put program.conf "/etc/supervisor/conf.d/$ACCOUNT.conf" 0644 root; then
    supervisorctl update >/dev/null
elif [ "$restart" = yes ]; then
    supervisorctl restart "$ACCOUNT" >/dev/null
fi
if [ "$reload" = yes ]; then
    nginx -q -t
    systemctl reload nginx
fi

for _ in $(seq 1 300); do
    if exec 3<>"/dev/tcp/127.0.0.1/$PORT" &&
        printf 'GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3 && read -r _ status _ <&3 && [ "$status" = 200 ]; then
        exit 0
    fi 2>/dev/null
    sleep 0.1
done
echo "no answer on port $PORT" >&2
exit 1
