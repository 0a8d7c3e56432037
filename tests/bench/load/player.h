/* The questions open on one connection, and how they were answered. */
#ifndef LOAD_PLAYER_H
#define LOAD_PLAYER_H

#include "tests/bench/load/link.h"
#include "tests/bench/load/ring.h"
#include "tests/upstream/delay.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the n-th question stands; it is given up for the question that is
 * asked as many later as there are slots. */
struct player_slot {
    uint64_t due_ns; /* when it was to be asked */
    uint64_t number;
    const struct ring_item *item;
    char digits[RING_DIGITS];
    bool open;
};

/* All of a run, over its connections. */
struct tally {
    uint64_t asked;
    uint64_t right;
    uint64_t wrong;
    uint64_t refused; /* an error where an answer was due */
    uint64_t twice;
    uint64_t unexpected;
    uint64_t in_time; /* right or refused while it was measured */
    uint64_t beats;   /* heartbeats received */
    uint64_t late_ns; /* the most that a heartbeat was late */
    struct delay delay;
};

struct player {
    struct link link;
    struct ring *ring;
    struct tally *tally;
    uint64_t window;    /* at most so many are open */
    uint64_t period_ns; /* between questions; 0: as fast as the window allows */
    struct player_slot *slot;
    uint64_t slots; /* a power of two */
    uint64_t asked;
    uint64_t oldest; /* that may be open */
    uint64_t open;
    uint64_t due_ns;
    uint64_t heard_ns; /* the client's last heartbeat */
    uint64_t beat_ns;  /* our next one */
    unsigned events;   /* that the loop waits for */
};

/* Set link, ring, tally, window and period_ns, and leave the rest zero. */
void player_start(struct player *p, uint64_t now_ns);

/* Asks what is due and allowed, `most` at the most. */
void player_ask(struct player *p, uint64_t most, uint64_t now_ns);

/* Judges what was received. Delays count from the questions that were due at
 * `from_ns` or later. */
void player_judge(struct player *p, uint64_t from_ns, uint64_t now_ns);

/* Notes how late the client's heartbeat is by now. */
void player_gap(struct player *p, uint64_t now_ns);

void player_free(struct player *p);

#endif
