#!/bin/sh
# faye-websocket 0.11.4 with websocket-driver 0.8.0 (npm, Node.js): after the
# application has called close(), messages that still come are dropped without
# a word, but a Ping behind them is answered. ws 8.23.0 does the opposite of
# both: it gives the messages to the application and answers no Ping.
#
# Between one side's Close and the other's, messages may be under way (RFC 6455,
# 1.4 and 5.5.1), and a Ping has to be answered until a Close was received
# (5.5.2). So a Pong that comes behind the peer's Close proves nothing about the
# messages before its Ping: with the one library they are lost, with the other,
# which sends no Pong, they were read. Who takes Pongs for receipts has to stop
# at the Close, and will send again what the other has read.
#
# One write has three frames: the text a, at which the application closes; the
# text b; a Ping.
#
# Seen (Node.js 20):
#   faye-websocket 0.11.4: the application got a, on the wire Close Pong
#   ws 8.23.0: the application got a b, on the wire Close
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts \
    faye-websocket@0.11.4 websocket-driver@0.8.0 ws@8.23.0 >/dev/null

cat > close.js <<'JS'
const http = require('http');
const Faye = require('faye-websocket');
const { WebSocketServer } = require('ws');

const servers = {
  'faye-websocket': (server, got) => server.on('upgrade', (request, socket, head) => {
    const link = new Faye(request, socket, head);
    link.on('message', (event) => got(link, event.data));
  }),
  ws: (server, got) => new WebSocketServer({ server }).on('connection', (link) =>
    link.on('message', (data) => got(link, data.toString()))),
};

const frame = (opcode, text) => Buffer.concat([ // masked, by zeros
  Buffer.from([0x80 | opcode, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
const names = { 8: 'Close', 10: 'Pong' };

function read(data) { // short frames, without a mask
  const found = [];
  for (let at = 0; at < data.length; at += 2 + data[at + 1])
    found.push(names[data[at] & 15] || 'other');
  return found.join(' ');
}

const run = (serve) => new Promise((done) => {
  const messages = [];
  const server = http.createServer();
  serve(server, (link, text) => {
    messages.push(text);
    if (text === 'a') link.close(1000);
  });
  server.listen(0, '127.0.0.1', () => {
    const request = http.get({
      port: server.address().port, host: '127.0.0.1',
      headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': 13,
                 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==' },
    });
    request.on('upgrade', (_, socket, head) => {
      let wire = head;
      socket.on('data', (data) => { wire = Buffer.concat([wire, data]); });
      socket.write(Buffer.concat([frame(1, 'a'), frame(1, 'b'), frame(9, 'p')]));
      setTimeout(() => {
        socket.destroy();
        server.close();
        done(`the application got ${messages.join(' ')}, on the wire ${read(wire)}`);
      }, 500);
    });
  });
});

(async () => {
  for (const [name, serve] of Object.entries(servers))
    console.log(`${name} ${require(`${name}/package.json`).version}: ${await run(serve)}`);
  process.exit();
})();
JS
node close.js > out
cat out
diff - out <<'SEEN'
faye-websocket 0.11.4: the application got a, on the wire Close Pong
ws 8.23.0: the application got a b, on the wire Close
SEEN
