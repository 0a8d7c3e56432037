/*
 * The two clocks. Ages and timeouts use the monotonic one; its moments and the
 * lengths of time between them are types of their own, so that the compiler
 * refuses a wall time where a monotonic one is meant, and seconds where
 * microseconds are. The wall clock serves dates alone.
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

/* A length of time in microseconds; negative: it lies back. */
typedef struct {
    int64_t usec;
} duration;

#define SECONDS(n)      ((duration){(n)*USEC_PER_SEC})
#define MILLISECONDS(n) ((duration){(n)*USEC_PER_MSEC})

/* Longer than anything lasts. */
#define FOREVER ((duration){INT64_MAX})

/* Now on CLOCK_MONOTONIC. */
monotime clock_monotonic(void);

/* Now on the wall clock, milliseconds since 1970-01-01 UTC. */
int64_t clock_wall_ms(void);

/* One reading of both clocks, for all that happens at once. */
struct now {
    monotime monotonic;
    int64_t wall_ms;
};

struct now clock_now(void);

static inline monotime monotime_add(monotime time, duration by) {
    return (monotime){time.usec + by.usec};
}

/* From `earlier` to `later`; negative if they are swapped. */
static inline duration monotime_between(monotime earlier, monotime later) {
    return (duration){later.usec - earlier.usec};
}

static inline bool monotime_reached(monotime now, monotime deadline) {
    return now.usec >= deadline.usec;
}

static inline duration duration_min(duration a, duration b) {
    return a.usec < b.usec ? a : b;
}

static inline duration duration_max(duration a, duration b) {
    return a.usec > b.usec ? a : b;
}

#endif
