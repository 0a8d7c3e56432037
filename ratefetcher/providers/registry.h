/*
 * A source of day tables. What differs between them is behind this interface;
 * who asks whom, and in which order, is lookup's.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_REGISTRY_H
#define FXWIRE_RATEFETCHER_PROVIDERS_REGISTRY_H

#include <event2/event.h>

#include "common/attributes.h"
#include "common/events.h"
#include "common/metrics.h"
#include "common/rates/rates.h"
#include "common/settings/settings.h"
#include "ratefetcher/providers/http.h"

enum provider_result {
    PROVIDER_OK,
    PROVIDER_NO_TABLE,    /* works, but publishes none for that day */
    PROVIDER_UNREACHED,   /* no answer was had */
    PROVIDER_KEY_REFUSED, /* 401 or 403, or the body says so */
    PROVIDER_LIMITED,     /* 429, or the body says so: too many calls */
    PROVIDER_BAD_STATUS,  /* another status than 200 */
    PROVIDER_BAD_TABLE,   /* an answer that is no table of its base */
    PROVIDER_AHEAD,       /* its latest table is of a day after tomorrow */
    PROVIDER_RESULTS
};

/* The word that a log line has for it. */
MUST_CHECK const char *provider_result_name(enum provider_result result);

/* Whether the provider did its work, table or not. */
static inline bool provider_works(enum provider_result result) {
    return result == PROVIDER_OK || result == PROVIDER_NO_TABLE;
}

/* What a fetch ends in. */
struct provider_answer {
    enum provider_result result;
    struct rates *rates; /* lent; NULL unless the result is OK */
    const char *detail;  /* for people, one line, lent; "" if there is none */
    bool without_call;   /* no call was made for it */
    duration age;        /* of the table: so long ago it was fetched */
    duration wait;       /* for so long it is not to be asked; 0: no matter */
    duration fresh;      /* it holds for so long only, a failure too; 0: as
                            usual */
    bool has_clock;      /* it told the time: */
    int64_t clock_ahead_ms; /* so far ours is ahead of its clock */
    struct http_calls_left calls_left[HTTP_QUOTAS];
};

typedef void provider_done(void *arg, const struct provider_answer *answer);

struct web_api; /* see providers/web.h */

/* What providers are given to work with; lent. */
struct provider_context {
    struct event_base *base;
    struct http *http;
    struct metrics *metrics;
    const struct settings *settings;
    /* A person is needed: what happened, in a word, and a detail. */
    void (*alert)(void *arg, enum event_id event, const char *detail);
    /* What the status tells has changed. */
    void (*changed)(void *arg);
    void *arg;
    const char *state_dir; /* where tables are kept; NULL: nowhere */
    /* A table has come for which nobody waits any more. NULL: nobody cares. */
    void (*late)(void *lookup_arg, const struct web_api *api, day when,
                 struct provider_answer *answer);
    /* Whether the provider may be called once more for what it was called for;
     * that call is counted then. NULL: it may, and nobody counts. */
    bool (*again)(void *lookup_arg, const struct web_api *api);
    void *lookup_arg;
};

/* A provider that is opened once; several fetches may run at a time. */
struct provider_class {
    const char *name;
    enum metric calls_ok, calls_failed;
    const struct web_api *api; /* of one that is asked over HTTP, else NULL */
    void *(*open)(const struct provider_class *class,
                  const struct provider_context *context);
    void (*close)(void *state);
    /*
     * Whether a fetch for `when` would make a call now, and not answer out of
     * what is kept, or wait for a call that is out already. NULL: always.
     */
    bool (*needs_call)(void *state, day when);
    /*
     * Fetches the table for `when` (or RATES_LATEST). True: it was at hand,
     * and is in `answer`. False: `done` is called exactly once, later from the
     * loop, at the latest after `timeout`.
     */
    bool (*fetch)(void *state, day when, duration timeout,
                  struct provider_answer *answer, provider_done *done,
                  void *arg);
    /*
     * The table that would serve, were it not past its age, lent, and since
     * when it is known; NULL: there is none. NULL in its place: there never is.
     */
    struct rates *(*find_old)(void *state, day when, monotime *since);
};

/* Each provider of common/rates/providers.def is defined in the file of its
 * name. */
#define PROVIDER(id, ID, need) extern const struct provider_class provider_##id;
#include "common/rates/providers.def"
#undef PROVIDER

/* The class of that name, or NULL if this version has none. */
MUST_CHECK const struct provider_class *registry_find(struct span name);

/* The base of all its tables. */
const char *registry_base(const struct provider_class *class) NONNULL_ALL;

/* Whether it is asked with a key. */
bool registry_has_key(const struct provider_class *class) NONNULL_ALL;

#endif
