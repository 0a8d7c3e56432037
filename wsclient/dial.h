/*
 * One attempt to connect: the name is looked up, then each of its addresses is
 * tried in turn, each with its share of the time.
 */
#ifndef FXWIRE_WSCLIENT_DIAL_H
#define FXWIRE_WSCLIENT_DIAL_H

#include <libwebsockets.h>
#include <stdbool.h>

#include "common/clock.h"
#include "common/span.h"
#include "wsclient/resolver.h"
#include "wsclient/upstream.h"

/* Why an attempt failed. */
struct dial_failure {
    const char *detail; /* for people */
    unsigned status; /* of HTTP, that the handshake was answered with, or 0 */
    int64_t retry_after_usec; /* as the server asked for; 0: it did not */
};

struct dial {
    struct lws_context *context;
    const char *protocol; /* whose callback serves the connection */
    const struct upstream *upstream;
    struct resolver *resolver;
    void (*failed)(void *arg, const struct dial_failure *failure);
    void *arg;
    struct lws *wsi;  /* the connection, or the attempt at one; or NULL */
    uintptr_t number; /* of the present wsi; callbacks of others are ignored */
    monotime end;
    struct addresses addresses; /* none: the name is being looked up */
    size_t next;
    char tls_error[160]; /* as the library logged it */
    int64_t retry_after_usec;
    lws_sorted_usec_list_t turn;
};

/* Members up to `arg` but `resolver` are set by the caller. */
void dial_init(struct dial *dial);
void dial_clear(struct dial *dial);

/*
 * Begins an attempt that may take `usec`. When no address serves, `failed` is
 * called from the loop; that the time is over is the caller's to watch.
 */
void dial_begin(struct dial *dial, int64_t usec);

/* Whether a callback of libwebsockets is about the present attempt. */
bool dial_owns(const struct dial *dial, struct lws *wsi);

/* The connection stands. */
void dial_established(struct dial *dial, struct lws *wsi);

/* The handshake was answered, and not by an upgrade: its headers are there. */
void dial_answered(struct dial *dial, struct lws *wsi);

/* The library says that it could not connect; `text` may be NULL. */
void dial_error(struct dial *dial, struct lws *wsi, const char *text);

/* The library gave the attempt up without saying why. */
void dial_given_up(struct dial *dial);

/*
 * Leaves the connection or the attempt. `hard`: at once and with a reset;
 * else it is gone already.
 */
void dial_leave(struct dial *dial, bool hard);

/* The library logged a line; of TLS it tells there what it checked. */
void dial_library_said(struct dial *dial, struct span line);

/* OpenSSL says why the handshake failed; what is known already stands. */
void dial_tls_said(struct dial *dial, const char *why);

/* The request is about to go out; false: the peer's certificate is wrong. */
bool dial_check_peer(struct dial *dial, struct lws *wsi);

#endif
