/*
 * wsclient's own day tables: what it was told by ratefetcher, for as long as
 * that holds, so that a known day costs no question.
 */
#ifndef FXWIRE_WSCLIENT_RATEBOOK_H
#define FXWIRE_WSCLIENT_RATEBOOK_H

#include "common/clock.h"
#include "common/rates.h"

struct ratebook;

enum ratebook_result {
    RATEBOOK_FOUND,
    RATEBOOK_NO_TABLE,        /* the day is not known */
    RATEBOOK_NOT_IN_TABLE,    /* known, without the currency: ask for it */
    RATEBOOK_UNKNOWN_CURRENCY /* no provider has it on this day */
};

struct ratebook *ratebook_new(void);
void ratebook_free(struct ratebook **book);

/*
 * Finds the rates to convert a currency with on `when`, or for RATES_LATEST:
 * both are of one table.
 */
enum ratebook_result ratebook_find(const struct ratebook *book, day when,
                                   struct span currency, monotime now,
                                   struct rate_pair *rates);

/*
 * Enters a table (with a reference of its own) that holds until `expires`;
 * in the place of an older one of the same provider.
 */
void ratebook_enter(struct ratebook *book, day when, struct rates *rates,
                    monotime expires);

/* Remembers that no provider has `currency`, while the day's tables hold. */
void ratebook_enter_unknown(struct ratebook *book, day when,
                            struct span currency);

#endif
