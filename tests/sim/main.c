/*
 * sim SECONDS SEED [COUNT]: plays the schedules of SEED, SEED + 1 and so on for
 * so long, and at most COUNT. One that shows something wrong is made short and
 * told; then the code is 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/sim/parts.h"
#include "tests/sim/schedule.h"
#include "tests/sim/stores.h"

/* The real time: clock_gettime() is the world's. */
static double real_seconds(void) {
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void tell(struct schedule *schedule, uint64_t seed) {
    printf("seed %llu: %s\n", (unsigned long long)seed, world_what_is_wrong());
    size_t steps = schedule->count;
    schedule_shrink(schedule);
    printf("%zu of its %zu steps show it:\n", schedule->count, steps);
    world_play(schedule->steps, schedule->count, true);
}

static void sum_up(uint64_t schedules, double seconds) {
    double hours = (double)world_passed() / USEC_PER_SEC / 3600;
    printf("%llu schedules, %.0f virtual hours, %llu stores to the ledger, in "
           "%.1f s: %.0f schedules and %.0f virtual hours an hour\n",
           (unsigned long long)schedules, hours,
           (unsigned long long)stores_count(), seconds,
           (double)schedules / seconds * 3600, hours / seconds * 3600);
}

int main(int argc, char *argv[]) {
    static struct schedule schedule;
    double begin = real_seconds(), seconds = argc > 1 ? atof(argv[1]) : 10;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, played = 0;
    uint64_t most = argc > 3 ? strtoull(argv[3], NULL, 10) : UINT64_MAX;
    life_prepare();
    do {
        schedule_make(&schedule, seed + played++);
        if (!world_play(schedule.steps, schedule.count, false)) {
            printf("found after %.1f s, ", real_seconds() - begin);
            tell(&schedule, seed + played - 1);
            return 1;
        }
    } while (real_seconds() - begin < seconds && played < most);
    sum_up(played, real_seconds() - begin);
    return 0;
}
