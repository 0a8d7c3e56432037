/*
 * After a stall of our own, what would clear the peer may wait in the kernel:
 * it is read before the peer is judged, but not for ever. Pure.
 */
#ifndef FXWIRE_WSCLIENT_DOUBT_H
#define FXWIRE_WSCLIENT_DOUBT_H

#include "common/clock.h"

#define DOUBT_MAX_USEC (50 * USEC_PER_MSEC)

struct doubt {
    bool open;
    monotime since;
};

/* Whether the judgement is to be put off: input waits, and not for long. */
static inline bool doubt_holds(struct doubt *doubt, monotime now,
                               bool input_waits) {
    if (!input_waits)
        return false;
    if (!doubt->open)
        *doubt = (struct doubt){true, now};
    return monotime_between(doubt->since, now) < DOUBT_MAX_USEC;
}

/* The peer has shown itself. */
static inline void doubt_clear(struct doubt *doubt) {
    doubt->open = false;
}

#endif
