/*
 * After a stall of our own, what would clear the peer may wait in the kernel:
 * it is read before the peer is judged, but not for ever. Pure.
 */
#ifndef FXWIRE_WSCLIENT_DOUBT_H
#define FXWIRE_WSCLIENT_DOUBT_H

#include <stddef.h>

#include "common/clock.h"

#define DOUBT_MAX_USEC (1 * USEC_PER_SEC)

/* Bytes from the peer. */
struct input {
    uint64_t read; /* so far; less than all is no harm */
    size_t waiting;
};

struct doubt {
    bool open;
    monotime since;
    uint64_t read_end; /* what waited then is in these */
};

/* Whether the judgement is to be put off: what waited first is not yet read. */
static inline bool doubt_holds(struct doubt *doubt, monotime now,
                               struct input input) {
    if (input.waiting == 0)
        return false;
    if (!doubt->open)
        *doubt = (struct doubt){true, now, input.read + input.waiting};
    return input.read < doubt->read_end &&
           monotime_between(doubt->since, now).usec < DOUBT_MAX_USEC;
}

/* The peer has shown itself. */
static inline void doubt_clear(struct doubt *doubt) {
    doubt->open = false;
}

#endif
