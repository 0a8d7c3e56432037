#!/bin/sh
# Run by package.sh in a root that has an older and a newer package: a life of them.
set -eu
export DEBIAN_FRONTEND=noninteractive
settings=/etc/fxwire/fxwire.env

fail() {
    echo "not ok - $*" >&2
    exit 1
}

is() { # WHAT WANTED FOUND
    [ "$2" = "$3" ] || fail "$1: $3, not $2"
}

# As a service manager starts it, with the unit's folders and user.
start() {
    install -d -o fxwire -g fxwire -m 700 /run/fxwire /var/lib/fxwire
    setpriv --reuid=fxwire --regid=fxwire --clear-groups env RUNTIME_DIRECTORY=/run/fxwire \
        STATE_DIRECTORY=/var/lib/fxwire fxwire --env-file $settings --no-watchdog run 2>>log &
    service=$!
}

status() { # NAME: what the service says of that, as text
    RUNTIME_DIR=/run/fxwire fxwire status --json |
        tr ',{' '\n\n' | sed -n "s/^\"$1\":\"\\{0,1\\}\\([^\"}]*\\).*/\\1/p" | head -n 1
}

await() { # WHAT COMMAND...: at most 20 s
    what=$1
    shift
    for _ in $(seq 200); do
        ! "$@" || return 0
        sleep 0.1
    done
    cat log
    fail "never: $what"
}

in_hand() { [ "$(status pending)" -gt 0 ] 2>/dev/null; }

apt-get -qq update
apt-get -qq -y install ./older.deb > /dev/null
is "the file of settings" "640 root fxwire" "$(stat -c '%a %U %G' $settings)"
is "the folder of secrets" "700 root root" "$(stat -c '%a %U %G' /etc/fxwire/secrets)"
is "the user's shell" /usr/sbin/nologin "$(getent passwd fxwire | cut -d: -f7)"
is "the version" "fxwire 0.0.9" "$(fxwire --version)"
code=0
fxwire --env-file $settings check > /dev/null 2>&1 || code=$?
is "check without an upstream" 78 $code
sh installed > /dev/null || fail "debian/tests/installed"

# Nothing is confirmed for twelve seconds of the load: that is in hand.
install -m 755 /usr/libexec/fxwire/mock-upstream /packages
{
    echo '{"fault":"no-pongs","at":2,"seconds":12}'
    for i in $(seq 2000); do
        echo "{\"at\":$((1 + i / 200)).$((i / 20 % 10)),\"send\":{\"type\":\"message\",\"id\":$i,\"payload\":{\"stake\":$i.5,\"currency\":\"USD\",\"date\":\"2021-05-18\"}}}"
    done
} > script
./mock-upstream --port-file port --rates demo-rates.csv --script script --quiet --wait 20 > judged 2>&1 &
mock=$!
await "a port" test -s port
cat > $settings <<S
REQUESTS_WS_URL=ws://127.0.0.1:$(cat port)/
RATE_PROVIDERS=file
RATES_FILE=/packages/demo-rates.csv
LATEST_MAX_AGE_DAYS=36500
SHUTDOWN_GRACE_SECONDS=0.5
S
start
await "messages in hand" in_hand
before=$(status pending)
dpkg -i ./newer.deb > /dev/null
is "the settings after the upgrade" "640 root fxwire" "$(stat -c '%a %U %G' $settings)"
grep -q demo-rates $settings || fail "the settings are lost"
in_hand || fail "nothing was in hand at the upgrade"
kill -TERM $service
wait $service || :
start
await "the newer one" test "$(fxwire --version)" = "fxwire 0.1.0"
wait $mock || {
    tail -n 5 judged log
    fail "messages were lost at the upgrade"
}
echo "ok - upgraded with $before messages in hand: $(tail -n 1 judged)"
is "the one that runs" 0.1.0 "$(status version)"
kill -TERM $service
wait $service || fail "no stop in order"

dpkg -r fxwire > /dev/null
[ ! -e /usr/bin/fxwire ] || fail "the command is still there"
[ -e $settings ] || fail "the settings went by a removal"
dpkg -P fxwire > /dev/null
left=$(find / -xdev -path /packages -prune -o -name '*fxwire*' -print | grep -vE '^/(proc|sys|dev)/' || :)
is "what is left of it" "" "$left"
echo "ok - installed, upgraded, removed and purged"
