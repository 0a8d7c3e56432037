# How a bare Debian is made in a folder; read by scripts with `.`, which define
# cannot() for what this machine can not do, and run() to run the long command.
# shellcheck shell=sh

# Debian's own archive among those of this machine's apt, and its proxies.
mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
        grep -E '/debian/?$' | head -n 1
}

make_root() { # SUITE FOLDER PACKAGES: with a comma before each of them
    sh tests/tools/packages.sh fresh || cannot "mmdebstrap can not be installed"
    [ "$(id -u)" -eq 0 ] || cannot "only root can make it"
    unshare --mount --pid --fork true || cannot "no namespaces can be made"
    from=$(mirror)
    [ -n "$from" ] || cannot "apt has no mirror of Debian"
    apt-config dump --no-empty --format '%f "%v";%n' \
        Acquire::http::Proxy Acquire::https::Proxy > "$2.proxies"
    # Over https the packages of the tests are had by trusting somebody.
    case $from in https:*) more=$3,ca-certificates ;; *) more=$3 ;; esac
    run mmdebstrap --quiet --variant=minbase ${more:+--include="${more#,}"} \
        --aptopt="$2.proxies" "$1" "$2" "$from" ||
        cannot "its packages can not be had from $from"
    # Debian's installer writes that, and no package has to.
    [ -e "$2/etc/hosts" ] ||
        printf '127.0.0.1 localhost\n::1 localhost ip6-localhost\n' > "$2/etc/hosts"
}
