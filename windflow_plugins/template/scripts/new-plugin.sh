#!/bin/sh
# Starts a new plugin as a copy of this one, with its own name, directories, account and database.
# Usage: new-plugin.sh NAME [DIRECTORY]
# The plugin is DIRECTORY/NAME; DIRECTORY is ./windflow_plugins unless given.
set -eu

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: $0 NAME [DIRECTORY]" >&2
    exit 2
fi
name=$1
directory=${2:-windflow_plugins}
target=$directory/$name
source=$(cd "$(dirname "$0")/.." && pwd)

case $name in
    [!a-z]* | *[!a-z0-9-]* | *- | *--* | core | "")
        echo "NAME: expected words of lower-case letters and digits with single hyphens between them, got: $name" >&2
        exit 2
        ;;
esac
if [ ${#name} -gt 64 ]; then
    echo "NAME: expected at most 64 characters, got ${#name}" >&2
    exit 2
fi
if [ -e "$target" ]; then
    echo "$target exists already; nothing was changed" >&2
    exit 1
fi

# Accounts have at most 32 characters. PostgreSQL needs quotes around hyphens, so names there get none.
account=$(printf '%.32s' "$name")
database=$(printf '%.63s' "$name" | tr - _)

mkdir -p "$directory"
draft=$(mktemp -d "$directory/.new-plugin.XXXXXX")
trap 'rm -rf "$draft"' EXIT
cp -R "$source/." "$draft"
chmod 755 "$draft"
find "$draft" -name __pycache__ -prune -exec rm -rf {} +
rm "$draft/scripts/new-plugin.sh"

change() {
    file=$draft/$1
    shift
    sed -E "$@" "$file" >"$draft/.changed"
    cat "$draft/.changed" >"$file"
    rm "$draft/.changed"
}

change plugin.yml -e "s/^name: .*/name: $name/" -e 's/^version: .*/version: 0.1.0/' \
    -e "s/^description: .*/description: The $name plugin/"
change config/defaults.yaml -e "s#: (/opt|/var/lib|/var/log)/template\$#: \1/$name#" \
    -e "s/^  (user|group): template\$/  \1: $account/" \
    -e "s/^  name: myapp\$/  name: $database/" -e "s/^  user: dbuser\$/  user: $database/"
change config/schema.json -e "s#\"(/opt|/var/lib|/var/log)/template\"#\"\1/$name\"#" \
    -e "s/\"default\": \"template\"/\"default\": \"$account\"/" \
    -e "s/\"default\": \"(myapp|dbuser)\"/\"default\": \"$database\"/" \
    -e "s/Template plugin/The $name plugin/" -e "s/the template plugin/the $name plugin/"
change build/app/application.py -e "s/the sample application of the template plugin/the application of the $name plugin/"

cat >"$draft/README.md" <<MARKDOWN
# $name

A Windflow plugin, started as a copy of the template plugin.

The application is in \`build/app\`, what it imports in \`build/requirements.in\`, its configuration in
\`config/schema.json\` and \`config/defaults.yaml\`, its hooks in \`hooks/\`.

\`\`\`bash
ansible-playbook windflow.platform.deploy -e plugin=$target
\`\`\`
MARKDOWN

mv "$draft" "$target"
trap - EXIT
echo "$target"
