#!/bin/sh
# Shows the service at work against the upstream simulator, with the shipped
# table of rates: no key, no Redis, no upstream of one's own. $1: build folder.
set -u
build=$1
dir=$(mktemp -d)
upstream=""
service=""
trap 'rm -rf "$dir"; kill $upstream $service 2>/dev/null' EXIT
trap 'exit 129' HUP # the window was closed
# Ctrl-C reaches the service, which then ends in order; the simulator, which has
# to confirm the last answers, is out of its reach and ends after it.
trap : INT TERM

setsid "$build/mock-upstream" --rates etc/demo-rates.csv --rate 1 \
    --port-file "$dir/port" > "$dir/upstream.out" 2>&1 &
upstream=$!
while [ ! -s "$dir/port" ]; do
    kill -0 $upstream 2>/dev/null || { cat "$dir/upstream.out"; exit 1; }
    sleep 0.05
done

echo "fxwire runs against a simulated upstream on port $(cat "$dir/port"), one
request a second, with ECB reference rates of some days from
etc/demo-rates.csv. The newest of them is old: LATEST_MAX_AGE_DAYS=36500, set
here alone, lets it serve for today. Ctrl-C ends it."
echo
env RUNTIME_DIR="$dir/run" STATE_DIR="$dir/state" \
    REQUESTS_WS_URL="ws://127.0.0.1:$(cat "$dir/port")/demo" \
    RATE_PROVIDERS=file RATES_FILE=etc/demo-rates.csv LATEST_MAX_AGE_DAYS=36500 \
    "$build/supervisor" --env-file /dev/null --show-messages run &
service=$!
while kill -0 $service 2>/dev/null; do wait $service; code=$?; done

kill -INT $upstream 2>/dev/null
wait $upstream 2>/dev/null
echo
echo "The simulator checked each answer with arithmetic of its own:"
cat "$dir/upstream.out"
echo
echo "For the real job set REQUESTS_WS_URL (your upstream's wss:// address) in the
environment or in .env (see etc/fxwire.env.example), and run:
    $build/supervisor
Rates then come from frankfurter.dev and the ECB; a FREECURRENCYAPI_KEY adds
freecurrencyapi.com in front of them."
exit "${code:-0}"
