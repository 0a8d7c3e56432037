/* Incremental UTF-8 validation (RFC 3629), for text that comes in pieces. */
#ifndef FXWIRE_COMMON_UTF8_H
#define FXWIRE_COMMON_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/span.h"

/* All zero at the start of a text. */
struct utf8 {
    uint8_t missing; /* continuation bytes that must still come */
    uint8_t lowest;  /* bounds of the next one */
    uint8_t highest;
};

/* Whether it is ASCII: then it is UTF-8 as a whole. */
bool utf8_is_ascii(struct span text);

/* Takes the next piece; false: this text can not be UTF-8 any more. */
MUST_CHECK bool utf8_feed(struct utf8 *state, struct span piece);

/* Whether the text may end here. */
static inline bool utf8_complete(const struct utf8 *state) {
    return state->missing == 0;
}

/* The bytes of the character that the text begins with; 0: it is none. */
size_t utf8_char_len(struct span text);

/* The text without the byte order mark that some editors put before it. */
struct span utf8_without_mark(struct span text);

/*
 * Whether a text is UTF-16, as some editors save it: by the mark before it, or
 * as its first character is one of ASCII.
 */
bool utf8_is_utf16(struct span text);

/* What to do about that, for people. */
#define UTF8_SAVE_AS "is UTF-16; save it as UTF-8"

#endif
