#!/bin/sh
# @fastify/http-proxy 11.6.3 (npm, Node.js) between two WebSocket peers: a server that
# dies without a Close reaches the client as a Close in due form, with code 4006, and
# an ordinary close() without a code as 4005. Codes from 4000 on are the application's
# own (RFC 6455, 7.4.2), so a client that has a meaning for these gets them from a
# proxy, and one that counts lost links by 1006 sees none.
#
# The proxy has a connection of its own on either side. What ws tells it of the one,
# it says on the other, and adds 3000 to the codes that may not be sent. Proxies that
# pass bytes on, such as http-proxy, end the one connection as the other ended.
#
# Seen (what the server does, and what the client of each is told):
#   close(): http-proxy 1.18.1 1005, @fastify/http-proxy 11.6.3 4005
#   close(1000): http-proxy 1.18.1 1000, @fastify/http-proxy 11.6.3 1000
#   close(1012): http-proxy 1.18.1 1012, @fastify/http-proxy 11.6.3 1012
#   terminate(): http-proxy 1.18.1 1006, @fastify/http-proxy 11.6.3 4006
#   SIGKILL: http-proxy 1.18.1 1006, @fastify/http-proxy 11.6.3 4006
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts \
    ws@8.23.0 fastify@5.12.8 @fastify/http-proxy@11.6.3 http-proxy@1.18.1 >/dev/null

cat > server.js <<'JS'
const { WebSocketServer } = require('ws');
const acts = {
  'close()': (link) => link.close(),
  'close(1000)': (link) => link.close(1000),
  'close(1012)': (link) => link.close(1012),
  'terminate()': (link) => link.terminate(),
  SIGKILL: () => process.kill(process.pid, 'SIGKILL'),
};
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
server.on('connection', (link) => link.on('message', (data) => acts[data](link)));
server.on('listening', () => process.send(server.address().port));
JS
cat > ask.js <<'JS'
const http = require('http');
const { fork } = require('child_process');
const WebSocket = require('ws');
const version = (name) => require(`./node_modules/${name}/package.json`).version;
const proxies = {
  'http-proxy': (target) => new Promise((done) => {
    const proxy = require('http-proxy').createServer({ target, ws: true });
    proxy.on('error', () => {});
    const server = http.createServer().on('upgrade', (...args) => proxy.ws(...args));
    server.listen(0, '127.0.0.1', () => done(server.address().port));
  }),
  '@fastify/http-proxy': async (target) => {
    const fastify = require('fastify')();
    fastify.register(require('@fastify/http-proxy'), { upstream: target, websocket: true });
    await fastify.listen({ port: 0, host: '127.0.0.1' });
    return fastify.server.address().port;
  },
};

async function told(name, act) {
  const server = fork('server.js');
  const port = await new Promise((done) => { server.on('message', done); });
  const at = await proxies[name](`http://127.0.0.1:${port}`);
  const code = await new Promise((done) => {
    const link = new WebSocket(`ws://127.0.0.1:${at}/`);
    link.on('open', () => link.send(act));
    link.on('error', () => {});
    link.on('close', done);
  });
  server.kill('SIGKILL');
  return `${name} ${version(name)} ${code}`;
}
(async () => {
  for (const act of ['close()', 'close(1000)', 'close(1012)', 'terminate()', 'SIGKILL'])
    console.log(`${act}: ${await told('http-proxy', act)}, ${await told('@fastify/http-proxy', act)}`);
  process.exit();
})();
JS
timeout 60 node ask.js > out
cat out
diff - out <<'SEEN'
close(): http-proxy 1.18.1 1005, @fastify/http-proxy 11.6.3 4005
close(1000): http-proxy 1.18.1 1000, @fastify/http-proxy 11.6.3 1000
close(1012): http-proxy 1.18.1 1012, @fastify/http-proxy 11.6.3 1012
terminate(): http-proxy 1.18.1 1006, @fastify/http-proxy 11.6.3 4006
SIGKILL: http-proxy 1.18.1 1006, @fastify/http-proxy 11.6.3 4006
SEEN
