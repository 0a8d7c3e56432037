/*
 * The messages of one sender are mostly alike: the bytes between their values,
 * names and all, are the same. A text of a known shape need not be scanned: it
 * is enough that those bytes are there, and that what stands between them are
 * strings and numbers as there were. Then it is JSON as the known one was, with
 * the same fields at the same places among the values.
 */
#ifndef FXWIRE_COMMON_JSON_SHAPE_H
#define FXWIRE_COMMON_JSON_SHAPE_H

#include <stdint.h>

#include "common/json_plain.h"
#include "common/json_scan.h"

/* A text that is longer, or has more values or fields, is not kept. */
enum { JSON_SHAPE_BYTES = 512, JSON_SHAPE_VALUES = 32, JSON_SHAPE_FIELDS = 8 };

/* Bytes of the text between two values, and what the second of them is. */
struct json_literal {
    uint16_t at, len;
    uint16_t last_step; /* a bit for each of its bytes in the last one */
    uint8_t next;       /* JSON_STRING (its quotes belong to the literals) or
                                  JSON_NUMBER; JSON_ABSENT behind the last one */
};

/* A place in the text: so far behind the beginning of a literal. */
struct json_place {
    uint16_t literal, offset;
};

/* All zero: none is known. */
struct json_shape {
    size_t literal_count, field_count;
    struct json_literal literals[JSON_SHAPE_VALUES + 1];
    struct {
        struct json_found found; /* but for its text: */
        struct json_place start, end;
    } fields[JSON_SHAPE_FIELDS];
    char text[JSON_SHAPE_BYTES + JSON_STEP]; /* a step can be loaded from it */
};

/*
 * Keeps the shape of a JSON object in which json_scan() has found these fields;
 * or none, if it is beyond the bounds. The string that begins at `fixed` (NULL:
 * none) is part of the shape, and not one of its values.
 */
void json_shape_learn(struct json_shape *shape, struct span text,
                      const struct json_found *found, size_t count,
                      const char *fixed);

/*
 * Whether `text` (valid UTF-8) is of that shape; then it is a JSON object, and
 * `found` is what json_scan() would find of the same fields.
 */
MUST_CHECK bool json_shape_match(const struct json_shape *shape,
                                 struct span text, struct json_found *found);

#endif
