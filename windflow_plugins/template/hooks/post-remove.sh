#!/bin/sh
# On the controller, after the application was taken from a host.
# Called as: post-remove <old version> ""
set -eu

echo "$WINDFLOW_PLUGIN is removed from $WINDFLOW_HOST"
