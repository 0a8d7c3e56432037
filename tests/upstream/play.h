/* A script of somebody's own, a line a request or a fault: read, sent in its
 * order and its time, and its answers judged. */
#ifndef UPSTREAM_PLAY_H
#define UPSTREAM_PLAY_H

#include "buf.h"
#include "ecb.h"
#include "expect.h"
#include "fault.h"
#include "tally.h"

#include <stdbool.h>
#include <stdint.h>

struct play_line {
    double at;  /* not before this second, less than 0: at once */
    char *text; /* what is sent; NULL: a fault */
    size_t len;
    struct expect expect;
    struct fault fault;
    uint64_t number; /* the tally's */
    uint64_t asked_ns;
    bool open;
};

/* Set the first six and leave the rest zero. */
struct play {
    struct tally *tally;
    const struct ecb *ecb; /* NULL: every request says what it expects */
    const char *name;      /* of the file, for what is wrong with it */
    bool same_date;        /* answers keep the date of their request */
    uint64_t window;       /* most questions open at a time */
    double period_ns;      /* between two questions, 0 = none */
    struct buf unread;
    unsigned line_number;
    unsigned bad; /* lines that are no use, told on stderr */
    bool ended;   /* nothing more will be fed */
    struct play_line *line;
    size_t count;
    size_t next;
    size_t first_open;
    uint64_t open;
    double due_ns;
    uint64_t start_ns; /* 0: no client came yet */
};

/* Reads a piece of the script, once; sets `ended` at its end. */
void play_read(struct play *p, int fd);

/* Begins to count the seconds, if they do not run yet. */
void play_start(struct play *p, uint64_t now_ns);

/* Adds the requests that are due to `out`; NULL: there is no client. Stops at a
 * fault and gives it: do it, and call again. NULL: nothing more is due. */
const struct fault *play_run(struct play *p, struct buf *out, uint64_t now_ns);

/* Adds what is open and not known to be received: `out` leads to a new client.
 */
void play_again(struct play *p, struct buf *out, uint64_t now_ns);

/* When play_run() will next have something to do by time alone; `out` likewise.
 */
uint64_t play_wake(const struct play *p, const struct buf *out);

/* Whether all of it was sent and done. */
bool play_done(const struct play *p);

/* As verdict_judge(). */
bool play_judge(struct play *p, const char *text, size_t len, uint64_t now_ns);

void play_free(struct play *p);

#endif
