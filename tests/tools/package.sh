#!/bin/sh
# The Debian package, as its users meet it: package.sh [SUITE]
# Built twice, in different folders, at different times and with other habits of the
# shell, byte for byte the same; lintian finds nothing; in a throw-away root of SUITE
# (default: this machine's) it is installed, upgraded over an older one while messages
# are in hand, removed and purged. Exit code 75: no such root can be had here.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=/dev/null
suite=${1-$(. /etc/os-release && echo "$VERSION_CODENAME")}
. tests/tools/in_root.sh
sh tests/tools/packages.sh build package

build() { # FOLDER COMMAND...: what is committed, built there by way of COMMAND
    mkdir -p "$1/fxwire"
    git archive HEAD | tar -x -C "$1/fxwire"
    folder=$1
    shift
    (cd "$folder/fxwire" && run "$@" dpkg-buildpackage -us -uc -b > ../log 2>&1) || {
        tail -n 30 "$folder/log"
        exit 1
    }
}

# Only the number differs, in the package and in the program.
make_older() { # DEB FOLDER
    dpkg-deb -R "$1" "$2/tree"
    sed -i 's/^Version: .*/Version: 0.0.9/' "$2/tree/DEBIAN/control"
    sed -i 's/0\.1\.0/0.0.9/' "$2/tree/usr/libexec/fxwire/supervisor"
    dpkg-deb --root-owner-group -b "$2/tree" "$root/packages/older.deb" > /dev/null
}

echo "== built twice"
build "$work/one"
build "$work/another-place" env TZ=Asia/Tokyo LC_ALL=C HOME=/ faketime -f +400d
for deb in "$work"/one/*.deb; do
    cmp "$deb" "$work/another-place/${deb##*/}"
done
echo "== lintian"
lintian --fail-on error,warning "$work"/one/*.changes
echo "== a life on a bare $suite"
make_root "$suite" "$root" ,libbsd0,systemd-standalone-sysusers,systemd-standalone-tmpfiles,ca-certificates
mkdir "$root/packages"
cp "$work"/one/fxwire_*.deb "$root/packages/newer.deb"
make_older "$work"/one/fxwire_*.deb "$work"
cp tests/tools/package_life.sh etc/demo-rates.csv debian/tests/installed "$root/packages"
in_root /packages sh package_life.sh
echo "ok - the package"
