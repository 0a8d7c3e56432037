/* Counters of a helper, put together by their labels for the status. Pure. */
#ifndef FXWIRE_SUPERVISOR_COUNTED_H
#define FXWIRE_SUPERVISOR_COUNTED_H

#include <json-c/json.h>
#include <stdbool.h>

#include "common/attributes.h"

/* Both take what helper_counters() gives; the caller releases what they give.
 */

/*
 * The series of one family as `"value of its first label": count`; those that
 * counted nothing only if `zeros`.
 */
MUST_CHECK struct json_object *counted_family(struct json_object *counters,
                                              const char *name, bool zeros);

/* The look-ups of rates as `"layer": {"result": count, ...}`, with zeros. */
MUST_CHECK struct json_object *counted_lookups(struct json_object *counters);

#endif
