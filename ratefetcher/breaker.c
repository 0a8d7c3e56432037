#include "ratefetcher/breaker.h"

/* Those who ask while it is being tried come again after so long. */
#define TRYING_WAIT_USEC (1 * USEC_PER_SEC)

static bool is_open(const struct breaker *breaker) {
    return breaker->failures >= BREAKER_FAILURES;
}

int64_t breaker_wait(const struct breaker *breaker, monotime now) {
    if (!is_open(breaker))
        return 0;
    if (!monotime_reached(now, breaker->until))
        return monotime_between(now, breaker->until).usec;
    return breaker->trying ? TRYING_WAIT_USEC : 0;
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
    breaker->skip_usec = breaker->skip_usec == 0 ? BREAKER_FIRST_SKIP_USEC
                                                 : breaker->skip_usec * 2;
    if (breaker->skip_usec > BREAKER_LONGEST_SKIP_USEC)
        breaker->skip_usec = BREAKER_LONGEST_SKIP_USEC;
    breaker->until = monotime_add(now, (duration){breaker->skip_usec});
}
