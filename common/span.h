/* Text slices: bytes that somebody else owns. */
#ifndef FXWIRE_COMMON_SPAN_H
#define FXWIRE_COMMON_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* `len` bytes at `data`, not NUL-terminated, borrowed from their owner. */
struct span {
    const char *data;
    size_t len;
};

static inline struct span span_of(const char *text) {
    return (struct span){text, strlen(text)};
}

static inline bool span_equals(struct span span, const char *text) {
    return span.len == strlen(text) &&
           (span.len == 0 || memcmp(span.data, text, span.len) == 0);
}

static inline bool span_begins(struct span span, const char *text) {
    size_t len = strlen(text);
    return span.len >= len && memcmp(span.data, text, len) == 0;
}

/* The part of `span` from byte `at` on; `at` is not beyond its end. */
static inline struct span span_from(struct span span, size_t at) {
    if (at == 0)
        return span; /* of an empty one the data may be NULL */
    return (struct span){span.data + at, span.len - at};
}

#endif
