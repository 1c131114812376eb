#!/bin/sh
# Turns ALLOWED_HOSTS, a list in JSON, into the files that haproxy.cfg looks names up in, then becomes HAProxy.
# Names are letters, digits, dots, hyphens and a leading "*." or "."; the configuration's schema sees to that.
set -eu

names=/tmp/names
suffixes=/tmp/suffixes
: >"$names"
: >"$suffixes"
ANY_HOST=1
for name in $(printf '%s' "${ALLOWED_HOSTS:-[]}" | tr -d '[]" \n' | tr ',' ' ' | tr -d '*'); do
    ANY_HOST=0
    case $name in
        .*) echo "$name" >>"$suffixes" ;;
        *) echo "$name" >>"$names" ;;
    esac
done
case ${ALLOWED_HOSTS:-[]} in
    *'"*"'*) ANY_HOST=1 ;;
esac
# ".example.com" stands for example.com too, "*.example.com" does not.
printf '%s' "${ALLOWED_HOSTS:-[]}" | tr ',' '\n' | sed -n 's/.*"\.\([^"]*\)".*/\1/p' >>"$names"
# The platform's probe of its own host.
echo localhost >>"$names"
export ANY_HOST
exec haproxy -W -db -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/backends
