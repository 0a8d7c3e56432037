/*
 * Objects whose members are asked for are the top and members of it: for these
 * scan_members() and its parts call each other. What is in other containers is
 * passed over by one loop. Each scan_ function begins at its value's first byte
 * and gives the place behind its last one; NULL if it is none.
 *
 * None of them looks for the end of the text, which is padded: the NUL there is
 * no part of any value, and nothing goes on with it.
 */
#include "common/json_scan.h"

#include <stdlib.h>

#include "common/json_number.h"
#include "common/memory.h"

struct scanner {
    const struct json_field *fields;
    struct json_found *found;
    bool too_deep;
};

/*
 * The fields of one object, up to one of another parent, and which of them is
 * expected next.
 */
struct wanted {
    int8_t parent;
    const struct json_field *first, *expected;
};

/*
 * Where a member's value begins, white space before it perhaps, and the field
 * that it is, or NULL.
 */
struct member {
    const char *value; /* NULL: there is none */
    const struct json_field *field;
};

/* What a value is, by its first byte; no string, and no number without sign. */
static const uint8_t other_kinds[256] = {
    ['{'] = JSON_OBJECT,  ['['] = JSON_ARRAY, ['t'] = JSON_BOOLEAN,
    ['f'] = JSON_BOOLEAN, ['n'] = JSON_NULL,  ['-'] = JSON_NUMBER,
};

static const struct json_field no_fields = JSON_FIELDS_END;

/* What a byte means behind a backslash; 0: nothing, or it is `u`. */
static const char meanings[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

/* JSON_ABSENT: no value begins so. */
static inline enum json_kind kind_by(char first) {
    if (first == '"')
        return JSON_STRING;
    return json_is_digit(first)
               ? JSON_NUMBER
               : (enum json_kind)other_kinds[(unsigned char)first];
}

static NOINLINE const char *skip_any_white(const char *at) {
    size_t white;
    do {
        white = json_white_in_step(at);
        at += white;
    } while (white == JSON_STEP);
    return at;
}

/* Mostly there is none, which is seen at once, or the end of a line and blanks.
 */
static inline const char *skip_white(const char *at) {
    if ((unsigned char)*at > ' ')
        return at;
    at += *at == '\n';
    at += json_blanks_in_step(at);
    return (unsigned char)*at > ' ' ? at : skip_any_white(at);
}

/* Whether it stands there, behind white space perhaps; then `at` is there. */
static inline bool find_mark(const char **at, char wanted) {
    *at = skip_white(*at);
    return **at == wanted;
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
static inline const char *scan_escape(const char *at, int *meaning) {
    if (at[1] != 'u') {
        *meaning = meanings[(unsigned char)at[1]];
        return *meaning != 0 ? at + 2 : NULL;
    }
    *meaning = hex_unit(at + 2);
    return *meaning >= 0 ? at + 6 : NULL;
}

/* The rest of a string, from an escape on. */
static NOINLINE const char *scan_escapes(const char *at) {
    int meaning;
    while (*at == '\\') {
        at = scan_escape(at, &meaning);
        if (at == NULL)
            return NULL;
        at = json_plain_end(at);
    }
    return *at == '"' ? at + 1 : NULL;
}

static inline const char *scan_string(const char *at) {
    at = json_plain_end(at + 1);
    return *at == '"' ? at + 1 : scan_escapes(at);
}

static const char *scan_word(const char *at, const char *word, size_t len) {
    return memcmp(at, word, len) == 0 ? at + len : NULL;
}

static const char *scan_literal(const char *at) {
    if (*at == 't')
        return scan_word(at, "true", 4);
    return *at == 'f' ? scan_word(at, "false", 5) : scan_word(at, "null", 4);
}

/* A value that is no container; NULL: it is no value. */
static inline const char *scan_scalar(enum json_kind kind, const char *at) {
    if (kind == JSON_STRING)
        return scan_string(at);
    return kind == JSON_NUMBER ? json_number_end(at) : scan_literal(at);
}

/* Whether this field's name, a quote and a colon stand there. */
static inline bool is_field_at(const struct json_field *field,
                               const char *name) {
    return (json_same_in_step(name, field->text) | field->other_bits) == 0xFFFF;
}

static const struct json_field *find_any_field(struct wanted wanted,
                                               struct span string) {
    const struct json_field *field = wanted.first;
    for (; field->parent == wanted.parent; field++)
        if (json_string_equals(string, field->name))
            return field;
    return NULL;
}

/* A member from its name's quote on, whatever it is. */
static NOINLINE struct member scan_any_name(const char *at,
                                            struct wanted wanted) {
    const struct member none = {NULL, NULL};
    const char *behind = scan_string(at);
    if (behind == NULL)
        return none;
    struct span string = {at, (size_t)(behind - at)};
    if (!find_mark(&behind, ':'))
        return none;
    return (struct member){behind + 1, find_any_field(wanted, string)};
}

/* The first bytes of a name. */
static inline uint32_t first_word(const char *at) {
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* One that is not the expected one; it is short and plain, mostly. */
static ALWAYS_INLINE struct member scan_unexpected_name(const char *at,
                                                        struct wanted wanted) {
    const char *name = at + 1;
    unsigned others = json_not_plain(name);
    if (others == 0)
        return scan_any_name(at, wanted);
    size_t len = json_lowest(others);
    if (memcmp(name + len, "\":", 2) != 0)
        return scan_any_name(at, wanted);
    uint32_t word = first_word(name);
    const struct json_field *field = wanted.first;
    for (; field->parent == wanted.parent; field++)
        if (first_word(field->text) == word && len == field->len &&
            memcmp(name, field->text, len) == 0)
            return (struct member){name + len + 2, field};
    return (struct member){name + len + 2, NULL};
}

/*
 * A member's name, from its quote on, and its colon. Members come in the order
 * of the fields more often than not, with the colon next to the name: then one
 * comparison is all.
 */
static ALWAYS_INLINE struct member scan_name(const char *at,
                                             struct wanted wanted) {
    if (!is_field_at(wanted.expected, at + 1) ||
        wanted.expected->parent != wanted.parent)
        return scan_unexpected_name(at, wanted);
    return (struct member){at + 1 + wanted.expected->len + 2, wanted.expected};
}

/* A value's kind, behind white space perhaps; then `at` is there. */
static inline enum json_kind find_kind(const char **at) {
    if (**at == '"')
        return JSON_STRING;
    if (**at == ' ')
        ++*at; /* mostly that is all */
    enum json_kind kind = kind_by(**at);
    if (kind != JSON_ABSENT)
        return kind;
    *at = skip_white(*at);
    return kind_by(**at);
}

/*
 * Behind a value, and behind what ends with it, up to a comma; NULL: there is
 * none. The open arrays and objects are bits, see scan_container().
 */
static const char *close_containers(const char *at, uint64_t *open) {
    while (find_mark(&at, "]}"[*open & 1])) {
        at++;
        *open >>= 1;
        if (*open == 1)
            return at;
    }
    return *at == ',' ? at : NULL;
}

/*
 * An array or object of which nothing is asked, below `depth` others. The open
 * ones are bits of a word, the innermost lowest: 1 is an object, and above them
 * is one more 1.
 */
static NOINLINE const char *scan_container(struct scanner *s, const char *at,
                                           int depth) {
    const struct wanted no_members = {JSON_TOP, &no_fields, &no_fields};
    const uint64_t too_deep = UINT64_C(2) << (JSON_MAX_DEPTH - depth);
    for (uint64_t open = 1;;) {
        enum json_kind kind = find_kind(&at);
        if (kind == JSON_OBJECT || kind == JSON_ARRAY) {
            open = open << 1 | (kind == JSON_OBJECT);
            s->too_deep = open >= too_deep;
            if (s->too_deep)
                return NULL;
            at++;
            if (find_mark(&at, "]}"[open & 1]))
                kind = JSON_NULL; /* an empty one ends like any value */
        } else {
            at = scan_scalar(kind, at);
        }
        bool ends = kind >= JSON_STRING;
        if (at != NULL && ends && *at != ',')
            at = close_containers(at, &open);
        if (at == NULL || open == 1)
            return at;
        at += ends;
        if ((open & 1) == 0)
            continue;
        if (!find_mark(&at, '"'))
            return NULL;
        at = scan_name(at, no_members).value;
        if (at == NULL)
            return NULL;
    }
}

/* Keeps a member's value, which ends before `behind`, if it is asked for. */
static ALWAYS_INLINE void note(struct scanner *s, struct wanted *wanted,
                               struct member member, enum json_kind kind,
                               const char *behind) {
    if (member.field == NULL)
        return;
    wanted->expected = member.field + 1;
    struct json_found *found = &s->found[member.field - s->fields];
    if (found->kind != JSON_ABSENT) {
        found->duplicate = true;
        return;
    }
    found->kind = kind;
    found->text = (struct span){member.value, (size_t)(behind - member.value)};
}

/* What is wanted of that member of the top. */
static inline struct wanted wanted_of(const struct scanner *s,
                                      const struct json_field *object) {
    int8_t parent = (int8_t)(object - s->fields);
    const struct json_field *first = object + 1;
    while (first->parent != parent && first->parent != JSON_NO_PARENT)
        first++;
    return (struct wanted){parent, first, first};
}

/* Whether a comma and a name's quote stand there. */
static inline bool is_before_name(const char *at) {
    return memcmp(at, ",\"", 2) == 0;
}

/* A number from its first digit on; mostly a name is next. */
static inline const char *scan_digits(const char *at) {
    const char *likely = json_likely_number_end(at);
    return is_before_name(likely) || *likely == ',' ? likely
                                                    : json_any_digits_end(at);
}

/* A value that is no string, and not only digits, of an object so deep. */
static NOINLINE const char *scan_other(struct scanner *s, enum json_kind kind,
                                       const char *at, int depth) {
    return kind == JSON_OBJECT || kind == JSON_ARRAY
               ? scan_container(s, at, depth)
               : scan_scalar(kind, at);
}

static const char *scan_members(struct scanner *s, const char *at,
                                struct wanted wanted);

static ALWAYS_INLINE const char *scan_value(struct scanner *s,
                                            enum json_kind kind,
                                            struct member member,
                                            int8_t parent) {
    if (kind == JSON_STRING)
        return scan_string(member.value);
    if (json_is_digit(*member.value))
        return scan_digits(member.value);
    if (parent != JSON_TOP)
        return scan_other(s, kind, member.value, 2);
    return kind == JSON_OBJECT && member.field != NULL
               ? scan_members(s, member.value, wanted_of(s, member.field))
               : scan_other(s, kind, member.value, 1);
}

/* An object, of which these members are wanted. */
static const char *scan_members(struct scanner *s, const char *at,
                                struct wanted wanted) {
    at++;
    if (*at != '"' && find_mark(&at, '}'))
        return at + 1;
    if (*at != '"')
        return NULL;
    for (;;) {
        struct member member = scan_name(at, wanted);
        if (member.value == NULL)
            return NULL;
        enum json_kind kind = find_kind(&member.value);
        const char *behind = scan_value(s, kind, member, wanted.parent);
        if (behind == NULL)
            return NULL;
        if (is_before_name(behind)) {
            note(s, &wanted, member, kind, behind);
            at = behind + 1;
            continue;
        }
        /* Only then is the value whole: the 0 of `{"id":01}` is none. */
        at = skip_white(behind);
        if (*at != ',' && *at != '}')
            return NULL;
        note(s, &wanted, member, kind, behind);
        if (*at++ == '}')
            return at;
        at += *at == ' ';
        if (*at != '"' && !find_mark(&at, '"'))
            return NULL;
    }
}

static const char *scan_top(struct scanner *s, enum json_kind kind,
                            const char *at) {
    if (kind == JSON_OBJECT)
        return scan_members(s, at,
                            (struct wanted){JSON_TOP, s->fields, s->fields});
    return kind == JSON_ARRAY ? scan_container(s, at, 0)
                              : scan_scalar(kind, at);
}

enum json_error json_scan_padded(struct span text,
                                 const struct json_field *fields, size_t count,
                                 struct json_found *found,
                                 enum json_kind *top) {
    const char *at = text.data, *end = at + text.len;
    struct scanner s = {.fields = count > 0 ? fields : &no_fields,
                        .found = found};
    for (size_t i = 0; i < count; i++)
        memset(&found[i], 0, offsetof(struct json_found, text));
    *top = *at == '{' ? JSON_OBJECT : find_kind(&at);
    at = scan_top(&s, *top, at);
    if (at == NULL)
        return s.too_deep ? JSON_TOO_DEEP : JSON_SYNTAX;
    return at == end || skip_white(at) == end ? JSON_OK : JSON_SYNTAX;
}

char *json_padded_copy(struct span text) {
    char *copy = memory_new(text.len + JSON_PADDING);
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    return copy;
}

enum json_error json_scan(struct span text, const struct json_field *fields,
                          size_t count, struct json_found *found,
                          enum json_kind *top) {
    char *copy = json_padded_copy(text);
    struct span padded = {copy, text.len};
    enum json_error error = json_scan_padded(padded, fields, count, found, top);
    for (size_t i = 0; i < count; i++)
        if (found[i].kind != JSON_ABSENT)
            found[i].text.data = text.data + (found[i].text.data - copy);
        else
            found[i].text = (struct span){NULL, 0};
    free(copy);
    return error;
}

/* One character of a string's inside, as UTF-16 has it; a byte beyond ASCII
 * stands for itself. */
static inline const char *next_char(const char *at, int *meaning) {
    if (*at == '\\')
        return scan_escape(at, meaning);
    *meaning = (unsigned char)*at;
    return at + 1;
}

bool json_string_equals(struct span string, const char *plain) {
    const char *at = string.data + 1;
    const char *end = string.data + string.len - 1;
    for (; at < end && *plain != '\0'; plain++) {
        int c = -1;
        at = next_char(at, &c);
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
        at = next_char(at, &c);
        if (c < 0 || c > 127 || len == size)
            return -1;
        out[len++] = (char)c;
    }
    return (int)len;
}
