/*
 * A provider that is asked over HTTP. Each API is one pure file: the request
 * out of day and settings, tables or a named failure out of the answer. This
 * is what they have in common.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_WEB_H
#define FXWIRE_RATEFETCHER_PROVIDERS_WEB_H

#include "ratefetcher/providers/history.h"
#include "ratefetcher/providers/registry.h"

/* Room for the longest address with a path, and a key that is escaped. */
enum {
    WEB_KEY_BYTES = 3073,
    WEB_URL_BYTES = 2304 + WEB_KEY_BYTES,
    WEB_HEADER_BYTES = 1100
};

/* What is to be asked, NUL-terminated. Both may hold a key: never shown. */
struct web_request {
    char url[WEB_URL_BYTES];
    char header[WEB_HEADER_BYTES]; /* with the key; "": none */
};

/* What came back: the body of an answer with status 200. */
struct web_answer {
    struct span body;
    day when; /* what was asked for, or RATES_LATEST */
    day today;
    int64_t fetched_ms;
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
    int64_t wait_seconds; /* not to be asked for so long; 0: as usual */
};

struct web_api {
    const char *name;
    const char *base; /* of all its tables */
    enum setting address;
    enum setting key; /* SETTINGS: it needs none */
    /* Writes the request for `when`. `key` is NULL if there is none. */
    void (*request)(const char *address, const char *key, day when, day today,
                    struct web_request *out);
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
    const struct web_refusal *(*refusal)(struct span body);
    /* The status that says that there is no table of that day; 0: none does. */
    long no_table_status;
};

/* The functions of a provider_class whose `api` is set. */
void *web_open(const struct provider_class *class,
               const struct provider_context *context);
void web_close(void *state);
bool web_needs_call(void *state, day when);
void web_fetch(void *state, day when, int64_t timeout_usec, provider_done *done,
               void *arg);

/* For the APIs' files: counts a rate that is left out. */
void web_note_fault(struct web_faults *faults, const char *code);

/*
 * For the APIs' files: adds a rate to a table, or counts it as a fault. False:
 * it shows that the table has another base.
 */
bool web_add_rate(struct rates *rates, const char *code, struct span rate,
                  struct web_faults *faults);

#endif
