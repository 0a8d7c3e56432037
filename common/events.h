/* The events of the log, and the alerts: one table of them. */
#ifndef FXWIRE_COMMON_EVENTS_H
#define FXWIRE_COMMON_EVENTS_H

#include "common/attributes.h"

enum event_id {
#define EVENT(id, ...) EVENT_##id,
#include "common/events.def"
#undef EVENT
    EVENTS
};

/* Its name, as it stands in the log; lent for ever. */
const char *event_name(enum event_id event);

/* The event of that name, or EVENTS. */
enum event_id event_named(const char *name) NONNULL_ALL;

#endif
