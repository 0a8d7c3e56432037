/*
 * Whether a provider that fails is left alone: after five failures in a row it
 * is skipped for 30 s, then one call shows whether it works again; if not, it
 * is skipped for twice as long, up to 10 minutes. Pure: time is an argument.
 */
#ifndef FXWIRE_RATEFETCHER_BREAKER_H
#define FXWIRE_RATEFETCHER_BREAKER_H

#include "common/clock.h"

enum { BREAKER_FAILURES = 5 };

#define BREAKER_FIRST_SKIP_USEC   (30 * USEC_PER_SEC)
#define BREAKER_LONGEST_SKIP_USEC (600 * USEC_PER_SEC)

/* While no provider is left, one of them is probed so often all the same. */
#define BREAKER_PROBE_USEC (5 * USEC_PER_SEC)

/* All zero: it works. */
struct breaker {
    unsigned failures; /* in a row */
    int64_t skip_usec; /* how long it is skipped this time */
    monotime until;    /* and until when */
    bool trying;       /* the call is out that shows whether it works again */
};

/* How long the provider is still skipped; 0: it may be called. */
int64_t breaker_wait(const struct breaker *breaker, monotime now);

/*
 * A call begins, as it may or as a probe. True: it is the trial that shows
 * whether the provider works again.
 */
bool breaker_begin(struct breaker *breaker, monotime now);

/* A call that breaker_begin() made the trial was not made. */
void breaker_cancel(struct breaker *breaker);

/* A call has ended, well or not. */
void breaker_succeed(struct breaker *breaker);
void breaker_fail(struct breaker *breaker, monotime now);

#endif
