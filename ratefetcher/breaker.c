#include "ratefetcher/breaker.h"

/* Those who ask while it is being tried come again after so long. */
#define TRYING_WAIT SECONDS(1)

static bool is_open(const struct breaker *breaker) {
    return breaker->failures >= BREAKER_FAILURES;
}

duration breaker_wait(const struct breaker *breaker, monotime now) {
    if (!is_open(breaker))
        return (duration){0};
    if (!monotime_reached(now, breaker->until))
        return monotime_between(now, breaker->until);
    return breaker->trying ? TRYING_WAIT : (duration){0};
}

bool breaker_begin(struct breaker *breaker, monotime now) {
    if (breaker->trying || !is_open(breaker) ||
        !monotime_reached(now, breaker->until))
        return false;
    breaker->trying = true;
    return true;
}

void breaker_cancel(struct breaker *breaker) {
    breaker->trying = false;
}

void breaker_succeed(struct breaker *breaker) {
    *breaker = (struct breaker){0};
}

/*
 * While it is skipped, only calls that began before, and probes, can fail:
 * they tell nothing new.
 */
void breaker_fail(struct breaker *breaker, monotime now) {
    bool skipped = is_open(breaker) && !monotime_reached(now, breaker->until);
    breaker->failures++;
    if (skipped || !is_open(breaker))
        return;
    breaker->trying = false;
    breaker->skip = breaker->skip.usec == 0
                        ? BREAKER_FIRST_SKIP
                        : duration_min((duration){breaker->skip.usec * 2},
                                       BREAKER_LONGEST_SKIP);
    breaker->until = monotime_add(now, breaker->skip);
}
