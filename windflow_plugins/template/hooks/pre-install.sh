#!/bin/sh
# On the controller, before the first deployment to a host: what is about to be shipped is whole.
# Called as: pre-install "" <new version>
set -eu

for file in build/app/application.py build/requirements.txt; do
    if ! [ -s "$file" ]; then
        echo "missing or empty: $WINDFLOW_PLUGIN_DIR/$file" >&2
        exit 1
    fi
done
if ! grep -q -- '--hash=sha256:' build/requirements.txt; then
    echo "build/requirements.txt has no hashes: make it again from build/requirements.in as its first lines say" >&2
    exit 1
fi
