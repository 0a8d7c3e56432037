/*
 * The two clocks. Ages and timeouts use the monotonic one, as a type of its
 * own, so that the compiler refuses a wall time where a monotonic one is
 * meant. The wall clock serves dates alone.
 */
#ifndef FXWIRE_COMMON_CLOCK_H
#define FXWIRE_COMMON_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define USEC_PER_SEC  INT64_C(1000000)
#define USEC_PER_MSEC INT64_C(1000)
#define MSEC_PER_SEC  INT64_C(1000)

/* A moment on the monotonic clock, microseconds since some start. */
typedef struct {
    int64_t usec;
} monotime;

/* Now on CLOCK_MONOTONIC. */
monotime clock_monotonic(void);

/* Now on the wall clock, milliseconds since 1970-01-01 UTC. */
int64_t clock_wall_ms(void);

static inline monotime monotime_add(monotime time, int64_t usec) {
    return (monotime){time.usec + usec};
}

/* Microseconds from `earlier` to `later`; negative if they are swapped. */
static inline int64_t monotime_between(monotime earlier, monotime later) {
    return later.usec - earlier.usec;
}

static inline bool monotime_reached(monotime now, monotime deadline) {
    return now.usec >= deadline.usec;
}

#endif
