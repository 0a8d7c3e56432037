/*
 * frankfurter.dev, version 2: rates of many central banks, averaged, as a list
 * of records, each with a date of its own. Pure.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_FRANKFURTER_V2_H
#define FXWIRE_RATEFETCHER_PROVIDERS_FRANKFURTER_V2_H

#include "ratefetcher/providers/web.h"

/* A body is a list: for web_api.array_name. */
#define FRANKFURTER_V2_LIST "v2"

/* Whether an address is of this version. */
bool frankfurter_is_v2(const char *address) NONNULL_ALL;

void frankfurter_v2_request(const char *address, day when,
                            struct web_request *out) NONNULL_ALL;

/* The list of a body of this version, lent; NULL: it is of another one. */
MUST_CHECK const struct json_object *
frankfurter_v2_list(const struct json_object *body) NONNULL_ALL;

/* Reads the table of a list, as web_api.read. */
const char *frankfurter_v2_read(const struct web_api *api,
                                const struct json_object *list,
                                const struct web_answer *answer,
                                struct history *tables,
                                struct web_faults *faults) NONNULL_ALL;

#endif
