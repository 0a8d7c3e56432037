#!/bin/sh
# nginx 1.22.1 and lighttpd 1.4.69 (Debian 12), as proxies between two WebSocket
# peers: nginx counts both directions where its manual speaks of one, lighttpd
# counts each alone.
#
# nginx: "if the proxied server does not transmit anything within this time, the
# connection is closed" (proxy_read_timeout). On an upgraded connection each byte of
# the client starts that time anew, so a server that hangs is never given up while
# a client goes on with its heartbeats. lighttpd: a connection on which the server
# sends all the time and the client has nothing to say is cut by max-read-idle (60 s
# unless set), and one on which only the client sends, by max-write-idle (360 s). So
# a client that only beats lives behind the one whatever the server does, and one
# that only listens dies behind the other whatever the server sends.
#
# All times are set to 2 s; whoever sends sends a Ping each 0.3 s, nobody answers.
#
# Seen (after 6 s):
#   nginx, nobody sends: cut
#   nginx, the client sends: open
#   nginx, the server sends: open
#   lighttpd, max-read-idle, nobody sends: cut
#   lighttpd, max-read-idle, the client sends: open
#   lighttpd, max-read-idle, the server sends: cut
#   lighttpd, max-write-idle, nobody sends: cut
#   lighttpd, max-write-idle, the client sends: cut
#   lighttpd, max-write-idle, the server sends: open
set -eu
dir=$(mktemp -d)
trap 'kill $(cat "$dir/pids" 2>/dev/null) 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq download 2>/dev/null nginx=1.22.1-9+deb12u11 lighttpd=1.4.69-1 \
    libpcre2-8-0 libnettle8 libxxhash0
for package in *.deb; do dpkg -x "$package" root; done
LD_LIBRARY_PATH=$(dirname "$(find "$dir/root" -name libnettle.so.8)")
export LD_LIBRARY_PATH

cat > ask.py <<'PY'
import base64
import hashlib
import select
import socket
import subprocess
import sys
import time

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
NGINX = """daemon off; pid nginx.pid; error_log stderr; events {{}}
http {{ access_log off; client_body_temp_path .; proxy_temp_path .; fastcgi_temp_path .;
  uwsgi_temp_path .; scgi_temp_path .;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{to};
    proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade; proxy_read_timeout 2s; }} }} }}"""
LIGHTTPD = """server.document-root = "{dir}"
server.port = {port}
server.bind = "127.0.0.1"
server.modules = ("mod_proxy")
{idle} = 2
proxy.header = ("upgrade" => "enable")
proxy.server = ("" => (("host" => "127.0.0.1", "port" => {to})))"""
PING = {"client": b"\x89\x80\0\0\0\0", "server": b"\x89\0"}


def head(sock):
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        data += sock.recv(1) or sys.exit("no answer")
    return data


def connect(port, listener):
    """Both ends of a WebSocket connection through the proxy."""
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                   b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    server = listener.accept()[0]
    head(server)
    accept = base64.b64encode(hashlib.sha1(b"AAAAAAAAAAAAAAAAAAAAAA==" + GUID).digest())
    server.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    head(client)
    return {"client": client, "server": server}


def start(args, config, **more):
    listener = socket.create_server(("127.0.0.1", 0))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with open(f"{port}.conf", "w", encoding="ascii") as file:
        file.write(config.format(port=port, to=listener.getsockname()[1], **more))
    process = subprocess.Popen([*args, f"{port}.conf"], stderr=subprocess.DEVNULL)
    with open("pids", "a", encoding="ascii") as file:
        print(process.pid, file=file)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    return port, listener


root, here = sys.argv[1:]
nginx = [f"{root}/usr/sbin/nginx", "-p", here, "-c"]
lighttpd = [f"{root}/usr/sbin/lighttpd", "-D", "-m", f"{root}/usr/lib/lighttpd", "-f"]
links = []
for name, at in (
        ("nginx", start(nginx, NGINX)),
        ("lighttpd, max-read-idle", start(lighttpd, LIGHTTPD, idle="server.max-read-idle", dir=here)),
        ("lighttpd, max-write-idle", start(lighttpd, LIGHTTPD, idle="server.max-write-idle", dir=here))):
    for sender in (None, "client", "server"):
        links.append([name, sender, connect(*at), "open"])
for _ in range(20):
    for link in links:
        _, sender, ends, state = link
        if sender and state == "open":
            try:
                ends[sender].sendall(PING[sender])
            except OSError:
                link[3] = "cut"
    time.sleep(0.3)
    for link in links:
        for end in select.select(list(link[2].values()), [], [], 0)[0]:
            try:
                link[3] = link[3] if end.recv(4096) else "cut"
            except OSError:
                link[3] = "cut"
for name, sender, _, state in links:
    print(f"{name}, {f'the {sender}' if sender else 'nobody'} sends: {state}")
PY
python3 ask.py "$dir/root" "$dir" > out
cat out
diff - out <<'SEEN'
nginx, nobody sends: cut
nginx, the client sends: open
nginx, the server sends: open
lighttpd, max-read-idle, nobody sends: cut
lighttpd, max-read-idle, the client sends: open
lighttpd, max-read-idle, the server sends: cut
lighttpd, max-write-idle, nobody sends: cut
lighttpd, max-write-idle, the client sends: cut
lighttpd, max-write-idle, the server sends: open
SEEN
