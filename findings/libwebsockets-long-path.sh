#!/bin/sh
# libwebsockets 4.1.6 (Debian 12, libwebsockets17 4.1.6-3), as a client: a path
# (with its query) of more than 2,033 bytes is cut off without a word, and what
# goes out is no HTTP any more.
#
# lws_client_connect_via_info() takes the path and succeeds. But of the request
# line 2,047 bytes go out, and then a NUL byte in the place of what was cut off,
# which is the line's own end in any case. So a server answers 400 or nothing at
# all, and nobody on the client's side learns why. A path with a token in its
# query comes to that length soon.
#
# Seen (what the server gets up to the first CR, LF or NUL; its end):
#   path of 2033 bytes: 2046 bytes, "HTTP/1.1", then byte 0x0d
#   path of 2034 bytes: 2047 bytes, "HTTP/1.1", then byte 0x00
#   path of 4000 bytes: 2047 bytes, "pppppppp", then byte 0x00
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq download 2>/dev/null libwebsockets17=4.1.6-3 libwebsockets-dev=4.1.6-3 \
    libcap2 libuv1 libev4 libssl-dev
for package in *.deb; do dpkg -x "$package" root; done
lib=$(dirname "$(find root -name libwebsockets.so.17)")

cat > ask.c <<'C'
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

static int nothing(struct lws *wsi, enum lws_callback_reasons reason,
                   void *user, void *in, size_t len) {
    (void)wsi, (void)reason, (void)user, (void)in, (void)len;
    return 0;
}

static const struct lws_protocols protocols[] = {
    {.name = "any", .callback = nothing}, {.name = NULL}};

/* The first line that reaches the server. */
static void ask(size_t path_len) {
    static char path[4096], head[8192];
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof to;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&to, size);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&to, &size);
    memset(path, 'p', path_len);
    path[0] = '/';
    path[path_len] = '\0';
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols,
        .max_http_header_data = 16384, .pt_serv_buf_size = 16384};
    struct lws_context *context = lws_create_context(&info);
    struct lws_client_connect_info to_whom = {
        .context = context, .address = "127.0.0.1",
        .port = ntohs(to.sin_port), .path = path, .host = "localhost"};
    if (lws_client_connect_via_info(&to_whom) == NULL)
        printf("refused\n");
    for (int i = 0; i < 10; i++)
        lws_service(context, -1);
    int fd = accept(listener, NULL, NULL);
    ssize_t len = recv(fd, head, sizeof head - 1, 0);
    head[len > 0 ? len : 0] = '\0';
    size_t line = strcspn(head, "\r\n"); /* or a NUL */
    printf("path of %zu bytes: %zu bytes, \"%.*s\", then byte 0x%02x\n",
           path_len, line, line < 8 ? 0 : 8, head + (line < 8 ? 0 : line - 8),
           (unsigned char)head[line]);
    close(fd);
    close(listener);
    lws_context_destroy(context);
}

int main(void) {
    lws_set_log_level(0, NULL);
    ask(2033);
    ask(2034);
    ask(4000);
    return 0;
}
C
gcc -o ask ask.c -Iroot/usr/include -L"$lib" -l:libwebsockets.so.17 \
    -Wl,-rpath-link,"$lib"
LD_LIBRARY_PATH=$lib ./ask > out
cat out
diff - out <<'S'
path of 2033 bytes: 2046 bytes, "HTTP/1.1", then byte 0x0d
path of 2034 bytes: 2047 bytes, "HTTP/1.1", then byte 0x00
path of 4000 bytes: 2047 bytes, "pppppppp", then byte 0x00
S
