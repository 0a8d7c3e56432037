#!/bin/sh
# Whether the simulation finds each of its seeded bugs within a minute, and
# nothing without them in the same schedules each time: bugs.sh BUILD
set -u
build=$1
status=0
for bug in tests/sim/bugs/*.sed; do
    bug=$(basename "$bug" .sed)
    told=$(timeout 70 "$build/sim/bugs/$bug/sim" 60 1)
    if [ $? -eq 1 ]; then
        echo "ok - $bug: $(printf '%s\n' "$told" | head -n 1)"
    else
        echo "not ok - $bug is not found"
        status=1
    fi
done
if told=$(timeout 70 "$build/sim/sim" 60 1 200); then
    echo "ok - without them: $told"
else
    printf 'not ok - without them\n%s\n' "$told"
    status=1
fi
exit $status
