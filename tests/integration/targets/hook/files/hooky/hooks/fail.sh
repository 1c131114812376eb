#!/bin/sh
echo "cannot go on with $SECRET_KEY" >&2
exit 7
