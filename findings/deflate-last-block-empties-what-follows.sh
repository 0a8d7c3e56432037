#!/bin/sh
# permessage-deflate: after one message that ends its DEFLATE stream (BFINAL, an example
# of RFC 7692, 7.2.3.4), websockets 10.4, Tornado 6.2.0 and aiohttp 3.8.4 (Debian 12) and
# faye-websocket 0.11.4 with permessage-deflate 0.1.7 (npm) give each further compressed
# message to the application as an empty one: no error, no Close, and a Pong for each Ping.
#
# They keep one inflater for a connection. At the end of its stream it is done for good:
# zlib's answer to all that comes later is nothing, and nothing is what an empty message
# has. The message itself, and later ones that are not compressed, are right. So who
# counts messages, or takes Pongs for receipts, sees none missing. Mojolicious 9.31
# closes at the message itself, as if it were too long (1009). ws and Bun go on.
#
# The RFC has that form for senders whose deflater cannot flush otherwise; the offer is
# plain, and all but Bun accept it with context takeover.
#
# Seen (texts one, two, three, compressed, of which two ends its stream, three as it is, and
# a Ping; what an application sends back that echoes what it gets):
#   aiohttp 3.8.4: one two "" three, Pong
#   bun 1.4.5: one two three three, Pong
#   faye-websocket 0.11.4: one two "" three, Pong
#   mojolicious 9.31: one, Close 1009
#   tornado 6.2.0: one two "" three, Pong
#   websockets 10.4: one two "" three, Pong
#   ws 8.23.0: one two three three, Pong
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
cat > ask.py <<'PY'
import os
import socket
import subprocess
import sys
import time
import zlib

SERVERS = {
    "aiohttp 3.8.4": ["/usr/bin/python3", "aiohttp.main.py"],
    "bun 1.4.5": ["node_modules/.bin/bun", "bun.js"],
    "faye-websocket 0.11.4": ["node", "faye.js"],
    "mojolicious 9.31": ["perl", f"-I{os.getcwd()}/root/usr/share/perl5", "mojolicious.pl"],
    "tornado 6.2.0": ["/usr/bin/python3", "tornado.main.py"],
    "websockets 10.4": ["/usr/bin/python3", "websockets.main.py"],
    "ws 8.23.0": ["node", "ws.js"],
}
ASK = (b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
       b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
       b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")


def frame(head, data):  # masked, by zeros
    return bytes([head, 0x80 | len(data), 0, 0, 0, 0]) + data


def compressed(text, last):
    packer = zlib.compressobj(wbits=-15)
    data = packer.compress(text)
    if last:
        return frame(0xC1, data + packer.flush(zlib.Z_FINISH) + b"\0")
    return frame(0xC1, (data + packer.flush(zlib.Z_SYNC_FLUSH))[:-4])


SENT = (compressed(b"one", False), compressed(b"two", True), compressed(b"three", False),
        frame(0x81, b"three"))


def connect(command):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([*command, str(port)], stderr=subprocess.DEVNULL)
    with open("pids", "a", encoding="ascii") as file:
        print(process.pid, file=file)
    for _ in range(300):
        try:
            return socket.create_connection(("127.0.0.1", port), 5)
        except OSError:
            time.sleep(0.1)
    return sys.exit(f"{command} does not start")


def exactly(sock, length):
    data = sock.recv(length, socket.MSG_WAITALL) if length else b""
    return data if len(data) == length else sys.exit("the connection ended")


def answer(sock, unpack):
    """The next frame's kind and text."""
    first, length = exactly(sock, 2)
    data = exactly(sock, length)
    if first & 15 == 8:
        return "Close", str(int.from_bytes(data[:2], "big"))
    if first & 15 == 10:
        return "Pong", ""
    text = unpack.decompress(data + b"\0\0\xff\xff") if first & 0x40 else data
    return "text", text.decode() or '""'


def echoes(sock):
    unpack = zlib.decompressobj(-15)
    sock.sendall(ASK)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += exactly(sock, 1)
    if b"permessage-deflate" not in head:
        sys.exit("no permessage-deflate")
    texts = []
    for part in SENT:
        sock.sendall(part)
        kind, text = answer(sock, unpack)
        if kind != "text":
            return f"{' '.join(texts)}, {kind} {text}"
        texts.append(text)
    sock.sendall(frame(0x89, b""))
    return f"{' '.join(texts)}, {answer(sock, unpack)[0]}"


for name, command in SERVERS.items():
    with connect(command) as link:
        print(f"{name}: {echoes(link)}")
PY
PYTHONPATH=$dir/root/usr/lib/python3/dist-packages timeout 120 /usr/bin/python3 ask.py > out || true
cat out
diff - out <<'SEEN'
aiohttp 3.8.4: one two "" three, Pong
bun 1.4.5: one two three three, Pong
faye-websocket 0.11.4: one two "" three, Pong
mojolicious 9.31: one, Close 1009
tornado 6.2.0: one two "" three, Pong
websockets 10.4: one two "" three, Pong
ws 8.23.0: one two three three, Pong
SEEN
