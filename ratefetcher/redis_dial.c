#include "ratefetcher/redis_dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/memory.h"
#include "common/resolve.h"

struct redis_dial {
    struct event_base *base;
    const struct redis_address *address;
    redis_dialled *done;
    void *arg;
    struct event *limit;
    struct event *ready; /* NULL: nothing is waited for */
    struct resolve *resolve;
    struct addresses addresses;
    size_t next; /* address to be tried */
    int fd;      /* that is being connected; -1: none */
};

/* Ends the attempt, with all that it holds but the socket. */
static void end(struct redis_dial *dial, int fd, const char *why) {
    evtimer_del(dial->limit);
    if (dial->ready != NULL)
        event_free(dial->ready);
    dial->ready = NULL;
    resolve_abandon(&dial->resolve);
    if (fd < 0 && dial->fd >= 0)
        close(dial->fd);
    dial->fd = -1;
    if (dial->done != NULL)
        dial->done(dial->arg, fd, why);
}

static void watch(struct redis_dial *dial, int fd, short what,
                  event_callback_fn callback) {
    dial->ready = event_new(dial->base, fd, what, callback, dial);
    event_add(dial->ready, NULL);
}

static void on_connected(evutil_socket_t fd, short what, void *arg) {
    (void)what;
    struct redis_dial *dial = arg;
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    if (error == 0)
        end(dial, fd, NULL);
    else
        end(dial, -1, strerror(error));
}

static void connect_to(struct redis_dial *dial, const struct sockaddr *to,
                       socklen_t len) {
    int on = 1;
    dial->fd =
        socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (dial->fd < 0) {
        end(dial, -1, strerror(errno));
        return;
    }
    if (to->sa_family != AF_UNIX)
        setsockopt(dial->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(dial->fd, to, len) == 0)
        end(dial, dial->fd, NULL);
    else if (errno == EINPROGRESS)
        watch(dial, dial->fd, EV_WRITE, on_connected);
    else
        end(dial, -1, strerror(errno));
}

static void connect_unix(struct redis_dial *dial) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int len =
        snprintf(to.sun_path, sizeof to.sun_path, "%s", dial->address->path);
    if ((size_t)len < sizeof to.sun_path)
        connect_to(dial, (const struct sockaddr *)&to, sizeof to);
    else
        end(dial, -1, "the path is too long for a socket");
}

/* Each attempt takes the next address of the name. */
static void connect_next(struct redis_dial *dial) {
    const char *host = dial->addresses.text[dial->next++];
    bool ipv6 = strchr(host, ':') != NULL;
    struct sockaddr_storage to;
    int len = sizeof to;
    char *text = memory_print("%s%s%s:%u", ipv6 ? "[" : "", host,
                              ipv6 ? "]" : "", dial->address->port);
    int parsed = evutil_parse_sockaddr_port(text, (struct sockaddr *)&to, &len);
    free(text);
    if (parsed == 0)
        connect_to(dial, (const struct sockaddr *)&to, (socklen_t)len);
    else
        end(dial, -1, "no such address");
}

static void on_resolved(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct redis_dial *dial = arg;
    event_free(dial->ready);
    dial->ready = NULL;
    const char *why = resolve_take(&dial->resolve, &dial->addresses);
    dial->next = 0;
    if (why != NULL)
        end(dial, -1, why);
    else
        connect_next(dial);
}

static void look_up(struct redis_dial *dial) {
    dial->resolve = resolve_start(dial->address->host);
    if (dial->resolve == NULL)
        end(dial, -1, "no thread can be started");
    else
        watch(dial, resolve_fd(dial->resolve), EV_READ, on_resolved);
}

static void on_limit(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct redis_dial *dial = arg;
    end(dial, -1,
        dial->resolve != NULL ? "the name look-up takes too long"
                              : "no connection in time");
}

struct redis_dial *redis_dial_new(struct event_base *base,
                                  const struct redis_address *address,
                                  redis_dialled *done, void *arg) {
    struct redis_dial *dial = memory_new(sizeof *dial);
    dial->base = base;
    dial->address = address;
    dial->done = done;
    dial->arg = arg;
    dial->fd = -1;
    dial->limit = evtimer_new(base, on_limit, dial);
    return dial;
}

void redis_dial_free(struct redis_dial **dial) {
    struct redis_dial *d = *dial;
    *dial = NULL;
    d->done = NULL;
    end(d, -1, NULL);
    event_free(d->limit);
    free(d);
}

void redis_dial_start(struct redis_dial *dial, int64_t limit_usec) {
    struct timeval limit = {.tv_sec = limit_usec / USEC_PER_SEC,
                            .tv_usec = limit_usec % USEC_PER_SEC};
    evtimer_add(dial->limit, &limit);
    if (dial->address->path != NULL) {
        connect_unix(dial);
    } else if (dial->next < dial->addresses.count) {
        connect_next(dial);
    } else if (resolve_numeric(dial->address->host, &dial->addresses)) {
        dial->next = 0;
        connect_next(dial);
    } else {
        look_up(dial);
    }
}
