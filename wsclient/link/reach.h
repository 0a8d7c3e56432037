/*
 * A TCP connection to one address, which libwebsockets is then given as if it
 * had connected itself: of its own it does not tell why one fails.
 */
#ifndef FXWIRE_WSCLIENT_LINK_REACH_H
#define FXWIRE_WSCLIENT_LINK_REACH_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/attributes.h"
#include "wsclient/fd_watch.h"

enum { REACH_PLACE_SIZE = 16 };

/* It stands if `error` is 0; else that is the system's number. */
typedef void reach_done(void *arg, int error);

struct reach {
    reach_done *done;
    void *arg;
    int fd;         /* -1: there is none */
    bool connected; /* it stands */
    int place_fd;   /* where libwebsockets connects to; -1: nowhere */
    struct fd_watch watch;
};

void reach_init(struct reach *reach, reach_done *done, void *arg) NONNULL_ALL;

/*
 * Begins to connect to this numeric address. `done` is called from the loop,
 * once, unless it is left before. Otherwise the system refuses by the number
 * that is given; 0: it has begun.
 */
MUST_CHECK int reach_begin(struct reach *reach, struct lws_context *context,
                           const char *address, uint16_t port) NONNULL_ALL;

/*
 * For one that stands: a place in this machine that libwebsockets may connect
 * to, as its address, in the place of which it gets the connection then. False:
 * there is none to be had.
 */
MUST_CHECK bool reach_place(struct reach *reach,
                            char address[REACH_PLACE_SIZE]) NONNULL_ALL;
MUST_CHECK bool reach_give(struct reach *reach, struct lws *wsi) NONNULL_ALL;

/* Whether the peer has not yet answered. */
MUST_CHECK bool reach_is_waiting(const struct reach *reach) NONNULL_ALL;

/* Ends what was begun; one that was given away is not touched. */
void reach_leave(struct reach *reach) NONNULL_ALL;

#endif
