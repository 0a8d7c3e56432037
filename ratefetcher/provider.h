/*
 * A source of day tables. What differs between them is behind this interface;
 * who asks whom, and in which order, is lookup's.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDER_H
#define FXWIRE_RATEFETCHER_PROVIDER_H

#include <event2/event.h>

#include "common/metrics.h"
#include "common/rates.h"
#include "common/settings.h"

enum provider_result {
    PROVIDER_OK,
    PROVIDER_NO_TABLE,  /* works, but publishes none for that day */
    PROVIDER_UNREACHED, /* no answer was had */
    PROVIDER_BAD_TABLE, /* an answer that is no table */
    PROVIDER_RESULTS
};

/* The word that a log line has for it. */
const char *provider_result_name(enum provider_result result);

/*
 * What a fetch ends in. `rates` is lent, NULL unless the result is OK;
 * `detail` is one line for people, lent, "" if there is nothing to add.
 */
typedef void provider_done(void *arg, enum provider_result result,
                           struct rates *rates, const char *detail);

/* A provider that is made once; several fetches may run at a time. */
struct provider_class {
    const char *name;
    enum metric calls_ok, calls_failed;
    void *(*open)(struct event_base *base, const struct settings *settings);
    void (*close)(void *state);
    /*
     * Begins to fetch the table for `when` (or RATES_LATEST) and calls `done`
     * exactly once, later from the loop, never from inside.
     */
    void (*fetch)(void *state, day when, provider_done *done, void *arg);
};

/* The class of that name, or NULL if this version has none. */
const struct provider_class *provider_find(struct span name);

#endif
