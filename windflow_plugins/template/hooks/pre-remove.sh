#!/bin/sh
# On the controller, before the application is taken from a host: say what stays.
# Called as: pre-remove <old version> ""
set -eu

echo "removing $WINDFLOW_PLUGIN from $WINDFLOW_HOST; its data, logs and the database $DB_NAME stay unless a purge was asked for"
