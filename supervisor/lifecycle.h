/* A helper's states, and what its death means for it. Pure. */
#ifndef FXWIRE_SUPERVISOR_LIFECYCLE_H
#define FXWIRE_SUPERVISOR_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/backoff.h"

enum lifecycle_state {
    LIFECYCLE_WAITING,  /* to be started */
    LIFECYCLE_STARTING, /* runs, and has not said that it is ready */
    LIFECYCLE_READY,
    LIFECYCLE_STOPPING, /* was asked to stop */
    LIFECYCLE_STOPPED,  /* is gone, as wanted */
    LIFECYCLE_REFUSED,  /* is gone: its configuration is bad */
    LIFECYCLE_STATES
};

/* The word that the status has for it. */
const char *lifecycle_name(enum lifecycle_state state);

static inline bool lifecycle_is_alive(enum lifecycle_state state) {
    return state == LIFECYCLE_STARTING || state == LIFECYCLE_READY ||
           state == LIFECYCLE_STOPPING;
}

/* A helper that was ready for so long is started again at once. */
#define LIFECYCLE_HEALTHY_USEC INT64_C(1000000)

/*
 * The state after a death: of a helper that was in `state`, had been ready for
 * `ready_usec`, and exited with `exit_code` (-1: killed by a signal). For
 * LIFECYCLE_WAITING, `*delay_usec` is the time until its next start.
 */
enum lifecycle_state lifecycle_after_death(enum lifecycle_state state,
                                           int exit_code, int64_t ready_usec,
                                           struct backoff *backoff,
                                           uint32_t chance,
                                           int64_t *delay_usec);

#endif
