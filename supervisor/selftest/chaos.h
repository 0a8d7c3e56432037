/* Faults of every kind at random moments, and how long each stopped answers. */
#ifndef FXWIRE_SUPERVISOR_SELFTEST_CHAOS_H
#define FXWIRE_SUPERVISOR_SELFTEST_CHAOS_H

#include "common/attributes.h"
#include "common/clock.h"
#include "supervisor/selftest/stand.h"

enum { CHAOS_KINDS = 24, CHAOS_TIMES = 256 };

struct chaos {
    struct stand *stand;
    int now; /* the fault that is on; -1: none */
    monotime began, over, answered;
    duration longest; /* pause of answers since it began */
    int count[CHAOS_KINDS];
    duration recovery[CHAOS_KINDS][CHAOS_TIMES];
};

void chaos_begin(struct chaos *c, struct stand *stand) NONNULL_ALL;

/* Notes that an answer has come. */
void chaos_answered(struct chaos *c, monotime now) NONNULL_ALL;

/* Begins and ends faults; `last` ends the one that is on and begins no other.
 */
void chaos_tick(struct chaos *c, monotime now, bool last) NONNULL_ALL;

/* Prints a line for each kind that came, and one for all. */
void chaos_print(const struct chaos *c) NONNULL_ALL;

#endif
