#!/bin/sh
set -eu
echo "the key is $SECRET_KEY"
