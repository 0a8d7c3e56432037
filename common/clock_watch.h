/*
 * Whether the wall clock was set: it then goes another way than the monotonic
 * one. Pure: times are arguments.
 */
#ifndef FXWIRE_COMMON_CLOCK_WATCH_H
#define FXWIRE_COMMON_CLOCK_WATCH_H

#include "common/attributes.h"
#include "common/clock.h"

/* All zero: not looked at yet. */
struct clock_watch {
    bool looked;
    int64_t wall_ms; /* at the last look */
    monotime monotonic;
};

/* What a look has shown. */
struct clock_step {
    int64_t ms;       /* by so much it was set, forward if positive; 0: not */
    bool another_day; /* today is another day by it */
};

/* Looks at both clocks; to be called wherever today is of importance. */
MUST_CHECK struct clock_step clock_watch_look(struct clock_watch *watch,
                                              int64_t wall_ms,
                                              monotime monotonic) NONNULL_ALL;

#endif
