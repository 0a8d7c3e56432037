#include "common/backoff.h"

duration backoff_next(struct backoff *backoff, uint32_t chance) {
    int64_t ceiling = backoff->first.usec;
    for (unsigned i = 0;
         i < backoff->failures && ceiling < backoff->ceiling.usec; i++)
        ceiling *= 2;
    if (ceiling > backoff->ceiling.usec)
        ceiling = backoff->ceiling.usec;
    backoff->failures++;
    int64_t floor = ceiling * backoff->floor_share / 100;
    double share = (double)chance / UINT32_MAX;
    return (duration){floor + (int64_t)((double)(ceiling - floor) * share)};
}
