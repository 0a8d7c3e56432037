/* What `convert` and `rates` have in common: asking the running service. */
#ifndef FXWIRE_SUPERVISOR_ASK_RATES_H
#define FXWIRE_SUPERVISOR_ASK_RATES_H

#include <json-c/json.h>

#include "common/attributes.h"
#include "common/rates/rates.h"
#include "supervisor/options.h"

/* What a day has to be, for whoever gave another. */
#define ASK_RATES_DAYS                                                         \
    "DATE must be a day (YYYY-MM-DD) from 1999-01-04 to today"

/* Reads the day or moment `text`; NULL is today. Today is RATES_LATEST. */
MUST_CHECK bool ask_rates_read_day(const char *text, day *when);

/* A good answer to the question for a day's table. */
struct rates_answer {
    struct rates *rates;         /* the caller releases it */
    struct json_object *message; /* as it came; the caller releases it, too */
};

/*
 * Asks the service for a table of `when`, one that has `currency` unless that
 * is NULL. EX_OK, or an exit code: then the reason is told and no answer there.
 */
MUST_CHECK int ask_rates(const struct options *options, day when,
                         const char *currency, struct rates_answer *answer);

/* Seconds since the table was fetched. */
long long ask_rates_age(const struct rates *rates);

#endif
