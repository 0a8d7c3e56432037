#!/bin/sh
# Runs both commands of the README on a bare Debian: fresh.sh SUITE [short]
# The root of that SUITE (bookworm, trixie) has git and make alone in it, from
# the mirror that this machine's apt uses, and lasts as long as this does. What
# is tested there is a clone of the commit that is checked out. The short form
# collects all black-box tests and runs the telling ones.
# Exit code 75: no such root can be had on this machine.
set -eu
cd "$(dirname "$0")/../.."

usage() {
    echo "usage: fresh.sh bookworm|trixie [short]" >&2
    exit 64
}
case ${1-} in bookworm | trixie) suite=$1 ;; *) usage ;; esac
case ${2-} in short) tests='-m smoke' ;; '') tests= ;; *) usage ;; esac

. tests/tools/root.sh

cannot() {
    echo "NOT TESTED ON A BARE $suite: $*" >&2
    exit 75
}

# All that runs in the root is in namespaces that end with their first process:
# processes and mounts end with it, whatever ends this script.
child=
work=$(mktemp -d "${TMPDIR:-/var/tmp}/fresh.XXXXXX")
clean_up() {
    [ -z "$child" ] || kill "$child" 2>/dev/null || :
    [ -z "$child" ] || wait "$child" || :
    rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
root=$work/root

run() { # a command, such that a signal to this script is heard meanwhile
    "$@" &
    child=$!
    code=0
    wait "$child" || code=$?
    child=
    return $code
}

# The commit alone, without what is not committed.
clone() {
    git clone --quiet --no-hardlinks . "$root/fxwire"
    git -C "$root/fxwire" checkout --quiet --detach "$(git rev-parse HEAD)"
    [ -z "${FXWIRE_FIXTURES-}" ] || cp -r "$FXWIRE_FIXTURES" "$root/fixtures"
    git diff --quiet HEAD || echo "What is not committed is not tested."
}

# A command in the clone, in namespaces of its own. The root is a mount, for the
# tests make mount namespaces that change how their root is mounted.
in_root() {
    run unshare --mount --pid --fork --kill-child sh -ec '
        root=$1
        shift
        mount --bind "$root" "$root"
        mount -t proc proc "$root/proc"
        mount --rbind /sys "$root/sys"
        mount --rbind /dev "$root/dev"
        mount -t tmpfs tmpfs "$root/dev/shm"
        exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
            HOME=/root LC_ALL=C.UTF-8 MAKEFLAGS="-j$(nproc)" \
            ${FXWIRE_FIXTURES:+FXWIRE_FIXTURES=/fixtures} \
            sh -c "cd /fxwire && exec \"\$@\"" sh "$@"' sh "$root" "$@"
}

failed=
try() { # NAME COMMAND...
    name=$1
    shift
    echo "== $suite: $name"
    in_root "$@" || failed="$failed $name,"
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
