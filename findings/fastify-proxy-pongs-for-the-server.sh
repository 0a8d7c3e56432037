#!/bin/sh
# @fastify/http-proxy 11.6.3 (npm, Node.js) between two WebSocket peers: each Ping
# gets two Pongs, the first from the proxy itself, at once, whether the server
# behind it has read anything or not. A server that is stopped or busy answers
# Pings all the same. http-proxy, haproxy, nginx, apache and others pass the Ping on.
#
# The proxy ends the connection on either side by ws, which answers Pings by itself,
# and passes the Ping on besides; then the server's Pong comes back as the second.
# It reads ahead, too: so a client that takes a Pong for "the server lives" or "what
# I sent before is there" is told so of messages that only the proxy has.
#
# The server reads nothing for a second, in which a message and a Ping are sent.
#
# Seen (Pongs in the second in which the server is held up, and in the next):
#   without a proxy: 0, then 1
#   http-proxy 1.18.1: 0, then 1
#   @fastify/http-proxy 11.6.3: 1, then 1
set -eu
dir=$(mktemp -d)
trap 'kill "$(cat "$dir/pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts \
    ws@8.23.0 fastify@5.12.8 @fastify/http-proxy@11.6.3 http-proxy@1.18.1 >/dev/null

cat > server.js <<'JS'
const { WebSocketServer } = require('ws');
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
server.on('connection', () => {});
server.on('listening', () => console.log(server.address().port));
JS
cat > ask.js <<'JS'
const http = require('http');
const WebSocket = require('ws');
const [port, pid] = process.argv.slice(2).map(Number);
const target = `http://127.0.0.1:${port}`;
const version = (name) => `${name} ${require(`./node_modules/${name}/package.json`).version}`;
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

async function pongs(at) {
  const count = [0, 0];
  let part = 0;
  const link = new WebSocket(`ws://127.0.0.1:${at}/`);
  link.on('pong', () => { count[part] += 1; });
  await new Promise((open) => { link.on('open', open); });
  await pause(200); // the proxy has its own connection, too
  process.kill(pid, 'SIGSTOP');
  link.send('message');
  link.ping('p');
  await pause(1000);
  process.kill(pid, 'SIGCONT');
  part = 1;
  await pause(1000);
  link.terminate();
  return count.join(', then ');
}

(async () => {
  console.log(`without a proxy: ${await pongs(port)}`);

  const plain = require('http-proxy').createServer({ target, ws: true });
  const server = http.createServer().on('upgrade', (...args) => plain.ws(...args));
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  console.log(`${version('http-proxy')}: ${await pongs(server.address().port)}`);

  const fastify = require('fastify')();
  fastify.register(require('@fastify/http-proxy'), { upstream: target, websocket: true });
  await fastify.listen({ port: 0, host: '127.0.0.1' });
  console.log(`${version('@fastify/http-proxy')}: ${await pongs(fastify.server.address().port)}`);
  process.exit();
})();
JS
node server.js > port & echo $! > pid
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
node ask.js "$(cat port)" "$(cat pid)" > out
cat out
diff - out <<'SEEN'
without a proxy: 0, then 1
http-proxy 1.18.1: 0, then 1
@fastify/http-proxy 11.6.3: 1, then 1
SEEN
