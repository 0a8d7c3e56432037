/*
 * Where the table of a day comes from: memory, what other machines have put
 * into Redis, then the providers in order; the order stands in lookup.c. The
 * latest table is fetched at the start and, while it is in use, anew before it
 * expires.
 */
#ifndef FXWIRE_RATEFETCHER_LOOKUP_H
#define FXWIRE_RATEFETCHER_LOOKUP_H

#include <json-c/json.h>

#include "common/attributes.h"
#include "common/clock.h"
#include "common/rates/rates.h"
#include "ratefetcher/providers/registry.h"

struct lookup;
struct lookup_waiter;

enum lookup_result {
    LOOKUP_FOUND,
    LOOKUP_UNAVAILABLE, /* no provider gave a table of that day */
    LOOKUP_NO_CURRENCY  /* there are tables, but none has the currency */
};

struct lookup_answer {
    enum lookup_result result;
    const struct rates *rates; /* lent; NULL unless FOUND */
    const char *layer;         /* "memory", "redis" or "provider" */
    duration fresh;            /* how long the table stays fresh */
    duration retry;            /* unless FOUND: to be asked again after that */
    const char *why; /* then, for people, lent; NULL: no more to say */
};

typedef void lookup_done(void *arg, const struct lookup_answer *answer);

/* Opens the providers that the settings name, and Redis. `context` is copied,
 * what it points to is lent. */
MUST_CHECK struct lookup *
lookup_new(const struct provider_context *context) NONNULL_ALL;

/* Those who still wait are not told. */
void lookup_free(struct lookup **lookup) NONNULL_ALL;

/*
 * Asks for the table of `when` (1999-01-04 or later, or RATES_LATEST), with
 * `currency` in it if that is not empty. `done` is called exactly once, at
 * once or later. Gives a handle that lookup_cancel() takes, NULL if `done`
 * was called already.
 */
struct lookup_waiter *lookup_ask(struct lookup *lookup, day when,
                                 struct span currency, lookup_done *done,
                                 void *arg) NONNULL(1, 4);

/* `done` of this waiter will not be called any more. */
void lookup_cancel(struct lookup_waiter *waiter) NONNULL_ALL;

/* To be called each second or so: what is kept in files stays in files, and a
 * latest table without a successor is told. */
void lookup_look_around(struct lookup *lookup) NONNULL_ALL;

/* Whether today's table is at hand (or was, and nobody asks for it). */
bool lookup_has_latest(const struct lookup *lookup) NONNULL_ALL;

/* Adds "latest", "providers" and "redis" to a report. */
void lookup_report(const struct lookup *lookup,
                   struct json_object *report) NONNULL_ALL;

#endif
