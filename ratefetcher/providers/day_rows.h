/*
 * Makes the tables of many days, rate by rate. Their currencies are mostly the
 * same, and in the same order: each has a column, so that a rate is put in its
 * place without a search, and a day's table is made in one piece at its end.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_DAY_ROWS_H
#define FXWIRE_RATEFETCHER_PROVIDERS_DAY_ROWS_H

#include "common/span.h"
#include "ratefetcher/providers/history.h"

struct day_rows;

/* The tables, with these properties, go into `history`; all is lent. */
MUST_CHECK struct day_rows *day_rows_new(struct history *history,
                                         const char *provider, const char *base,
                                         int64_t fetched_ms) NONNULL_ALL;

/* A row that was begun is dropped. */
void day_rows_free(struct day_rows **rows) NONNULL_ALL;

/*
 * The column of a currency (three letters), made if it is a new one. It is
 * soonest found if it is the one behind that of the last look-up. False: there
 * are RATES_MAX_CURRENCIES.
 */
MUST_CHECK bool day_rows_column(struct day_rows *rows, const char *code,
                                size_t *column) NONNULL_ALL;

/* Begins the row of a day. One that was begun is ended. */
void day_rows_begin(struct day_rows *rows, day as_of) NONNULL_ALL;

/* Whether a row is begun, and neither ended nor dropped. */
MUST_CHECK bool day_rows_is_begun(const struct day_rows *rows) NONNULL_ALL;

/* The day of the row that is begun. */
MUST_CHECK day day_rows_as_of(const struct day_rows *rows) NONNULL_ALL;

/* Adds a rate to the row that is begun. */
MUST_CHECK enum rates_add day_rows_add(struct day_rows *rows, size_t column,
                                       struct span rate) NONNULL_ALL;

/* Ends the row, if one is begun: without rates it is no table. */
void day_rows_end(struct day_rows *rows) NONNULL_ALL;

/* Forgets the row, if one is begun. */
void day_rows_drop(struct day_rows *rows) NONNULL_ALL;

#endif
