/* Decides when to ask, and writes the questions as frames. */
#ifndef UPSTREAM_ASKER_H
#define UPSTREAM_ASKER_H

#include "buf.h"
#include "script.h"
#include "verdict.h"

#include <stdbool.h>
#include <stdint.h>

/* Set the first five; the script and the verdict belong to the caller. */
struct asker {
    struct script *script;
    struct verdict *verdict;
    uint64_t count;   /* questions to ask in all, 0 = no end */
    uint64_t window;  /* most questions open at a time, 1 to VERDICT_OPEN_MAX */
    double period_ns; /* between two questions, 0 = as fast as answered */
    double due_ns;
};

/* Adds all the questions that are due to `out`, one frame each, so that one
 * send carries them. Times are of one steady clock, in nanoseconds. */
void asker_run(struct asker *a, struct buf *out, uint64_t now_ns);

/* Adds every open question again: `out` leads to a new connection. */
void asker_again(struct asker *a, struct buf *out, uint64_t now_ns);

/* When asker_run() will next have something to do by time alone; UINT64_MAX
 * if only an answer can bring that about. */
uint64_t asker_wake(const struct asker *a);

/* Whether all of `count` are asked. */
bool asker_done(const struct asker *a);

#endif
