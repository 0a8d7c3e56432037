/*
 * Lines on their way from one process to another through a mapped file: one
 * puts them in, one takes them out, and neither makes a system call for it or
 * ever waits for the other. They outlive the kill of either. Bounded: what does
 * not fit is counted, in the file.
 */
#ifndef FXWIRE_COMMON_LINE_RING_H
#define FXWIRE_COMMON_LINE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/mapped_file.h"
#include "common/span.h"

struct line_ring_header;

/*
 * One side's view. Positions count all bytes that ever went through, those that
 * were left free at the end of a lap too.
 */
struct line_ring {
    struct mapped_file file;
    struct line_ring_header *header; /* in the file, as is the data */
    char *data;
    size_t bytes;   /* of the data */
    uint64_t head;  /* who puts: behind the last line */
    uint64_t start; /* and where the next one begins */
    uint64_t tail;  /* who puts: as it was when it was read last; who
                       takes: where the next line begins */
    unsigned puts;  /* so many, to choose a place for the next mark */
};

/*
 * For who puts: opens the ring in the file `path`, or makes it with room for
 * `bytes`, a multiple of 4096. A file that is none of ours, or of another
 * boot, is renamed to PATH.aside, and `*aside` says why, else it is NULL. -1
 * and errno: there can be none; EWOULDBLOCK: another process puts into it.
 */
MUST_CHECK int line_ring_open(struct line_ring *ring, const char *path,
                              size_t bytes, const char **aside) NONNULL_ALL;

/*
 * Room for a line of `bytes` at most, its line feed included. NULL: there is
 * none; it is counted as lost.
 */
MUST_CHECK char *line_ring_room(struct line_ring *ring,
                                size_t bytes) NONNULL_ALL;

/*
 * The line of `len` bytes that was written into the room is there now, all at
 * once, and with it its mark.
 */
void line_ring_put(struct line_ring *ring, size_t len,
                   uint64_t mark) NONNULL_ALL;

/* The mark of the last line that was put, by whomever; 0: none. */
uint64_t line_ring_mark(const struct line_ring *ring) NONNULL_ALL;

/* Forgets that mark. */
void line_ring_clear_mark(struct line_ring *ring) NONNULL_ALL;

/* So many more lines were lost. */
void line_ring_lose(struct line_ring *ring, uint64_t lines) NONNULL_ALL;

/* How many lines were lost that nobody was told of yet; now they are. */
uint64_t line_ring_take_lost(struct line_ring *ring) NONNULL_ALL;

/* Lets go of it; nothing is put until it is opened again. */
void line_ring_close(struct line_ring *ring) NONNULL_ALL;

/*
 * For who takes: false: there is no ring in that file, or not yet. Only one
 * process may take.
 */
MUST_CHECK bool line_ring_attach(struct line_ring *ring,
                                 const char *path) NONNULL_ALL;

/*
 * Whole lines that follow one another, lent; empty: there are none, or
 * positions that can not be.
 */
struct span line_ring_lines(struct line_ring *ring) NONNULL_ALL;

/* The first `len` bytes of these, whole lines, are done with. */
void line_ring_taken(struct line_ring *ring, size_t len) NONNULL_ALL;

/*
 * Before lines are appended to a file: which one, and how long it is. Should
 * that not come to its end, the next one who takes learns so, and can take
 * back what was appended.
 */
struct line_ring_append {
    uint64_t inode, size;
};
void line_ring_begin_append(struct line_ring *ring,
                            struct line_ring_append append) NONNULL_ALL;

/* Whether one was begun for lines that are still in the ring; gives it. */
MUST_CHECK bool
line_ring_unfinished_append(const struct line_ring *ring,
                            struct line_ring_append *append) NONNULL_ALL;

/*
 * The file has lost its name, and another has its place: goes on with that one.
 * If it is a copy of this, nothing is taken twice; if it is none, this one has
 * to be empty before. False: not (yet).
 */
MUST_CHECK bool line_ring_follow(struct line_ring *ring) NONNULL_ALL;

/*
 * Whether nobody puts into it any more and all is taken: its file was closed,
 * and is removed now, or has no name and no user.
 */
MUST_CHECK bool line_ring_retire(struct line_ring *ring) NONNULL_ALL;

/* Lets go of it. */
void line_ring_detach(struct line_ring *ring) NONNULL_ALL;

#endif
