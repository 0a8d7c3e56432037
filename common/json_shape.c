#include "common/json_shape.h"

#include "common/attributes.h"
#include "common/json_number.h"

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

static bool add_value(struct json_shape *shape, size_t at, size_t len,
                      enum json_kind kind) {
    if (shape->value_count == JSON_SHAPE_VALUES)
        return false;
    shape->values[shape->value_count++] =
        (struct json_value){(uint16_t)at, (uint16_t)len, (uint8_t)kind, false};
    return true;
}

/*
 * Finds the values of a JSON object but for the string `fixed`; false: there
 * are too many.
 */
static bool find_values(struct json_shape *shape, struct span text,
                        const char *fixed) {
    for (size_t at = 0, behind; at < text.len; at = behind) {
        char c = text.data[at];
        bool added = true;
        behind = at + 1;
        if (c == '"') {
            size_t quote = closing_quote(text, at);
            if (text.data + at != fixed && !is_name(text, quote))
                added = add_value(shape, at + 1, quote - at - 1, JSON_STRING);
            behind = quote + 1;
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            size_t len = strspn(text.data + at, "+-.0123456789Ee");
            added = add_value(shape, at, len, JSON_NUMBER);
            behind = at + len;
        }
        if (!added)
            return false;
    }
    return true;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* A digit may be any other one, but for a zero where it could not stand. */
static void allow_digits(struct json_shape *shape, struct span text,
                         struct json_value value) {
    for (size_t i = value.at; i < (size_t)value.at + value.len; i++) {
        bool leads = (i == value.at || text.data[i - 1] == '-') &&
                     is_digit(text.data[i + 1]);
        if (!is_digit(text.data[i]))
            continue;
        shape->lowest[i] = leads ? '1' : '0';
        shape->more[i] = (uint8_t)('9' - shape->lowest[i]);
    }
}

/* A plain byte may be any other one of its range; of three, as they are cut by
 * the quote and the backslash. */
static void allow_plain(struct json_shape *shape, struct span text,
                        struct json_value value) {
    for (size_t i = value.at; i < (size_t)value.at + value.len; i++) {
        uint8_t c = (uint8_t)text.data[i];
        uint8_t lowest = c < '"' ? ' ' : c < '\\' ? '"' + 1 : '\\' + 1;
        uint8_t highest = c < '"' ? '"' - 1 : c < '\\' ? '\\' - 1 : 0xFF;
        shape->lowest[i] = lowest;
        shape->more[i] = (uint8_t)(highest - lowest);
    }
}

/* What each byte may be: that which it is, if it is of no value. */
static void allow_bytes(struct json_shape *shape, struct span text) {
    memcpy(shape->lowest, text.data, text.len);
    for (size_t i = 0; i < shape->value_count; i++) {
        struct json_value *value = &shape->values[i];
        const char *start = text.data + value->at;
        if (value->kind == JSON_NUMBER)
            allow_digits(shape, text, *value);
        else if (memchr(start, '\\', value->len) == NULL)
            allow_plain(shape, text, *value);
        else
            value->differs = true;
    }
}

/* Adds a step that begins there, of the bytes before `end`. */
static void add_step(struct json_runs *runs, const struct json_shape *shape,
                     size_t at, size_t end) {
    struct json_step *step = &runs->steps[runs->step_count++];
    for (size_t i = 0; i < JSON_STEP; i++) {
        bool counts = at + i < end;
        step->lowest[i] = counts ? shape->lowest[at + i] : 0;
        step->more[i] = counts ? shape->more[at + i] : UINT8_MAX;
    }
}

static void add_run(struct json_runs *runs, const struct json_shape *shape,
                    size_t start, size_t end, enum json_kind next) {
    size_t len = end - start;
    size_t last = len > JSON_STEP ? len - JSON_STEP : 0;
    runs->runs[runs->count++] = (struct json_run){
        .at = (uint16_t)start,
        .len = (uint16_t)len,
        .first_step = (uint16_t)runs->step_count,
        .last_step_at = (uint16_t)last,
        .next = (uint8_t)next,
    };
    add_step(runs, shape, start + last, end);
    for (size_t at = start; at < start + last; at += JSON_STEP)
        add_step(runs, shape, at, end);
}

/* The last run that begins at this place of the text or before it. */
static struct json_place place_of(const struct json_runs *runs, size_t at) {
    size_t i = runs->count - 1;
    while (runs->runs[i].at > at)
        i--;
    return (struct json_place){(uint16_t)i, (uint16_t)(at - runs->runs[i].at)};
}

/* The runs between all values, or between those that differ. */
static void find_runs(struct json_runs *runs, const struct json_shape *shape,
                      bool all) {
    size_t start = 0;
    runs->count = runs->step_count = 0;
    for (size_t i = 0; i < shape->value_count; i++) {
        struct json_value value = shape->values[i];
        if (!all && !value.differs)
            continue;
        add_run(runs, shape, start, value.at, (enum json_kind)value.kind);
        start = (size_t)value.at + value.len;
    }
    add_run(runs, shape, start, shape->text_len, JSON_ABSENT);
    for (size_t i = 0; i < shape->field_count; i++) {
        runs->fields[i].found.kind = shape->fields[i].kind;
        runs->fields[i].found.duplicate = shape->fields[i].duplicate;
        runs->fields[i].start = place_of(runs, shape->fields[i].start);
        runs->fields[i].end = place_of(runs, shape->fields[i].end);
    }
}

void json_shape_learn(struct json_shape *shape, struct span text,
                      const struct json_found *found, size_t count,
                      const char *fixed) {
    *shape = (struct json_shape){.text_len = text.len, .field_count = count};
    if (text.len > JSON_SHAPE_BYTES || count > JSON_SHAPE_FIELDS ||
        !find_values(shape, text, fixed))
        return;
    allow_bytes(shape, text);
    for (size_t i = 0; i < count; i++) {
        shape->fields[i].kind = found[i].kind;
        shape->fields[i].duplicate = found[i].duplicate;
        if (found[i].kind == JSON_ABSENT)
            continue;
        shape->fields[i].start = (size_t)(found[i].text.data - text.data);
        shape->fields[i].end = shape->fields[i].start + found[i].text.len;
    }
    find_runs(&shape->usual, shape, false);
    find_runs(&shape->loose, shape, true);
}

static inline json_bytes load_step(const char *at) {
    json_bytes bytes;
    memcpy(&bytes, at, sizeof bytes);
    return bytes;
}

/* All ones for each byte that is allowed. */
static inline json_bytes allowed(const char *at, const struct json_step *step) {
    return (json_bytes)(load_step(at) - step->lowest <= step->more);
}

/* Whether the text, which is long enough, goes on with the run. */
static inline bool goes_on_with(const struct json_run *run,
                                const struct json_step *step, const char *at) {
    const char *last = at + run->last_step_at;
    json_bytes good = allowed(last, step);
    for (; at < last; at += JSON_STEP)
        good &= allowed(at, ++step);
    return json_is_all_ones(good);
}

/*
 * Behind a run and the value that follows it; NULL: the text goes on in another
 * way.
 */
static ALWAYS_INLINE const char *pass(const struct json_run *run,
                                      const struct json_step *step,
                                      const char *at, const char *end) {
    if (end - at < run->len || !goes_on_with(run, step, at))
        return NULL;
    at += run->len;
    if (run->next == JSON_NUMBER)
        return json_number_end(at);
    return run->next == JSON_STRING ? json_plain_end(at) : at;
}

/* Finds where the runs are; false: the text is of another shape. */
static ALWAYS_INLINE bool find_starts(const struct json_runs *runs,
                                      struct span text, const char **starts) {
    const char *at = text.data, *end = at + text.len;
    const struct json_run *run = runs->runs, *behind = run + runs->count;
    for (; run < behind; run++) {
        *starts++ = at;
        at = pass(run, runs->steps + run->first_step, at, end);
        if (at == NULL)
            return false;
    }
    return at == end;
}

/* Whether a value is of the form that was known. */
static bool is_alike(const struct json_shape *shape, struct json_value value,
                     const char *start, const char *end) {
    size_t i = 0;
    if (end - start != value.len)
        return false;
    while (i < value.len &&
           (uint8_t)((uint8_t)start[i] - shape->lowest[value.at + i]) <=
               shape->more[value.at + i])
        i++;
    return i == value.len;
}

/* Learns which values of a text, whose runs begin there, are of another form.
 */
static NOINLINE void widen(struct json_shape *shape, const char **starts) {
    const struct json_run *runs = shape->loose.runs;
    for (size_t i = 0; i < shape->value_count; i++)
        if (!is_alike(shape, shape->values[i], starts[i] + runs[i].len,
                      starts[i + 1]))
            shape->values[i].differs = true;
    find_runs(&shape->usual, shape, false);
}

static inline const char *place_in(struct json_place place,
                                   const char *const *starts) {
    return starts[place.run] + place.offset;
}

static inline void find_fields(const struct json_runs *runs, size_t count,
                               const char *const *starts,
                               struct json_found *found) {
    for (size_t i = 0; i < count; i++) {
        const char *start = place_in(runs->fields[i].start, starts);
        const char *end = place_in(runs->fields[i].end, starts);
        memcpy(&found[i], &runs->fields[i].found,
               offsetof(struct json_found, text));
        found[i].text = (struct span){start, (size_t)(end - start)};
    }
}

/* With each value looked at alone. */
static NOINLINE bool match_loosely(struct json_shape *shape, struct span text,
                                   struct json_found *found) {
    const char *starts[JSON_SHAPE_VALUES + 1];
    if (!find_starts(&shape->loose, text, starts))
        return false;
    widen(shape, starts);
    find_fields(&shape->loose, shape->field_count, starts, found);
    return true;
}

bool json_shape_match(struct json_shape *shape, struct span text,
                      struct json_found *found) {
    const char *starts[JSON_SHAPE_VALUES + 1]; /* of the runs, here */
    if (shape->usual.count == 0)
        return false;
    if (!find_starts(&shape->usual, text, starts))
        return match_loosely(shape, text, found);
    find_fields(&shape->usual, shape->field_count, starts, found);
    return true;
}
