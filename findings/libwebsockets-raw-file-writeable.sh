#!/bin/sh
# libwebsockets 4.1.6 (Debian 12, libwebsockets17 4.1.6-3): a descriptor that is
# adopted as LWS_ADOPT_RAW_FILE_DESC forgets that it was asked for writing, if
# that was asked from inside its own LWS_CALLBACK_RAW_WRITEABLE_FILE.
#
# lws_callback_on_writable() in that callback returns success, but the library
# clears POLLOUT when the callback has returned, so it never comes again,
# although the descriptor takes bytes all the time. Whoever sends a queue piece
# by piece, as one does on a WebSocket (where the same call works), stops after
# the first piece. Asked from a timer (lws_sul_schedule) it comes each time.
#
# Seen:
#   asked from its callback: 1 callbacks
#   asked from a timer: 100 callbacks
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
#include <string.h>
#include <sys/eventfd.h>

enum { WANTED = 100 };

static int from_timer, callbacks, over;
static struct lws *file;
static lws_sorted_usec_list_t ask_later, end;

static void on_ask(lws_sorted_usec_list_t *sul) {
    (void)sul;
    lws_callback_on_writable(file);
}

static void on_end(lws_sorted_usec_list_t *sul) {
    (void)sul;
    over = 1;
}

static int on_file(struct lws *wsi, enum lws_callback_reasons reason,
                   void *user, void *in, size_t len) {
    (void)user, (void)in, (void)len;
    if (reason != LWS_CALLBACK_RAW_WRITEABLE_FILE)
        return 0;
    over = ++callbacks == WANTED;
    if (from_timer)
        lws_sul_schedule(lws_get_context(wsi), 0, &ask_later, on_ask, 1);
    else if (lws_callback_on_writable(wsi) < 0)
        printf("refused\n");
    return 0;
}

static const struct lws_protocols protocols[] = {
    {.name = "file", .callback = on_file}, {.name = NULL}};

int main(int argc, char *argv[]) {
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols};
    lws_sock_file_fd_type fd = {.filefd = eventfd(0, EFD_NONBLOCK)};
    from_timer = argc > 1 && strcmp(argv[1], "timer") == 0;
    lws_set_log_level(LLL_ERR, NULL);
    struct lws_context *context = lws_create_context(&info);
    file = lws_adopt_descriptor_vhost(lws_get_vhost_by_name(context, "default"),
                                      LWS_ADOPT_RAW_FILE_DESC, fd, "file", NULL);
    lws_callback_on_writable(file);
    lws_sul_schedule(context, 0, &end, on_end, 2 * LWS_US_PER_SEC);
    while (!over)
        lws_service(context, 0);
    printf("asked from %s: %d callbacks\n",
           from_timer ? "a timer" : "its callback", callbacks);
    lws_sul_cancel(&end);
    lws_context_destroy(context);
    return 0;
}
C
gcc -o ask ask.c -Iroot/usr/include -L"$lib" -l:libwebsockets.so.17 \
    -Wl,-rpath-link,"$lib"
LD_LIBRARY_PATH=$lib ./ask > out
LD_LIBRARY_PATH=$lib ./ask timer >> out
cat out
printf '%s\n' 'asked from its callback: 1 callbacks' \
    'asked from a timer: 100 callbacks' | diff - out
