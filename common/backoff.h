/* How long to wait before the next attempt. Pure: chance is an argument. */
#ifndef FXWIRE_COMMON_BACKOFF_H
#define FXWIRE_COMMON_BACKOFF_H

#include <stdint.h>

struct backoff {
    int64_t first_usec;   /* ceiling of the first delay */
    int64_t ceiling_usec; /* the delays double up to here */
    int64_t floor_share;  /* in percent: 0 is full jitter, 50 equal jitter */
    unsigned failures;    /* attempts that failed in a row */
};

/*
 * The delay in microseconds before the next attempt, drawn by `chance` (any
 * 32 random bits) between floor_share percent of the current ceiling and that
 * ceiling; counts one more failure.
 */
int64_t backoff_next(struct backoff *backoff, uint32_t chance);

static inline void backoff_reset(struct backoff *backoff) {
    backoff->failures = 0;
}

#endif
