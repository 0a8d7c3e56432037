/*
 * Objects whose members are asked for are the top and members of it: for these
 * scan_members() and its parts call each other. What is in other containers is
 * passed over by one loop. Each scan_ function begins at its value's first byte
 * and gives the place behind its last one; NULL, with the scanner's `error`
 * set, if it is none.
 */
#include "common/json_scan.h"

#include "common/json_number.h"

/* Before `steps_end` a quote, a step and one more byte are there. */
struct bounds {
    const char *end, *steps_end;
};

struct scanner {
    struct bounds bounds;
    const struct json_field *fields, *fields_end;
    struct json_found *found;
    uint64_t seen; /* a bit for each that is found */
    enum json_error error;
};

/* Fields of one object, and which of them is expected next. */
struct range {
    const struct json_field *first, *behind, *expected;
};

/*
 * Where a member's value begins, white space before it perhaps, and the field
 * that it is, or NULL.
 */
struct member {
    const char *value; /* NULL: there is none */
    const struct json_field *field;
};

/* What a value is, by its first byte. */
static const uint8_t kinds[256] = {
    ['{'] = JSON_OBJECT,  ['['] = JSON_ARRAY,   ['"'] = JSON_STRING,
    ['t'] = JSON_BOOLEAN, ['f'] = JSON_BOOLEAN, ['n'] = JSON_NULL,
    ['-'] = JSON_NUMBER,  ['0'] = JSON_NUMBER,  ['1'] = JSON_NUMBER,
    ['2'] = JSON_NUMBER,  ['3'] = JSON_NUMBER,  ['4'] = JSON_NUMBER,
    ['5'] = JSON_NUMBER,  ['6'] = JSON_NUMBER,  ['7'] = JSON_NUMBER,
    ['8'] = JSON_NUMBER,  ['9'] = JSON_NUMBER,
};

/* What a byte means behind a backslash; 0: nothing, or it is `u`. */
static const char meanings[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

/* JSON_ABSENT: no value begins so. */
static inline enum json_kind kind_at(const char *at, const char *end) {
    return at < end ? (enum json_kind)kinds[(unsigned char)*at] : JSON_ABSENT;
}

static const char *fail(struct scanner *s, enum json_error error) {
    s->error = error;
    return NULL;
}

static NOINLINE const char *skip_any_white(const char *at, const char *end) {
    while (end - at >= JSON_STEP) {
        size_t white = json_white_in_step(at);
        at += white;
        if (white < JSON_STEP)
            return at;
    }
    while (at < end && json_is_white(*at))
        at++;
    return at;
}

/* Mostly there is none, which is seen at once. */
static inline const char *skip_white(const char *at, const char *end) {
    return at < end && (unsigned char)*at <= ' ' ? skip_any_white(at, end) : at;
}

static inline bool stands_at(const char *at, const char *end, char wanted) {
    return at < end && *at == wanted;
}

/* Whether it does, behind white space perhaps; then `at` is there. */
static inline bool find_mark(const char **at, const char *end, char wanted) {
    *at = skip_white(*at, end);
    return stands_at(*at, end, wanted);
}

/* The value of a hexadecimal digit, and 16 to say that it is one. */
static const uint8_t hex_digits[256] = {
    ['0'] = 16, ['1'] = 17, ['2'] = 18, ['3'] = 19, ['4'] = 20, ['5'] = 21,
    ['6'] = 22, ['7'] = 23, ['8'] = 24, ['9'] = 25, ['a'] = 26, ['b'] = 27,
    ['c'] = 28, ['d'] = 29, ['e'] = 30, ['f'] = 31, ['A'] = 26, ['B'] = 27,
    ['C'] = 28, ['D'] = 29, ['E'] = 30, ['F'] = 31,
};

/* The value of four, or -1. */
static inline int hex_unit(const char *at) {
    const unsigned char *c = (const unsigned char *)at;
    int a = hex_digits[c[0]], b = hex_digits[c[1]];
    int d = hex_digits[c[2]], e = hex_digits[c[3]];
    int unit = (a & 15) << 12 | (b & 15) << 8 | (d & 15) << 4 | (e & 15);
    return (a & b & d & e & 16) != 0 ? unit : -1;
}

/* An escape from its backslash on, and what it means: a UTF-16 unit for \u. */
static inline const char *scan_escape(const char *at, const char *end,
                                      int *meaning) {
    if (end - at < 2)
        return NULL;
    if (at[1] != 'u') {
        *meaning = meanings[(unsigned char)at[1]];
        return *meaning != 0 ? at + 2 : NULL;
    }
    *meaning = end - at < 6 ? -1 : hex_unit(at + 2);
    return *meaning >= 0 ? at + 6 : NULL;
}

/* The rest of a string, from within it. */
static NOINLINE const char *scan_any_string(const char *at, const char *end) {
    int meaning;
    for (;;) {
        at = json_plain_end(at, end);
        if (!stands_at(at, end, '\\'))
            return stands_at(at, end, '"') ? at + 1 : NULL;
        do
            at = scan_escape(at, end, &meaning);
        while (at != NULL && stands_at(at, end, '\\'));
        if (at == NULL)
            return NULL;
    }
}

/* The same behind a step of it. */
static NOINLINE const char *scan_long_string(const char *at, const char *end) {
    at = json_plain_end_behind_step(at, end);
    return stands_at(at, end, '"') ? at + 1 : scan_any_string(at, end);
}

/* Most are short and plain: then one step is all. */
static inline const char *scan_string(const char *at, struct bounds bounds) {
    if (at >= bounds.steps_end)
        return scan_any_string(at + 1, bounds.end);
    size_t plain = json_plain_in_step(at + 1);
    at += 1 + plain;
    if (*at == '"')
        return at + 1;
    return plain == JSON_STEP ? scan_long_string(at, bounds.end)
                              : scan_any_string(at, bounds.end);
}

static inline const char *scan_number(const char *at, struct bounds bounds) {
    return at < bounds.steps_end ? json_number_end_in_step(at, bounds.end)
                                 : json_any_number_end(at, bounds.end);
}

static const char *scan_word(const char *at, const char *end, const char *word,
                             size_t len) {
    bool right = (size_t)(end - at) >= len && memcmp(at, word, len) == 0;
    return right ? at + len : NULL;
}

static const char *scan_literal(const char *at, const char *end) {
    if (stands_at(at, end, 't'))
        return scan_word(at, end, "true", 4);
    return stands_at(at, end, 'f') ? scan_word(at, end, "false", 5)
                                   : scan_word(at, end, "null", 4);
}

/* A value that is no container; NULL: it is no value. */
static inline const char *scan_scalar(enum json_kind kind, const char *at,
                                      struct bounds bounds) {
    if (kind == JSON_NUMBER)
        return scan_number(at, bounds);
    return kind == JSON_STRING ? scan_string(at, bounds)
                               : scan_literal(at, bounds.end);
}

/* The first bytes of a name. */
static inline uint32_t first_word(const char *at) {
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Whether this field's name, a quote and a colon stand there. */
static inline bool is_field_at(const struct json_field *field, const char *name,
                               uint32_t word) {
    return first_word(field->text) == word &&
           (~json_same_in_step(name, field->text) & field->text_bits) == 0;
}

static const struct json_field *find_any_field(struct range range,
                                               struct span string) {
    const struct json_field *field = range.first;
    while (field < range.behind && !json_string_equals(string, field->name))
        field++;
    return field < range.behind ? field : NULL;
}

/* A member from its name's quote on, whatever it is. */
static NOINLINE struct member
scan_any_name(const char *at, struct bounds bounds, struct range range) {
    const struct member none = {NULL, NULL};
    if (!stands_at(at, bounds.end, '"'))
        return none;
    const char *behind = scan_string(at, bounds);
    if (behind == NULL)
        return none;
    struct span string = {at, (size_t)(behind - at)};
    if (!find_mark(&behind, bounds.end, ':'))
        return none;
    return (struct member){behind + 1, find_any_field(range, string)};
}

static inline bool name_is_in_reach(const char *at, struct bounds bounds) {
    return at < bounds.steps_end && *at == '"';
}

/* One in reach that is not the expected one; it is short and plain, mostly. */
static ALWAYS_INLINE struct member scan_unexpected_name(const char *at,
                                                        struct bounds bounds,
                                                        struct range range,
                                                        uint32_t word) {
    const char *name = at + 1;
    size_t len = json_plain_in_step(name);
    if (len > JSON_STEP - 2 || memcmp(name + len, "\":", 2) != 0)
        return scan_any_name(at, bounds, range);
    for (; range.first < range.behind; range.first++)
        if (is_field_at(range.first, name, word))
            return (struct member){name + len + 2, range.first};
    return (struct member){name + len + 2, NULL};
}

/*
 * A member's name and its colon, white space before it perhaps. Members come in
 * the order of the fields more often than not, with the colon next to the name:
 * then one comparison is all.
 */
static ALWAYS_INLINE struct member
scan_name(const char *at, struct bounds bounds, struct range range) {
    if (!name_is_in_reach(at, bounds)) {
        at = skip_white(at, bounds.end);
        if (!name_is_in_reach(at, bounds))
            return scan_any_name(at, bounds, range);
    }
    uint32_t word = first_word(at + 1);
    if (range.expected == range.behind ||
        !is_field_at(range.expected, at + 1, word))
        return scan_unexpected_name(at, bounds, range, word);
    return (struct member){at + 1 + range.expected->len + 2, range.expected};
}

/* A value's kind, behind white space perhaps; then `at` is there. */
static inline enum json_kind find_kind(const char **at, const char *end) {
    enum json_kind kind = kind_at(*at, end);
    if (kind != JSON_ABSENT)
        return kind;
    if (stands_at(*at, end, ' '))
        ++*at; /* mostly that is all */
    *at = skip_white(*at, end);
    return kind_at(*at, end);
}

/*
 * Behind a value, and behind what ends with it, up to a comma; NULL: there is
 * none. The open arrays and objects are bits, see scan_container().
 */
static const char *close_containers(const char *at, const char *end,
                                    uint64_t *open) {
    while (find_mark(&at, end, "]}"[*open & 1])) {
        at++;
        *open >>= 1;
        if (*open == 1)
            return at;
    }
    return stands_at(at, end, ',') ? at : NULL;
}

/*
 * An array or object of which nothing is asked, below `depth` others. The open
 * ones are bits of a word, the innermost lowest: 1 is an object, and above them
 * is one more 1.
 */
static NOINLINE const char *scan_container(struct scanner *s, const char *at,
                                           int depth) {
    const struct bounds bounds = s->bounds;
    const char *end = bounds.end;
    const uint64_t too_deep = UINT64_C(2) << (JSON_MAX_DEPTH - depth);
    for (uint64_t open = 1;;) {
        enum json_kind kind = find_kind(&at, end);
        if (kind == JSON_OBJECT || kind == JSON_ARRAY) {
            open = open << 1 | (kind == JSON_OBJECT);
            if (open >= too_deep)
                return fail(s, JSON_TOO_DEEP);
            at++;
            if (find_mark(&at, end, "]}"[open & 1]))
                kind = JSON_NULL; /* an empty one ends like any value */
        } else {
            at = scan_scalar(kind, at, bounds);
        }
        bool ends = kind >= JSON_STRING;
        if (at != NULL && ends && !stands_at(at, end, ','))
            at = close_containers(at, end, &open);
        if (at != NULL && open == 1)
            return at;
        at = at != NULL && ends ? at + 1 : at;
        if (at != NULL && (open & 1) != 0)
            at = scan_name(at, bounds, (struct range){0}).value;
        if (at == NULL)
            return fail(s, JSON_SYNTAX);
    }
}

static inline void note(struct scanner *s, const struct json_field *field,
                        enum json_kind kind, const char *start,
                        const char *behind) {
    size_t i = (size_t)(field - s->fields);
    struct json_found *found = &s->found[i];
    if ((s->seen >> i & 1) != 0) {
        found->duplicate = true;
        return;
    }
    s->seen |= UINT64_C(1) << i;
    found->kind = kind;
    found->duplicate = false;
    found->text = (struct span){start, (size_t)(behind - start)};
}

static const char *scan_members(struct scanner *s, const char *at, int parent,
                                const struct json_field *first);

/* A value that is no string and no number, of a member of `parent`. */
static NOINLINE const char *scan_other(struct scanner *s, const char *at,
                                       int parent,
                                       const struct json_field *field) {
    enum json_kind kind = kind_at(at, s->bounds.end);
    if (kind == JSON_OBJECT && parent == JSON_TOP && field != NULL)
        return scan_members(s, at, (int)(field - s->fields), field + 1);
    if (kind == JSON_OBJECT || kind == JSON_ARRAY)
        return scan_container(s, at, parent == JSON_TOP ? 1 : 2);
    at = scan_literal(at, s->bounds.end);
    return at != NULL ? at : fail(s, JSON_SYNTAX);
}

static ALWAYS_INLINE const char *scan_value(struct scanner *s,
                                            enum json_kind kind, const char *at,
                                            struct bounds bounds, int parent,
                                            const struct json_field *field) {
    if (kind == JSON_STRING)
        at = scan_string(at, bounds);
    else if (kind == JSON_NUMBER)
        at = scan_number(at, bounds);
    else
        return scan_other(s, at, parent, field);
    return at != NULL ? at : fail(s, JSON_SYNTAX);
}

/* Fields of that parent, which are not before `first`. */
static inline struct range range_of(const struct scanner *s, int parent,
                                    const struct json_field *first) {
    while (first < s->fields_end && first->parent != parent)
        first++;
    const struct json_field *behind = first;
    while (behind < s->fields_end && behind->parent == parent)
        behind++;
    return (struct range){first, behind, first};
}

/* An object, of which the fields of this parent are asked. */
static const char *scan_members(struct scanner *s, const char *at, int parent,
                                const struct json_field *first) {
    const struct bounds bounds = s->bounds;
    const char *const end = bounds.end;
    struct range range = range_of(s, parent, first);
    at++;
    if (find_mark(&at, end, '}'))
        return at + 1;
    do {
        struct member member = scan_name(at, bounds, range);
        const char *start = member.value;
        if (start == NULL)
            return fail(s, JSON_SYNTAX);
        enum json_kind kind = find_kind(&start, end);
        const char *behind =
            scan_value(s, kind, start, bounds, parent, member.field);
        if (behind == NULL)
            return NULL;
        at = behind;
        /* Only then is the value whole: the 0 of `{"id":01}` is none. */
        if (!stands_at(at, end, ',') && !find_mark(&at, end, ',') &&
            !stands_at(at, end, '}'))
            return fail(s, JSON_SYNTAX);
        if (member.field != NULL) {
            range.expected = member.field + 1;
            note(s, member.field, kind, start, behind);
        }
    } while (*at++ == ',');
    return at;
}

static const char *scan_top(struct scanner *s, enum json_kind kind,
                            const char *at) {
    if (kind == JSON_OBJECT)
        return scan_members(s, at, JSON_TOP, s->fields);
    if (kind == JSON_ARRAY)
        return scan_container(s, at, 0);
    at = scan_scalar(kind, at, s->bounds);
    return at != NULL ? at : fail(s, JSON_SYNTAX);
}

enum json_error json_scan(struct span text, const struct json_field *fields,
                          size_t count, struct json_found *found,
                          enum json_kind *top) {
    const char *at = text.data, *end = at + text.len;
    const size_t reach = 1 + JSON_STEP + 1;
    const char *steps_end = text.len < reach ? at : end - reach + 1;
    struct scanner s = {.bounds = {end, steps_end},
                        .fields = fields,
                        .fields_end = count > 0 ? fields + count : fields,
                        .found = found};
    *top = find_kind(&at, end);
    at = scan_top(&s, *top, at);
    for (size_t i = 0; i < count; i++)
        if ((s.seen >> i & 1) == 0)
            found[i] = (struct json_found){0};
    if (at == NULL)
        return s.error;
    return skip_white(at, end) == end ? JSON_OK : JSON_SYNTAX;
}

/* One character of a string's inside, as UTF-16 has it; a byte beyond ASCII
 * stands for itself. */
static inline const char *next_char(const char *at, const char *end,
                                    int *meaning) {
    if (*at == '\\')
        return scan_escape(at, end, meaning);
    *meaning = (unsigned char)*at;
    return at + 1;
}

bool json_string_equals(struct span string, const char *plain) {
    const char *at = string.data + 1;
    const char *end = string.data + string.len - 1;
    for (; at < end && *plain != '\0'; plain++) {
        int c = -1;
        at = next_char(at, end, &c);
        if (c != *plain)
            return false;
    }
    return at == end && *plain == '\0';
}

int json_string_copy(struct span string, char *out, size_t size) {
    const char *at = string.data + 1;
    const char *end = string.data + string.len - 1;
    size_t len = 0;
    while (at < end) {
        int c = -1;
        at = next_char(at, end, &c);
        if (c < 0 || c > 127 || len == size)
            return -1;
        out[len++] = (char)c;
    }
    return (int)len;
}
