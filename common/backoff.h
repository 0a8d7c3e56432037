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

static inline void backoff_reset(struct backoff *backoff) {
    backoff->failures = 0;
}

#endif
