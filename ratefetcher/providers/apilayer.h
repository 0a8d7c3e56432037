/*
 * What the APIs of apilayer have in common, exchangerate.host and fixer.io
 * among them: bodies that say whether they are a success, errors by a code, and
 * the day of a table. Pure.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_APILAYER_H
#define FXWIRE_RATEFETCHER_PROVIDERS_APILAYER_H

#include "ratefetcher/providers/json_tables.h"

/* The web_api's refusal(), of a body of any status. */
MUST_CHECK const struct web_refusal *
apilayer_refusal(const struct json_object *body);

/*
 * The day of a table that a body has: of the latest one by its timestamp, of a
 * past one by its date, which is to be the one that was asked for. NULL, or
 * what is wrong with the body, as a constant; "success" that is not true is.
 */
MUST_CHECK const char *apilayer_read_day(const struct web_answer *answer,
                                         day *as_of) NONNULL_ALL;

#endif
