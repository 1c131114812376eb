#!/bin/sh
# Adds an item to a deployed application and reads it back.
# Usage: smoke-test.sh URL          for example: smoke-test.sh http://127.0.0.1:8080
set -eu

if [ $# -ne 1 ]; then
    echo "usage: $0 URL" >&2
    exit 2
fi
exec python3 - "$1" <<'PYTHON'
import json
import secrets
import sys
import urllib.error
import urllib.request

url = sys.argv[1].rstrip("/")
name = "smoke test " + secrets.token_hex(8)


def ask(path, document=None):
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(url + path, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, json.load(answer)


try:
    status, health = ask("/healthz")
    print("healthy: version %(version)s, release %(release)s, instance %(instance)s" % health)
    status, added = ask("/items", {"name": name})
    if status != 201:
        sys.exit("adding an item: expected status 201, got %d" % status)
    status, items = ask("/items")
    if added not in items:
        sys.exit("the item %d was added and is not listed" % added["id"])
    print("stored and read back: item %d" % added["id"])
except urllib.error.HTTPError as error:
    sys.exit("%s: status %d: %s" % (error.url, error.code, error.read(2000).decode(errors="replace")))
except (OSError, ValueError) as error:
    sys.exit("%s: %s" % (url, error))
PYTHON
