/*
 * By how much two tables differ in a currency: exact decimals, whatever the
 * base of each. Pure.
 */
#ifndef FXWIRE_RATEFETCHER_RATES_DIFFER_H
#define FXWIRE_RATEFETCHER_RATES_DIFFER_H

#include "common/attributes.h"
#include "common/rates/rates.h"

/* A bound is given in millionths of a percent, and is at most 100 percent. */
#define RATES_DIFFER_PERCENT UINT64_C(1000000)

/*
 * Whether `rates` gives more or less of the currency for one euro than `other`
 * does, by over so many millionths of a percent of the other.
 */
MUST_CHECK bool rates_differ(struct rate_pair rates, struct rate_pair other,
                             uint64_t percent);

#endif
