#include "common/backoff.h"

int64_t backoff_next(struct backoff *backoff, uint32_t chance) {
    int64_t ceiling = backoff->first_usec;
    for (unsigned i = 0;
         i < backoff->failures && ceiling < backoff->ceiling_usec; i++)
        ceiling *= 2;
    if (ceiling > backoff->ceiling_usec)
        ceiling = backoff->ceiling_usec;
    backoff->failures++;
    int64_t floor = ceiling * backoff->floor_share / 100;
    double share = (double)chance / UINT32_MAX;
    return floor + (int64_t)((double)(ceiling - floor) * share);
}
