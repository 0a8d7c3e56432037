/* Asks a socket of the running service, from the command line. */
#ifndef FXWIRE_SUPERVISOR_CLIENT_H
#define FXWIRE_SUPERVISOR_CLIENT_H

#include <json-c/json.h>

#include "common/attributes.h"
#include "common/clock.h"
#include "common/settings/settings.h"

/*
 * Sends a question, which it releases, to the socket `name` in RUNTIME_DIR,
 * and waits for the answer, which the caller releases; `*answer` is NULL if
 * the service is gone or silent for `patience`. -1: nobody listens there.
 */
MUST_CHECK int client_ask(const struct settings *settings, const char *name,
                          struct json_object *question, duration patience,
                          struct json_object **answer) NONNULL_ALL;

/* Says that no service is running there; gives the exit code for that. */
int client_not_running(const struct settings *settings) NONNULL_ALL;

#endif
