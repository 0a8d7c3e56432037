/*
 * Room in a fixed stretch of memory, kept so that it can be read again after
 * a kill at any instruction: the stretch is a row of extents without gaps,
 * each of which begins with one word that says how long it is and what it
 * holds. Each step is one store of such a word. Pure.
 */
#ifndef FXWIRE_WSCLIENT_LEDGER_ROOM_H
#define FXWIRE_WSCLIENT_LEDGER_ROOM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"

enum {
    EXTENT_UNIT = 16, /* all sizes are multiples of it */
    EXTENT_FREE = 0   /* the mark of an extent that holds nothing */
};

/* Begins each extent: its size in bytes, and a mark below EXTENT_UNIT. */
struct extent {
    _Atomic uint64_t word;
};

struct ledger_room {
    char *base;
    size_t bytes;
    size_t limit; /* no more than so much is given out */
    size_t used;
    size_t rover;     /* where the next search begins */
    size_t too_large; /* there was no room for this since the last release */
};

/* Makes the stretch one free extent; `bytes` is a multiple of EXTENT_UNIT. */
void ledger_room_format(struct ledger_room *room, char *base, size_t bytes,
                        size_t limit) NONNULL_ALL;

/*
 * Takes over a stretch that was formatted once. False: it is no row of
 * extents.
 */
MUST_CHECK bool ledger_room_open(struct ledger_room *room, char *base,
                                 size_t bytes, size_t limit) NONNULL_ALL;

/* The stretch goes on behind its end for so many more bytes. */
void ledger_room_grow(struct ledger_room *room, size_t more_bytes);

/* The stretch, in which nothing is taken, ends after so many bytes. */
void ledger_room_shrink(struct ledger_room *room, size_t bytes) NONNULL_ALL;

/*
 * Finds room for `*size` bytes, the word included, and gives the size that it
 * has in fact. It stays free until it is marked; only one may be so at a
 * time. NULL: there is no room.
 */
MUST_CHECK struct extent *ledger_room_find(struct ledger_room *room,
                                           size_t *size);

/* Whether the limit allows that so many bytes more are given out now. */
bool ledger_room_may_give(const struct ledger_room *room,
                          size_t size) NONNULL_ALL;

/*
 * Whether `size` bytes would be given out if nothing were taken, and the
 * stretch were as long as its limit.
 */
bool ledger_room_could_hold(const struct ledger_room *room, size_t size);

/* Marks what was found; all that was written to it before is then in it. */
void ledger_room_take(struct ledger_room *room, struct extent *extent,
                      size_t size, unsigned mark);

/* Gives one that is taken another mark, with all that was written before. */
void ledger_room_set_mark(struct extent *extent, unsigned mark);

void ledger_room_release(struct ledger_room *room, struct extent *extent);

/* The first one, and the one behind `extent`; NULL: there is none. */
struct extent *ledger_room_first(const struct ledger_room *room);
struct extent *ledger_room_next(const struct ledger_room *room,
                                const struct extent *extent);

static inline unsigned ledger_room_mark_of(const struct extent *extent) {
    return (unsigned)atomic_load_explicit(&extent->word, memory_order_relaxed) %
           EXTENT_UNIT;
}

static inline size_t ledger_room_size_of(const struct extent *extent) {
    return atomic_load_explicit(&extent->word, memory_order_relaxed) /
           EXTENT_UNIT * EXTENT_UNIT;
}

#endif
