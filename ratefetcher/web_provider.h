/*
 * A provider that is asked over HTTP. Each API is one pure file: the request
 * out of day and settings, tables or a named failure out of the answer. This
 * is what they have in common.
 */
#ifndef FXWIRE_RATEFETCHER_WEB_PROVIDER_H
#define FXWIRE_RATEFETCHER_WEB_PROVIDER_H

#include "ratefetcher/history.h"
#include "ratefetcher/provider.h"

enum { WEB_URL_BYTES = 2304, WEB_HEADER_BYTES = 1100 };

/* What is to be asked, NUL-terminated. */
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

struct web_api {
    const char *name;
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
    /* Whether this status says that there is no table of that day. */
    bool (*is_no_table)(long status);
};

/* The functions of a provider_class whose `api` is set. */
void *web_provider_open(const struct provider_class *class,
                        const struct provider_context *context);
void web_provider_close(void *state);
void web_provider_fetch(void *state, day when, int64_t timeout_usec,
                        provider_done *done, void *arg);

/* Adds a rate to a table, or counts it as a fault. For the APIs' files. */
void web_add_rate(struct rates *rates, const char *code, struct span rate,
                  struct web_faults *faults);

#endif
