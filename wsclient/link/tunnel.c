#include "wsclient/link/tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/memory.h"

void tunnel_init(struct tunnel *tunnel, const struct proxy *proxy,
                 const struct upstream *upstream, tunnel_done *done,
                 void *arg) {
    tunnel->proxy = proxy;
    tunnel->upstream = upstream;
    tunnel->done = done;
    tunnel->arg = arg;
    tunnel->fd = tunnel->place_fd = -1;
}

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void tunnel_leave(struct tunnel *tunnel) {
    fd_watch_stop(&tunnel->watch);
    close_fd(&tunnel->fd);
    close_fd(&tunnel->place_fd);
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

static void ask(struct tunnel *t) {
    int error = 0;
    socklen_t len = sizeof error;
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof peer;
    getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error != 0) {
        fail_by(t, "no connection could be made", error);
        return;
    }
    if (getpeername(t->fd, (struct sockaddr *)&peer, &peer_len) < 0) {
        fd_watch_for_writing(&t->watch); /* not yet */
        return;
    }
    char *request = request_of(t);
    size_t wanted = strlen(request);
    ssize_t sent = send(t->fd, request, wanted, MSG_NOSIGNAL);
    memory_wipe(request);
    t->asked = true;
    if (sent != (ssize_t)wanted)
        fail_by(t, "it could not be asked", sent < 0 ? errno : ENOBUFS);
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
        fd_watch_stop(&t->watch);
        t->done(t->arg, NULL, status);
    }
}

static void on_ready(void *arg) {
    struct tunnel *t = arg;
    if (t->fd < 0)
        return;
    if (!t->asked) {
        ask(t);
        return;
    }
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

static socklen_t make_address(const char *text, uint16_t port,
                              struct sockaddr_storage *out) {
    struct sockaddr_in *four = (struct sockaddr_in *)out;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        return sizeof *four;
    }
    inet_pton(AF_INET6, text, &six->sin6_addr);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    return sizeof *six;
}

/* As libwebsockets makes them. */
static int open_socket(int family) {
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

bool tunnel_begin(struct tunnel *tunnel, struct lws_context *context,
                  const char *address) {
    struct sockaddr_storage to;
    socklen_t len = make_address(address, tunnel->proxy->port, &to);
    tunnel_leave(tunnel);
    tunnel->asked = false;
    tunnel->len = 0;
    tunnel->head[0] = '\0';
    tunnel->fd = open_socket(to.ss_family);
    if (tunnel->fd >= 0 &&
        (connect(tunnel->fd, (struct sockaddr *)&to, len) == 0 ||
         errno == EINPROGRESS) &&
        fd_watch_start(&tunnel->watch, context, tunnel->fd, on_ready, tunnel) ==
            0) {
        fd_watch_for_writing(&tunnel->watch);
        return true;
    }
    snprintf(tunnel->why, sizeof tunnel->why,
             "proxy %s: no connection could be made: %s", tunnel->proxy->label,
             strerror(errno));
    tunnel_leave(tunnel);
    return false;
}

/* The kernel makes up a name, which is in no folder. */
bool tunnel_place(struct tunnel *tunnel, char address[TUNNEL_PLACE_SIZE]) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t len = sizeof name.sun_family;
    tunnel->place_fd =
        socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (tunnel->place_fd < 0 ||
        bind(tunnel->place_fd, (struct sockaddr *)&name, len) < 0 ||
        listen(tunnel->place_fd, 1) < 0)
        return false;
    len = sizeof name;
    if (getsockname(tunnel->place_fd, (struct sockaddr *)&name, &len) < 0)
        return false;
    int name_len =
        (int)(len - offsetof(struct sockaddr_un, sun_path)) - (int)sizeof(char);
    snprintf(address, TUNNEL_PLACE_SIZE, "+@%.*s", name_len, name.sun_path + 1);
    return true;
}

bool tunnel_give(struct tunnel *tunnel, struct lws *wsi) {
    if (tunnel->fd < 0)
        return true; /* none is wanted */
    bool good = dup3(tunnel->fd, lws_get_socket_fd(wsi), O_CLOEXEC) >= 0;
    tunnel_leave(tunnel);
    return good;
}
