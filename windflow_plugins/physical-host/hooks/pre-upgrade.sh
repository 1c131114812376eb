#!/bin/sh
# On the controller, before another version replaces the one on the host.
# Called as: pre-upgrade <old version> <new version>
#
# A new major version may store items in a way that older ones cannot read, so there is no way back over one.
set -eu

old=$2
new=$3
if [ "${old%%.*}" -gt "${new%%.*}" ]; then
    echo "version $new may not be able to read what version $old stored: restore a backup made by version ${new%%.*} instead" >&2
    exit 1
fi
