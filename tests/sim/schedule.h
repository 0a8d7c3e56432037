/* Lists of steps: made by chance, made short, and told (schedule.c). */
#ifndef FXWIRE_TESTS_SIM_SCHEDULE_H
#define FXWIRE_TESTS_SIM_SCHEDULE_H

#include "tests/sim/world.h"

enum { SCHEDULE_STEPS = 100 };

struct schedule {
    struct step steps[SCHEDULE_STEPS];
    size_t count;
};

/* What follows from that seed. */
void schedule_make(struct schedule *schedule, uint64_t seed);

/* Of one that shows something wrong, leaves what shows it still. */
void schedule_shrink(struct schedule *schedule);

#endif
