#!/bin/sh
# uWSGI 2.0.21 (Debian 12, uwsgi-core 2.0.21-5.1), as a WebSocket server: its Pong is
# empty, whatever the Ping had, so that a client which compares the two gives up a
# server that answers each Ping at once.
#
# A Pong has the Ping's own data (RFC 6455, 5.5.3). Clients that only wait for any
# Pong see no difference. websockets puts four random bytes into each of its keepalive
# Pings, which are on unless turned off: with its defaults, one each 20 s and as long
# to wait for the Pong, a connection to uWSGI is closed by 1011 "keepalive ping
# timeout" after 40 s, though the server answered in no time.
#
# Seen (client of the last three: python3-websockets 10.4; ping_interval and
# ping_timeout are 1 s instead of 20 s, and nothing is sent for 3 s):
#   on the wire: Ping "" is answered by Pong ""
#   on the wire: Ping "data" is answered by Pong ""
#   websockets, a message: echo
#   websockets, keepalive: closed, 1011 keepalive ping timeout
#   websockets, no keepalive: open
set -eu
dir=$(mktemp -d)
trap 'kill "$(cat "$dir/pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq download 2>/dev/null uwsgi-core=2.0.21-5.1 uwsgi-plugin-python3=2.0.21-5.1 \
    python3-websockets=10.4-1 libyajl2 libcap2 libpcre3 libuuid1 libyaml-0-2 libxml2 \
    libicu72 libpython3.11
for package in *.deb; do dpkg -x "$package" root; done
LD_LIBRARY_PATH=$(dirname "$(find "$dir/root" -name libyajl.so.2)")
export LD_LIBRARY_PATH

cat > app.py <<'PY'
import uwsgi


def application(environ, start_response):
    uwsgi.websocket_handshake()
    try:
        while True:
            uwsgi.websocket_recv()
            uwsgi.websocket_send("echo")
    except OSError:
        return [b""]
PY
cat > client.py <<'PY'
import asyncio
import socket
import sys

import websockets

port = int(sys.argv[1])


def frame(head, data=b""):  # masked, by zeros
    return bytes([head, 0x80 | len(data), 0, 0, 0, 0]) + data


def raw():
    sock = socket.create_connection(("127.0.0.1", port), 5)
    sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                 b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += sock.recv(1)
    return sock


def read(sock):
    head = sock.recv(2, socket.MSG_WAITALL)
    data = sock.recv(head[1], socket.MSG_WAITALL) if head[1] else b""
    return {10: "Pong"}.get(head[0] & 15, "another frame"), data.decode()


async def keep(name, first, **settings):
    async with websockets.connect(f"ws://127.0.0.1:{port}/", close_timeout=0.1, **settings) as link:
        if first:
            await link.send(first)
            print(f"websockets, {name}: {await link.recv()}")
            return
        try:
            await asyncio.wait_for(link.recv(), 3)
        except asyncio.TimeoutError:
            print(f"websockets, {name}: open")
        except websockets.ConnectionClosed as error:
            print(f"websockets, {name}: closed, {error.sent.code} {error.sent.reason}")


for data in (b"", b"data"):
    with raw() as link:
        link.sendall(frame(0x89, data))
        kind, answer = read(link)
        print(f'on the wire: Ping "{data.decode()}" is answered by {kind} "{answer}"')
asyncio.run(keep("a message", "hello"))
asyncio.run(keep("keepalive", None, ping_interval=1, ping_timeout=1))
asyncio.run(keep("no keepalive", None, ping_interval=None))
PY
port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
"$(find root -name uwsgi-core -type f)" --plugins-dir "$dir/root/usr/lib/uwsgi/plugins" \
    --plugin python311 --http-socket "127.0.0.1:$port" --wsgi-file app.py --processes 3 \
    --disable-logging --master --die-on-term > log 2>&1 & echo $! > pid
for _ in $(seq 100); do grep -q 'spawned uWSGI worker 3' log 2>/dev/null && break; sleep 0.1; done
PYTHONPATH=$(dirname "$(find "$dir/root" -type d -name websockets -path '*dist-packages*')") \
    /usr/bin/python3 client.py "$port" > out || cat log
cat out
diff - out <<'SEEN'
on the wire: Ping "" is answered by Pong ""
on the wire: Ping "data" is answered by Pong ""
websockets, a message: echo
websockets, keepalive: closed, 1011 keepalive ping timeout
websockets, no keepalive: open
SEEN
