/*
 * Where a table comes from: the memory cache, what other machines have put
 * into Redis, then the providers in order. One fetch of a day serves all who
 * ask for it while it runs.
 */
#ifndef FXWIRE_RATEFETCHER_LOOKUP_H
#define FXWIRE_RATEFETCHER_LOOKUP_H

#include <json-c/json.h>

#include "common/metrics.h"
#include "common/rates.h"
#include "ratefetcher/providers/registry.h"

struct lookup;

enum lookup_result {
    LOOKUP_FOUND,
    LOOKUP_UNAVAILABLE, /* no provider gave a table of that day */
    LOOKUP_NO_CURRENCY  /* there are tables, but none has the currency */
};

struct lookup_answer {
    enum lookup_result result;
    const struct rates *rates; /* lent; NULL unless FOUND */
    const char *layer;         /* "memory", "redis" or "provider" */
    int64_t fresh_usec;        /* how long the table stays fresh */
    int64_t retry_usec;        /* unless FOUND: to be asked again after that */
};

typedef void lookup_done(void *arg, const struct lookup_answer *answer);

/* Opens the providers that the settings name, and Redis. `metrics` is lent. */
struct lookup *lookup_new(const struct provider_context *context,
                          struct metrics *metrics);
void lookup_free(struct lookup **lookup);

/*
 * Asks for the table of `when` (1999-01-04 or later, or RATES_LATEST), with
 * `currency` in it if that is not empty. `done` is called exactly once, at
 * once or later. Gives a handle that lookup_cancel() takes, NULL if `done`
 * was called already.
 */
struct lookup_waiter *lookup_ask(struct lookup *lookup, day when,
                                 struct span currency, lookup_done *done,
                                 void *arg);

/* `done` of this waiter will not be called any more. */
void lookup_cancel(struct lookup_waiter *waiter);

/*
 * Asks for today's table, but for one that stays fresh for more than
 * `fresh_usec`; that somebody uses it is not concluded from this.
 */
void lookup_ask_fresher(struct lookup *lookup, int64_t fresh_usec,
                        lookup_done *done, void *arg);

/* How long the latest table that would serve stays fresh; 0: there is none. */
int64_t lookup_latest_fresh_usec(const struct lookup *lookup);

/* Whether somebody used it lately, or it was never had. */
bool lookup_latest_is_wanted(const struct lookup *lookup);

/* Whether today's table is at hand (or was, and nobody asks for it). */
bool lookup_has_latest(const struct lookup *lookup);

/* Adds "latest", "providers" and "redis" to a report. */
void lookup_report(const struct lookup *lookup, struct json_object *report);

#endif
