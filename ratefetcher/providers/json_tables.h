/* Rates in the JSON bodies of providers. Pure. */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_JSON_TABLES_H
#define FXWIRE_RATEFETCHER_PROVIDERS_JSON_TABLES_H

#include <json-c/json.h>

#include "ratefetcher/providers/web.h"

/* Reads a body that is one JSON object; NULL: it is none. Caller releases. */
struct json_object *json_tables_parse(struct span body);

/*
 * Gives `reader` the body as a JSON object, lent; what it says of it, or that
 * it is none.
 */
const char *json_tables_read(
    const struct web_answer *answer, struct history *tables,
    struct web_faults *faults,
    const char *(*reader)(struct json_object *body,
                          const struct web_answer *answer,
                          struct history *tables, struct web_faults *faults));

/* The member that is an object, lent; NULL: there is none. */
struct json_object *json_tables_object(struct json_object *parent,
                                       const char *name);

/* A table in a body, and what it is to be. */
struct json_table {
    struct json_object *members; /* name and number; NULL: there is none */
    const char *provider, *base;
    const char *other_base; /* what is to be said of one with another base */
    bool pairs;             /* a name is the base and the currency: USDJPY */
    day as_of;
};

/*
 * Adds a table, to the digit as it was sent. NULL, or what is wrong with it as
 * a whole: see rates_fault(), or its base has a rate that is not 1.
 */
const char *json_tables_add(struct history *tables,
                            const struct json_table *table,
                            const struct web_answer *answer,
                            struct web_faults *faults);

/*
 * The UTC day of a member that is a moment in Unix seconds; one slightly ahead
 * of our clock is of today, and so is a body without that member. False: it is
 * no such moment.
 */
bool json_tables_day(const struct json_object *body, const char *name,
                     const struct web_answer *answer, day *out);

#endif
