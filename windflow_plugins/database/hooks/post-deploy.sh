#!/usr/bin/env bash
# On the host, after every deployment: something listens at the database's port on the loopback address.
# Called as: post-deploy <old version> <new version>
set -eu

# A stack publishes no such port. That the database answers the swarm has found out, by the service's health check.
if [ "${WINDFLOW_ENGINE:-}" = swarm ]; then
    exit 0
fi

for _ in 1 2 3 4 5 6 7 8 9 10; do
    if (exec 3<>"/dev/tcp/127.0.0.1/$DB_PORT") 2>/dev/null; then
        exit 0
    fi
    sleep 1
done
echo "nothing listens at 127.0.0.1, port $DB_PORT" >&2
exit 1
