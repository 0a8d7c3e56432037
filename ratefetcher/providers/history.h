/* Many days' tables of one provider, and which of them serves a day. */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_HISTORY_H
#define FXWIRE_RATEFETCHER_PROVIDERS_HISTORY_H

#include "common/rates/rates.h"

struct history;

MUST_CHECK struct history *history_new(void);
void history_free(struct history **history) NONNULL_ALL;

/* Takes a table over. One of the same day replaces the earlier one. */
void history_add(struct history *history, struct rates *rates) NONNULL_ALL;

/* Swaps the tables of the two. */
void history_swap(struct history *one, struct history *other) NONNULL_ALL;

/* All tables are as if they had been fetched then (Unix time). */
void history_renew(struct history *history, int64_t fetched_ms) NONNULL_ALL;

/* How many days it has. */
size_t history_count(const struct history *history) NONNULL_ALL;

/*
 * The table that serves `when`, lent: for a day the last one published, at
 * most RATES_MAX_LOOK_BACK_DAYS before it; for RATES_LATEST the newest. None
 * of a day after `today`; but where all are, one of the next day is the latest,
 * as our clock may be behind. NULL if there is none.
 */
MUST_CHECK struct rates *history_find(const struct history *history, day when,
                                      day today) NONNULL_ALL;

enum { HISTORY_WHY_SIZE = 128 };

/*
 * Whether there is no latest table because all are of days after tomorrow;
 * then `why` is that, for people.
 */
MUST_CHECK bool history_is_ahead(const struct history *history, day today,
                                 char why[static HISTORY_WHY_SIZE]) NONNULL_ALL;

#endif
