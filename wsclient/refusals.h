/*
 * Answers to messages that the ledger has no room for: sent at once, not kept
 * over a break, bounded. Also the bound on errors without an id, and the counts
 * of all errors by their reason.
 */
#ifndef FXWIRE_WSCLIENT_REFUSALS_H
#define FXWIRE_WSCLIENT_REFUSALS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "common/attributes.h"
#include "common/clock.h"
#include "common/metrics.h"
#include "common/span.h"
#include "wsclient/request.h"

enum { REFUSALS_MAX_BYTES = 1024 * 1024, REFUSALS_NAMELESS_PER_SECOND = 10 };

struct refusals {
    TAILQ_HEAD(, refused) queue;
    size_t bytes, count;
    /* When the last errors without an id were allowed, as a ring. */
    monotime nameless[REFUSALS_NAMELESS_PER_SECOND];
    size_t nameless_count;
};

void refusals_init(struct refusals *refusals);

/* Drops all that waits: the connection it was for is gone. */
void refusals_clear(struct refusals *refusals);

/* Queues the error for `id` (empty: null). */
void refusals_add(struct refusals *refusals, struct span id,
                  enum refusal refusal);

/* The next one, lent until refusals_sent(); false: none. */
MUST_CHECK bool refusals_next(const struct refusals *refusals,
                              struct span *answer);
void refusals_sent(struct refusals *refusals);

/* Whether another error without an id may be sent in this second. */
MUST_CHECK bool refusals_allow_nameless(struct refusals *refusals,
                                        monotime now);

/* Counts a request that is answered by that error. */
static inline void refusals_note(struct metrics *metrics,
                                 enum refusal refusal) {
    const int first = METRIC_REFUSED_NOT_JSON - REFUSAL_NOT_JSON;
    metrics_count(metrics, (enum metric)(first + (int)refusal));
}

static inline bool refusals_overflowed(const struct refusals *refusals) {
    return refusals->bytes > REFUSALS_MAX_BYTES;
}

static inline size_t refusals_count(const struct refusals *refusals) {
    return refusals->count;
}

#endif
