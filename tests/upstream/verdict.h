/* The open questions of the made script. */
#ifndef UPSTREAM_VERDICT_H
#define UPSTREAM_VERDICT_H

#include "script.h"
#include "tally.h"

/* Many more places than questions may be open at once, so that a place is
 * seldom still taken when its turn comes round, and an answer that comes a
 * second time still finds the first one's trace. */
enum {
    VERDICT_SLOTS = 1 << 18,
    VERDICT_OPEN_MAX = VERDICT_SLOTS / 8,
};

struct verdict_slot {
    uint64_t id;
    uint64_t number; /* the tally's */
    uint64_t asked_ns;
    const struct script_item *item; /* NULL: never used */
    uint64_t link;                  /* on which it was last answered */
    uint64_t sum;                   /* of that answer's bytes */
    bool open;
    bool again; /* asked more than once, so several answers are right */
};

struct verdict {
    struct tally *tally; /* the caller's */
    struct verdict_slot slot[VERDICT_SLOTS];
    uint64_t next_id;
    uint64_t link; /* the hub's: the number of the connection there is */
    uint64_t asked;
    uint64_t open;
};

/* `v` is all zeros. */
void verdict_init(struct verdict *v, struct tally *tally);

/* Enters a question and gives it an id. Fewer than VERDICT_OPEN_MAX may be
 * open. Times are of one steady clock, in nanoseconds. */
uint64_t verdict_ask(struct verdict *v, const struct script_item *item,
                     uint64_t now_ns);

/* Enumerates the open questions that nobody is known to have received, the
 * oldest first, to ask them again: set *cursor to 0, and call until NULL comes.
 */
const struct verdict_slot *verdict_again(struct verdict *v, size_t *cursor,
                                         uint64_t now_ns);

/* Judges a message of the client's and counts it; false if it answers none of
 * these questions. */
bool verdict_judge(struct verdict *v, const char *text, size_t len,
                   uint64_t now_ns);

#endif
