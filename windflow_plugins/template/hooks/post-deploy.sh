#!/usr/bin/env bash
# On the host, after every deployment: the release that was deployed answers and is healthy.
# Called as: post-deploy <old version> <new version>
#
# Bash speaks to the port itself: a fresh host may have no curl, and Python takes longer to start.
set -eu

# Only the names in app.allowed_hosts are answered, if there are any, so the first of them is asked for.
host=localhost
if [[ ${ALLOWED_HOSTS:-} =~ \"([*]?\.)?([A-Za-z0-9._:-]+)\" ]]; then
    host=${BASH_REMATCH[2]}
    [[ ${BASH_REMATCH[1]} != '*.' ]] || host=www.$host
fi

ask() {
    exec 3<>"/dev/tcp/127.0.0.1/$HOST_PORT" || return
    printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$1" "$host" >&3
    cat <&3
}

answer=
# Once is enough, unless a process of the old configuration takes one more connection.
for _ in 1 2 3 4 5 6 7 8 9 10; do
    answer=$(ask /healthz 2>&1) || true
    if [[ $answer == HTTP/1.[01]" 200 "* && ${answer,,} == *"x-windflow-release: ${WINDFLOW_RELEASE,,}"$'\r'* ]]; then
        if [ -n "${WINDFLOW_RESULT_FILE:-}" ]; then
            printf '{"url": "%s", "release": "%s", "healthy": true}\n' "$WINDFLOW_URL" "$WINDFLOW_RELEASE" >"$WINDFLOW_RESULT_FILE"
        fi
        exit 0
    fi
    sleep 0.2
done
echo "release $WINDFLOW_RELEASE does not answer on port $HOST_PORT with a healthy state; the last answer was:" >&2
printf '%.2000s\n' "${answer:-nothing}" >&2
exit 1
