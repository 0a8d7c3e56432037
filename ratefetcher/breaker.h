/*
 * Whether a provider that fails is left alone: after five failures in a row it
 * is skipped for 30 s, then one call shows whether it works again; if not, it
 * is skipped for twice as long, up to 10 minutes. Pure: time is an argument.
 */
#ifndef FXWIRE_RATEFETCHER_BREAKER_H
#define FXWIRE_RATEFETCHER_BREAKER_H

#include "common/attributes.h"
#include "common/clock.h"

enum { BREAKER_FAILURES = 5 };

#define BREAKER_FIRST_SKIP   SECONDS(30)
#define BREAKER_LONGEST_SKIP SECONDS(600)

/* While no provider is left, one of them is probed so often all the same. */
#define BREAKER_PROBE_PAUSE SECONDS(5)

/* All zero: it works. */
struct breaker {
    unsigned failures; /* in a row */
    duration skip;     /* how long it is skipped this time */
    monotime until;    /* and until when */
    bool trying;       /* the call is out that shows whether it works again */
};

/* How long the provider is still skipped; 0: it may be called. */
MUST_CHECK duration breaker_wait(const struct breaker *breaker,
                                 monotime now) NONNULL_ALL;

/*
 * A call begins, as it may or as a probe. True: it is the trial that shows
 * whether the provider works again.
 */
MUST_CHECK bool breaker_begin(struct breaker *breaker,
                              monotime now) NONNULL_ALL;

/* A call that breaker_begin() made the trial was not made. */
void breaker_cancel(struct breaker *breaker) NONNULL_ALL;

/* A call has ended, well or not. */
void breaker_succeed(struct breaker *breaker) NONNULL_ALL;
void breaker_fail(struct breaker *breaker, monotime now) NONNULL_ALL;

#endif
