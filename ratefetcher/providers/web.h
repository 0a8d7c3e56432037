/*
 * A provider that is asked over HTTP. Each API is one pure file: the request
 * out of day and settings, tables or a named failure out of the answer. What
 * they have in common is here: one call at a time for one resource, whoever
 * waits for it, and resources of many days that are kept.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_WEB_H
#define FXWIRE_RATEFETCHER_PROVIDERS_WEB_H

#include <json-c/json.h>

#include "common/settings/url.h"
#include "ratefetcher/providers/history.h"
#include "ratefetcher/providers/http.h"
#include "ratefetcher/providers/registry.h"

/* Room for the longest address with a path, and a key that is escaped. */
enum {
    WEB_KEY_BYTES = 3073,
    WEB_URL_BYTES = URL_MAX_BYTES + 256 + WEB_KEY_BYTES,
    WEB_HEADER_BYTES = 1100
};

/* What is to be asked, NUL-terminated. Both may hold a key: never shown. */
struct web_request {
    char url[WEB_URL_BYTES];
    char header[WEB_HEADER_BYTES]; /* with the key; "": none */
};

/* The body of an answer with status 200, and what it answers. */
struct web_answer {
    struct json_object *json; /* the body, lent */
    day when;                 /* what was asked for, or RATES_LATEST */
    day today;
    int64_t fetched_ms; /* Unix time */
};

/* What was left out of tables because it is no rate. */
struct web_faults {
    size_t count;
    char example[32]; /* of the first one: its currency */
};

/* What an answer says in the place of tables. */
struct web_refusal {
    enum provider_result result;
    const char *detail; /* for people, a constant */
    /* The key's plan lacks it; of a past day: it lacks all of them. */
    bool of_plan;
    duration wait; /* not to be asked for so long; 0: as usual */
};

/* The month's calls are used up: a new month is far, a new plan may be near. */
#define WEB_QUOTA_WAIT                                                         \
    { 3600 * USEC_PER_SEC }

/* One that says no more than that, for a table of them. */
#define WEB_REFUSAL(kind, text)                                                \
    { .result = PROVIDER_##kind, .detail = text }

/*
 * Reads bodies that are no JSON, piece by piece as they come: no piece waits
 * for the next one, and none is kept.
 */
struct web_text_reader {
    /* Begins with a body; gives what the others are called with. All is lent
     * until the end. */
    void *(*begin)(const char *provider, struct history *tables,
                   int64_t fetched_ms, struct web_faults *faults);
    void (*feed)(void *reader, struct span piece);
    /* When all has come: reads some more of what can only be read then; false:
     * that was all. NULL: there never is. */
    bool (*more)(void *reader);
    /* Ends, and frees the reader; what is wrong with the body, as a constant,
     * or NULL. */
    const char *(*end)(void *reader);
};

struct web_api {
    const char *name;
    const char *base;       /* of all its tables */
    const char *wrong_base; /* what is said of a table with another one */
    enum setting address;
    enum setting key; /* SETTINGS: it needs none */
    /*
     * The number of the resource that has the table of `when`: days with one
     * number come in one call. NULL: each day, and the latest, is its own.
     */
    int32_t (*resource)(day when, day today);
    /* Those from this one on are kept, in STATE_DIR too; without `resource`
     * none is. */
    int32_t first_kept;
    /* Writes the request for `when`. `key` is NULL if there is none. */
    void (*request)(const char *address, const char *key, day when, day today,
                    struct web_request *out);
    /* The same for a place that has it in another form, should there be nothing
     * of use at the first one; false: there is none. NULL: there never is. */
    bool (*fall_back)(const char *address, day when, day today,
                      struct web_request *out);
    /* What reads its bodies; NULL: they are JSON objects, which read() reads.
     */
    const struct web_text_reader *text;
    /* A body that is an array is read as an object which has it by this name;
     * NULL: it is none. */
    const char *array_name;
    /*
     * Reads the tables of an answer. Gives what is wrong with it, as a
     * constant, or NULL if all is well; then there may still be no table.
     */
    const char *(*read)(const struct web_answer *answer, struct history *tables,
                        struct web_faults *faults);
    /*
     * What the body of an answer of any status refuses, lent; NULL: nothing
     * that is known. NULL for an API that says all by its status.
     */
    const struct web_refusal *(*refusal)(const struct json_object *body);
    /* The status that says that there is no table of that day; 0: none does. */
    long no_table_status;
};

/* The object of a body, or NULL; json_object_put() it. */
MUST_CHECK struct json_object *web_parse(const struct web_api *api,
                                         struct span body) NONNULL(1);

/* The functions of a provider_class whose `api` is set. */
MUST_CHECK void *web_open(const struct provider_class *class,
                          const struct provider_context *context) NONNULL_ALL;
void web_close(void *state) NONNULL_ALL;
bool web_needs_call(void *state, day when) NONNULL_ALL;
bool web_fetch(void *state, day when, duration timeout,
               struct provider_answer *answer, provider_done *done, void *arg)
    NONNULL(1, 4, 5);
struct rates *web_find_old(void *state, day when, monotime *since) NONNULL_ALL;

/* For the APIs' files: the class of an API, by its names in providers.def. */
#define WEB_CLASS(id, ID, its_api)                                             \
    {                                                                          \
        .name = #id, .calls_ok = METRIC_CALLS_OK_##ID,                         \
        .calls_failed = METRIC_CALLS_FAILED_##ID, .api = its_api,              \
        .open = web_open, .close = web_close, .needs_call = web_needs_call,    \
        .fetch = web_fetch, .find_old = web_find_old,                          \
    }

/* For the APIs' files: counts a rate that is left out. */
void web_note_fault(struct web_faults *faults, const char *code) NONNULL_ALL;

/*
 * For the APIs' files: adds a rate to a table, or counts it as a fault. False:
 * it shows that the table has another base.
 */
MUST_CHECK bool web_add_rate(struct rates *rates, const char *code,
                             struct span rate,
                             struct web_faults *faults) NONNULL_ALL;

#endif
