#include "common/backoff.h"

#include <stdbool.h>

/* It doubles with each failure. */
static int64_t delay_ceiling(const struct backoff *backoff) {
    int64_t ceiling = backoff->first.usec;
    for (unsigned i = 0;
         i < backoff->failures && ceiling < backoff->ceiling.usec; i++)
        ceiling *= 2;
    return ceiling < backoff->ceiling.usec ? ceiling : backoff->ceiling.usec;
}

duration backoff_next(struct backoff *backoff, uint32_t chance) {
    int64_t ceiling = delay_ceiling(backoff);
    backoff->failures++;
    int64_t floor = ceiling * backoff->floor_share / 100;
    double share = (double)chance / UINT32_MAX;
    return (duration){floor + (int64_t)((double)(ceiling - floor) * share)};
}

duration backoff_next_in_outage(struct backoff *backoff, uint32_t chance,
                                duration outage) {
    bool brief = outage.usec < BACKOFF_BRIEF_OUTAGE.usec;
    duration limit =
        brief ? BACKOFF_BRIEF_DELAY : duration_max(outage, backoff->first);
    struct backoff bounded = *backoff;
    bounded.ceiling = duration_min(backoff->ceiling, limit);
    bool grows = !brief || delay_ceiling(&bounded) < bounded.ceiling.usec;
    duration delay = backoff_next(&bounded, chance);
    if (grows)
        backoff->failures++;
    return delay;
}
