#!/bin/sh
# SWI-Prolog 9.0.4 (Debian 12, swi-prolog-core 9.0.4+dfsg-2), library(http/websocket):
# a Ping between two fragments of a message is never answered. If it is empty it
# is skipped; with a payload it ends the connection, for reading the message
# raises an I/O error ("WebSocket: unexpected package"), close 1011.
#
# RFC 6455, 5.4, has control frames between fragments for just this (a long
# message shall not hold up a Ping). Fragments alone are well received, and so is
# a Ping that comes between two messages. So it happens now and then, to a client
# that pings by a timer and streams long messages; an empty Ping by a timer makes
# it give up a server that lives.
#
# The server is the echo of the library's own documentation.
#
# Seen (client: ws 8.23.0 of npm, Node.js 20):
#   two fragments: echo ab
#   two fragments, then a Ping with a payload: echo ab, Pong
#   two fragments, between them an empty Ping: echo ab
#   two fragments, between them a Ping with a payload: close 1011 (WebSocket: unexpected package)
set -eu
dir=$(mktemp -d)
trap 'kill $(cat pid 2>/dev/null) 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq download swi-prolog-core=9.0.4+dfsg-2 swi-prolog-core-packages=9.0.4+dfsg-2 \
    libtcmalloc-minimal4 libgmp10 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
SWI_HOME_DIR=$dir/root/usr/lib/swi-prolog
LD_LIBRARY_PATH=$(dirname "$(find "$dir/root" -name libswipl.so.9)")
export SWI_HOME_DIR LD_LIBRARY_PATH
npm install --silent --no-audit --no-fund --ignore-scripts ws@8.23.0 >/dev/null

cat > echo.pl <<'PL'
:- use_module(library(http/websocket)).
:- use_module(library(http/thread_httpd)).
:- use_module(library(http/http_dispatch)).

:- http_handler(root(ws), http_upgrade_to_websocket(echo, []), [spawn([])]).

echo(WebSocket) :-
    ws_receive(WebSocket, Message),
    (   Message.opcode == close
    ->  true
    ;   ws_send(WebSocket, Message),
        echo(WebSocket)
    ).

:- initialization(main, main).

main :-
    http_server(http_dispatch, [port(localhost:Port), silent(true)]),
    format("~w~n", [Port]),
    flush_output,
    thread_get_message(never).
PL
cat > client.js <<'JS'
const WebSocket = require('ws');
const port = process.argv[2];
const ping = (link) => link.ping('p');
const cases = {
  'two fragments': [],
  'two fragments, then a Ping with a payload': [null, ping],
  'two fragments, between them an empty Ping': [(link) => link.ping()],
  'two fragments, between them a Ping with a payload': [ping],
};
const run = ([between, behind]) => new Promise((done) => {
  const told = [];
  const link = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  link.on('open', () => {
    link.send('a', { fin: false });
    if (between) between(link);
    link.send('b', { fin: true });
    if (behind) behind(link);
  });
  link.on('message', (data) => told.push(`echo ${data}`));
  link.on('pong', () => told.push('Pong'));
  link.on('close', (code, text) => // the rest of its text is an address in memory
    told.push(`close ${code} ${/\(WebSocket.*\)/.exec(text) || text}`));
  setTimeout(() => { done(told.join(', ')); link.removeAllListeners(); link.terminate(); }, 500);
});
(async () => {
  for (const [name, pings] of Object.entries(cases))
    console.log(`${name}: ${await run(pings)}`);
})();
JS

"$(find root -path '*/bin/*/swipl')" echo.pl > port 2> /dev/null & echo $! > pid
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
node client.js "$(cat port)" > out
cat out
diff - out <<'SEEN'
two fragments: echo ab
two fragments, then a Ping with a payload: echo ab, Pong
two fragments, between them an empty Ping: echo ab
two fragments, between them a Ping with a payload: close 1011 (WebSocket: unexpected package)
SEEN
