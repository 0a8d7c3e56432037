/*
 * A helper's life as a table: state x event -> action. What is wanted of it,
 * what it is, and whether it said that it is ready are separate facts. Pure.
 */
#ifndef FXWIRE_SUPERVISOR_LIFECYCLE_H
#define FXWIRE_SUPERVISOR_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/backoff.h"
#include "common/clock.h"

enum lifecycle_state {
    LIFECYCLE_DOWN,     /* no process */
    LIFECYCLE_RUNNING,  /* a process, ready or not */
    LIFECYCLE_STOPPING, /* a process that was told to stop */
    LIFECYCLE_ABORTING, /* a process that was silent and got SIGABRT */
    LIFECYCLE_REFUSED,  /* no process: it refused its configuration */
    LIFECYCLE_STATES
};

enum lifecycle_event {
    LIFECYCLE_START_DUE,    /* the delay before a start is over */
    LIFECYCLE_START_FAILED, /* no process could be made */
    LIFECYCLE_SAID_READY,
    LIFECYCLE_SILENT,        /* too many pings are unanswered */
    LIFECYCLE_PATIENCE_OVER, /* it had its time to end */
    LIFECYCLE_DIED,
    LIFECYCLE_DIED_REFUSING, /* with exit code 78 */
    LIFECYCLE_WANT_DOWN,
    LIFECYCLE_WANT_RESTART,
    LIFECYCLE_EVENTS
};

enum lifecycle_action {
    LIFECYCLE_NOTHING,
    LIFECYCLE_START,        /* make a process now */
    LIFECYCLE_START_LATER,  /* after lifecycle.delay */
    LIFECYCLE_FORGET_START, /* the delay before a start is given up */
    LIFECYCLE_STOP,         /* tell it to stop, and give it time */
    LIFECYCLE_ABORT,        /* SIGABRT, and a second of time */
    LIFECYCLE_KILL,         /* SIGKILL */
    LIFECYCLE_ACTIONS
};

/* One that was ready for so long is started again at once. */
#define LIFECYCLE_HEALTHY SECONDS(1)

struct lifecycle {
    bool wanted;
    enum lifecycle_state state;
    bool ready;
    monotime ready_since;
    struct backoff backoff;
    duration delay; /* before the start, after LIFECYCLE_START_LATER */
};

/* One that is wanted, with no process yet. */
void lifecycle_init(struct lifecycle *life) NONNULL_ALL;

/*
 * What has to be done because of `event` at the time `now`; the state has
 * changed as if it were done. `chance` is any 32 random bits.
 */
MUST_CHECK enum lifecycle_action lifecycle_step(struct lifecycle *life,
                                                enum lifecycle_event event,
                                                monotime now,
                                                uint32_t chance) NONNULL_ALL;

/* The word that the status has for it. */
const char *lifecycle_name(const struct lifecycle *life) NONNULL_ALL;

static inline bool lifecycle_has_process(const struct lifecycle *life) {
    return life->state == LIFECYCLE_RUNNING ||
           life->state == LIFECYCLE_STOPPING ||
           life->state == LIFECYCLE_ABORTING;
}

#endif
