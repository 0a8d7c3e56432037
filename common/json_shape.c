#include "common/json_shape.h"

#include "common/json_number.h"

/* The last literal that begins at this place of the text or before it. */
static struct json_place place_of(const struct json_shape *shape, size_t at) {
    size_t i = shape->literal_count - 1;
    while (shape->literals[i].at > at)
        i--;
    return (struct json_place){(uint16_t)i,
                               (uint16_t)(at - shape->literals[i].at)};
}

enum { ALL_OF_STEP = (1 << JSON_STEP) - 1 };

/* Ends a literal that began at `start`; false: there are too many. */
static bool add_literal(struct json_shape *shape, size_t start, size_t end,
                        enum json_kind next) {
    if (shape->literal_count > JSON_SHAPE_VALUES)
        return false;
    size_t len = end - start;
    size_t rest = len > 0 ? (len - 1) % JSON_STEP + 1 : 0;
    shape->literals[shape->literal_count++] =
        (struct json_literal){.at = (uint16_t)start,
                              .len = (uint16_t)len,
                              .last_step = (uint16_t)((1u << rest) - 1),
                              .next = (uint8_t)next};
    return true;
}

/* The closing quote of the string that begins at `at`. */
static size_t closing_quote(struct span text, size_t at) {
    for (at++; text.data[at] != '"'; at++)
        if (text.data[at] == '\\')
            at++;
    return at;
}

/* Whether the string that ends at `quote` is a name. */
static bool is_name(struct span text, size_t quote) {
    size_t at = quote + 1;
    while (strchr(" \t\r\n", text.data[at]) != NULL)
        at++;
    return text.data[at] == ':';
}

/*
 * Finds the literals of a JSON object, one of which has the string `fixed`;
 * false: there are too many.
 */
static bool cut(struct json_shape *shape, struct span text, const char *fixed) {
    size_t start = 0, at = 0;
    while (at < text.len) {
        char c = text.data[at];
        if (c == '"') {
            size_t quote = closing_quote(text, at);
            if (text.data + at != fixed && !is_name(text, quote)) {
                if (!add_literal(shape, start, at + 1, JSON_STRING))
                    return false;
                start = quote;
            }
            at = quote + 1;
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            if (!add_literal(shape, start, at, JSON_NUMBER))
                return false;
            at += strspn(text.data + at, "+-.0123456789Ee");
            start = at;
        } else {
            at++;
        }
    }
    return add_literal(shape, start, at, JSON_ABSENT);
}

void json_shape_learn(struct json_shape *shape, struct span text,
                      const struct json_found *found, size_t count,
                      const char *fixed) {
    *shape = (struct json_shape){.field_count = count};
    if (text.len > JSON_SHAPE_BYTES || count > JSON_SHAPE_FIELDS)
        return;
    memcpy(shape->text, text.data, text.len);
    if (!cut(shape, text, fixed)) {
        shape->literal_count = 0;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        shape->fields[i].found = found[i];
        if (found[i].kind == JSON_ABSENT)
            continue;
        size_t start = (size_t)(found[i].text.data - text.data);
        shape->fields[i].start = place_of(shape, start);
        shape->fields[i].end = place_of(shape, start + found[i].text.len);
    }
}

/* Near the end of a text, where no step can be loaded; mostly a few bytes. */
static inline bool is_followed_by(const char *at, const char *end,
                                  const char *bytes, size_t len) {
    if ((size_t)(end - at) < len)
        return false;
    size_t same = 0;
    while (same < len && at[same] == bytes[same])
        same++;
    return same == len;
}

/*
 * Whether the text goes on with these bytes: by steps, of which one can be
 * loaded from behind them, here and there.
 */
static inline bool goes_on_with(const char *at, const char *bytes,
                                const struct json_literal *literal) {
    size_t len = literal->len;
    for (; len > JSON_STEP; len -= JSON_STEP) {
        if (~json_same_in_step(at, bytes) & ALL_OF_STEP)
            return false;
        at += JSON_STEP;
        bytes += JSON_STEP;
    }
    return (~json_same_in_step(at, bytes) & literal->last_step) == 0;
}

/* The end of the plain stretch at `at`, from where a step can be loaded. */
static inline const char *string_end(const char *at, const char *end) {
    size_t plain = json_plain_in_step(at);
    return plain < JSON_STEP ? at + plain
                             : json_plain_end_behind_step(at + plain, end);
}

/*
 * Behind a literal and the value that follows it; NULL: the text goes on in
 * another way.
 */
static inline const char *pass(const struct json_literal *literal,
                               const char *bytes, const char *at,
                               const char *end) {
    const char *value = at + literal->len;
    if (end - value < JSON_STEP) {
        if (!is_followed_by(at, end, bytes, literal->len))
            return NULL;
        return literal->next == JSON_STRING ? json_plain_end(value, end)
                                            : json_number_end(value, end);
    }
    if (!goes_on_with(at, bytes, literal))
        return NULL;
    return literal->next == JSON_STRING ? string_end(value, end)
                                        : json_number_end_in_step(value, end);
}

/* Finds where the literals are; false: the text is of another shape. */
static inline bool find_literals(const struct json_shape *shape,
                                 struct span text, const char **starts) {
    const char *at = text.data, *end = at + text.len;
    if (shape->literal_count == 0)
        return false;
    const struct json_literal *literal = shape->literals,
                              *last = literal + shape->literal_count - 1;
    for (; literal < last; literal++) {
        *starts++ = at;
        at = pass(literal, shape->text + literal->at, at, end);
        if (at == NULL)
            return false;
    }
    *starts = at;
    return end - at == last->len &&
           is_followed_by(at, end, shape->text + last->at, last->len);
}

bool json_shape_match(const struct json_shape *shape, struct span text,
                      struct json_found *found) {
    const char *starts[JSON_SHAPE_VALUES + 1]; /* of the literals, here */
    if (!find_literals(shape, text, starts))
        return false;
    for (size_t i = 0; i < shape->field_count; i++) {
        struct json_place first = shape->fields[i].start;
        struct json_place behind = shape->fields[i].end;
        const char *start = starts[first.literal] + first.offset;
        found[i] = shape->fields[i].found;
        found[i].text.data = start;
        found[i].text.len =
            (size_t)(starts[behind.literal] + behind.offset - start);
    }
    return true;
}
