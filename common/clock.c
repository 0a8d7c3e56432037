#include "common/clock.h"

#include <time.h>

monotime clock_monotonic(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (monotime){now.tv_sec * USEC_PER_SEC + now.tv_nsec / 1000};
}

int64_t clock_wall_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * MSEC_PER_SEC + now.tv_nsec / 1000000;
}

struct now clock_now(void) {
    return (struct now){clock_monotonic(), clock_wall_ms()};
}
