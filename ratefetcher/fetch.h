/*
 * Fetches that run: of one provider for one day each. One serves all who want
 * that table while it runs (single-flight).
 */
#ifndef FXWIRE_RATEFETCHER_FETCH_H
#define FXWIRE_RATEFETCHER_FETCH_H

#include <sys/queue.h>

#include "ratefetcher/provider.h"

struct fetches;

/* What a fetch has ended in. */
struct fetch_end {
    size_t source;
    day when;
    enum provider_result result;
    struct rates *rates; /* lent; NULL: none */
};

/* Somebody who waits for a fetch; it lies in what waits. */
struct fetch_waiter {
    TAILQ_ENTRY(fetch_waiter) entry;
    void (*done)(struct fetch_waiter *waiter, const struct fetch_end *end);
};

/* Who is told of each end: first before those who wait for it, then after. */
struct fetch_owner {
    void (*ended)(void *arg, const struct fetch_end *end);
    void (*told)(void *arg, const struct fetch_end *end);
    void *arg;
};

/* All but `owner`, which is copied, is lent. */
struct fetches *fetches_new(struct source sources[],
                            const struct provider_context *context,
                            struct metrics *metrics,
                            const struct fetch_owner *owner);

/* Those who still wait are not told. The sources must be there yet. */
void fetches_free(struct fetches **fetches);

/*
 * Waits for the table of `source` for `when`, which takes `timeout_usec` if
 * the fetch does not run yet. The waiter (NULL: nobody) is told later, from
 * the loop.
 */
void fetches_join(struct fetches *fetches, size_t source, day when,
                  int64_t timeout_usec, struct fetch_waiter *waiter);

/* Whether that fetch runs. */
bool fetches_has(const struct fetches *fetches, size_t source, day when);

/* Whether any fetch for that day runs. */
bool fetches_has_day(const struct fetches *fetches, day when);

#endif
