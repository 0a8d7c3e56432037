/*
 * How often an event is told of: some lines at once, and a few in a minute for
 * as long as it goes on. Further ones are counted, and the count is told.
 */
#ifndef FXWIRE_COMMON_LOG_LIMIT_H
#define FXWIRE_COMMON_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/clock.h"

/* So many lines at once, and one more for each such time that passes. */
enum { LOG_LIMIT_LINES = 50 };
#define LOG_LIMIT_EACH SECONDS(5)

/* The count is told so long after the first line that was held back. */
#define LOG_LIMIT_PERIOD SECONDS(10)

struct log_limit {
    monotime paid_until; /* what was let through is worth the time up to it */
    monotime since;      /* when the first of these was held back: */
    uint64_t more;
};

/* Whether a line may go out now; if not, it is counted. */
MUST_CHECK bool log_limit_take(struct log_limit *limit,
                               monotime now) NONNULL_ALL;

/* How many were held back, once it is time to tell; else 0. */
MUST_CHECK uint64_t log_limit_due(struct log_limit *limit,
                                  monotime now) NONNULL_ALL;

#endif
