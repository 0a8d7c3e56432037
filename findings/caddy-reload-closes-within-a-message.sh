#!/bin/sh
# Caddy 2.6.2 (Debian 12, caddy 2.6.2-5), as a proxy between two WebSocket peers: a
# reload, of whatever site, writes a Close 1001 to both at once, wherever the stream
# is. In the middle of a message its four bytes are taken for the message's next
# four; if just these were missing, the receiver is given a whole message that
# nobody sent, and no Close.
#
# The proxy passes bytes on and knows of no frames, except for this one that it
# makes itself. Between two messages it does what it should; but who streams long
# messages is in the middle of one nearly always, and learns of the reload as of an
# accident (1006). Towards the server the Close has no mask besides, which a server
# has to refuse (RFC 6455, 5.1); Caddy's authors have mended that since.
#
# Seen (who sends and how much of a message of 300 ".", then a reload of another site;
# what the application at the other end gets, by ws 8.23.0):
#   the server, between messages: close 1001
#   the client, between messages: error MASK must be set, close 1006
#   the server, 100 of 300 bytes: close 1006
#   the client, 100 of 300 bytes: close 1006
#   the server, 296 of 300 bytes: message 296 . and 880203e9, close 1006
#   the client, 296 of 300 bytes: message 296 . and 880203e9, close 1006
set -eu
dir=$(mktemp -d)
trap 'kill "$(cat "$dir/pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq download caddy=2.6.2-5 2>/dev/null
dpkg -x caddy_*.deb root
npm install --silent --no-audit --no-fund --ignore-scripts ws@8.23.0 >/dev/null

cat > reload.js <<'JS'
const { execFile, spawn } = require('child_process');
const { createHash } = require('crypto');
const { writeFileSync } = require('fs');
const http = require('http');
const net = require('net');
const { WebSocket, WebSocketServer } = require('ws');
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
const port = async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((done) => { server.on('listening', done); });
  const free = server.address().port;
  await new Promise((done) => { server.close(done); });
  return free;
};
const hear = (link, told) => {
  link.on('message', (data) => told.push(`message ${data.toString('latin1').replace(/\.+/,
    (dots) => `${dots.length} . and `).replace(/[^. a-z0-9]+$/, (end) =>
    (end === '\x88\x02\x03\xe9' ? '880203e9' : Buffer.from(end, 'latin1').toString('hex')))}`));
  link.on('error', ({ message }) => told.push(`error ${message.replace(/.*: /, '')}`));
  link.on('close', (code) => told.push(`close ${code}`));
};
// A binary message of 300 bytes of which the last are not sent yet; masked by zeros.
const part = (length, masked) => Buffer.concat([
  Buffer.from([0x82, (masked ? 0x80 : 0) | 126, 1, 44, ...masked ? [0, 0, 0, 0] : []]),
  Buffer.alloc(length, '.')]);

const KEY = 'AAAAAAAAAAAAAAAAAAAAAA==';
const raw = { // ends that send their bytes and answer nothing
  server: () => new Promise((done) => {
    const server = http.createServer().on('upgrade', ({ headers }, socket) => {
      const accept = createHash('sha1').update(headers['sec-websocket-key']
        + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
      socket.on('error', () => {}).write('HTTP/1.1 101 Switching Protocols\r\n'
        + `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
      server.emit('raw', socket);
    }).listen(0, '127.0.0.1', () => done(server));
  }),
  client: (at) => http.get({ port: at, host: '127.0.0.1', headers: { Connection: 'Upgrade',
    Upgrade: 'websocket', 'Sec-WebSocket-Version': 13, 'Sec-WebSocket-Key': KEY } }),
};

async function run(sender, length) {
  const told = [];
  let server = null;
  if (sender === 'server') server = await raw.server();
  else {
    server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (link) => hear(link, told));
    await new Promise((done) => { server.on('listening', done); });
  }
  const [at, other] = [await port(), await port()];
  const configure = (answer) => writeFileSync('Caddyfile', `{
  admin unix/${process.cwd()}/admin
  auto_https off
  storage file_system ${process.cwd()}/storage
}
http://127.0.0.1:${at} {
  reverse_proxy 127.0.0.1:${server.address().port}
}
http://127.0.0.1:${other} {
  respond "${answer}"
}
`);
  configure('one');
  const args = ['--config', 'Caddyfile', '--adapter', 'caddyfile'];
  const caddy = spawn('root/usr/bin/caddy', ['run', ...args], { stdio: 'ignore' });
  writeFileSync('pid', `${caddy.pid}`);
  for (let up = false; !up; await pause(100)) {
    up = await new Promise((done) => {
      const probe = net.connect(at, '127.0.0.1', () => { probe.destroy(); done(true); });
      probe.on('error', () => done(false));
    });
  }
  const sending = new Promise((done) => {
    if (sender === 'server') server.once('raw', done);
    else raw.client(at).on('upgrade', (_, socket) => done(socket.on('error', () => {})));
  });
  if (sender === 'server') hear(new WebSocket(`ws://127.0.0.1:${at}/`), told);
  const socket = await sending;
  await pause(200);
  if (length) socket.write(part(length, sender === 'client'));
  await pause(200);
  configure('two');
  await new Promise((done) => {
    execFile('root/usr/bin/caddy', ['reload', ...args, '--address',
      `unix/${process.cwd()}/admin`], done);
  });
  await pause(300);
  const gone = new Promise((done) => { caddy.on('exit', done); });
  caddy.kill('SIGKILL');
  await gone;
  console.log(`the ${sender}, ${length ? `${length} of 300 bytes` : 'between messages'}: ${
    told.join(', ')}`);
}
(async () => {
  for (const length of [0, 100, 296])
    for (const sender of ['server', 'client']) await run(sender, length);
  process.exit();
})();
JS
node reload.js > out
cat out
diff - out <<'SEEN'
the server, between messages: close 1001
the client, between messages: error MASK must be set, close 1006
the server, 100 of 300 bytes: close 1006
the client, 100 of 300 bytes: close 1006
the server, 296 of 300 bytes: message 296 . and 880203e9, close 1006
the client, 296 of 300 bytes: message 296 . and 880203e9, close 1006
SEEN
