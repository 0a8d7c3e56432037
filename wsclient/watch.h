/*
 * A descriptor that libwebsockets' loop watches and somebody else reads: the
 * channels to the supervisor and to ratefetcher, and signals.
 */
#ifndef FXWIRE_WSCLIENT_WATCH_H
#define FXWIRE_WSCLIENT_WATCH_H

#include <libwebsockets.h>

#define WATCH_PROTOCOL "fxwire-watch"

struct watch {
    struct lws *wsi;              /* NULL: nothing is watched */
    lws_sorted_usec_list_t write; /* waits for its turn to ask for it */
    void (*ready)(void *arg);
    void *arg;
};

/* The callback of the protocol WATCH_PROTOCOL in the context's table. */
int watch_callback(struct lws *wsi, enum lws_callback_reasons reason,
                   void *user, void *in, size_t len);

/*
 * Calls `ready` whenever `fd` is readable, and once after each
 * watch_for_writing() when it is writable. `fd` stays the caller's. -1: it
 * can not be watched.
 */
int watch_start(struct watch *watch, struct lws_context *context, int fd,
                void (*ready)(void *arg), void *arg);

void watch_for_writing(struct watch *watch);

/* `ready` will not be called any more. */
void watch_stop(struct watch *watch);

#endif
