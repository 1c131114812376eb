#!/bin/sh
set -eu
id -un
echo "{\"seen\": $WINDFLOW_RESULTS}" >"$WINDFLOW_RESULT_FILE"
