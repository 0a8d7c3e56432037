/*
 * How long things took lately, counted in buckets an eighth of their size wide,
 * so that any quantile can be told. Pure.
 */
#ifndef FXWIRE_COMMON_LATENCY_H
#define FXWIRE_COMMON_LATENCY_H

#include <stdint.h>

#include "common/attributes.h"
#include "common/clock.h"

enum {
    LATENCY_STEPS = 8,                /* buckets while the time doubles */
    LATENCY_MAX_USEC = (1 << 27) - 1, /* what takes longer counts as this */
    LATENCY_BUCKETS = (27 - 2) * LATENCY_STEPS
};

/* All zero: nothing was counted. */
struct latency {
    uint32_t counts[LATENCY_BUCKETS];
};

/* Below 8 us each has a bucket of its own. */
static inline unsigned latency_bucket(int64_t usec) {
    if (usec < LATENCY_STEPS)
        return usec > 0 ? (unsigned)usec : 0;
    unsigned capped =
        (unsigned)(usec < LATENCY_MAX_USEC ? usec : LATENCY_MAX_USEC);
    unsigned doublings = 31 - (unsigned)__builtin_clz(capped) - 3;
    return doublings * LATENCY_STEPS + (capped >> doublings);
}

static inline void latency_count(struct latency *latency, duration took) {
    latency->counts[latency_bucket(took.usec)]++;
}

/*
 * What a part of all did not exceed, such as 99 in `percent` of them: at most
 * an eighth too much. -1: nothing was counted.
 */
MUST_CHECK duration latency_quantile(const struct latency *latency,
                                     unsigned percent) NONNULL_ALL;

#endif
