#!/bin/sh
# permessage-deflate with an offer of a small window for the server's compressor: to
# server_max_window_bits=8, the least that RFC 7692, 7.1.2.1, has, websockets 10.4 and
# Tornado 6.2.0 (Debian 12) answer the whole handshake with 500, also to the client of
# websockets itself. They take 9. Mojolicious 9.31 accepts either and names no limit, so
# that a client is sent what it said it cannot read, or refuses the connection.
#
# A server that does not support what is offered declines the extension, and there is no
# compression, as aiohttp 3.8.4 and Bun do. The two take the number, which their parsers
# know as one of 8 to 15, and hand it to zlib, which has no raw stream of 8 (Python's
# zlib: "Invalid initialization option"). Node.js asks zlib for 9 instead, which never
# refers further back than 8 allows, so ws and faye-websocket serve.
#
# Seen (what the server answers an offer of 9, and one of 8; client: ws 8.23.0):
#   aiohttp 3.8.4: compression, limit 9; no compression
#   bun 1.4.5: no compression; no compression
#   faye-websocket 0.11.4: compression, limit 9; compression, limit 8
#   mojolicious 9.31: compression, no limit; compression, no limit
#   tornado 6.2.0: compression, limit 9; Unexpected server response: 500
#   websockets 10.4: compression, limit 9; Unexpected server response: 500
#   ws 8.23.0: compression, limit 9; compression, limit 8
# and client websockets 10.4:
#   mojolicious 9.31: Unsupported extension; Unsupported extension
#   tornado 6.2.0: echo; status 500
#   websockets 10.4: echo; status 500
set -eu
dir=$(mktemp -d)
trap 'kill $(cat "$dir/pids" 2>/dev/null) 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq download 2>/dev/null python3-websockets=10.4-1 python3-tornado=6.2.0-3+deb12u4 \
    python3-aiohttp=3.8.4-1+deb12u2 libmojolicious-perl=9.31+dfsg-1 python3-multidict \
    python3-yarl python3-frozenlist python3-aiosignal python3-async-timeout python3-attr \
    python3-charset-normalizer python3-idna
for package in *.deb; do dpkg -x "$package" root; done
find root -xtype l -delete # scripts for browsers, of packages that are not needed
npm install --silent --no-audit --no-fund ws@8.23.0 faye-websocket@0.11.4 \
    permessage-deflate@0.1.7 bun@1.4.5 >/dev/null

cat > websockets.main.py <<'PY'
import asyncio
import sys

import websockets


async def echo(link):
    async for text in link:
        await link.send(text)


async def main():
    async with websockets.serve(echo, "127.0.0.1", int(sys.argv[1])):
        await asyncio.Future()


asyncio.run(main())
PY
cat > tornado.main.py <<'PY'
import asyncio
import sys

from tornado import web, websocket


class Echo(websocket.WebSocketHandler):
    def get_compression_options(self):
        return {}

    def on_message(self, text):
        self.write_message(text)


async def main():
    web.Application([("/", Echo)]).listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Future()


asyncio.run(main())
PY
cat > aiohttp.main.py <<'PY'
import sys

from aiohttp import web


async def echo(request):
    link = web.WebSocketResponse()
    await link.prepare(request)
    async for message in link:
        await link.send_str(message.data)
    return link


app = web.Application()
app.router.add_get("/", echo)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
PY
cat > mojolicious.pl <<'PL'
use Mojolicious::Lite -signatures;
use Mojo::Server::Daemon;
websocket '/' => sub ($c) {
    $c->tx->with_compression;
    $c->on(message => sub ($c, $text) { $c->send($text) });
};
app->log->level('fatal');
Mojo::Server::Daemon->new(app => app, listen => ["http://127.0.0.1:$ARGV[0]"], silent => 1)->run;
PL
cat > ws.js <<'JS'
const { WebSocketServer } = require('ws');
new WebSocketServer({ host: '127.0.0.1', port: process.argv[2], perMessageDeflate: true })
  .on('connection', (link) => link.on('message', (text) => link.send(text.toString())));
JS
cat > faye.js <<'JS'
const WebSocket = require('faye-websocket');
const extensions = [require('permessage-deflate')];
require('http').createServer().on('upgrade', (request, socket, head) => {
  const link = new WebSocket(request, socket, head, [], { extensions });
  link.on('message', (event) => link.send(event.data));
}).listen(process.argv[2], '127.0.0.1');
JS
cat > bun.js <<'JS'
Bun.serve({
  hostname: '127.0.0.1',
  port: process.argv[2],
  fetch: (request, server) => { server.upgrade(request); },
  websocket: { perMessageDeflate: true, message: (link, text) => { link.send(text); } },
});
JS
cat > client.py <<'PY'
import asyncio
import sys

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory


async def main(port, bits):
    offer = ClientPerMessageDeflateFactory(server_max_window_bits=int(bits))
    try:
        async with websockets.connect(f"ws://127.0.0.1:{port}/", compression=None,
                                      extensions=[offer]) as link:
            await link.send("echo")
            return await link.recv()
    except websockets.InvalidStatusCode as error:
        return f"status {error.status_code}"
    except websockets.NegotiationError as error:
        return str(error).partition(":")[0]


print(asyncio.run(main(*sys.argv[1:])), end="")
PY
cat > ask.js <<'JS'
const { execFileSync, spawn } = require('child_process');
const { appendFileSync } = require('fs');
const net = require('net');
const WebSocket = require('ws');
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
const SERVERS = {
  'aiohttp 3.8.4': ['/usr/bin/python3', 'aiohttp.main.py'],
  'bun 1.4.5': ['node_modules/.bin/bun', 'bun.js'],
  'faye-websocket 0.11.4': ['node', 'faye.js'],
  'mojolicious 9.31': ['perl', `-I${process.cwd()}/root/usr/share/perl5`, 'mojolicious.pl'],
  'tornado 6.2.0': ['/usr/bin/python3', 'tornado.main.py'],
  'websockets 10.4': ['/usr/bin/python3', 'websockets.main.py'],
  'ws 8.23.0': ['node', 'ws.js'],
};
const accepts = (port) => new Promise((done) => {
  net.connect(port, '127.0.0.1')
    .on('connect', function end() { this.destroy(); done(true); })
    .on('error', () => done(false));
});
const start = async ([command, ...args]) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((done) => { server.on('listening', done); });
  const { port } = server.address();
  await new Promise((done) => { server.close(done); });
  const { pid } = spawn(command, [...args, port], { stdio: 'ignore' });
  appendFileSync('pids', `${pid}\n`);
  for (let i = 0; i < 300 && !await accepts(port); i += 1) await pause(100);
  return port;
};
const offer = (port, bits) => new Promise((done) => {
  const link = new WebSocket(`ws://127.0.0.1:${port}/`,
    { perMessageDeflate: { serverMaxWindowBits: bits, clientMaxWindowBits: undefined } });
  link.on('error', ({ message }) => done(message));
  link.on('upgrade', ({ headers }) => {
    const chosen = headers['sec-websocket-extensions'];
    const [, limit] = /server_max_window_bits=(\d+)/.exec(chosen) || [];
    done(!chosen ? 'no compression' : `compression, ${limit ? `limit ${limit}` : 'no limit'}`);
    link.on('open', () => link.terminate());
  });
});
const python = (port, bits) => execFileSync('/usr/bin/python3', ['client.py', port, bits]);
(async () => {
  const ports = {};
  for (const [name, command] of Object.entries(SERVERS)) {
    ports[name] = await start(command);
    console.log(`${name}: ${await offer(ports[name], 9)}; ${await offer(ports[name], 8)}`);
  }
  for (const name of ['mojolicious 9.31', 'tornado 6.2.0', 'websockets 10.4'])
    console.log(`${name}: ${python(ports[name], 9)}; ${python(ports[name], 8)}`);
  process.exit();
})();
JS
PYTHONPATH=$dir/root/usr/lib/python3/dist-packages timeout 120 node ask.js > out || true
cat out
diff - out <<'SEEN'
aiohttp 3.8.4: compression, limit 9; no compression
bun 1.4.5: no compression; no compression
faye-websocket 0.11.4: compression, limit 9; compression, limit 8
mojolicious 9.31: compression, no limit; compression, no limit
tornado 6.2.0: compression, limit 9; Unexpected server response: 500
websockets 10.4: compression, limit 9; Unexpected server response: 500
ws 8.23.0: compression, limit 9; compression, limit 8
mojolicious 9.31: Unsupported extension; Unsupported extension
tornado 6.2.0: echo; status 500
websockets 10.4: echo; status 500
SEEN
