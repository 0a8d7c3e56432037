#!/bin/sh
# Deno 2.9.6 (npm), as a server: close(1012, "restart") sends no Close frame when
# a message or a Pong of the peer has arrived and was not read yet. The TCP
# connection just ends, so the peer sees 1006 and learns neither code nor reason;
# Deno's own close event has the code 0, which is none.
#
# Between one side's Close and the other's messages may well be under way (RFC
# 6455, 1.4); a peer that sends all the time has always one. So the code goes out
# to quiet clients and is lost for busy ones. A Ping, or a Close of the peer's own,
# does no harm; a Pong does, though only Deno's own Pings ask for one.
#
# One write has a text, at which the application closes, and what stands here:
#
# Seen:
#   nothing: Close 1012 restart, own code 1012
#   a text: no Close, own code 0
#   a Pong: no Close, own code 0
#   a Ping: Pong, Close 1012 restart, own code 1005
#   a Close 1000: Close 1000, own code 1000
set -eu
dir=$(mktemp -d)
trap 'kill "$(cat "$dir/pid" 2>/dev/null)" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts deno@2.9.6 >/dev/null

cat > server.js <<'JS'
Deno.serve({ port: 0, hostname: '127.0.0.1', onListen: ({ port }) => console.log(port) },
  (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = () => socket.close(1012, 'restart');
    socket.onclose = ({ code }) => console.log(code);
    return response;
  });
JS
cat > client.py <<'PY'
import socket
import sys
import time


def frame(opcode, data=b""):  # masked, by zeros
    return bytes([0x80 | opcode, 0x80 | len(data), 0, 0, 0, 0]) + data


def told(sock):
    """The frames that come within a second, short and without a mask."""
    found, data = [], b""
    sock.settimeout(1)
    try:
        while more := sock.recv(4096):
            data += more
            if data[0] & 15 == 8:  # answered, as is due
                sock.sendall(frame(8, data[2:4]))
    except (TimeoutError, ConnectionError):
        pass
    while data:
        opcode, end = data[0] & 15, 2 + data[1]
        if opcode == 8:
            code = int.from_bytes(data[2:4], "big")
            found.append(f"Close {code} {data[4:end].decode()}".strip())
        else:
            found.append({10: "Pong"}.get(opcode, "other"))
        data = data[end:]
    return ", ".join(found) if "Close" in str(found) else "no Close"


port, log = int(sys.argv[1]), sys.argv[2]
for name, behind in (("nothing", b""), ("a text", frame(1, b"b")), ("a Pong", frame(10)),
                     ("a Ping", frame(9)), ("a Close 1000", frame(8, b"\x03\xe8"))):
    sock = socket.create_connection(("127.0.0.1", port))
    sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                 b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += sock.recv(1)
    sock.sendall(frame(1, b"a") + behind)
    result = told(sock)
    sock.close()
    time.sleep(0.2)
    with open(log, encoding="ascii") as lines:
        print(f"{name}: {result}, own code {lines.read().split()[-1]}")
PY
node_modules/@deno/*/deno run -A server.js > log & echo $! > pid
for _ in $(seq 100); do [ -s log ] && break; sleep 0.1; done
python3 client.py "$(head -n 1 log)" log > out
cat out
diff - out <<'SEEN'
nothing: Close 1012 restart, own code 1012
a text: no Close, own code 0
a Pong: no Close, own code 0
a Ping: Pong, Close 1012 restart, own code 1005
a Close 1000: Close 1000, own code 1000
SEEN
