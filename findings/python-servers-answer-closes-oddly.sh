#!/bin/sh
# Two servers of Debian 12 answer an ordinary Close with one that no client may
# accept, so that the client's own orderly close ends in a protocol error and as
# 1006, though nothing was wrong:
#
# ws4py 0.5.1 (python3-ws4py 0.5.1+dfsg1-2) answers an empty Close, which is what
# close() without a code sends, with code 1005. RFC 6455, 7.4.1, reserves that
# for what an application is told when there was none; it must not be sent.
#
# gevent-websocket 0.10.1 (python3-gevent-websocket 0.10.1-5) answers a Close that
# has a text with code 25209 and a text of its own: under Python 3 it sends
# str(bytearray(...)), whose first two letters, by, are taken for the code.
#
# Each is right about the Close that the other gets wrong.
#
# Seen (client: ws 8.23.0 of npm, Python 3.11, Node.js 20):
#   ws4py, close(): error Invalid WebSocket frame: invalid status code 1005, close 1006
#   ws4py, close(1000): close 1000
#   ws4py, close(1000, bye): close 1000 bye
#   gevent-websocket, close(): close 1005
#   gevent-websocket, close(1000): close 1005
#   gevent-websocket, close(1000, bye): error Invalid WebSocket frame: invalid status code 25209, close 1006
set -eu
dir=$(mktemp -d)
trap 'kill $(cat pids 2>/dev/null) 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq download python3-ws4py=0.5.1+dfsg1-2 python3-gevent-websocket=0.10.1-5 \
    python3-gevent python3-greenlet python3-zope.event python3-zope.interface \
    libc-ares2 libev4 libuv1 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
PYTHONPATH=$dir/root/usr/lib/python3/dist-packages
LD_LIBRARY_PATH=$(dirname "$(find "$dir/root" -name libev.so.4)")
export PYTHONPATH LD_LIBRARY_PATH
npm install --silent --no-audit --no-fund --ignore-scripts ws@8.23.0 >/dev/null

cat > ws4py_server.py <<'PY'
from wsgiref.simple_server import make_server
from ws4py.server.wsgirefserver import WSGIServer, WebSocketWSGIRequestHandler
from ws4py.server.wsgiutils import WebSocketWSGIApplication
from ws4py.websocket import WebSocket

server = make_server("127.0.0.1", 0, WebSocketWSGIApplication(handler_cls=WebSocket),
                     WSGIServer, WebSocketWSGIRequestHandler)
server.initialize_websockets_manager()
print(server.server_port, flush=True)
server.serve_forever()
PY
cat > gevent_server.py <<'PY'
from gevent import pywsgi
from geventwebsocket.handler import WebSocketHandler


def receive(environ, _):
    while environ["wsgi.websocket"].receive() is not None:
        pass
    return []


server = pywsgi.WSGIServer(("127.0.0.1", 0), receive, handler_class=WebSocketHandler,
                           log=None)
server.start()
print(server.server_port, flush=True)
server.serve_forever()
PY
cat > close.js <<'JS'
const WebSocket = require('ws');
const [port, name] = process.argv.slice(2);
const run = (args) => new Promise((done) => {
  const told = [];
  const link = new WebSocket(`ws://127.0.0.1:${port}/`);
  link.on('open', () => link.close(...args));
  link.on('error', (error) => told.push(`error ${error.message}`));
  link.on('close', (code, text) => done([...told, `close ${code} ${text}`.trim()].join(', ')));
});
(async () => {
  for (const args of [[], [1000], [1000, 'bye']])
    console.log(`${name}, close(${args.join(', ')}): ${await run(args)}`);
})();
JS

/usr/bin/python3 ws4py_server.py > ws4py.port 2> /dev/null & echo $! > pids
/usr/bin/python3 gevent_server.py > gevent.port & echo $! >> pids
for server in ws4py gevent; do
    for _ in $(seq 100); do [ -s $server.port ] && break; sleep 0.1; done
done
node close.js "$(cat ws4py.port)" ws4py > out
node close.js "$(cat gevent.port)" gevent-websocket >> out
cat out
diff - out <<'SEEN'
ws4py, close(): error Invalid WebSocket frame: invalid status code 1005, close 1006
ws4py, close(1000): close 1000
ws4py, close(1000, bye): close 1000 bye
gevent-websocket, close(): close 1005
gevent-websocket, close(1000): close 1005
gevent-websocket, close(1000, bye): error Invalid WebSocket frame: invalid status code 25209, close 1006
SEEN
