#!/bin/sh
# A server that says in its Close that it restarts (1012), is busy (1013) or that a
# gateway failed (1014) is taken by three of seven clients for one that broke the
# protocol, and the three draw the line at three places. Their applications are told
# 1002, 0 or nothing (websocket-client raises "Invalid close opcode" besides), and
# two tell the server 1002, too: an orderly restart looks like a fault at both ends.
#
# The codes are not in RFC 6455 but in the registry that it founded (11.7), where they
# have been for more than ten years. What all understand is 1001.
#
# Seen (ws 8.23.0, undici 7.30.2, websocket 1.0.35, Bun 1.4.5, Deno 2.9.6, and
# faye-websocket 0.11.4 with websocket-driver 0.8.0, of npm; python3-websocket 1.2.3,
# which is websocket-client, of Debian 12; the code that the application is told, and
# what the server is answered if that is 1002):
#   1001: 1001 in all
#   1012: 1012 in ws undici websocket bun deno; 1002 (answer 1002) in faye-websocket; None in python3-websocket
#   1013: 1013 in ws undici websocket bun deno; 1002 (answer 1002) in faye-websocket; None in python3-websocket
#   1014: 1014 in ws undici websocket bun python3-websocket; 0 (answer 1002) in deno; 1002 (answer 1002) in faye-websocket
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq download 2>/dev/null python3-websocket=1.2.3-1
dpkg -x python3-websocket_*.deb root
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
link.onerror = () => {};
link.onclose = ({ code }) => {
  console.log(code);
  (globalThis.Deno || process).exit();
};
JS
cat > client.py <<'PY'
import sys
import websocket

websocket.WebSocketApp(sys.argv[1], on_close=lambda _, code, __: print(code)).run_forever()
PY
cat > server.js <<'JS'
const http = require('http');
const { createHash } = require('crypto');
const { execFile } = require('child_process');
const { readdirSync } = require('fs');
const path = (scope) => `node_modules/@${scope}/${readdirSync(`node_modules/@${scope}`)[0]}`;
const runs = {
  bun: [`${path('oven')}/bin/bun`, 'client.js'],
  deno: [`${path('deno')}/deno`, 'run', '-A', 'client.js'],
  'python3-websocket': ['/usr/bin/python3', 'client.py'],
};
const names = ['ws', 'undici', 'websocket', 'bun', 'deno', 'faye-websocket', 'python3-websocket'];
let code, answer;
const server = http.createServer().on('upgrade', (request, socket) => {
  const accept = createHash('sha1').update(request.headers['sec-websocket-key']
    + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  answer = '';
  socket.on('error', () => {}).on('data', (data) => { // a Close, with a mask
    if ((data[0] & 15) === 8)
      answer = ` (answer ${(data[6] << 8 | data[7]) ^ (data[2] << 8 | data[3])})`;
    socket.end();
  });
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n'
    + `Connection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  setTimeout(() => socket.write(Buffer.from([0x88, 2, code >> 8, code & 255])), 100);
});
const told = (name) => new Promise((done) => {
  const [program, ...args] = runs[name] || [process.execPath, 'client.js'];
  execFile(program, [...args, `ws://127.0.0.1:${server.address().port}/`, name],
    { env: { ...process.env, NO_COLOR: '1' } },
    (_, out) => done(`${out.trim()}${answer === ' (answer 1002)' ? answer : ''}`));
});
server.listen(0, '127.0.0.1', async () => {
  for (code of [1001, 1012, 1013, 1014]) {
    const groups = {};
    for (const name of names) (groups[await told(name)] ||= []).push(name);
    console.log(`${code}: ${Object.entries(groups).map(([what, whom]) =>
      `${what} in ${whom.length === names.length ? 'all' : whom.join(' ')}`).join('; ')}`);
  }
  process.exit();
});
JS
PYTHONPATH=$dir/root/usr/lib/python3/dist-packages timeout 60 node server.js > out
cat out
diff - out <<'SEEN'
1001: 1001 in all
1012: 1012 in ws undici websocket bun deno; 1002 (answer 1002) in faye-websocket; None in python3-websocket
1013: 1013 in ws undici websocket bun deno; 1002 (answer 1002) in faye-websocket; None in python3-websocket
1014: 1014 in ws undici websocket bun python3-websocket; 0 (answer 1002) in deno; 1002 (answer 1002) in faye-websocket
SEEN
