/*
 * STATUS_LISTEN: what the supervisor tells of all processes, over HTTP. It is
 * told each second; nobody who asks here is heard by any other process.
 */
#ifndef FXWIRE_SUPERVISOR_MONITOR_STATUS_SERVER_H
#define FXWIRE_SUPERVISOR_MONITOR_STATUS_SERVER_H

#include <event2/event.h>
#include <json-c/json.h>

#include "common/attributes.h"
#include "common/settings/settings.h"

struct status_server;

/* NULL: the settings want none. The caller frees it. */
MUST_CHECK struct status_server *
status_server_new(struct event_base *base,
                  const struct settings *settings) NONNULL_ALL;
void status_server_free(struct status_server **server) NONNULL_ALL;

/* The supervisor's status from now on, of which it keeps a reference. */
void status_server_take(struct status_server *server,
                        struct json_object *status) NONNULL_ALL;

/*
 * What is wrong with STATUS_LISTEN now, such as another who listens there:
 * NULL or one line; the caller frees it.
 */
MUST_CHECK char *
status_server_fault(const struct settings *settings) NONNULL_ALL;

#endif
