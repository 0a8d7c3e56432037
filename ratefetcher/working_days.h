/*
 * The days on which the ECB publishes rates: all but weekends and the closing
 * days of TARGET (1 January, Good Friday, Easter Monday, 1 May, 25 and 26
 * December). Pure.
 */
#ifndef FXWIRE_RATEFETCHER_WORKING_DAYS_H
#define FXWIRE_RATEFETCHER_WORKING_DAYS_H

#include "common/attributes.h"
#include "common/day.h"

/* Whether it is one of them. Before 2000 there were fewer closing days. */
MUST_CHECK bool working_days_is_one(day d);

/* How many come after `first`, up to and with `last`; at most `most`. */
MUST_CHECK int working_days_count(day first, day last, int most);

#endif
