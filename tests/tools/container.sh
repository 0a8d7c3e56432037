#!/bin/sh
# Builds what Containerfile says, and runs compose.yaml's service and upstream of
# it, without a container engine: in a throw-away root made by mmdebstrap, in
# namespaces of their own. container.py does that, and says what holds.
# Exit code 75: no such root can be had on this machine.
set -eu
cd "$(dirname "$0")/../.."
. tests/tools/root.sh

cannot() {
    echo "NO CONTAINER IS TESTED: $*" >&2
    exit 75
}

# All that runs in a root is in namespaces that end with their first process.
child=
work=$(mktemp -d "${TMPDIR:-/var/tmp}/container.XXXXXX")
clean_up() {
    [ -z "$child" ] || kill "$child" 2>/dev/null || :
    [ -z "$child" ] || wait "$child" || :
    rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

run() { # a command, such that a signal to this script is heard meanwhile
    "$@" &
    child=$!
    code=0
    wait "$child" || code=$?
    child=
    return $code
}

suite=$(sed -n 's/^FROM debian:12-slim.*/bookworm/p' Containerfile | head -n 1)
make_root "${suite:?of another base than debian:12-slim}" "$work/base" ''
run /usr/bin/python3 tests/tools/container.py "$work"
