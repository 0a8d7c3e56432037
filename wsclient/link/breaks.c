#include "wsclient/link/breaks.h"

#include <stdio.h>

bool breaks_note(struct breaks *breaks, const char *reason, const char *detail,
                 duration stood, monotime now) {
    snprintf(breaks->last, sizeof breaks->last, "%s: %s", reason, detail);
    breaks->failed[0] = '\0';
    breaks->times[breaks->count++ % BREAKS_FLAPPING] = now;
    monotime first = breaks->times[breaks->count % BREAKS_FLAPPING];
    if (stood.usec >= BREAKS_FLAPPING_TIME.usec)
        breaks->told = false;
    if (breaks->told || breaks->count < BREAKS_FLAPPING ||
        monotime_between(first, now).usec > BREAKS_FLAPPING_TIME.usec)
        return false;
    breaks->told = true;
    return true;
}

void breaks_note_failure(struct breaks *breaks, const char *reason,
                         const char *detail) {
    snprintf(breaks->failed, sizeof breaks->failed, "%s: %s", reason, detail);
}
