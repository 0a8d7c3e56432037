#!/bin/sh
# haproxy 2.6.12 (mode http), nginx 1.22.1, Caddy 2.6.2 and nghttpx 1.52.0 (Debian 12),
# as proxies between two WebSocket peers: what a server sent before it ended in order
# reaches a client that is silent as a whole, and one that sends heartbeats in part only,
# without the Close. Apache 2.4.71, lighttpd 1.4.69 and haproxy in mode tcp pass it on.
#
# The server does what RFC 6455, 7.1.1, has as its example: all messages, a Close,
# shutdown() for writing, and it reads on to the end. The four take that for the end of
# both directions and close the client's side once they have written the rest to it. It
# waits in the kernel then; the client's next Ping meets a closed socket, is answered
# by a reset, and that throws away what waits. For ordinary answers nginx has
# lingering_close against just this. So who listens learns how the link ended, and who
# beats is told 1006, with messages lost that both ends handled well. What the client
# sends behind the server's end, its own Close too, arrives through Apache and haproxy in
# mode tcp alone.
#
# 2,000 messages of 4,096 bytes; the client reads some 4 MB a second, and sends a Ping each
# 30 ms or nothing; what it has at the end, and what of its own Close then.
#
# Seen (where it is a part, 50 to 70 % on an AMD EPYC):
#   no proxy, silent: all, Close; the client's Close arrives
#   no proxy, beating: all, Close; the client's Close arrives
#   apache, silent: all, Close; the client's Close arrives
#   apache, beating: all, Close; the client's Close arrives
#   haproxy mode tcp, silent: all, Close; the client's Close arrives
#   haproxy mode tcp, beating: all, Close; the client's Close arrives
#   lighttpd, silent: all, Close; the client's Close is lost
#   lighttpd, beating: all, Close; the client's Close is lost
#   caddy, silent: all, Close; the client's Close is lost
#   caddy, beating: a part; the client's Close is lost
#   haproxy mode http, silent: all, Close; the client's Close is lost
#   haproxy mode http, beating: a part; the client's Close is lost
#   nghttpx, silent: all, Close; the client's Close is lost
#   nghttpx, beating: a part; the client's Close is lost
#   nginx, silent: all, Close; the client's Close is lost
#   nginx, beating: a part; the client's Close is lost
set -eu
dir=$(mktemp -d)
trap 'kill $(cat "$dir/pids" 2>/dev/null) 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq download 2>/dev/null apache2-bin=2.4.71-1~deb12u1 libapr1 libaprutil1 \
    caddy=2.6.2-5 haproxy=2.6.12-1+deb12u4 liblua5.3-0 libopentracing-c-wrapper0 \
    libopentracing1 lighttpd=1.4.69-1 libnettle8 libxxhash0 nghttp2-proxy=1.52.0-1+deb12u3 \
    libc-ares2 libev4 libjemalloc2 libnghttp2-14 nginx=1.22.1-9+deb12u11 libpcre2-8-0 \
    libpcre2-posix3 libbrotli1
for package in *.deb; do dpkg -x "$package" root; done
LD_LIBRARY_PATH=$(dirname "$(find "$dir/root" -name libnettle.so.8)")
export LD_LIBRARY_PATH
chmod 755 .

cat > ask.py <<'PY'
import base64
import hashlib
import os
import select
import socket
import subprocess
import sys
import threading
import time

HERE = os.getcwd()
HAPROXY = """defaults
    mode {mode}
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
listen proxy
    bind 127.0.0.1:{port}
    server a 127.0.0.1:{to}
"""
PROXIES = {  # the command, and its configuration
    "no proxy": None,
    "apache": (["sbin/apache2", "-X", "-f"], """ServerRoot {here}/root/usr/lib/apache2
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
Listen 127.0.0.1:{port}
ServerName localhost
User nobody
PidFile {here}/apache.pid
DefaultRuntimeDir {here}
ErrorLog {here}/apache.log
ProxyPass / http://127.0.0.1:{to}/ upgrade=websocket
"""),
    "haproxy mode tcp": (["sbin/haproxy", "-f"], HAPROXY.replace("{mode}", "tcp")),
    "lighttpd": (["sbin/lighttpd", "-D", "-m", f"{HERE}/root/usr/lib/lighttpd", "-f"],
                 """server.document-root = "{here}"
server.port = {port}
server.bind = "127.0.0.1"
server.modules = ("mod_proxy")
proxy.header = ("upgrade" => "enable")
proxy.server = ("" => (("host" => "127.0.0.1", "port" => {to})))
"""),
    "caddy": (["bin/caddy", "run", "--adapter", "caddyfile", "--config"], """{{
    admin off
    auto_https off
}}
http://:{port} {{
    bind 127.0.0.1
    reverse_proxy 127.0.0.1:{to}
}}
"""),
    "haproxy mode http": (["sbin/haproxy", "-f"], HAPROXY.replace("{mode}", "http")),
    "nghttpx": (["sbin/nghttpx", "--conf"], """frontend=127.0.0.1,{port};no-tls
backend=127.0.0.1,{to}
errorlog-file=/dev/null
"""),
    "nginx": (["sbin/nginx", "-p", HERE, "-c"], """daemon off;
pid nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path .; proxy_temp_path .; fastcgi_temp_path .; uwsgi_temp_path .;
    scgi_temp_path .;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{to};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
        }}
    }}
}}
"""),
}
COUNT = 2000
MESSAGE = b"\x82\x7e\x10\x00" + b"." * 4096
CLOSE = b"\x88\x02\x03\xe8"
PING = b"\x89\x80\0\0\0\0"
ANSWER = b"\x88\x82\0\0\0\0\x03\xe8"  # the client's Close


def head(sock):
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        data += sock.recv(1) or sys.exit("no answer")
    return data


def connect(port, listener):
    """Both ends of a WebSocket connection through the proxy."""
    client = socket.create_connection(("127.0.0.1", port), 10)
    client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                   b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    server = listener.accept()[0]
    server.settimeout(30)
    fields = (line.partition(b":") for line in head(server).split(b"\r\n"))
    key = next(value.strip() for name, _, value in fields  # haproxy and Caddy have their own
               if name.lower() == b"sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    server.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    head(client)
    return client, server


def serve(server, heard):
    server.sendall(MESSAGE * COUNT + CLOSE)
    server.shutdown(socket.SHUT_WR)
    while data := server.recv(65536):
        heard.append(data)


def listen(client, beating):
    """All that comes, and then our own Close."""
    data = b""
    while True:
        try:
            if beating:
                client.sendall(PING)
        except OSError:
            pass  # what has arrived is still read
        try:
            more = client.recv(131072)
        except ConnectionResetError:
            more = b""
        data += more
        if not more or data.endswith(CLOSE):
            break
        time.sleep(0.03)
    try:
        client.sendall(ANSWER)
        client.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    return data


def start(command, config):
    listener = socket.create_server(("127.0.0.1", 0))
    to = listener.getsockname()[1]
    if command is None:
        return to, listener
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with open(f"{port}.conf", "w", encoding="ascii") as file:
        file.write(config.format(port=port, to=to, here=HERE))
    process = subprocess.Popen([f"{HERE}/root/usr/{command[0]}", *command[1:], f"{HERE}/{port}.conf"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env={**os.environ, "HOME": HERE, "XDG_DATA_HOME": HERE})
    with open("pids", "a", encoding="ascii") as file:
        print(process.pid, file=file)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    while select.select([listener], [], [], 0.5)[0]:  # mode tcp has passed that on
        listener.accept()[0].close()
    return port, listener


for name, proxy in PROXIES.items():
    port, listener = start(*(proxy or (None, None)))
    for how in ("silent", "beating"):
        client, server = connect(port, listener)
        heard = []
        thread = threading.Thread(target=serve, args=(server, heard))
        thread.start()
        data = listen(client, how == "beating")
        thread.join()
        client.close()
        server.close()
        what = "all, Close" if data == MESSAGE * COUNT + CLOSE else "a part"
        end = "arrives" if b"".join(heard).endswith(ANSWER) else "is lost"
        print(f"{name}, {how}: {what}; the client's Close {end}", flush=True)
        print(f"{len(data) // len(MESSAGE)} messages", file=sys.stderr)
PY
timeout 200 /usr/bin/python3 ask.py > out 2> log || cat log
cat out
diff - out <<'SEEN'
no proxy, silent: all, Close; the client's Close arrives
no proxy, beating: all, Close; the client's Close arrives
apache, silent: all, Close; the client's Close arrives
apache, beating: all, Close; the client's Close arrives
haproxy mode tcp, silent: all, Close; the client's Close arrives
haproxy mode tcp, beating: all, Close; the client's Close arrives
lighttpd, silent: all, Close; the client's Close is lost
lighttpd, beating: all, Close; the client's Close is lost
caddy, silent: all, Close; the client's Close is lost
caddy, beating: a part; the client's Close is lost
haproxy mode http, silent: all, Close; the client's Close is lost
haproxy mode http, beating: a part; the client's Close is lost
nghttpx, silent: all, Close; the client's Close is lost
nghttpx, beating: a part; the client's Close is lost
nginx, silent: all, Close; the client's Close is lost
nginx, beating: a part; the client's Close is lost
SEEN
