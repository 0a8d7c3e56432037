#!/bin/sh
# uvicorn 0.17.6 with wsproto 1.2.0, and the client of faye-websocket 0.11.0 for Ruby
# (websocket-driver 0.6.3; all Debian 12): the client refuses the server, since the 101
# has no reason phrase. To uvicorn with websockets it connects, and to uvicorn with wsproto
# so do the clients of websockets and ws.
#
# wsproto leaves the phrase to who uses it, and uvicorn gives it none: "HTTP/1.1 101 ".
# It may be empty (RFC 9112, 4); the driver's pattern wants at least one character. Without
# --ws, uvicorn takes websockets where that is installed, else wsproto; Debian's package
# depends on the latter alone. So these clients are let in or shut out by whether a
# package is there that nobody asked for, while the server has sent a 101.
#
# Seen (the server's first line, then what each client is told):
#   uvicorn --ws websockets, HTTP/1.1 101 Switching Protocols
#     faye-websocket: echo
#     websockets: echo
#     ws: echo
#   uvicorn --ws wsproto, HTTP/1.1 101 .
#     faye-websocket: Error during WebSocket handshake: Invalid HTTP response
#     websockets: echo
#     ws: echo
set -eu
dir=$(mktemp -d)
trap 'kill -9 $(cat "$dir/pids" 2>/dev/null) 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq download 2>/dev/null python3-uvicorn=0.17.6-1 python3-wsproto=1.2.0-1 \
    python3-websockets=10.4-1 python3-h11 python3-click python3-asgiref \
    python3-typing-extensions ruby-faye-websocket=0.11.0-1 ruby-websocket-driver=0.6.3-3+b5 \
    ruby-websocket-extensions ruby-eventmachine ruby3.1 libruby3.1
for package in *.deb; do dpkg -x "$package" root; done
npm install --silent --no-audit --no-fund --ignore-scripts ws@8.23.0 >/dev/null
lib=$(dirname "$(find "$dir/root" -name libruby-3.1.so.3.1)")
export LD_LIBRARY_PATH="$lib" PYTHONPATH="$dir/root/usr/lib/python3/dist-packages"
RUBYLIB=$dir/root/usr/lib/ruby/vendor_ruby:$dir/root/usr/lib/ruby/3.1.0:$lib/ruby/3.1.0
gem=$(dirname "$(dirname "$(find "$dir/root" -path '*/websocket/extensions.rb')")")
export RUBYLIB="$RUBYLIB:$lib/ruby/vendor_ruby/3.1.0:$gem"

cat > app.py <<'PY'
async def app(scope, receive, send):
    event = await receive()
    while event["type"] != "websocket.disconnect":
        if event["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        else:
            await send({"type": "websocket.send", "text": event["text"]})
        event = await receive()
PY
cat > head.py <<'PY'
import socket
import sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as link:
    link.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                 b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    line = link.makefile("rb").readline().decode().rstrip("\r\n")
print(line + "." * line.endswith(" "))
PY
cat > client.rb <<'RB'
require 'faye/websocket'
require 'eventmachine'
EM.run do
  link = Faye::WebSocket::Client.new("ws://127.0.0.1:#{ARGV[0]}/")
  link.on(:open) { link.send('echo') }
  link.on(:message) { |event| puts event.data; link.close }
  link.on(:error) { |event| puts event.message }
  link.on(:close) { EM.stop }
end
RB
cat > client.py <<'PY'
import asyncio
import sys

import websockets


async def main():
    async with websockets.connect(f"ws://127.0.0.1:{sys.argv[1]}/") as link:
        await link.send("echo")
        print(await link.recv())


asyncio.run(main())
PY
cat > client.js <<'JS'
const WebSocket = require('ws');
const link = new WebSocket(`ws://127.0.0.1:${process.argv[2]}/`);
link.on('open', () => link.send('echo'));
link.on('message', (text) => { console.log(text.toString()); link.close(); });
link.on('error', ({ message }) => console.log(message));
JS

for library in websockets wsproto; do
    port=$(/usr/bin/python3 -c '
import socket
print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
    /usr/bin/python3 -m uvicorn --ws "$library" --port "$port" app:app > "$library.log" 2>&1 &
    echo $! >> pids
    for _ in $(seq 100); do grep -q 'running on' "$library.log" && break; sleep 0.1; done
    echo "uvicorn --ws $library, $(/usr/bin/python3 head.py "$port")"
    echo "  faye-websocket: $(timeout 20 "$(find root -name ruby3.1 -path '*/bin/*')" \
        --disable-gems client.rb "$port")"
    echo "  websockets: $(timeout 20 /usr/bin/python3 client.py "$port")"
    echo "  ws: $(timeout 20 node client.js "$port")"
done > out || true
cat out
diff - out <<'SEEN'
uvicorn --ws websockets, HTTP/1.1 101 Switching Protocols
  faye-websocket: echo
  websockets: echo
  ws: echo
uvicorn --ws wsproto, HTTP/1.1 101 .
  faye-websocket: Error during WebSocket handshake: Invalid HTTP response
  websockets: echo
  ws: echo
SEEN
