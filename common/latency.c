#include "common/latency.h"

/* The longest time that falls into the bucket. */
static int64_t longest_of(unsigned bucket) {
    if (bucket < LATENCY_STEPS)
        return bucket;
    unsigned doublings = bucket / LATENCY_STEPS - 1;
    int64_t first = bucket - doublings * LATENCY_STEPS;
    return ((first + 1) << doublings) - 1;
}

duration latency_quantile(const struct latency *latency, unsigned percent) {
    uint64_t all = 0, seen = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
        all += latency->counts[i];
    if (all == 0)
        return (duration){-1};
    uint64_t wanted = (all * percent + 99) / 100;
    unsigned bucket = 0;
    while ((seen += latency->counts[bucket]) < wanted)
        bucket++;
    return (duration){longest_of(bucket)};
}
