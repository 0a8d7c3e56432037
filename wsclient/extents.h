/*
 * Room in a fixed stretch of memory, kept so that it can be read again after
 * a kill at any instruction: the stretch is a row of extents without gaps,
 * each of which begins with one word that says how long it is and what it
 * holds. Each step is one store of such a word. Pure.
 */
#ifndef FXWIRE_WSCLIENT_EXTENTS_H
#define FXWIRE_WSCLIENT_EXTENTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EXTENT_UNIT = 16, /* all sizes are multiples of it */
    EXTENT_FREE = 0   /* the mark of an extent that holds nothing */
};

/* Begins each extent: its size in bytes, and a mark below EXTENT_UNIT. */
struct extent {
    _Atomic uint64_t word;
};

struct extents {
    char *base;
    size_t bytes;
    size_t limit; /* no more than so much is given out */
    size_t used;
    size_t rover;     /* where the next search begins */
    size_t too_large; /* there was no room for this since the last release */
};

/* Makes the stretch one free extent; `bytes` is a multiple of EXTENT_UNIT. */
void extents_format(char *base, size_t bytes);

/*
 * Takes over a stretch that was formatted once. False: it is no row of
 * extents.
 */
bool extents_open(struct extents *extents, char *base, size_t bytes,
                  size_t limit);

/* The stretch goes on behind its end for so many more bytes. */
void extents_grow(struct extents *extents, size_t more_bytes);

/*
 * Finds room for `*size` bytes, the word included, and gives the size that it
 * has in fact. It stays free until it is marked; only one may be so at a
 * time. NULL: there is no room.
 */
struct extent *extents_find(struct extents *extents, size_t *size);

/* Whether there would be room for `size` bytes if nothing were taken. */
bool extents_could_hold(const struct extents *extents, size_t size);

/* Marks what was found; all that was written to it before is then in it. */
void extents_take(struct extents *extents, struct extent *extent, size_t size,
                  unsigned mark);

/* Gives one that is taken another mark, with all that was written before. */
void extents_mark(struct extent *extent, unsigned mark);

void extents_release(struct extents *extents, struct extent *extent);

/* The first one, and the one behind `extent`; NULL: there is none. */
struct extent *extents_first(const struct extents *extents);
struct extent *extents_next(const struct extents *extents,
                            const struct extent *extent);

static inline unsigned extent_mark(const struct extent *extent) {
    return (unsigned)atomic_load_explicit(&extent->word, memory_order_relaxed) %
           EXTENT_UNIT;
}

static inline size_t extent_size(const struct extent *extent) {
    return atomic_load_explicit(&extent->word, memory_order_relaxed) /
           EXTENT_UNIT * EXTENT_UNIT;
}

#endif
