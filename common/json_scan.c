/*
 * Recursive descent; JSON_MAX_DEPTH bounds the recursion. Each scan_ function
 * begins at its value's first byte and gives the place behind its last one;
 * NULL, with the scanner's `error` set, if it is none.
 */
#include "common/json_scan.h"

#include <assert.h>
#include <stdint.h>

#include "common/json_number.h"

struct scanner {
    const char *end;
    const struct json_field *fields, *fields_end;
    const struct json_field *expected; /* the one behind the last one found */
    uint64_t beginnings;               /* of all fields, see bit_of() */
    struct json_found *found;
    enum json_error error;
};

/*
 * Stands for the members of an object that no field is asked of: by where it
 * is. It has bytes of its own, as clang puts equal constants into one place.
 */
static const char no_fields[] = "no fields";

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

static const char *skip_white(const char *at, const char *end) {
    while (at < end &&
           (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
        at++;
    return at;
}

static inline bool stands_at(const char *at, const char *end, char wanted) {
    return at < end && *at == wanted;
}

/* Whether it does, behind white space perhaps; then `at` is there. */
static inline bool find_mark(const char **at, const char *end, char wanted) {
    if (stands_at(*at, end, wanted))
        return true;
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

/* A string from its first byte on that is not plain. */
static const char *scan_rest_of_string(const char *at, const char *end) {
    int meaning;
    while (stands_at(at, end, '\\')) {
        at = scan_escape(at, end, &meaning);
        if (at == NULL)
            return NULL;
        at = json_plain_end(at, end);
    }
    return stands_at(at, end, '"') ? at + 1 : NULL;
}

static NOINLINE const char *scan_any_string(const char *at, const char *end) {
    at = json_plain_end(at + 1, end);
    return stands_at(at, end, '"') ? at + 1 : scan_rest_of_string(at, end);
}

/* Most are short and plain: then one step is all. */
static inline const char *scan_string(const char *at, const char *end) {
    if (end - at > JSON_STEP + 1) {
        size_t plain = json_plain_in_step(at + 1);
        if (at[1 + plain] == '"')
            return at + 1 + plain + 1;
    }
    return scan_any_string(at, end);
}

static const char *scan_word(const char *at, const char *end, const char *word,
                             size_t len) {
    bool right = (size_t)(end - at) >= len && memcmp(at, word, len) == 0;
    return right ? at + len : NULL;
}

/* A member's name as fields have theirs: padded with NULs to two words. */
struct name {
    uint64_t words[2];
};

static_assert(sizeof(struct name) == JSON_NAME_SIZE &&
                  sizeof(struct name) == JSON_STEP,
              "a step, a field's name and a struct name are of one size");

static inline uint64_t load_word(const void *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Of a string in quotes; false: it is longer, or not ASCII. */
static bool unescape_name(struct span string, struct name *name) {
    char plain[JSON_NAME_SIZE] = {0};
    int len = json_string_copy(string, plain, sizeof plain - 1);
    memcpy(name->words, plain, sizeof plain);
    return len >= 0 && memchr(plain, '\0', (size_t)len) == NULL;
}

/*
 * The same for one of less than JSON_NAME_SIZE bytes without escapes: two words
 * are loaded, and what stands behind its end is masked.
 */
static inline struct name load_name(const char *start, size_t len) {
    static const uint8_t ones_then_zeros[2 * JSON_NAME_SIZE] = {
        255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255};
    const uint8_t *mask = ones_then_zeros + JSON_NAME_SIZE - len;
    return (struct name){{
        load_word(start) & load_word(mask),
        load_word(start + 8) & load_word(mask + 8),
    }};
}

/* One of 64 bits, by the first four bytes of a name. */
static inline uint64_t bit_of(uint64_t first_word) {
    return UINT64_C(1) << ((uint32_t)first_word * UINT32_C(0x9E3779B1) >> 26);
}

/* Whether a field is of this parent (NULL: the top). */
static inline bool is_of(const struct json_field *field, const char *parent) {
    return field->parent == parent ||
           (field->parent != NULL && parent != NULL &&
            strcmp(field->parent, parent) == 0);
}

static inline bool is_field(const struct json_field *field, const char *parent,
                            const struct name *name) {
    return load_word(field->name) == name->words[0] &&
           load_word(field->name + 8) == name->words[1] && is_of(field, parent);
}

/*
 * The field that this member of `parent` is, or NULL. Members come in the order
 * of the fields more often than not.
 */
static inline const struct json_field *
find_field(struct scanner *s, const char *parent, const struct name *name) {
    const struct json_field *field = s->expected, *end = s->fields_end;
    if (field == end || !is_field(field, parent, name)) {
        if ((s->beginnings & bit_of(name->words[0])) == 0)
            return NULL;
        field = s->fields;
        while (field < end && !is_field(field, parent, name))
            field++;
        if (field == end)
            return NULL;
    }
    s->expected = field + 1;
    return field;
}

/* The parent of that name as the fields have it; no_fields: it is none. */
static const char *find_parent(const struct scanner *s, const char *name) {
    for (const struct json_field *field = s->fields; field < s->fields_end;
         field++)
        if (field->parent != NULL && strcmp(field->parent, name) == 0)
            return field->parent;
    return no_fields;
}

static inline void note(struct json_found *found, enum json_kind kind,
                        const char *start, const char *behind) {
    if (found->kind != JSON_ABSENT) {
        found->duplicate = true;
        return;
    }
    found->kind = kind;
    found->text = (struct span){start, (size_t)(behind - start)};
}

static const char *scan_object(struct scanner *s, const char *at, int depth,
                               const char *parent);
static const char *scan_array(struct scanner *s, const char *at, int depth);

/* An array, or an object whose members are `parent`'s. */
static NOINLINE const char *scan_container(struct scanner *s, const char *at,
                                           int depth, const char *parent) {
    if (depth == JSON_MAX_DEPTH)
        return fail(s, JSON_TOO_DEEP);
    return *at == '{' ? scan_object(s, at, depth + 1, parent)
                      : scan_array(s, at, depth + 1);
}

/* What a value can be besides a string or a number. */
static const char *scan_other(struct scanner *s, const char *at, int depth,
                              const char *parent) {
    const char *behind = NULL;
    switch (kind_at(at, s->end)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        return scan_container(s, at, depth, parent);
    case JSON_BOOLEAN:
        behind = *at == 't' ? scan_word(at, s->end, "true", 4)
                            : scan_word(at, s->end, "false", 5);
        break;
    case JSON_NULL:
        behind = scan_word(at, s->end, "null", 4);
        break;
    default:
        break;
    }
    return behind != NULL ? behind : fail(s, JSON_SYNTAX);
}

static inline __attribute__((always_inline)) const char *
scan_value(struct scanner *s, enum json_kind kind, const char *at, int depth,
           const char *parent) {
    if (kind != JSON_STRING && kind != JSON_NUMBER)
        return scan_other(s, at, depth, parent);
    at = kind == JSON_STRING ? scan_string(at, s->end)
                             : json_number_end(at, s->end);
    return at != NULL ? at : fail(s, JSON_SYNTAX);
}

/* The field of `parent` that has that name, as it stands there in quotes. */
static const struct json_field *
find_any_field(struct scanner *s, const char *parent, struct span string) {
    struct name name;
    return unescape_name(string, &name) ? find_field(s, parent, &name) : NULL;
}

/*
 * A member's name and its colon, and the field of `parent` that it is, or NULL.
 * This is the long way.
 */
static const char *scan_any_name(struct scanner *s, const char *at,
                                 const char *parent,
                                 const struct json_field **field) {
    const char *end = s->end;
    if (!stands_at(at, end, '"'))
        return NULL;
    const char *behind = scan_string(at, end);
    if (behind == NULL)
        return NULL;
    struct span string = {at, (size_t)(behind - at)};
    *field = parent != no_fields ? find_any_field(s, parent, string) : NULL;
    return find_mark(&behind, end, ':') ? behind + 1 : NULL;
}

static inline bool name_is_in_reach(const char *at, const char *end) {
    return end - at >= 1 + JSON_STEP + 2 && *at == '"';
}

/*
 * The same, white space before it perhaps. Most names are short and plain, and
 * their colon is next to them: where a step and two bytes are in reach, the end
 * is looked at but once.
 */
static inline const char *scan_name(struct scanner *s, const char *at,
                                    const char *parent,
                                    const struct json_field **field) {
    if (!name_is_in_reach(at, s->end)) {
        at = skip_white(at, s->end);
        if (!name_is_in_reach(at, s->end))
            return scan_any_name(s, at, parent, field);
    }
    const char *name = at + 1;
    size_t len = json_plain_in_step(name);
    if (memcmp(name + len, "\":", 2) != 0)
        return scan_any_name(s, at, parent, field);
    *field = NULL;
    if (parent != no_fields) {
        struct name padded = load_name(name, len);
        *field = find_field(s, parent, &padded);
    }
    return name + len + 2;
}

/* Up to what follows the member. */
static inline const char *scan_member(struct scanner *s, const char *at,
                                      int depth, const char *parent) {
    const struct json_field *field;
    const char *members_of = no_fields;
    const char *start = scan_name(s, at, parent, &field);
    if (start == NULL)
        return fail(s, JSON_SYNTAX);
    enum json_kind kind = kind_at(start, s->end);
    if (kind == JSON_ABSENT) {
        start = skip_white(start, s->end);
        kind = kind_at(start, s->end);
    }
    if (field != NULL && parent == NULL && kind == JSON_OBJECT)
        members_of = find_parent(s, field->name);
    const char *behind = scan_value(s, kind, start, depth, members_of);
    if (behind == NULL)
        return NULL;
    at = behind;
    /* Only then is the value whole: the 0 of `{"id":01}` is none. */
    if (!find_mark(&at, s->end, ',') && !stands_at(at, s->end, '}'))
        return fail(s, JSON_SYNTAX);
    if (field != NULL)
        note(&s->found[field - s->fields], kind, start, behind);
    return at;
}

static const char *scan_object(struct scanner *s, const char *at, int depth,
                               const char *parent) {
    at++;
    if (find_mark(&at, s->end, '}'))
        return at + 1;
    do {
        at = scan_member(s, at, depth, parent);
        if (at == NULL)
            return NULL;
    } while (*at++ == ',');
    return at;
}

static const char *scan_array(struct scanner *s, const char *at, int depth) {
    at++;
    if (find_mark(&at, s->end, ']'))
        return at + 1;
    for (;; at++) {
        at = skip_white(at, s->end);
        at = scan_value(s, kind_at(at, s->end), at, depth, no_fields);
        if (at == NULL)
            return NULL;
        if (find_mark(&at, s->end, ','))
            continue;
        return stands_at(at, s->end, ']') ? at + 1 : fail(s, JSON_SYNTAX);
    }
}

enum json_error json_scan(struct span text, const struct json_field *fields,
                          size_t count, struct json_found *found,
                          enum json_kind *top) {
    const char *end = text.data + text.len;
    struct scanner s = {.end = end,
                        .fields = fields,
                        .fields_end = count > 0 ? fields + count : fields,
                        .expected = fields,
                        .found = found};
    memset(found, 0, count * sizeof *found);
    for (size_t i = 0; i < count; i++)
        s.beginnings |= bit_of(load_word(fields[i].name));
    const char *at = skip_white(text.data, end);
    *top = kind_at(at, end);
    at = scan_value(&s, *top, at, 0, NULL);
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
