/*
 * The tables of a provider in use, as provider.c sees them: by day, with the
 * moment at which each was fetched, or the word that the provider has none.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDER_TABLES_H
#define FXWIRE_RATEFETCHER_PROVIDER_TABLES_H

#include "ratefetcher/provider.h"

/* The layer of what a provider was asked for itself. */
#define PROVIDER_LAYER "provider"

void provider_init_tables(struct provider *provider) NONNULL_ALL;
void provider_clear_tables(struct provider *provider) NONNULL_ALL;

/*
 * The last table that was fetched as the latest on the day `when`, if that day
 * is just over: it serves until the provider has the day's own. Lent; NULL:
 * there is none.
 */
struct rates *provider_latest_of_day(const struct provider *provider,
                                     day when) NONNULL_ALL;

/* Its fresh table for that day, lent; NULL: there is none. */
const struct rates *provider_fresh_table(const struct provider *provider,
                                         day when) NONNULL_ALL;

/*
 * The newest table that is known of a day before `as_of` and at most a week
 * before; the caller holds a reference. NULL: there is none.
 */
MUST_CHECK struct rates *provider_last_known(const struct provider *provider,
                                             day as_of) NONNULL_ALL;

/*
 * Keeps the provider's word that it has no table of that day, as long as a
 * table or, if `fresh` is not 0, so long.
 */
void provider_keep_none(struct provider *provider, day when, monotime now,
                        duration fresh) NONNULL_ALL;

/* A table that was just kept is fresh for no longer than that. */
void provider_keep_briefly(struct provider *provider, day when,
                           duration fresh) NONNULL_ALL;

/*
 * Forgets what depends on the day that was taken for today: the latest table,
 * and on which days there was none.
 */
void provider_forget_today(struct provider *provider) NONNULL_ALL;

#endif
