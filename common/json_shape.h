/*
 * The messages of one sender are mostly alike: the bytes between their values,
 * names and all, are the same. A text of a known shape need not be scanned: it
 * is enough that those bytes are there, and that what stands between them are
 * strings and numbers as there were. Then it is JSON as the known one was, with
 * the same fields at the same places among the values.
 *
 * A value of the same form each time, such as a date, is looked at together
 * with the bytes around it: each of its bytes has to be of the kind that was
 * there (a digit for a digit). Once it is found in another form, its end has to
 * be looked for in each text.
 */
#ifndef FXWIRE_COMMON_JSON_SHAPE_H
#define FXWIRE_COMMON_JSON_SHAPE_H

#include <stdint.h>

#include "common/json_plain.h"
#include "common/json_scan.h"

/* A text that is longer, or has more values or fields, is not kept. */
enum { JSON_SHAPE_BYTES = 512, JSON_SHAPE_VALUES = 32, JSON_SHAPE_FIELDS = 8 };

/* What the bytes of a step may be: from `lowest` on, `more` beyond it. */
struct json_step {
    json_bytes lowest, more;
};

/*
 * Bytes up to a value whose end has to be looked for: some steps from the first
 * byte on, and one up to the last byte (or from the first on, if it is shorter
 * than a step). That one stands before the others.
 */
struct json_run {
    uint16_t at, len; /* in the known text */
    uint16_t first_step, last_step_at;
    uint8_t next; /* JSON_STRING (its quotes belong to the runs) or JSON_NUMBER;
                     JSON_ABSENT behind the last run */
};

/* A place in the text: so far behind the beginning of a run. */
struct json_place {
    uint16_t run, offset;
};

struct json_runs {
    size_t count, step_count;
    struct json_run runs[JSON_SHAPE_VALUES + 1];
    struct json_step
        steps[JSON_SHAPE_BYTES / JSON_STEP + JSON_SHAPE_VALUES + 1];
    struct {
        struct json_found found; /* but for its text: */
        struct json_place start, end;
    } fields[JSON_SHAPE_FIELDS];
};

/* A string's inside, or a number. */
struct json_value {
    uint16_t at, len;
    uint8_t kind;
    bool differs; /* in length, or in the kinds of its bytes */
};

/* All zero: none is known. */
struct json_shape {
    size_t text_len, value_count, field_count;
    uint8_t lowest[JSON_SHAPE_BYTES], more[JSON_SHAPE_BYTES];
    struct json_value values[JSON_SHAPE_VALUES];
    struct {
        enum json_kind kind;
        bool duplicate;
        size_t start, end;
    } fields[JSON_SHAPE_FIELDS];
    struct json_runs usual; /* each of them up to a value that differs */
    struct json_runs loose; /* up to any value */
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
 * Whether `text` (valid UTF-8, padded) is of that shape; then it is a JSON
 * object, and `found` is what json_scan() would find of the same fields.
 */
MUST_CHECK bool json_shape_match(struct json_shape *shape, struct span text,
                                 struct json_found *found);

#endif
