#!/bin/sh
# websocket 1.0.35 (npm, Node.js), client and server: when the peer ends the TCP
# connection right behind its last frames, as a server does that has nothing more
# to say, messages that were received and read are thrown away, together with the
# Close: the application is told 1006, though all was in order.
#
# The library takes one frame from its buffer in each turn of the event loop, and
# the end of the stream, which comes as an event of its own meanwhile, empties the
# buffer. Three messages or so get through, of however many. So who sends a list,
# closes with 1000 and ends, as Bun's server does of itself, loses most of it. What
# was thrown away has no Pong either, so a Ping behind the last message tells.
#
# Seen (Node.js 20, Bun 1.4.5; 1000 messages, then Close 1000 and FIN):
#   one write, client ws 8.23.0: 1000 of 1000, close 1000
#   one write, client websocket 1.0.35: under 10 of 1000, close 1006
#   one write with a Ping, client ws 8.23.0: 1000 of 1000, close 1000, Pong
#   one write with a Ping, client websocket 1.0.35: under 10 of 1000, close 1006
#   Bun's server, client ws 8.23.0: 1000 of 1000, close 1000
#   Bun's server, client websocket 1.0.35: under 10 of 1000, close 1006
set -eu
dir=$(mktemp -d)
trap 'kill "$(cat "$dir/pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts \
    websocket@1.0.35 ws@8.23.0 bun@1.4.5 >/dev/null

cat > bun.js <<'JS'
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request, self) { self.upgrade(request); },
  websocket: {
    message(link) {
      for (let i = 0; i < 1000; i++) link.send(`m${i}`);
      link.close(1000);
    },
  },
});
console.log(server.port);
JS
cat > receive.js <<'JS'
const http = require('http');
const { createHash } = require('crypto');
const clients = { ws: require('ws'), websocket: require('websocket').w3cwebsocket };
const frame = (opcode, data) => // short, without a mask
  Buffer.concat([Buffer.from([0x80 | opcode, data.length]), Buffer.from(data)]);
const messages = Array.from({ length: 1000 }, (_, i) => frame(1, `m${i}`));
const close = frame(8, [3, 232]);

// A server that writes once and ends; tells whether a Pong came.
const once = (written) => new Promise((done) => {
  const server = http.createServer().on('upgrade', (request, socket) => {
    const accept = createHash('sha1').update(request.headers['sec-websocket-key']
      + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
    server.pong = false;
    socket.on('data', (data) => { server.pong ||= (data[0] & 15) === 10; });
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n'
      + `Connection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    socket.once('data', () => socket.end(Buffer.concat(written)));
  });
  server.listen(0, '127.0.0.1', () => done(server));
});
const receive = (name, port) => new Promise((done) => {
  let got = 0;
  const link = new clients[name](`ws://127.0.0.1:${port}/`);
  link.onopen = () => link.send('list');
  link.onmessage = () => { got += 1; };
  link.onclose = ({ code }) => setTimeout(() => done({ got, code }), 100);
});
const say = (what, name, { got, code }, more = '') => console.log(`${what}, client ${name} `
  + `${require(`${name}/package.json`).version}: ${got < 10 ? 'under 10' : got} of 1000, close ${code}${more}`);

(async () => {
  for (const [what, written] of [
    ['one write', [...messages, close]],
    ['one write with a Ping', [...messages, frame(9, 'p'), close]]])
    for (const name of Object.keys(clients)) {
      const server = await once(written);
      const result = await receive(name, server.address().port);
      say(what, name, result, server.pong ? ', Pong' : '');
    }
  for (const name of Object.keys(clients))
    say("Bun's server", name, await receive(name, process.argv[2]));
  process.exit();
})();
JS
node_modules/@oven/bun-linux-x64*/bin/bun bun.js > port & echo $! > pid
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
node receive.js "$(cat port)" > out
cat out
diff - out <<'SEEN'
one write, client ws 8.23.0: 1000 of 1000, close 1000
one write, client websocket 1.0.35: under 10 of 1000, close 1006
one write with a Ping, client ws 8.23.0: 1000 of 1000, close 1000, Pong
one write with a Ping, client websocket 1.0.35: under 10 of 1000, close 1006
Bun's server, client ws 8.23.0: 1000 of 1000, close 1000
Bun's server, client websocket 1.0.35: under 10 of 1000, close 1006
SEEN
