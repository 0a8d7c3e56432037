/* A line of the log, of whatever LOG_FORMAT, as JSON. */
#ifndef FXWIRE_SUPERVISOR_LOG_JSON_H
#define FXWIRE_SUPERVISOR_LOG_JSON_H

#include <stdio.h>

#include "common/attributes.h"
#include "common/span.h"

/*
 * Writes one object, without the line's end: what LOG_FORMAT=json would have
 * written, but that of a text line a value that looks like a number is one. A
 * line that is none of the log's own is `{"text":...}`.
 */
void log_json_put(FILE *out, struct span line) NONNULL_ALL;

#endif
