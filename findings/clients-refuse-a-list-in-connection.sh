#!/bin/sh
# Node.js's own WebSocket client (20.20) and its newest (undici 7.30.2), Deno 2.9.6,
# faye-websocket 0.11.4 and websocket 1.0.35 (npm) refuse a server whose 101 has
# "Connection: keep-alive, Upgrade"; ws 8.23.0 and Bun 1.4.5 connect.
#
# That header is a list, in which Upgrade is to be looked for, also in the answer
# (RFC 6455, 4.1, item 3 of what the client checks; RFC 9110, 7.6.1). Servers had
# to learn it long ago, because Firefox asks that way; of the clients most compare
# the whole value. So a server that worked with ws for years is refused when its
# client goes over to the runtime's own class, mostly with no more than code 1006.
#
# Seen (the answer's Connection, and what the clients do):
#   Upgrade: open in all
#   upgrade: open in all
#   keep-alive, Upgrade: open in ws bun, refused by faye-websocket websocket undici node deno
#   Upgrade, keep-alive: open in ws bun, refused by faye-websocket websocket undici node deno
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts \
    websocket@1.0.35 ws@8.23.0 faye-websocket@0.11.4 websocket-driver@0.8.0 \
    undici@7.30.2 bun@1.4.5 deno@2.9.6 >/dev/null

cat > client.js <<'JS'
const [url, name] = globalThis.Deno ? Deno.args : process.argv.slice(2);
const clients = {
  ws: () => require('ws'),
  'faye-websocket': () => require('faye-websocket').Client,
  websocket: () => require('websocket').w3cwebsocket,
  undici: () => require('undici').WebSocket,
};
const Client = clients[name] ? clients[name]() : WebSocket;
const link = new Client(url);
const end = (word) => {
  console.log(word);
  (globalThis.Deno || process).exit();
};
link.onopen = () => end('open');
link.onerror = link.onclose = () => end('refused');
JS
cat > server.js <<'JS'
const http = require('http');
const { createHash } = require('crypto');
const { execFile } = require('child_process');
const { readdirSync } = require('fs');
const bun = readdirSync('node_modules/@oven')[0];
const deno = readdirSync('node_modules/@deno')[0];
const runs = {
  bun: [`node_modules/@oven/${bun}/bin/bun`],
  deno: [`node_modules/@deno/${deno}/deno`, 'run', '-A'],
  node: [process.execPath, '--experimental-websocket'],
};
const names = ['ws', 'bun', 'faye-websocket', 'websocket', 'undici', 'node', 'deno'];
let connection;
const server = http.createServer().on('upgrade', (request, socket) => {
  const accept = createHash('sha1').update(request.headers['sec-websocket-key']
    + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.on('error', () => {});
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: ${
    connection}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
});
const dial = (name) => new Promise((done) => {
  const [program, ...args] = [...runs[name] || [process.execPath], 'client.js',
    `ws://127.0.0.1:${server.address().port}/`, name];
  execFile(program, args, { env: { ...process.env, NO_COLOR: '1' } },
    (_, out) => done(out.trim()));
});
server.listen(0, '127.0.0.1', async () => {
  for (connection of ['Upgrade', 'upgrade', 'keep-alive, Upgrade', 'Upgrade, keep-alive']) {
    const told = { open: [], refused: [] };
    for (const name of names) (told[await dial(name)] ||= []).push(name);
    const refused = told.refused.length ? `, refused by ${told.refused.join(' ')}` : '';
    console.log(`${connection}: open in ${refused ? told.open.join(' ') : 'all'}${refused}`);
  }
  process.exit();
});
JS
node server.js > out
cat out
diff - out <<'SEEN'
Upgrade: open in all
upgrade: open in all
keep-alive, Upgrade: open in ws bun, refused by faye-websocket websocket undici node deno
Upgrade, keep-alive: open in ws bun, refused by faye-websocket websocket undici node deno
SEEN
