#!/bin/sh
# Says how it was called; the first time it reports a change.
set -eu
echo "$1|$2|$3|$WINDFLOW_ENVIRONMENT"
marker="$WINDFLOW_PLUGIN_DIR/../marker"
if [ -e "$marker" ]; then changed=false; else changed=true; fi
: >"$marker"
echo "{\"changed\": $changed, \"first\": 1}" >"$WINDFLOW_RESULT_FILE"
