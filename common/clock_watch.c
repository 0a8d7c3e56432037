#include "common/clock_watch.h"

#include <stdlib.h>

#include "common/day.h"

/* Less than that is what a clock is drawn right by, a little at a time. */
enum { LEAST_STEP_MS = 1000 };

struct clock_step clock_watch_look(struct clock_watch *watch, int64_t wall_ms,
                                   monotime monotonic) {
    struct clock_step step = {0};
    int64_t passed_ms =
        monotime_between(watch->monotonic, monotonic).usec / USEC_PER_MSEC;
    int64_t expected_ms = watch->wall_ms + passed_ms;
    if (watch->looked && llabs(wall_ms - expected_ms) >= LEAST_STEP_MS) {
        step.ms = wall_ms - expected_ms;
        step.another_day =
            day_of_ms(wall_ms).number != day_of_ms(expected_ms).number;
    }
    *watch = (struct clock_watch){
        .looked = true, .wall_ms = wall_ms, .monotonic = monotonic};
    return step;
}
