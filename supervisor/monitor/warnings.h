/*
 * The last warnings and errors that were logged, for the status: bounded in
 * number and size.
 */
#ifndef FXWIRE_SUPERVISOR_MONITOR_WARNINGS_H
#define FXWIRE_SUPERVISOR_MONITOR_WARNINGS_H

#include <json-c/json.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/span.h"

enum { WARNINGS_KEPT = 20, WARNINGS_DETAIL_SIZE = 240 };

/* All zero: none came yet. */
struct warnings {
    struct json_object *rows[WARNINGS_KEPT]; /* as a ring */
    size_t count;                            /* of all that came */
};

/*
 * Looks through whole lines of the log, in either format, as they are written.
 * What is not made like a line of ours is passed over.
 */
void warnings_look(struct warnings *warnings, struct span lines) NONNULL_ALL;

/*
 * A new array of rows `{"time","level","process","event","detail"}`, the newest
 * first; the caller releases it.
 */
MUST_CHECK struct json_object *
warnings_rows(const struct warnings *warnings) NONNULL_ALL;

void warnings_clear(struct warnings *warnings) NONNULL_ALL;

#endif
