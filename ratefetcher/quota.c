#include "ratefetcher/quota.h"

#include <string.h>

static int64_t second_of(monotime now) {
    return now.usec / USEC_PER_SEC;
}

/* Calls made in that second, one of the last QUOTA_SECONDS. */
static uint32_t calls_in(const struct quota *quota, int64_t second) {
    return second >= 0 && second <= quota->newest &&
                   second > quota->newest - QUOTA_SECONDS
               ? quota->calls[second % QUOTA_SECONDS]
               : 0;
}

duration quota_wait(const struct quota *quota, uint32_t limit, monotime now) {
    int64_t second = second_of(now);
    uint64_t calls = 0;
    /* From the newest back: the one with which the limit is reached counts. */
    for (int64_t s = second; s > second - QUOTA_SECONDS; s--) {
        calls += calls_in(quota, s);
        if (calls >= limit)
            return (duration){(s + QUOTA_SECONDS) * USEC_PER_SEC - now.usec};
    }
    return (duration){0};
}

uint32_t quota_calls(const struct quota *quota, monotime now) {
    uint32_t calls = 0;
    for (int64_t s = second_of(now); s > second_of(now) - QUOTA_SECONDS; s--)
        calls += calls_in(quota, s);
    return calls;
}

void quota_take(struct quota *quota, monotime now) {
    int64_t second = second_of(now);
    if (second < quota->newest || second - quota->newest >= QUOTA_SECONDS)
        memset(quota->calls, 0, sizeof quota->calls);
    else
        for (int64_t s = quota->newest + 1; s <= second; s++)
            quota->calls[s % QUOTA_SECONDS] = 0;
    quota->newest = second;
    quota->calls[second % QUOTA_SECONDS]++;
}

void quota_give_back(struct quota *quota, monotime taken) {
    int64_t second = second_of(taken);
    if (calls_in(quota, second) > 0)
        quota->calls[second % QUOTA_SECONDS]--;
}
