/* When a heartbeat is due, and when the peer's silence is too long. Pure. */
#ifndef FXWIRE_WSCLIENT_HEARTBEAT_H
#define FXWIRE_WSCLIENT_HEARTBEAT_H

#include "common/clock.h"
#include "wsclient/doubt.h"

struct heartbeat {
    int64_t interval_usec;
    int64_t timeout_usec;
    monotime received; /* the last one, or the connect */
    monotime next_beat;
    struct doubt doubt;
};

enum heartbeat_verdict {
    HEARTBEAT_ALIVE,
    HEARTBEAT_UNDECIDED, /* read what the kernel holds, then judge again */
    HEARTBEAT_SILENT
};

/* To be called when a connection stands: the first beat is due at once. */
void heartbeat_start(struct heartbeat *heartbeat, monotime now);

void heartbeat_received(struct heartbeat *heartbeat, monotime now);

/* Whether a beat has to go out now; if so, the next is due an interval later.
 * Beats missed in a stall are not made up for. */
bool heartbeat_take_due(struct heartbeat *heartbeat, monotime now);

/* Judges the peer. While old input waits, the judgement is put off a little. */
enum heartbeat_verdict heartbeat_judge(struct heartbeat *heartbeat,
                                       monotime now, struct input input);

/* When to look again: the next beat, or the end of the peer's time. */
monotime heartbeat_next_look(const struct heartbeat *heartbeat);

#endif
