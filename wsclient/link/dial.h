/*
 * One attempt to connect: the upstream's name is looked up off the loop, then
 * each of its addresses is tried in turn, each with its share of the time.
 */
#ifndef FXWIRE_WSCLIENT_LINK_DIAL_H
#define FXWIRE_WSCLIENT_LINK_DIAL_H

#include <libwebsockets.h>
#include <stdbool.h>

#include "common/clock.h"
#include "common/resolve.h"
#include "wsclient/fd_watch.h"
#include "wsclient/link/dial_texts.h"
#include "wsclient/link/reach.h"
#include "wsclient/link/tunnel.h"
#include "wsclient/upstream.h"

/* The answer to the handshake may have headers of so many bytes. */
enum { DIAL_MAX_HEADER_BYTES = 32768 };

/* Why an attempt failed. */
struct dial_failure {
    const char *detail;    /* for people, lent */
    unsigned status;       /* of HTTP, if the handshake was answered so, or 0 */
    duration retry_after;  /* as the server asked for; 0: it did not */
    unsigned proxy_status; /* by which the proxy refuses, or 0 */
};

typedef void dial_failed(void *arg, const struct dial_failure *failure);

struct dial {
    struct lws_context *context;
    const struct upstream *upstream;
    struct proxy *proxy; /* on the way to it; NULL: none */
    struct reach reach;  /* to the proxy, or else to the upstream */
    struct tunnel tunnel;
    const char *protocol; /* whose callback serves the connection */
    dial_failed *failed;
    void *arg;

    struct lws *wsi;  /* of the attempt; NULL: none, or it was taken */
    uintptr_t number; /* of the present wsi; callbacks of others are ignored */
    monotime end;     /* of the attempt */

    bool resolving;          /* the attempt waits for the name's addresses */
    struct resolve *look_up; /* runs; it outlives an attempt. NULL: none */
    struct fd_watch look_up_done;
    struct addresses known; /* of the last good look-up */
    bool numeric;           /* the host is an address itself, the known one */
    bool unused;            /* no attempt was made with the known ones yet */
    size_t next;            /* of the known ones, to be tried */

    bool beginning;   /* the library is asked to connect, just now */
    char chosen[257]; /* of the subprotocols offered; "": none */
    duration retry_after;
    lws_sorted_usec_list_t turn; /* of the next address */
};

/*
 * Makes it ready; `upstream`, `settings` and `protocol` are lent. `failed` is
 * called from the loop, once for each attempt that failed before it was left.
 */
void dial_init(struct dial *dial, struct lws_context *context,
               const struct upstream *upstream, const struct settings *settings,
               const char *protocol, dial_failed *failed, void *arg);

/* A look-up that still runs is left to itself. */
void dial_clear(struct dial *dial);

/*
 * Begins an attempt, whose addresses share the time `limit`; that it is over
 * is the caller's to watch. When a look-up fails, the addresses of the last
 * good one serve.
 */
void dial_begin(struct dial *dial, duration limit);

/* Writes what an attempt that took too long was at, for people. */
void dial_stage(const struct dial *dial, char detail[DIAL_TEXT_SIZE]);

/* The proxy that it goes through, for people; NULL: none. */
const char *dial_proxy(const struct dial *dial);

/* Whether a callback of libwebsockets is about the present attempt. */
bool dial_owns(const struct dial *dial, struct lws *wsi);

/*
 * The library has connected to a place of ours, and sends nothing yet. False:
 * it can not go on.
 */
bool dial_connected(struct dial *dial, struct lws *wsi);

/* The handshake was answered by an upgrade, whose headers are there. */
void dial_agreed(struct dial *dial, struct lws *wsi);

/* The connection stands: `wsi` is the caller's from now on. */
void dial_succeeded(struct dial *dial);

/* Leaves the attempt, hard, or a connection that came of it. */
void dial_leave(struct dial *dial);

/* Drops a connection at once: with a reset, without a closing handshake. */
void dial_reset(struct lws *wsi);

/* The handshake was answered, and not by an upgrade: its headers are there. */
void dial_answered(struct dial *dial, struct lws *wsi);

/* The library says that it could not connect; `text` may be NULL. */
void dial_error(struct dial *dial, struct lws *wsi, const char *text);

/* The library gave the attempt up without saying why. */
void dial_given_up(struct dial *dial);

/*
 * The last moment before the request goes out: adds its headers at `*at`, a
 * secret among them. False: the peer's certificate is not for the upstream's
 * address, or there is no room.
 */
bool dial_add_headers(struct dial *dial, struct lws *wsi, unsigned char **at,
                      size_t room);

#endif
