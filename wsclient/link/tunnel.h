/*
 * A way through an HTTP proxy (CONNECT), over a connection to it that stands.
 * The library's own CONNECT reads the answer by one recv() and does not tell
 * the status.
 */
#ifndef FXWIRE_WSCLIENT_LINK_TUNNEL_H
#define FXWIRE_WSCLIENT_LINK_TUNNEL_H

#include <libwebsockets.h>
#include <stdbool.h>

#include "common/settings/proxy.h"
#include "wsclient/fd_watch.h"
#include "wsclient/link/reach.h"
#include "wsclient/upstream.h"

enum {
    TUNNEL_HEAD_BYTES = 16384, /* of the proxy's answer, at most */
    TUNNEL_TEXT_SIZE = 256,
};

/* It stands if `why` is NULL; else that is for people, lent. */
typedef void tunnel_done(void *arg, const char *why, unsigned status);

struct tunnel {
    const struct proxy *proxy;
    const struct upstream *upstream;
    tunnel_done *done;
    void *arg;
    int fd; /* to the proxy that was asked, lent; -1: it has answered */
    struct fd_watch watch;
    size_t len; /* of the answer's head, so far */
    char head[TUNNEL_HEAD_BYTES + 1];
    char why[TUNNEL_TEXT_SIZE];
};

/* Of a proxy that is lent, as the upstream is. */
void tunnel_init(struct tunnel *tunnel, const struct proxy *proxy,
                 const struct upstream *upstream, tunnel_done *done,
                 void *arg) NONNULL_ALL;

/*
 * Asks for one over `reach`, which stands and has to, until `done` is called,
 * once, unless it is left before; or from in here, if it can not be asked.
 */
void tunnel_begin(struct tunnel *tunnel, struct lws_context *context,
                  struct reach *reach) NONNULL_ALL;

/* Does not wait for an answer any more. */
void tunnel_leave(struct tunnel *tunnel) NONNULL_ALL;

#endif
