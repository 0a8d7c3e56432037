/* The open questions, and the count of how they were answered. */
#ifndef UPSTREAM_VERDICT_H
#define UPSTREAM_VERDICT_H

#include "delay.h"
#include "match.h"
#include "script.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Many more places than questions may be open at once, so that a place is
 * seldom still taken when its turn comes round, and an answer that comes a
 * second time still finds the first one's trace. */
enum {
    VERDICT_SLOTS = 1 << 16,
    VERDICT_OPEN_MAX = VERDICT_SLOTS / 2,
};

struct verdict_slot {
    uint64_t id;
    uint64_t asked_ns;
    const struct script_item *item; /* NULL: never used */
    bool open;
};

/* asked = right + error + wrong + open, each question counted once. */
struct verdict {
    struct verdict_slot slot[VERDICT_SLOTS];
    uint64_t next_id;
    uint64_t asked;
    uint64_t again;
    uint64_t right;
    uint64_t error; /* right, too: the errors that were called for */
    uint64_t wrong;
    uint64_t twice;
    uint64_t unexpected; /* messages that answer nothing asked (lately) */
    uint64_t open;
    uint64_t first_ns;
    uint64_t last_ns;
    struct delay delay;
    struct match_span span;
    long today;
    bool show;
};

/* `v` is all zeros. With `show`, answers are printed as they are judged;
 * without it, only the first few wrong or unexpected ones are, on stderr. */
void verdict_init(struct verdict *v, bool show);

/* Call this now and then: it keeps the span of good dates up to date. */
void verdict_clock(struct verdict *v);

/* Enters a question and gives it an id. Fewer than VERDICT_OPEN_MAX may be
 * open. Times are of one steady clock, in nanoseconds. */
uint64_t verdict_ask(struct verdict *v, const struct script_item *item,
                     uint64_t now_ns);

/* Enumerates the open questions, the oldest first, to ask them again: set
 * *cursor to 0, and call until NULL comes. */
const struct verdict_slot *verdict_again(struct verdict *v, size_t *cursor,
                                         uint64_t now_ns);

/* Judges a message of the client's and counts it. */
void verdict_judge(struct verdict *v, const char *text, size_t len,
                   uint64_t now_ns);

/* Print to stdout: the counts; and how fast the answers came, with `speed` also
 * how many a second. */
void verdict_report(const struct verdict *v);
void verdict_report_delay(const struct verdict *v, bool speed);

#endif
