/*
 * Alerts: ALERT_COMMAND is run when something needs a person, with the event
 * as arguments and as JSON on its standard input. One at a time, for a limited
 * time; the same event of the same subject at most once a minute.
 */
#ifndef FXWIRE_SUPERVISOR_ALERT_H
#define FXWIRE_SUPERVISOR_ALERT_H

#include <event2/event.h>

#include "common/attributes.h"
#include "common/events.h"
#include "common/settings/settings.h"
#include "supervisor/children.h"

struct alert;

/*
 * `children` and, until alert_set(), `settings` are lent; without ALERT_COMMAND
 * it only logs. What the command prints goes to `output`.
 */
MUST_CHECK struct alert *alert_new(struct event_base *base,
                                   struct children *children,
                                   const struct settings *settings,
                                   int output) NONNULL_ALL;
void alert_free(struct alert **alert);

/* Other settings are in force from now on. */
void alert_set(struct alert *alert, const struct settings *settings);

/* Tells of `event` that happened to `subject`, with a detail. */
void alert_raise(struct alert *alert, enum event_id event, const char *subject,
                 const char *detail) NONNULL(1, 3, 4);

/* Whether no command runs or waits. */
bool alert_is_idle(const struct alert *alert);

/* Whether the last command failed. */
bool alert_has_failed(const struct alert *alert);

#endif
