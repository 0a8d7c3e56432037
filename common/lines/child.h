/*
 * A helper's side of its contract with the supervisor: fixed descriptors, one
 * "ready", a "pong" with its report for each "ping", another level of its log
 * on "log_level", an end in order on "stop", and an end at once when the parent
 * is gone.
 */
#ifndef FXWIRE_COMMON_LINES_CHILD_H
#define FXWIRE_COMMON_LINES_CHILD_H

#include <json-c/json.h>
#include <stdbool.h>

#include "common/attributes.h"
#include "common/events.h"
#include "common/lines/channel.h"

/* Descriptors that a supervised helper finds open. */
enum {
    CHILD_FD_CONTROL = 3, /* the socket to the supervisor */
    CHILD_FD_LOG = 4,     /* where log lines go */
    CHILD_FD_EXTRA = 5,   /* ratefetcher: listening socket; monitor: log */
    CHILD_FD_SECOND = 6,  /* monitor: listening socket */
};

/* The argument that tells a helper that these descriptors are there. */
#define CHILD_ARGUMENT "--supervised"

/* The argument that makes a helper wait for a debugger (DEBUG_WAIT). */
#define CHILD_DEBUG_ARGUMENT "--debug-wait"

/* The argument of a helper that tries all it is set to use once, prints a row
 * for each on standard output and ends: 0, or 69 if one does not work. */
#define CHILD_TRIAL_ARGUMENT "--try"

/*
 * Who looks at something each second does so at the supervisor's pings, so that
 * the process wakes up once for both. This long after the last look a timer
 * has it done: there may be no supervisor.
 */
#define CHILD_LOOK_PERIOD MILLISECONDS(1100)

struct child {
    struct channel channel; /* fd -1: started by hand, without a supervisor */
    struct json_object *(*report)(void *arg); /* new object, released here */
    const char *sandbox; /* how it is confined, lent for ever; NULL: not yet */
    /* NULL, or gets what the supervisor tells of all processes; lent. */
    void (*on_status)(void *arg, struct json_object *status);
    void *arg;
};

enum child_order {
    CHILD_GO_ON,
    CHILD_STOP,    /* end in order */
    CHILD_ORPHANED /* the parent is gone: end at once */
};

/*
 * Takes the channel over if the helper is supervised. `report` makes what is
 * told with each pong.
 */
void child_init(struct child *child, bool supervised,
                struct json_object *(*report)(void *arg), void *arg);
void child_clear(struct child *child);

static inline bool child_is_supervised(const struct child *child) {
    return child->channel.fd >= 0;
}

/* To be called when channel.fd is readable: reads and answers all there is. */
MUST_CHECK enum child_order child_read(struct child *child);

/* Says "ready". */
void child_ready(struct child *child);

/* Sends the report unasked, because something in it changed. */
void child_report(struct child *child);

/* Asks for an alert: what happened, and what it happened to. */
void child_alert(struct child *child, enum event_id event, const char *detail);

/* Asks to be ended in order and started anew. */
void child_ask_restart(struct child *child);

/* Whether `argv` says that the helper is supervised. */
bool child_has_argument(int argc, char *argv[], const char *argument);

#endif
