/* The status of the service: as one JSON object, and as text of that. */
#ifndef FXWIRE_SUPERVISOR_STATUS_H
#define FXWIRE_SUPERVISOR_STATUS_H

#include <json-c/json.h>
#include <stdio.h>

#include "common/attributes.h"
#include "supervisor/helper.h"

/* What the helpers and their reports say; the caller releases it. */
MUST_CHECK struct json_object *status_new(struct helper *const helpers[],
                                          size_t count, duration uptime);

/* Prints such an object for people. */
void status_print(struct json_object *status, FILE *out);

#endif
