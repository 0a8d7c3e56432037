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
 * A call is given up when nothing comes for so long: no line of its head, no
 * piece of its body. Nobody is to wait longer for it.
 */
#define HTTP_CALL_LIMIT SECONDS(2)

/* And after so long in all. */
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

/* What is asked for. All but the first may be NULL: none. */
struct http_request {
    const char *url;
    const char *header;         /* one more line, such as that of a key */
    const char *etag, *changed; /* of what is known: its body is only to come
                                   if it is another one, see status 304 */
};

struct http_answer {
    long status;      /* 0: there was no answer, see `error` */
    bool unsent;      /* it was not made: its turn did not come in time */
    struct span body; /* lent; without the pieces that were taken */
    const char *etag, *changed; /* ETag and Last-Modified, lent; "": none */
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

/*
 * A piece of a body has come; it is lent. Without a status it is an empty one:
 * the call has its turn, or a line of the head has come. False: the piece is to
 * be in the answer.
 */
typedef bool http_piece(void *arg, long status, struct span piece);

typedef void http_done(void *arg, const struct http_answer *answer);

/* By the trust anchor and the proxy of the settings, which are lent. NULL: it
 * can not be. */
MUST_CHECK struct http *http_new(struct event_base *base,
                                 const struct settings *settings) NONNULL_ALL;

/* Drops what runs without a call of its `done`. */
void http_free(struct http **http) NONNULL_ALL;

/*
 * Makes a call, and calls `done` once, from the loop: after `timeout`, the wait
 * for its turn included, if nothing has come by then; else within
 * HTTP_BODY_LIMIT. `piece` is called with what comes as it comes; NULL: nobody
 * wants to know. Redirects are answers. `lane` is lent, `request` not.
 */
void http_get(struct http *http, struct http_lane *lane,
              const struct http_request *request, duration timeout,
              http_piece *piece, http_done *done, void *arg)
    NONNULL(1, 2, 3, 6);

/* Writes `text` as it has to stand in a path or a query (RFC 3986, 2.1). */
void http_escape(const char *text, char *out, size_t size) NONNULL_ALL;

#endif
