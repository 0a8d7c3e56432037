/* Rates in the JSON bodies of providers. Pure. */
#ifndef FXWIRE_RATEFETCHER_JSON_RATES_H
#define FXWIRE_RATEFETCHER_JSON_RATES_H

#include <json-c/json.h>

#include "ratefetcher/web_provider.h"

/* Reads a body that is one JSON object; NULL: it is none. Caller releases. */
struct json_object *json_rates_parse(struct span body);

/* The member that is an object, lent; NULL: there is none. */
struct json_object *json_rates_object(struct json_object *parent,
                                      const char *name);

/*
 * Adds all members of `table` (currency to number) with the digits that they
 * were sent with. False: the base is not EUR, since EUR is there and not 1.
 */
bool json_rates_add(struct rates *rates, struct json_object *table,
                    struct web_faults *faults);

#endif
