/* HTTP GET on libcurl's multi interface, driven by libevent. */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_HTTP_H
#define FXWIRE_RATEFETCHER_PROVIDERS_HTTP_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/attributes.h"
#include "common/clock.h"
#include "common/settings/settings.h"
#include "common/span.h"

/* A body beyond this is refused, also one that grows when it is unpacked. */
enum { HTTP_MAX_BODY_BYTES = 16 * 1024 * 1024 };

/*
 * No call takes longer; one whose body is given on piece by piece may, as long
 * as one comes within this time of the last.
 */
#define HTTP_CALL_LIMIT SECONDS(2)

/* Such a body is given up after so long in all. */
#define HTTP_BODY_LIMIT SECONDS(60)

struct http;
struct http_call;

/* Calls to one server: so many run at a time, the others wait for their turn.
 */
enum { HTTP_LANE_CALLS = 8 };

struct http_lane {
    unsigned running;
    TAILQ_HEAD(, http_call) waiting;
};

/* What is left of a quota, as a server tells it. */
struct http_calls_left {
    bool told;
    int64_t calls;
};

/* The periods of quotas. */
enum http_quota { HTTP_MONTH, HTTP_MINUTE, HTTP_QUOTAS };

struct http_answer {
    long status;          /* 0: there was no answer, see `error` */
    bool unsent;          /* it was not made: its turn did not come in time */
    struct span body;     /* lent; empty if it was given piece by piece */
    duration retry_after; /* as the server asked for, or until calls are left
                             of a quota; 0: it did not say */
    const char *error;    /* for people, without path or query; "" if none */
    /* `host/path` that it redirects to, without user-info and query, of
     * printable characters, lent; "": to nowhere */
    const char *redirect;
    bool has_clock;         /* it has a Date, and comes from no cache: */
    int64_t clock_ahead_ms; /* our clock is ahead of the server's by so much */
    struct http_calls_left calls_left[HTTP_QUOTAS];
};

/* A piece of the body of an answer with status 200, lent. */
typedef void http_piece(void *arg, struct span piece);

typedef void http_done(void *arg, const struct http_answer *answer);

/* By the trust anchor and the proxy of the settings, which are lent. NULL: it
 * can not be. */
MUST_CHECK struct http *http_new(struct event_base *base,
                                 const struct settings *settings) NONNULL_ALL;

/* Drops what runs without a call of its `done`. */
void http_free(struct http **http) NONNULL_ALL;

/*
 * Gets `url` with one more header line (NULL: none) and calls `done` once,
 * from the loop, at the latest after `timeout`, the wait for its turn
 * included. `piece` is called with each piece of a body as it comes, and `done`
 * may then be later than that, see HTTP_CALL_LIMIT; NULL: the answer has the
 * whole one. Redirects are answers. `lane` is lent.
 */
void http_get(struct http *http, struct http_lane *lane, const char *url,
              const char *header, duration timeout, http_piece *piece,
              http_done *done, void *arg) NONNULL(1, 2, 3, 7);

/* Writes `text` as it has to stand in a path or a query (RFC 3986, 2.1). */
void http_escape(const char *text, char *out, size_t size) NONNULL_ALL;

#endif
