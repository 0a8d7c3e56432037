/*
 * Looks at each new table before the books do: whether a currency differs much
 * from what a second provider has (RATES_CROSSCHECK), which is asked in the
 * background, or from the last day that is known. Nobody waits for it, and the
 * table serves all the same: a person is told.
 */
#ifndef FXWIRE_RATEFETCHER_CROSSCHECK_H
#define FXWIRE_RATEFETCHER_CROSSCHECK_H

#include "ratefetcher/provider.h"

struct crosscheck;

/* Both are lent. */
MUST_CHECK struct crosscheck *
crosscheck_new(const struct provider_context *context,
               struct providers *providers) NONNULL_ALL;

/* To be freed before the providers. */
void crosscheck_free(struct crosscheck **crosscheck) NONNULL_ALL;

/*
 * Ends a fetch, as provider_check_age() and provider_end() do, and looks at the
 * table that came of it, also for its age. True: it is one that was not kept
 * before.
 */
bool crosscheck_end(struct crosscheck *crosscheck, struct provider *provider,
                    day when, const struct provider_call *call,
                    struct provider_answer *answer) NONNULL_ALL;

/*
 * Keeps a table as provider_keep() does, and looks at it; nobody is asked for
 * another one, as that is for who fetched it.
 */
bool crosscheck_keep(struct crosscheck *crosscheck, struct provider *provider,
                     day when, struct rates *rates, monotime fetched,
                     const char *layer) NONNULL_ALL;

/* Adds "rates_differ" to a report: a row for each of the last differences. */
void crosscheck_report(const struct crosscheck *crosscheck,
                       struct json_object *report) NONNULL_ALL;

#endif
