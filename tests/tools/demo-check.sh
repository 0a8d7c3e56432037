#!/bin/sh
# Runs the demo for a few answers and stops it as Ctrl-C would; passes if it
# ended cleanly, nothing was wrong and nothing is left running.
set -eu
out=$(mktemp)
trap 'rm -f "$out"' EXIT

setsid make demo > "$out" 2>&1 &
group=$!
for _ in $(seq 3000); do # at most five minutes, for packages and the build
    [ "$(grep -c ' response ' "$out")" -lt 3 ] || break
    sleep 0.1
done
kill -INT -"$group"
code=0
wait "$group" || code=$?
if ! grep -q 'answered right [1-9].* wrong 0,' "$out" ||
    ! grep -q 'For the real job' "$out" || kill -0 -"$group" 2>/dev/null; then
    cat "$out"
    echo "the demo failed (exit $code)" >&2
    exit 1
fi
grep '^asked' "$out"
