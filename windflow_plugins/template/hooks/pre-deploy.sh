#!/bin/sh
# On the controller, before every deployment: the tools that it needs are there.
# Called as: pre-deploy <old version> <new version>
set -eu

if [ "${WINDFLOW_CONNECTION:-}" = ssh ] && ! command -v ssh >/dev/null; then
    echo "ssh is missing on the controller and $WINDFLOW_HOST is reached over SSH: install openssh-client" >&2
    exit 1
fi
