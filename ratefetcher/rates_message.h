/* A table as rates.sock and Redis have it: section 8 of the contract. */
#ifndef FXWIRE_RATEFETCHER_RATES_MESSAGE_H
#define FXWIRE_RATEFETCHER_RATES_MESSAGE_H

#include "common/rates.h"

/*
 * A new message of the table that serves `when`; the caller releases it.
 * `layer`: where it came from, `expires_ms`: when it is no longer fresh.
 */
struct json_object *rates_message_new(day when, const struct rates *rates,
                                      const char *layer, int64_t expires_ms);

#endif
