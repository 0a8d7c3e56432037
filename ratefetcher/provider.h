/*
 * A provider in use: how it did lately, whether it may be asked now, and what
 * is kept of its answers.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDER_H
#define FXWIRE_RATEFETCHER_PROVIDER_H

#include <json-c/json.h>

#include "common/clock.h"
#include "common/metrics.h"
#include "ratefetcher/breaker.h"
#include "ratefetcher/call_counts.h"
#include "ratefetcher/providers/registry.h"

struct source {
    const struct provider_class *class;
    void *state;
    uint32_t calls_per_minute;
    struct call_counts_record *record; /* lent */
    struct breaker breaker;
    monotime not_before; /* it said to wait, or refused the key */
    bool used;
    enum provider_result last;
    int64_t last_success_ms;  /* 0: never */
    struct rates *latest;     /* the last table had as the latest, or NULL */
    const char *latest_layer; /* and the layer that it came from */
};

/* What source_begin() has noted of a fetch. */
struct source_call {
    bool counted; /* as a call */
    bool trial;   /* it shows whether the provider works again */
    day today;
    monotime begun;
};

/* Opens the provider; `record` is lent. */
void source_open(struct source *source, const struct provider_class *class,
                 const struct provider_context *context,
                 struct call_counts_record *record);

/* Closes the provider and lets go of what is kept. */
void source_close(struct source *source);

/*
 * How long it may not be asked for `when`, in microseconds; 0: it may be now.
 * What costs no call may always be asked.
 */
int64_t source_wait(const struct source *source, day when, monotime now);

/* Whether it is only skipped for its failures, so that it may be probed. */
bool source_may_be_probed(const struct source *source, day when, monotime now);

/* Notes that a fetch for `when` begins: counts the call, if it makes one. */
struct source_call source_begin(struct source *source, day when, monotime now);

/*
 * Notes what a fetch ended in: logs it if the provider began or ceased to
 * fail, counts the call. One that was not made after all is taken back.
 */
void source_end(struct source *source, const struct source_call *call,
                const struct provider_answer *answer, struct metrics *metrics,
                const struct provider_context *context);

/* Keeps a table that was had as the latest; `layer` is lent for ever. */
void source_keep_latest(struct source *source, struct rates *rates,
                        const char *layer);

/*
 * The latest table that was fetched on the day `when`, if that day is just
 * over: it serves until the provider has the day's own. Lent; NULL: none.
 */
struct rates *source_table_of_day(const struct source *source, day when);

/* Its row for the status; the caller releases it. */
struct json_object *source_status(const struct source *source, monotime now);

#endif
