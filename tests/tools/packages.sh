#!/bin/sh
# Installs the Debian packages that are missing: packages.sh SET...
# Sets: build (to build the programs and run them), test (to test them), fresh
# (to test them on a bare Debian), package (to make and check the Debian package),
# docs (to draw the picture anew), bench (to set them beside other clients), fuzz (to fuzz the parsers).
# Asks apt for nothing that is there, and for nothing else.
set -eu

build="ca-certificates gcc libc6-dev libbsd-dev libcsv-dev libcurl4-openssl-dev libevent-dev
       libexpat1-dev libgmp-dev libhiredis-dev libjson-c-dev libncurses-dev libseccomp-dev libssl-dev
       libwebsockets-dev libzip-dev pkgconf zlib1g-dev"
test="bash-completion chromium clang clang-format curl faketime fish iproute2 libclang-rt-dev
      libcmocka-dev libnss-wrapper man-db mandoc mount nftables nginx-light node-faye-websocket
      node-ws nodejs nutcracker openssl procps prometheus python3-cryptography
      python3-jsonschema python3-prometheus-client python3-pytest python3-pytest-xdist
      python3-redis python3-seccomp python3-websockets python3-yaml redis-server runit s6
      scdoc socat squid strace systemd tinyproxy tmux universal-ctags util-linux valgrind zsh"
fresh="mmdebstrap python3-yaml"
package="debhelper dpkg-dev fakeroot faketime lintian scdoc"
docs="graphviz"
fuzz="clang libclang-rt-dev libcmocka-dev llvm"
bench="gnuplot-nox python3-cryptography python3-websockets"

missing=
for set in "$@"; do
    case $set in
    build) packages=$build ;;
    test) packages=$test ;;
    fresh) packages=$fresh ;;
    package) packages=$package ;;
    docs) packages=$docs ;;
    bench) packages=$bench ;;
    fuzz) packages=$fuzz ;;
    *) echo "packages.sh: no set '$set'" >&2; exit 64 ;;
    esac
    for package in $packages; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
            grep -q 'install ok installed' || missing="$missing $package"
    done
done
[ -n "$missing" ] || exit 0

echo "Installing the missing packages:$missing"
as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "Not root and no sudo: as root say apt-get install$missing" >&2
        exit 1
    }
    as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # words are wanted
$as_root apt-get -qq update
# shellcheck disable=SC2086
$as_root apt-get -qq -y --no-install-recommends install $missing >/dev/null
