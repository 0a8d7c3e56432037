/* Requests of some shapes, the typical one first. */
#ifndef FXWIRE_TESTS_BENCH_SHAPES_H
#define FXWIRE_TESTS_BENCH_SHAPES_H

#include <stddef.h>

enum { SHAPES = 11, SHAPE_MAX_BYTES = 65536, SHAPE_ID_BYTES = 3 };

#define SHAPE_DAY "2021-05-18"

struct shape {
    const char *name;
    size_t len;
    char text[SHAPE_MAX_BYTES]; /* padded */
    const char *earlier; /* a message with values of other lengths, or NULL */
    char *moment;        /* a digit of its date, another one in each, or NULL */
};

void shapes_make(struct shape shapes[static SHAPES]);

#endif
