#!/bin/sh
# Makes the cluster on first start, sees to role and database on every start, then becomes PostgreSQL.
# DB_NAME and DB_USER name them, the file /run/secrets/database_password holds the role's password.
set -eu

data=/var/lib/postgresql/data
cluster=$data/cluster
secret=/run/secrets/database_password

# One server for one cluster, whatever was left behind: process ids mean nothing from one container to the next, and
# the file of a server that was killed may name a process of this one.
exec 9>"$data/lock"
if ! flock --nonblock 9; then
    echo "another container has the data directory; nothing was changed" >&2
    exit 1
fi
rm -f "$cluster/postmaster.pid"

if [ ! -s "$cluster/PG_VERSION" ]; then
    # Whole or not at all: a start that was killed leaves only the draft.
    rm -rf "$data/draft"
    initdb --pgdata="$data/draft" --username=postgres --encoding=UTF8 --locale=C.UTF-8 \
        --auth-local=peer --auth-host=scram-sha-256 --data-checksums >/dev/null
    cat >"$data/draft/pg_hba.conf" <<HBA
local all postgres peer map=own
local all all reject
host all postgres all reject
host all all all scram-sha-256
HBA
    echo 'own database postgres' >"$data/draft/pg_ident.conf"
    mv "$data/draft" "$cluster"
fi
found=$(cat "$cluster/PG_VERSION")
program=$(postgres --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
if [ "$found" != "$program" ]; then
    echo "The data are those of PostgreSQL $found, and this is PostgreSQL $program. Dump them with an image of" \
        "version $found and restore them; nothing was changed." >&2
    exit 1
fi

# A server that nobody else can reach, for role and database.
pg_ctl --pgdata="$cluster" --wait --silent --options="-c listen_addresses= -c unix_socket_directories=/tmp" start
trap 'pg_ctl --pgdata="$cluster" --silent --mode=fast stop || true' EXIT
sql() { psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --host=/tmp --username=postgres "$@"; }
# The superuser stays out of the application's database, where the application decides what is run.
PGOPTIONS='-c search_path=pg_catalog'
export PGOPTIONS
sql --dbname=postgres --set=name="$DB_NAME" --set=role="$DB_USER" <<SQL
\\set password \`cat $secret\`
select format('create role %I', :'role') where not exists (select from pg_roles where rolname = :'role') \\gexec
select format('alter role %I with login nosuperuser nocreatedb nocreaterole password %L', :'role', :'password') \\gexec
select format('create database %I owner %I', :'name', :'role')
    where not exists (select from pg_database where datname = :'name') \\gexec
select format('revoke connect on database %I from public', :'name') \\gexec
SQL
unset PGOPTIONS
trap - EXIT
pg_ctl --pgdata="$cluster" --wait --silent --mode=fast stop
exec postgres -D "$cluster" -c listen_addresses='*' -c unix_socket_directories=/tmp \
    -c password_encryption=scram-sha-256
