#!/bin/sh
# Runs both commands of the README on a bare Debian: release.sh SUITE [short]
# The root of that SUITE (bookworm, trixie) has git and make alone in it, from
# the mirror that this machine's apt uses, and lasts as long as this does. What
# is tested there is a clone of the commit that is checked out. The short form
# collects all black-box tests and runs the telling ones.
# Exit code 75: no such root can be had on this machine.
set -eu
cd "$(dirname "$0")/../.."

usage() {
    echo "usage: release.sh bookworm|trixie [short]" >&2
    exit 64
}
case ${1-} in bookworm | trixie) suite=$1 ;; *) usage ;; esac
case ${2-} in short) tests='-m smoke' ;; '') tests= ;; *) usage ;; esac

. tests/tools/in_root.sh

# The commit alone, without what is not committed.
clone() {
    git clone --quiet --no-hardlinks . "$root/fxwire"
    git -C "$root/fxwire" checkout --quiet --detach "$(git rev-parse HEAD)"
    [ -z "${FXWIRE_FIXTURES-}" ] || cp -r "$FXWIRE_FIXTURES" "$root/fixtures"
    git diff --quiet HEAD || echo "What is not committed is not tested."
}

failed=
try() { # NAME COMMAND...
    name=$1
    shift
    echo "== $suite: $name"
    in_root /fxwire "$@" || failed="$failed $name,"
}

make_root "$suite" "$root" ,git,make
clone
try "make demo" sh tests/tools/demo-check.sh
try "make test" make test ARGS="$tests"
[ -z "$failed" ] || {
    echo "$suite: failed:${failed%,}" >&2
    exit 1
}
echo "$suite: both commands of the README work${tests:+ (make test ARGS='$tests')}"
