/*
 * What the fuzz targets share. A target is one file with
 * LLVMFuzzerTestOneInput(); libFuzzer calls it with what it makes of the seeds,
 * and replay.c with the seeds alone.
 */
#ifndef FXWIRE_TESTS_FUZZ_FUZZ_H
#define FXWIRE_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_plain.h"
#include "common/span.h"
#include "common/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold of every input; else what is said is shown. */
#define HOLDS(property, ...)                                                   \
    do {                                                                       \
        if (!(property)) {                                                     \
            fprintf(stderr, "%s:%d: not true: %s: ", __FILE__, __LINE__,       \
                    #property);                                                \
            fprintf(stderr, __VA_ARGS__);                                      \
            fputc('\n', stderr);                                               \
            abort();                                                           \
        }                                                                      \
    } while (0)

/* Of a span, for "%.*s". */
#define SPAN(span) (int)(span).len, (span).data

static inline struct span fuzz_text(const uint8_t *data, size_t size) {
    return (struct span){(const char *)data, size};
}

/* Takes the bytes up to the next `end` (or all) off the text, with it. */
static inline struct span fuzz_take(struct span *text, char end) {
    size_t len = 0;
    while (len < text->len && text->data[len] != end)
        len++;
    struct span taken = {text->data, len};
    *text = span_from(*text, len < text->len ? len + 1 : len);
    return taken;
}

/* The same bytes and a NUL; free() it. */
static inline char *fuzz_string(struct span text) {
    char *copy = malloc(text.len + 1);
    HOLDS(copy != NULL, "no memory");
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return copy;
}

/* The same bytes in memory of their own, so that a read beyond is seen. */
static inline struct span fuzz_copy(struct span text) {
    char *copy = malloc(text.len > 0 ? text.len : 1);
    HOLDS(copy != NULL, "no memory");
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    return (struct span){copy, text.len};
}

/* The same with a JSON text's padding: a NUL, and bytes that count for nothing.
 */
static inline struct span fuzz_padded(struct span text) {
    char *copy = malloc(text.len + JSON_PADDING);
    HOLDS(copy != NULL, "no memory");
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    memcpy(copy + text.len, "\0\":}],1.0e7\\u\"t", JSON_PADDING);
    return (struct span){copy, text.len};
}

static inline bool fuzz_is_utf8(struct span text) {
    struct utf8 utf8 = {0};
    return utf8_feed(&utf8, text) && utf8_complete(&utf8);
}

static inline bool fuzz_same(struct span one, struct span other) {
    return one.len == other.len &&
           (one.len == 0 || memcmp(one.data, other.data, one.len) == 0);
}

static inline bool fuzz_has(struct span text, const char *part) {
    return memmem(text.data, text.len, part, strlen(part)) != NULL;
}

/* Whether `inner` lies within `outer`. */
static inline bool fuzz_within(struct span inner, struct span outer) {
    return inner.data >= outer.data && inner.len <= outer.len &&
           (size_t)(inner.data - outer.data) <= outer.len - inner.len;
}

#endif
