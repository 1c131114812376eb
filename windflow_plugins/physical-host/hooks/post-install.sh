#!/bin/sh
# On the controller, after the first deployment to a host: say where the application is.
# Called as: post-install "" <new version>
set -eu

echo "$WINDFLOW_PLUGIN $WINDFLOW_VERSION is installed on $WINDFLOW_HOST: $WINDFLOW_URL"
