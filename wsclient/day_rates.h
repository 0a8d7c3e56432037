/*
 * wsclient's own day tables: what it was told by ratefetcher, for as long as
 * that holds, so that a known day costs no question.
 */
#ifndef FXWIRE_WSCLIENT_DAY_RATES_H
#define FXWIRE_WSCLIENT_DAY_RATES_H

#include "common/attributes.h"
#include "common/clock.h"
#include "common/clock_watch.h"
#include "common/rates/daytables.h"
#include "common/rates/rates.h"

/* Of 2 to the power of so many pairs of a day and a currency at once. */
enum { DAY_RATES_FOUND_BITS = 8 };

/* What was found in a table, to be found faster until that expires. */
struct found_rates {
    uint64_t key; /* the day and the currency; 0: nothing */
    monotime expires;
    struct rate_pair pair;
};

struct day_rates {
    struct daytables days; /* the entries are pointers, NULL: not known */
    struct clock_watch clock;
    struct found_rates found[1 << DAY_RATES_FOUND_BITS];
};

enum day_rates_result {
    DAY_RATES_FOUND,
    DAY_RATES_NO_TABLE,        /* the day is not known */
    DAY_RATES_NOT_IN_TABLE,    /* known, without the currency: ask for it */
    DAY_RATES_UNKNOWN_CURRENCY /* no provider has it on this day */
};

void day_rates_init(struct day_rates *rates) NONNULL_ALL;
void day_rates_clear(struct day_rates *rates) NONNULL_ALL;

/*
 * Looks whether the wall clock was set, so that today is another day: then the
 * latest tables are forgotten.
 */
void day_rates_look_at_clock(struct day_rates *rates, int64_t wall_ms,
                             monotime now) NONNULL_ALL;

/*
 * Finds the rates to convert a currency with on `when`, or for RATES_LATEST:
 * both are of one table. The euro, and what it has replaced by then
 * (euro_fixed.h), need none. Of the same turn as day_rates_look_at_clock().
 */
enum day_rates_result
day_rates_find(struct day_rates *rates, day when, struct span currency,
               monotime now, struct rate_pair *pair) MUST_CHECK NONNULL_ALL;

/*
 * The table, lent, that day_rates_find() takes the rates from; NULL: from none.
 */
const struct rates *day_rates_table(const struct day_rates *rates, day when,
                                    struct span currency,
                                    monotime now) MUST_CHECK NONNULL_ALL;

/*
 * Enters a table (with a reference of its own) that holds until `expires`;
 * in the place of an older one of the same provider. Gives the table to answer
 * with, lent: this one, or a latest one of a later day that serves before it
 * today, and goes on to serve for a while.
 */
struct rates *day_rates_enter(struct day_rates *rates, day when,
                              struct rates *table, monotime expires,
                              const struct now *now) NONNULL_ALL;

/* Remembers that no provider has `currency`, while the day's tables hold. */
void day_rates_enter_unknown(struct day_rates *rates, day when,
                             struct span currency) NONNULL_ALL;

#endif
