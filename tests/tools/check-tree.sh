#!/bin/sh
# Checks of the source tree, one TAP line each: who includes whom, that every
# header compiles alone, sizes, layout.
set -u

status=0
result() { # NAME FAULTS: passes if there are none
    if [ -z "$2" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1"
        printf '%s\n' "$2" | sed 's/^/#   /'
        status=1
    fi
}

# A file includes its own folder and common/, and libraries only where they
# have their home.
includes() { # FOLDER... -- PATTERN: lines that include what matches
    folders=
    while [ "$1" != -- ]; do folders="$folders $1"; shift; done
    # shellcheck disable=SC2086
    grep -nE "^#include *[<\"]($2)" $(find $folders -name '*.[ch]' 2>/dev/null) /dev/null
}
for folder in common supervisor wsclient ratefetcher; do
    others=$(printf '%s\n' supervisor wsclient ratefetcher | grep -vx $folder |
             paste -sd'|')
    result "$folder includes itself and common" \
        "$(includes $folder -- "($others|tests)/")"
done
# A layer of ratefetcher's sees what it needs of the others, and no more.
result "ratefetcher/providers includes itself and common" \
    "$(includes ratefetcher/providers -- ratefetcher/ |
       grep -vE '"ratefetcher/providers/')"
result "ratefetcher/redis includes itself, provider, call_counts and common" \
    "$(includes ratefetcher/redis -- ratefetcher/ |
       grep -vE '"ratefetcher/(redis/|provider\.h|call_counts\.h)')"
result "of ratefetcher/providers its registry and http are seen" \
    "$(grep -nE '^#include "ratefetcher/providers/' ratefetcher/*.[ch] |
       grep -vE '/(registry|http)\.h"')"
result "of wsclient/link its connection, dial, hearsay, identity, pings and peer_close are seen" \
    "$(grep -nE '^#include "wsclient/link/' wsclient/*.[ch] |
       grep -vE '/(connection|dial|hearsay|identity|pings|peer_close)\.h"')"
result "common knows no loop and no peer, but for loop and line_server" \
    "$(includes common -- 'libwebsockets|event2?/|curl/|hiredis/' |
       grep -vE '^common/(loop|lines/line_server)\.[ch]:.*<event2/')"
result "libwebsockets is wsclient's" \
    "$(includes supervisor ratefetcher -- libwebsockets)"
result "libcurl and hiredis are ratefetcher's" \
    "$(includes supervisor wsclient -- 'curl/|hiredis/')"
result "ncurses is supervisor/top's" \
    "$(includes common supervisor wsclient ratefetcher -- 'n?curses' |
       grep -v '^supervisor/top/')"
result "libevent is not wsclient's" "$(includes wsclient -- 'event2?/')"
result "the simulators and the load generator share no code with the product" \
    "$(includes tests/upstream tests/provider tests/bench/load -- '(common|supervisor|wsclient|ratefetcher)/')"

pure="common/backoff common/clock_watch common/day common/rates/daytables common/rates/decimal common/rates/euro_fixed common/events common/log_limit common/settings/envfile common/json_number common/json_plain common/json_scan common/json_shape
      common/latency common/metrics common/rates/rates common/span
      common/settings/moved common/settings/no_proxy common/settings/url common/utf8 ratefetcher/breaker ratefetcher/quota ratefetcher/rates_differ ratefetcher/working_days
      ratefetcher/redis/redis_address ratefetcher/redis/redis_error ratefetcher/redis/redis_format supervisor/counted supervisor/lifecycle supervisor/memory_group supervisor/summary
      supervisor/top/cells supervisor/top/layout
      wsclient/audit wsclient/day_rates wsclient/lately wsclient/ledger_room wsclient/link/breaks
      wsclient/link/dial_texts wsclient/link/frames wsclient/link/inbox
      wsclient/link/peer wsclient/link/peer_close wsclient/outbox
      wsclient/refusals wsclient/request wsclient/response wsclient/waiting"
# And all that the providers' APIs are made of.
pure="$pure $(ls ratefetcher/providers/*.c |
              grep -vE '/(web|web_answer|http|http_proxy|http_tls|registry|file|kept|copy_file)\.c$' | sed 's/\.c$//')"
# shellcheck disable=SC2046,SC2086
faults=$(grep -nE \
    '\<(clock_monotonic|clock_wall_ms|log_[a-z]+|read|write|open|socket)\(' \
    $(for file in $pure; do ls $file.c $file.h 2>/dev/null; done) /dev/null)
result "pure files do no input or output, read no clock and log nothing" \
    "$faults"

result "the example settings are all there" "$(
    for name in $(grep -oE '^SETTING\(\w+' common/settings/settings.def | cut -d'(' -f2)
    do
        grep -qE "^#?$name=" etc/fxwire.env.example || echo "$name"
    done)"
result "what docs/architecture.md names is there" "$(
    sh tests/tools/measure.sh ways | grep '^missing:')"
result "the picture of the architecture is of its source (make docs)" "$(
    grep -qF "<!-- $(cksum docs/architecture.dot) -->" docs/architecture.svg ||
        echo docs/architecture.svg)"
result "the code and common/events.def agree" \
    "$(/usr/bin/python3 tests/tools/events.py check)"
result "docs/events.md is of common/events.def (make docs)" "$(
    /usr/bin/python3 tests/tools/events.py | cmp - docs/events.md 2>&1)"
result "every header compiles alone" "$(
    for header in common/*.h common/*/*.h supervisor/*.h wsclient/*.h \
                  wsclient/*/*.h ratefetcher/*.h \
                  ratefetcher/*/*.h; do
        ${CC:-gcc} -std=c17 -D_GNU_SOURCE -I. -Wall -Wextra -Werror \
            -fsyntax-only -x c "$header" 2>&1 | head -n 3
    done)"
result "no file over 500 lines" "$(
    git ls-files -co --exclude-standard '*.c' '*.h' '*.py' '*.sh' |
        xargs wc -l | awk '$2 != "total" && $1 > 500 {print $2 ": " $1}')"
# Each version lays out otherwise: only the one it was made with can judge.
layout_version=14
case $(clang-format --version) in
*"version $layout_version."*)
    result "clang-format keeps the layout" "$(
        git ls-files -co --exclude-standard '*.c' '*.h' |
            xargs clang-format --dry-run 2>&1 | head -n 5)" ;;
*)
    echo "ok - clang-format keeps the layout" \
        "# SKIP NOT CHECKED: needs clang-format $layout_version" ;;
esac
exit $status
