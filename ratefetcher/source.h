/* A provider in use: how it did lately, and what is kept of its answers. */
#ifndef FXWIRE_RATEFETCHER_SOURCE_H
#define FXWIRE_RATEFETCHER_SOURCE_H

#include <json-c/json.h>

#include "common/clock.h"
#include "common/metrics.h"
#include "ratefetcher/provider.h"

struct source {
    const struct provider_class *class;
    void *state;
    enum provider_result last;
    int64_t last_success_ms; /* 0: never */
    int64_t calls;
    monotime not_before;  /* it said to wait, or refused the key */
    struct rates *latest; /* the last table fetched as the latest, or NULL */
    day latest_day;       /* the UTC day on which that was */
};

/* Closes the provider and lets go of what is kept. */
void source_close(struct source *source);

/*
 * Notes what a fetch for `when` ended in after `usec`: logs it if the
 * provider began or ceased to fail, counts the call, keeps a latest table.
 */
void source_note(struct source *source, day when,
                 const struct provider_answer *answer, int64_t usec,
                 struct metrics *metrics,
                 const struct provider_context *context);

/* Whether it may be asked now. */
static inline bool source_may_be_asked(const struct source *source,
                                       monotime now) {
    return monotime_reached(now, source->not_before);
}

/*
 * The latest table that was fetched on the day `when`, if that day is just
 * over: it serves until the provider has the day's own. Lent; NULL: none.
 */
struct rates *source_table_of_day(const struct source *source, day when);

/* Its row for the status; the caller releases it. */
struct json_object *source_status(const struct source *source);

#endif
