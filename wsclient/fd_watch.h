/*
 * A descriptor that libwebsockets' loop watches and somebody else reads: the
 * channels to the supervisor and to ratefetcher, signals, name look-ups.
 */
#ifndef FXWIRE_WSCLIENT_FD_WATCH_H
#define FXWIRE_WSCLIENT_FD_WATCH_H

#include <libwebsockets.h>

#include "common/attributes.h"

#define FD_WATCH_PROTOCOL "fxwire-fd-watch"

struct fd_watch {
    struct lws *wsi; /* NULL: nothing is watched */
    void (*ready)(void *arg);
    void *arg;
    lws_sorted_usec_list_t write;
};

/* The callback of the protocol FD_WATCH_PROTOCOL in the context's table. */
int fd_watch_callback(struct lws *wsi, enum lws_callback_reasons reason,
                      void *user, void *in, size_t len);

/*
 * Calls `ready` whenever `fd` is readable, and once after each
 * fd_watch_for_writing() when it is writable. `fd` stays the caller's. -1: it
 * can not be watched (no descriptor, or no place in the loop, is left).
 */
MUST_CHECK int fd_watch_start(struct fd_watch *watch,
                              struct lws_context *context, int fd,
                              void (*ready)(void *arg), void *arg);

void fd_watch_for_writing(struct fd_watch *watch);

/* `ready` will not be called any more. */
void fd_watch_stop(struct fd_watch *watch);

#endif
