#!/usr/bin/env bash
# Makes a base image from Debian packages, for those who reach no image registry.
# Usage: make-base-image.sh TAG [SUITE]
# Then deploy with images.base: TAG. The image has this machine's package sources, pip's index and certificate
# authorities, so that what is built upon it reaches the same places. Needs root, mmdebstrap and Docker.
set -eu

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: $0 TAG [SUITE]" >&2
    exit 2
fi
tag=$1
suite=${2:-$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)}
if [ -z "$suite" ]; then
    echo "SUITE: expected the name of a Debian release, because this machine is none" >&2
    exit 2
fi
for program in mmdebstrap docker; do
    if ! command -v "$program" >/dev/null; then
        echo "$program is missing; on Debian: apt-get install mmdebstrap docker.io" >&2
        exit 1
    fi
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/tree/etc/apt" "$work/tree/usr/local/share"
for path in /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d /etc/pip.conf \
    /usr/local/share/ca-certificates; do
    if [ -e "$path" ]; then
        mkdir -p "$work/tree$(dirname "$path")"
        cp -RL "$path" "$work/tree$path"
    fi
done
# What belongs to the machine and not to its way to the archive.
find "$work/tree/etc/apt/apt.conf.d" -type f ! -name '*machine*' ! -name '*proxy*' -delete 2>/dev/null || true
mapfile -t sources < <(find /etc/apt/sources.list /etc/apt/sources.list.d -type f 2>/dev/null)
# shellcheck disable=SC2016  # $1 is mmdebstrap's, which runs this
mmdebstrap --variant=minbase --include=ca-certificates \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook="sync-in $work/tree /" --customize-hook='chroot "$1" update-ca-certificates >/dev/null' \
    "$suite" "$work/root.tar" "${sources[@]}" >&2
docker import -c 'CMD ["bash"]' "$work/root.tar" "$tag" >/dev/null
echo "$tag"
