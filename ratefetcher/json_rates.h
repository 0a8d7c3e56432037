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
 * Adds the table of the day `as_of` whose members are currency and number, to
 * the digit as they were sent. NULL, or what is wrong with it: no rates at
 * all, or another base than EUR, since EUR is there and not 1.
 */
const char *json_rates_add_table(struct history *tables,
                                 struct json_object *table,
                                 const char *provider, day as_of,
                                 const struct web_answer *answer,
                                 struct web_faults *faults);

#endif
