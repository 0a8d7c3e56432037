#include "wsclient/heartbeat.h"

void heartbeat_start(struct heartbeat *heartbeat, monotime now) {
    heartbeat->received = now;
    heartbeat->next_beat = now;
    doubt_clear(&heartbeat->doubt);
}

void heartbeat_received(struct heartbeat *heartbeat, monotime now) {
    heartbeat->received = now;
    doubt_clear(&heartbeat->doubt);
}

bool heartbeat_take_due(struct heartbeat *heartbeat, monotime now) {
    if (!monotime_reached(now, heartbeat->next_beat))
        return false;
    heartbeat->next_beat = monotime_add(heartbeat->next_beat,
                                        (duration){heartbeat->interval_usec});
    if (monotime_reached(now, heartbeat->next_beat))
        heartbeat->next_beat =
            monotime_add(now, (duration){heartbeat->interval_usec});
    return true;
}

enum heartbeat_verdict heartbeat_judge(struct heartbeat *heartbeat,
                                       monotime now, struct input input) {
    if (monotime_between(heartbeat->received, now).usec <=
        heartbeat->timeout_usec)
        return HEARTBEAT_ALIVE;
    return doubt_holds(&heartbeat->doubt, now, input) ? HEARTBEAT_UNDECIDED
                                                      : HEARTBEAT_SILENT;
}

monotime heartbeat_next_look(const struct heartbeat *heartbeat) {
    /* The peer is late only after its time, not at its end. */
    monotime late = monotime_add(heartbeat->received,
                                 (duration){heartbeat->timeout_usec + 1});
    return monotime_reached(late, heartbeat->next_beat) ? heartbeat->next_beat
                                                        : late;
}
