/*
 * By how much two tables differ in a currency: exact decimals, whatever the
 * base of each. Pure.
 */
#ifndef FXWIRE_RATEFETCHER_RATES_DIFFER_H
#define FXWIRE_RATEFETCHER_RATES_DIFFER_H

#include "common/attributes.h"
#include "common/rates/rates.h"

/* Bounds are from 1 to so many percent. */
enum { RATES_DIFFER_MOST_PERCENT = 100 };

/*
 * Whether `rates` gives more or less of the currency for one euro than `other`
 * does, by over so many percent of the other.
 */
MUST_CHECK bool rates_differ(struct rate_pair rates, struct rate_pair other,
                             unsigned percent);

#endif
