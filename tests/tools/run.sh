#!/bin/sh
# Runs all tests on what was built: run.sh BUILD_FOLDER [PYTEST_ARGUMENT...]
# The last line counts them. Output of a test that passes is not shown.
set -u
build=$1
shift
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
passed=0
failed=0
skipped=0

count_tap() { # FILE EXIT_CODE NAME: adds up its lines
    # What is skipped is "ok" or, by cmocka, "not ok" with a word behind it.
    s=$(grep -Ec '^(not )?ok.*# SKIP' "$1")
    p=$(grep '^ok' "$1" | grep -vc '# SKIP')
    f=$(grep '^not ok' "$1" | grep -vc '# SKIP')
    # A program that died has told only of the tests before that.
    if [ "$2" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
    printf '  %-28s %5d passed, %d failed\n' "$3" "$p" "$f"
    [ "$f" -eq 0 ] || cat "$1"
    [ "$s" -eq 0 ] || grep -E 'SKIP' "$1"
    passed=$((passed + p))
    failed=$((failed + f))
    skipped=$((skipped + s))
}

sh tests/tools/check-tree.sh > "$results/tree" 2>&1
count_tap "$results/tree" $? "source tree"

for test in "$build"/unit/test_*; do
    case $test in *.*) continue ;; esac
    CMOCKA_MESSAGE_OUTPUT=TAP "$test" > "$results/unit" 2>&1
    count_tap "$results/unit" $? "unit ${test##*/test_}"
done

for target in "$build"/fuzz/*; do
    case $target in *.*) continue ;; esac
    "$target" "tests/fuzz/seeds/${target##*/}" > "$results/unit" 2>&1
    count_tap "$results/unit" $? "fuzz seeds ${target##*/}"
done

[ -n "${FXWIRE_FIXTURES-}" ] ||
    echo "  NOT TESTED: captured answers, as FXWIRE_FIXTURES names no folder"

echo "  black box:"
# Most tests wait: two files at a time. A test that hangs shows where.
FXWIRE_BUILD=$build /usr/bin/python3 -m pytest -q -rs -p no:cacheprovider \
    -n 2 --dist loadfile -o faulthandler_timeout=120 --junitxml="$results/e2e.xml" "$@" tests/e2e
code=$?
count=$(/usr/bin/python3 - "$results/e2e.xml" <<'P'
import sys, xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot()[0]
bad = int(suite.get("failures")) + int(suite.get("errors"))
skipped = int(suite.get("skipped"))
print(int(suite.get("tests")) - bad - skipped, bad, skipped)
P
) || count="0 1 0"
# shellcheck disable=SC2086
set -- $count
if [ $code -ne 0 ] && [ "$2" -eq 0 ]; then set -- "$1" 1 "$3"; fi
passed=$((passed + $1))
failed=$((failed + $2))
skipped=$((skipped + $3))

if [ $skipped -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ $failed -eq 0 ]
