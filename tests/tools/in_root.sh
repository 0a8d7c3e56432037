# A bare Debian that lasts as long as the script that reads this with `.`, and
# commands in it: `suite` is its name, `root` its folder (for make_root), `work` one
# for other things. Exit code 75: no such root can be had on this machine.
# shellcheck shell=sh

. tests/tools/root.sh

cannot() {
    echo "NOT TESTED ON A BARE $suite: $*" >&2
    exit 75
}

# All that runs in the root is in namespaces that end with their first process:
# processes and mounts end with it, whatever ends the script.
child=
work=$(mktemp -d "${TMPDIR:-/var/tmp}/root.XXXXXX")
clean_up() {
    [ -z "$child" ] || kill "$child" 2>/dev/null || :
    [ -z "$child" ] || wait "$child" || :
    rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
root=$work/root

run() { # a command, such that a signal to the script is heard meanwhile
    "$@" &
    child=$!
    code=0
    wait "$child" || code=$?
    child=
    return $code
}

# A command in a folder of the root, in namespaces of its own. The root is a mount, for the
# tests make mount namespaces that change how their root is mounted.
in_root() { # FOLDER COMMAND...
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
            sh -c "cd \"\$1\" && shift && exec \"\$@\"" sh "$@"' sh "$root" "$@"
}
