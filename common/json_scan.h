/*
 * A strict JSON scanner (RFC 8259) that builds nothing: one pass over the
 * bytes yields where the wanted values stand. It exists because requests come
 * back with the digits and bytes that they were sent with, which no parser
 * that builds values keeps.
 */
#ifndef FXWIRE_COMMON_JSON_SCAN_H
#define FXWIRE_COMMON_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/json_plain.h"
#include "common/span.h"

enum { JSON_MAX_DEPTH = 32, JSON_MAX_FIELDS = 64 };

enum json_kind {
    JSON_ABSENT,
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_BOOLEAN,
    JSON_NULL
};

/*
 * A member to look for: of the top-level object if `parent` is JSON_TOP, else
 * of the object that is the top-level member which the field of that index asks
 * for. Names are of 2 to 14 ASCII characters that need no escapes. Fields of
 * one parent stand next to each other, those of the top first.
 */
struct json_field {
    _Alignas(JSON_STEP) char text[JSON_STEP]; /* as most have it: NAME": */
    uint16_t other_bits;                      /* one for each byte behind it */
    uint8_t len;                              /* of the name */
    int8_t parent;
    const char *name;
};

enum { JSON_TOP = -1, JSON_NO_PARENT = -2 };

#define JSON_FIELD(parent, name)                                               \
    {                                                                          \
        name "\":", 0xFFFF & ~((1u << (sizeof(name) + 1)) - 1),                \
            sizeof(name) - 1, parent, name                                     \
    }

/* Stands behind the fields. */
#define JSON_FIELDS_END                                                        \
    { .parent = JSON_NO_PARENT }

/* Where the first member of that name stands; strings with their quotes. */
struct json_found {
    /* As large as a field, so that one's place tells the other's at once. */
    _Alignas(sizeof(struct json_field)) enum json_kind kind;
    bool duplicate;
    struct span text; /* of what is JSON_ABSENT: empty */
};

enum json_error {
    JSON_OK,
    JSON_SYNTAX,  /* not JSON */
    JSON_TOO_DEEP /* arrays and objects nested beyond JSON_MAX_DEPTH */
};

/*
 * Scans `text` (valid UTF-8, see utf8.h) and fills `found[i]` for `fields[i]`;
 * `top` is the kind of the top-level value. Names are compared after
 * unescaping. There are at most JSON_MAX_FIELDS. After an error, `found` holds
 * what was whole before the fault.
 */
MUST_CHECK enum json_error json_scan(struct span text,
                                     const struct json_field *fields,
                                     size_t count, struct json_found *found,
                                     enum json_kind *top);

/*
 * The same without a copy, of a text that is padded, see JSON_PADDING. It sets
 * no `text` of what is absent.
 */
MUST_CHECK enum json_error
json_scan_padded(struct span text, const struct json_field *fields,
                 size_t count, struct json_found *found, enum json_kind *top);

/* A padded copy of a text; the caller frees it. */
MUST_CHECK char *json_padded_copy(struct span text);

/* Whether a scanned string (with quotes) means exactly `plain` (ASCII). */
bool json_string_equals(struct span string, const char *plain);

/*
 * Unescapes a scanned string (with quotes) into `out` and returns its length;
 * -1 if it is longer than `size` or not ASCII.
 */
MUST_CHECK int json_string_copy(struct span string, char *out, size_t size);

#endif
