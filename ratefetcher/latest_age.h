/*
 * How old today's table may be by its own date: one that is older than
 * LATEST_MAX_AGE_DAYS is as good as none, wherever it comes from; and where no
 * new one came on three working days, a person is told.
 */
#ifndef FXWIRE_RATEFETCHER_LATEST_AGE_H
#define FXWIRE_RATEFETCHER_LATEST_AGE_H

#include "ratefetcher/provider.h"

/*
 * How long from now on a table of that day may serve as today's; 0: no longer.
 * It is over with a day of UTC.
 */
duration latest_age_left(day as_of, int64_t max_days);

/*
 * Turns an answer with a latest table that is too old into one without, and
 * writes into `why` what is wrong with it. Another one stays, and `why` is "".
 */
void latest_age_check(struct provider_answer *answer, day when,
                      int64_t max_days,
                      char why[static LATEST_AGE_WHY_SIZE]) NONNULL_ALL;

/*
 * What is to be said in the place of a table of `when`: the first provider's
 * latest one is too old. Lent until its next answer; NULL: it is not that.
 */
const char *latest_age_why(const struct providers *providers,
                           day when) NONNULL_ALL;

/*
 * To be called when a latest table came, and each second or so: tells once of
 * each that on the third working day has no successor.
 */
void latest_age_watch(struct providers *providers) NONNULL_ALL;

/* Adds that to a row of the status, with its date and how many days these are.
 */
void latest_age_report(day as_of, struct json_object *row) NONNULL_ALL;

#endif
