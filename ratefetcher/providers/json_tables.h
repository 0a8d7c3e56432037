/* Rates in the JSON bodies of providers. Pure. */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_JSON_TABLES_H
#define FXWIRE_RATEFETCHER_PROVIDERS_JSON_TABLES_H

#include "ratefetcher/providers/web.h"

/* The member that is an object, lent; NULL: there is none. */
MUST_CHECK struct json_object *
json_tables_object(const struct json_object *parent, const char *name);

/* A table in a body, and what it is to be. */
struct json_table {
    const struct web_api *api;
    const struct json_object
        *members; /* name and number; NULL: there is none */
    bool pairs;   /* a name is the base and the currency: USDJPY */
    /* A member is an object, which has its number by this name; NULL: it is
     * the number. */
    const char *number;
    day as_of;
};

/*
 * Adds a table, to the digit as it was sent. NULL, or what is wrong with it as
 * a whole: see rates_fault(), or its base has a rate that is not 1.
 */
MUST_CHECK const char *json_tables_add(struct history *tables,
                                       const struct json_table *table,
                                       const struct web_answer *answer,
                                       struct web_faults *faults) NONNULL_ALL;

/*
 * The UTC day of a member that is a moment in Unix seconds, by their clock; a
 * body without that member is of today. False: it is no such moment.
 */
MUST_CHECK bool json_tables_day(const struct json_object *body,
                                const char *name,
                                const struct web_answer *answer, day *out);

#endif
