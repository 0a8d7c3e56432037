#include "common/events.h"

#include <string.h>

static const char *const names[EVENTS] = {
#define EVENT(id, name, ...) name,
#include "common/events.def"
#undef EVENT
};

const char *event_name(enum event_id event) {
    return names[event];
}

enum event_id event_named(const char *name) {
    int event = 0;
    while (event < EVENTS && strcmp(names[event], name) != 0)
        event++;
    return (enum event_id)event;
}
