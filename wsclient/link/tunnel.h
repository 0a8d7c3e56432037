/*
 * A way through an HTTP proxy (CONNECT), which libwebsockets is then given as
 * if it had connected itself. Its own CONNECT reads the answer by one recv()
 * and does not tell the status.
 */
#ifndef FXWIRE_WSCLIENT_LINK_TUNNEL_H
#define FXWIRE_WSCLIENT_LINK_TUNNEL_H

#include <libwebsockets.h>
#include <stdbool.h>

#include "common/settings/proxy.h"
#include "wsclient/fd_watch.h"
#include "wsclient/upstream.h"

enum {
    TUNNEL_HEAD_BYTES = 16384, /* of the proxy's answer, at most */
    TUNNEL_TEXT_SIZE = 256,
    TUNNEL_PLACE_SIZE = 16
};

/* It stands if `why` is NULL; else that is for people, lent. */
typedef void tunnel_done(void *arg, const char *why, unsigned status);

struct tunnel {
    const struct proxy *proxy;
    const struct upstream *upstream;
    tunnel_done *done;
    void *arg;
    int fd; /* to the proxy; -1: there is none */
    struct fd_watch watch;
    bool asked;
    size_t len; /* of the answer's head, so far */
    char head[TUNNEL_HEAD_BYTES + 1];
    char why[TUNNEL_TEXT_SIZE];
    int place_fd; /* where libwebsockets connects to; -1: nowhere */
};

/* Of a proxy that is lent, as the upstream is. */
void tunnel_init(struct tunnel *tunnel, const struct proxy *proxy,
                 const struct upstream *upstream, tunnel_done *done,
                 void *arg) NONNULL_ALL;

/*
 * Begins one by this numeric address of the proxy. `done` is called from the
 * loop, once, unless it is left before. False: the system refuses, as `why`
 * says.
 */
MUST_CHECK bool tunnel_begin(struct tunnel *tunnel, struct lws_context *context,
                             const char *address) NONNULL_ALL;

/*
 * For one that stands: a place in this machine that libwebsockets may connect
 * to, as its address, in the place of which it gets the tunnel then. False:
 * there is none to be had.
 */
MUST_CHECK bool tunnel_place(struct tunnel *tunnel,
                             char address[TUNNEL_PLACE_SIZE]) NONNULL_ALL;
MUST_CHECK bool tunnel_give(struct tunnel *tunnel, struct lws *wsi) NONNULL_ALL;

/* Ends what was begun; one that was given away is not touched. */
void tunnel_leave(struct tunnel *tunnel) NONNULL_ALL;

#endif
