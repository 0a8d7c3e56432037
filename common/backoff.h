/* How long to wait before the next attempt. Pure: chance is an argument. */
#ifndef FXWIRE_COMMON_BACKOFF_H
#define FXWIRE_COMMON_BACKOFF_H

#include "common/attributes.h"
#include "common/clock.h"

struct backoff {
    duration first;      /* ceiling of the first delay */
    duration ceiling;    /* the delays double up to here */
    int64_t floor_share; /* in percent: 0 is full jitter, 50 equal jitter */
    unsigned failures;   /* attempts that failed in a row */
};

/*
 * The delay before the next attempt, drawn by `chance` (any
 * 32 random bits) between floor_share percent of the current ceiling and that
 * ceiling; counts one more failure.
 */
MUST_CHECK duration backoff_next(struct backoff *backoff, uint32_t chance);

/*
 * The same in an outage that has lasted so long: while it is brief, the delays
 * stop growing at BACKOFF_BRIEF_DELAY, so that what is back after a moment is
 * found soon; after that they go on from there, and none is longer than the
 * outage so far.
 */
#define BACKOFF_BRIEF_OUTAGE SECONDS(4)
#define BACKOFF_BRIEF_DELAY  MILLISECONDS(400)
MUST_CHECK duration backoff_next_in_outage(struct backoff *backoff,
                                           uint32_t chance, duration outage);

static inline void backoff_reset(struct backoff *backoff) {
    backoff->failures = 0;
}

#endif
