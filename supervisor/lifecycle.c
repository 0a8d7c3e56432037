#include "supervisor/lifecycle.h"

/* The delays before a start after an early death. */
#define FIRST_DELAY MILLISECONDS(100)
#define LAST_DELAY  SECONDS(5)
enum { DELAY_FLOOR_SHARE = 50 };

/*
 * What an event does to the process. STAY: nothing, and the state stays as it
 * is; MOVE: nothing but the change of state; RESPAWN becomes one of the starts,
 * or nothing.
 */
enum verb { STAY, MOVE, START, RESPAWN, FORGET, STOP, ABORT, KILL };

struct cell {
    enum verb verb;
    enum lifecycle_state next; /* unless STAY */
};

/* Events that are not named for a state can not come in it, or change nothing:
 * STAY. */
static const struct cell table[LIFECYCLE_STATES][LIFECYCLE_EVENTS] = {
    [LIFECYCLE_DOWN] =
        {
            [LIFECYCLE_START_DUE] = {START, LIFECYCLE_RUNNING},
            [LIFECYCLE_WANT_DOWN] = {FORGET, LIFECYCLE_DOWN},
            [LIFECYCLE_WANT_RESTART] = {START, LIFECYCLE_RUNNING},
        },
    [LIFECYCLE_RUNNING] =
        {
            [LIFECYCLE_START_FAILED] = {RESPAWN, LIFECYCLE_DOWN},
            [LIFECYCLE_SILENT] = {ABORT, LIFECYCLE_ABORTING},
            [LIFECYCLE_DIED] = {RESPAWN, LIFECYCLE_DOWN},
            [LIFECYCLE_DIED_REFUSING] = {MOVE, LIFECYCLE_REFUSED},
            [LIFECYCLE_WANT_DOWN] = {STOP, LIFECYCLE_STOPPING},
            [LIFECYCLE_WANT_RESTART] = {STOP, LIFECYCLE_STOPPING},
        },
    [LIFECYCLE_STOPPING] =
        {
            [LIFECYCLE_PATIENCE_OVER] = {KILL, LIFECYCLE_STOPPING},
            [LIFECYCLE_DIED] = {RESPAWN, LIFECYCLE_DOWN},
            [LIFECYCLE_DIED_REFUSING] = {RESPAWN, LIFECYCLE_DOWN},
        },
    [LIFECYCLE_ABORTING] =
        {
            [LIFECYCLE_PATIENCE_OVER] = {KILL, LIFECYCLE_ABORTING},
            [LIFECYCLE_DIED] = {RESPAWN, LIFECYCLE_DOWN},
            [LIFECYCLE_DIED_REFUSING] = {RESPAWN, LIFECYCLE_DOWN},
            [LIFECYCLE_WANT_DOWN] = {KILL, LIFECYCLE_STOPPING},
        },
    [LIFECYCLE_REFUSED] =
        {
            [LIFECYCLE_WANT_DOWN] = {MOVE, LIFECYCLE_DOWN},
            [LIFECYCLE_WANT_RESTART] = {START, LIFECYCLE_RUNNING},
        },
};

void lifecycle_init(struct lifecycle *life) {
    *life = (struct lifecycle){
        .wanted = true,
        .backoff = {.first = FIRST_DELAY,
                    .ceiling = LAST_DELAY,
                    .floor_share = DELAY_FLOOR_SHARE},
    };
}

/*
 * A helper that was healthy, or that was told to stop in order to be
 * restarted, starts at once; one that died soon waits.
 */
static enum lifecycle_action respawn(struct lifecycle *life,
                                     enum lifecycle_state before, monotime now,
                                     uint32_t chance) {
    if (!life->wanted)
        return LIFECYCLE_NOTHING;
    bool healthy =
        life->ready && monotime_reached(now, monotime_add(life->ready_since,
                                                          LIFECYCLE_HEALTHY));
    if (healthy)
        backoff_reset(&life->backoff);
    if (healthy || before == LIFECYCLE_STOPPING) {
        life->state = LIFECYCLE_RUNNING;
        return LIFECYCLE_START;
    }
    life->delay = backoff_next(&life->backoff, chance);
    return LIFECYCLE_START_LATER;
}

/* The facts that an event changes whatever the state is. */
static void note(struct lifecycle *life, enum lifecycle_event event,
                 monotime now) {
    if (event == LIFECYCLE_WANT_DOWN)
        life->wanted = false;
    if (event == LIFECYCLE_WANT_RESTART)
        life->wanted = true;
    if (event == LIFECYCLE_SAID_READY && !life->ready) {
        life->ready = true;
        life->ready_since = now;
    }
}

enum lifecycle_action lifecycle_step(struct lifecycle *life,
                                     enum lifecycle_event event, monotime now,
                                     uint32_t chance) {
    static const enum lifecycle_action actions[] = {
        [STAY] = LIFECYCLE_NOTHING, [MOVE] = LIFECYCLE_NOTHING,
        [START] = LIFECYCLE_START,  [FORGET] = LIFECYCLE_FORGET_START,
        [STOP] = LIFECYCLE_STOP,    [ABORT] = LIFECYCLE_ABORT,
        [KILL] = LIFECYCLE_KILL,
    };
    enum lifecycle_state before = life->state;
    const struct cell *cell = &table[before][event];
    note(life, event, now);
    if (cell->verb != STAY)
        life->state = cell->next;
    enum lifecycle_action action = cell->verb == RESPAWN
                                       ? respawn(life, before, now, chance)
                                       : actions[cell->verb];
    if (!lifecycle_has_process(life) || action == LIFECYCLE_START)
        life->ready = false;
    return action;
}

const char *lifecycle_name(const struct lifecycle *life) {
    static const char *const names[LIFECYCLE_STATES] = {
        [LIFECYCLE_DOWN] = "waiting",      [LIFECYCLE_RUNNING] = "starting",
        [LIFECYCLE_STOPPING] = "stopping", [LIFECYCLE_ABORTING] = "hanging",
        [LIFECYCLE_REFUSED] = "refused",
    };
    if (life->state == LIFECYCLE_RUNNING && life->ready)
        return "ready";
    if (life->state == LIFECYCLE_DOWN && !life->wanted)
        return "stopped";
    return names[life->state];
}
