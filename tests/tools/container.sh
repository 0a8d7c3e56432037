#!/bin/sh
# Builds what Containerfile says, and runs compose.yaml's service and upstream of
# it, without a container engine: in a throw-away root made by mmdebstrap, in
# namespaces of their own. container.py does that, and says what holds.
# Exit code 75: no such root can be had on this machine.
set -eu
cd "$(dirname "$0")/../.."
suite=$(sed -n 's/^FROM debian:12-slim.*/bookworm/p' Containerfile | head -n 1)
: "${suite:?of another base than debian:12-slim}"
. tests/tools/in_root.sh
make_root "$suite" "$work/base" ''
run /usr/bin/python3 tests/tools/container.py "$work"
