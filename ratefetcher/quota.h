/*
 * How many calls a provider may get in a minute. Counted by seconds, so that
 * in no sixty seconds there are more than the limit. Pure: time is an argument.
 */
#ifndef FXWIRE_RATEFETCHER_QUOTA_H
#define FXWIRE_RATEFETCHER_QUOTA_H

#include "common/attributes.h"
#include "common/clock.h"

/* Sixty seconds touch at most so many whole ones. */
enum { QUOTA_SECONDS = 61 };

/* All zero: no call was made. */
struct quota {
    int64_t newest; /* second of the last call */
    uint32_t calls[QUOTA_SECONDS];
};

/* How long no call may be made if there may be `limit` a minute; 0: now. */
MUST_CHECK duration quota_wait(const struct quota *quota, uint32_t limit,
                               monotime now) NONNULL_ALL;

/* Calls in the last QUOTA_SECONDS, of which the limit speaks. */
MUST_CHECK uint32_t quota_calls(const struct quota *quota,
                                monotime now) NONNULL_ALL;

/* A call is made. */
void quota_take(struct quota *quota, monotime now) NONNULL_ALL;

/* The call that was taken then was not made. */
void quota_give_back(struct quota *quota, monotime taken) NONNULL_ALL;

#endif
