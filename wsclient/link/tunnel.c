#include "wsclient/link/tunnel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/memory.h"

void tunnel_init(struct tunnel *tunnel, const struct proxy *proxy,
                 const struct upstream *upstream, tunnel_done *done,
                 void *arg) {
    tunnel->proxy = proxy;
    tunnel->upstream = upstream;
    tunnel->done = done;
    tunnel->arg = arg;
    tunnel->fd = -1;
}

void tunnel_leave(struct tunnel *tunnel) {
    fd_watch_stop(&tunnel->watch);
    tunnel->fd = -1;
}

static void fail(struct tunnel *t, unsigned status, const char *why) {
    tunnel_leave(t);
    snprintf(t->why, sizeof t->why, "proxy %s: %s", t->proxy->label, why);
    t->done(t->arg, t->why, status);
}

static void fail_by(struct tunnel *t, const char *what, int error) {
    char why[128];
    snprintf(why, sizeof why, "%s: %s", what, strerror(error));
    fail(t, 0, why);
}

static void refuse(struct tunnel *t, unsigned status) {
    char why[128];
    snprintf(why, sizeof why, "status %u%s", status, proxy_advice(status));
    fail(t, status, why);
}

/* The name of the upstream is the proxy's to look up. */
static char *request_of(const struct tunnel *t) {
    const struct upstream *u = t->upstream;
    char *authorization =
        t->proxy->user_info != NULL
            ? upstream_basic_authorization(span_of(t->proxy->user_info))
            : NULL;
    char *place = memory_print("%s%s%s:%u", u->ipv6 ? "[" : "", u->host,
                               u->ipv6 ? "]" : "", u->port);
    char *request = memory_print(
        "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n", place, place,
        authorization != NULL ? "Proxy-Authorization: " : "",
        authorization != NULL ? authorization : "",
        authorization != NULL ? "\r\n" : "");
    free(place);
    memory_wipe(authorization);
    return request;
}

/* Whether the head is there as a whole; else all of it that came is taken. */
static bool take_head(struct tunnel *t, size_t came) {
    size_t before = t->len;
    t->len += came;
    t->head[t->len] = '\0';
    const char *end = memmem(t->head, t->len, "\r\n\r\n", 4);
    if (end != NULL) /* what is behind it is the upstream's */
        came = (size_t)(end - t->head) + 4 - before;
    ssize_t taken = recv(t->fd, t->head + before, came, 0);
    return end != NULL && taken == (ssize_t)came;
}

/* The status in it; 0: it is not there yet, or is none. */
static unsigned status_of(const struct tunnel *t) {
    char digits[4]; /* a number would be looked for in other lines, too */
    bool found = strchr(t->head, '\n') != NULL &&
                 sscanf(t->head, "HTTP/1.%*1[01]%*[ ]%3[0-9]", digits) == 1;
    return found && strlen(digits) == 3 ? (unsigned)strtoul(digits, NULL, 10)
                                        : 0;
}

static void judge(struct tunnel *t, bool whole) {
    static const char begin[] = "HTTP/1.";
    size_t len = t->len < strlen(begin) ? t->len : strlen(begin);
    unsigned status = status_of(t);
    bool good = status >= 200 && status < 300;
    if (memcmp(t->head, begin, len) != 0 || (whole && status == 0))
        fail(t, 0, "it answers by what is no HTTP");
    else if (status != 0 && !good)
        refuse(t, status);
    else if (!whole && t->len == TUNNEL_HEAD_BYTES)
        fail(t, 0, "its answer is too long");
    else if (whole) {
        tunnel_leave(t);
        t->done(t->arg, NULL, status);
    }
}

static void on_ready(void *arg) {
    struct tunnel *t = arg;
    if (t->fd < 0)
        return;
    ssize_t came =
        recv(t->fd, t->head + t->len, TUNNEL_HEAD_BYTES - t->len, MSG_PEEK);
    if (came < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (came < 0)
        fail_by(t, "it ended the connection", errno);
    else if (came == 0)
        fail(t, 0, "it ended the connection without an answer");
    else
        judge(t, take_head(t, (size_t)came));
}

void tunnel_begin(struct tunnel *tunnel, struct lws_context *context,
                  struct reach *reach) {
    struct tunnel *t = tunnel;
    char *request = request_of(t);
    size_t wanted = strlen(request);
    ssize_t sent = send(reach->fd, request, wanted, MSG_NOSIGNAL);
    int error = sent < 0 ? errno : ENOBUFS;
    memory_wipe(request);
    t->fd = reach->fd;
    t->len = 0;
    t->head[0] = '\0';
    if (sent != (ssize_t)wanted)
        fail_by(t, "it could not be asked", error);
    else if (fd_watch_start(&t->watch, context, t->fd, on_ready, t) < 0)
        fail_by(t, "it can not be watched", errno);
}
