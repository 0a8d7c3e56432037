#include "supervisor/lifecycle.h"

#include <sysexits.h>

const char *lifecycle_name(enum lifecycle_state state) {
    static const char *const names[LIFECYCLE_STATES] = {
        [LIFECYCLE_WAITING] = "waiting", [LIFECYCLE_STARTING] = "starting",
        [LIFECYCLE_READY] = "ready",     [LIFECYCLE_STOPPING] = "stopping",
        [LIFECYCLE_STOPPED] = "stopped", [LIFECYCLE_REFUSED] = "refused",
    };
    return names[state];
}

enum lifecycle_state lifecycle_after_death(enum lifecycle_state state,
                                           int exit_code, int64_t ready_usec,
                                           struct backoff *backoff,
                                           uint32_t chance,
                                           int64_t *delay_usec) {
    *delay_usec = 0;
    if (state == LIFECYCLE_STOPPING)
        return LIFECYCLE_STOPPED;
    if (exit_code == EX_CONFIG)
        return LIFECYCLE_REFUSED;
    if (ready_usec >= LIFECYCLE_HEALTHY_USEC)
        backoff_reset(backoff);
    else
        *delay_usec = backoff_next(backoff, chance);
    return LIFECYCLE_WAITING;
}
