#!/bin/sh
# libwebsockets 4.1.6 (Debian 12, libwebsockets17 4.1.6-3; also 4.3 of Debian 13),
# as a client: a header that it does not know, whose name is the begin of one
# that it knows, hides the line behind it.
#
# The parser leaves its table of names at the first character that fits none. If
# that is the colon itself ("Accept-CH:" is the begin of "Accept-Charset:"), it
# does not see that the name ends there, and goes on to the next colon: that of
# the next line. If that was Sec-WebSocket-Accept or Upgrade, the handshake is
# refused, and the reason given is that it is missing. If it was the empty line,
# the answer never ends, until something with a colon follows or time is over.
# Accept-CH is a header that sites do send (client hints).
#
# Seen:
#   Accept-CH before Sec-WebSocket-Accept: HS: ACCEPT missing
#   Accept-CH behind it, before Server: connected
#   X-Auth before Sec-WebSocket-Accept: HS: ACCEPT missing
#   X-Authors before Sec-WebSocket-Accept: connected
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq download 2>/dev/null libwebsockets17=4.1.6-3 libwebsockets-dev=4.1.6-3 \
    libcap2 libuv1 libev4 libssl-dev
for package in *.deb; do dpkg -x "$package" root; done
lib=$(dirname "$(find root -name libwebsockets.so.17)")

cat > serve.py <<'P'
import base64, hashlib, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
sock = listener.accept()[0]
head = b""
while b"\r\n\r\n" not in head:
    head += sock.recv(4096)
key = next(l for l in head.split(b"\r\n") if l.lower().startswith(b"sec-websocket-key:"))
key = key.split(b":", 1)[1].strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
accept = base64.b64encode(hashlib.sha1(key).digest()).decode()
lines = [line.replace("KEY", accept) for line in sys.argv[1:]]
sock.sendall("\r\n".join(["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket",
                          "Connection: Upgrade", *lines, "", ""]).encode())
sock.recv(4096)
P

cat > ask.c <<'C'
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>

static int over;

static int on_event(struct lws *wsi, enum lws_callback_reasons reason,
                    void *user, void *in, size_t len) {
    (void)wsi, (void)user, (void)len;
    if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR)
        over = printf("%s\n", in != NULL ? (char *)in : "no reason");
    if (reason == LWS_CALLBACK_CLIENT_ESTABLISHED)
        over = printf("connected\n");
    return 0;
}

static const struct lws_protocols protocols[] = {
    {.name = "any", .callback = on_event}, {.name = NULL}};

int main(int argc, char *argv[]) {
    (void)argc;
    lws_set_log_level(0, NULL);
    struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN,
                                             .protocols = protocols};
    struct lws_context *context = lws_create_context(&info);
    struct lws_client_connect_info to = {
        .context = context, .address = "127.0.0.1", .port = atoi(argv[1]),
        .path = "/", .host = "localhost", .local_protocol_name = "any"};
    lws_client_connect_via_info(&to);
    while (!over && lws_service(context, 0) >= 0)
        ;
    fflush(stdout);
    _Exit(0);
}
C
gcc -o ask ask.c -Iroot/usr/include -L"$lib" -l:libwebsockets.so.17 \
    -Wl,-rpath-link,"$lib"

try() { # NAME LINE...
    printf '%s: ' "$1"
    shift
    mkfifo port
    python3 serve.py "$@" > port &
    read -r number < port
    LD_LIBRARY_PATH=$lib ./ask "$number"
    wait
    rm port
}
{
    try "Accept-CH before Sec-WebSocket-Accept" "Accept-CH: UA" "Sec-WebSocket-Accept: KEY"
    try "Accept-CH behind it, before Server" "Sec-WebSocket-Accept: KEY" \
        "Accept-CH: UA" "Server: x"
    try "X-Auth before Sec-WebSocket-Accept" "X-Auth: a" "Sec-WebSocket-Accept: KEY"
    try "X-Authors before Sec-WebSocket-Accept" "X-Authors: a" "Sec-WebSocket-Accept: KEY"
} > out
cat out
diff - out <<'S'
Accept-CH before Sec-WebSocket-Accept: HS: ACCEPT missing
Accept-CH behind it, before Server: connected
X-Auth before Sec-WebSocket-Accept: HS: ACCEPT missing
X-Authors before Sec-WebSocket-Accept: connected
S
