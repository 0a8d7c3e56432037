/*
 * Recursive descent; JSON_MAX_DEPTH bounds the recursion. Each scan_ function
 * starts at its value's first byte and leaves `at` behind its last one.
 */
#include "common/json_scan.h"

#include <stdint.h>

struct scanner {
    const char *at;
    const char *end;
    const struct json_field *fields;
    size_t count;
    struct json_found *found;
};

/* Stands for the members of an object that no field is asked of. */
static const char no_fields[] = "";

static enum json_error scan_value(struct scanner *s, int depth,
                                  const char *parent, enum json_kind *kind);

static void skip_white(struct scanner *s) {
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' ||
                              *s->at == '\t' || *s->at == '\r'))
        s->at++;
}

static bool take(struct scanner *s, char wanted) {
    if (s->at >= s->end || *s->at != wanted)
        return false;
    s->at++;
    return true;
}

static bool is_digit(const struct scanner *s) {
    return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

static bool take_digits(struct scanner *s) {
    if (!is_digit(s))
        return false;
    while (is_digit(s))
        s->at++;
    return true;
}

static bool scan_number(struct scanner *s) {
    take(s, '-');
    if (!take(s, '0') && !take_digits(s))
        return false;
    if (take(s, '.') && !take_digits(s))
        return false;
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+'))
            take(s, '-');
        return take_digits(s);
    }
    return true;
}

/* The value of a hexadecimal digit, or -1. */
static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/*
 * Reads one character of a string's inside: a byte as it stands, or what an
 * escape means (a UTF-16 unit for \u). -1 for an impossible one.
 */
static int next_char(const char **at, const char *end) {
    static const char escapes[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    unsigned char c = (unsigned char)*(*at)++;
    if (c < 0x20)
        return -1;
    if (c != '\\')
        return c;
    if (*at >= end)
        return -1;
    char escape = *(*at)++;
    if (escape == 'u') {
        int unit = 0;
        if (end - *at < 4)
            return -1;
        for (int i = 0; i < 4; i++) {
            int value = hex_value(*(*at)++);
            if (value < 0)
                return -1;
            unit = unit * 16 + value;
        }
        return unit;
    }
    const char *known = memchr(escapes, escape, sizeof escapes - 1);
    return known == NULL ? -1 : meanings[known - escapes];
}

static bool scan_string(struct scanner *s) {
    s->at++;
    while (s->at < s->end) {
        if (*s->at == '"') {
            s->at++;
            return true;
        }
        if (next_char(&s->at, s->end) < 0)
            return false;
    }
    return false;
}

static bool scan_word(struct scanner *s, const char *word) {
    size_t len = strlen(word);
    if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
        return false;
    s->at += len;
    return true;
}

/* Whether a member of the object `parent` (NULL: the top) is this field. */
static bool is_field(const struct json_field *field, const char *parent,
                     struct span name) {
    bool same_parent = field->parent == NULL || parent == NULL
                           ? field->parent == parent
                           : strcmp(field->parent, parent) == 0;
    return same_parent && json_string_equals(name, field->name);
}

/* The field that this member of `parent` is, or NULL. */
static struct json_found *find_field(struct scanner *s, const char *parent,
                                     struct span name, const char **its_name) {
    if (parent == no_fields)
        return NULL;
    for (size_t i = 0; i < s->count; i++)
        if (is_field(&s->fields[i], parent, name)) {
            *its_name = s->fields[i].name;
            return &s->found[i];
        }
    return NULL;
}

/* Only then is the value before it whole: the 0 of `{"id":01}` is none. */
static bool at_member_end(const struct scanner *s) {
    return s->at < s->end && (*s->at == ',' || *s->at == '}');
}

static enum json_error scan_member(struct scanner *s, int depth,
                                   const char *parent) {
    const char *name_start = s->at;
    if (s->at >= s->end || *s->at != '"' || !scan_string(s))
        return JSON_SYNTAX;
    struct span name = {name_start, (size_t)(s->at - name_start)};
    skip_white(s);
    if (!take(s, ':'))
        return JSON_SYNTAX;
    skip_white(s);
    const char *members_of = no_fields;
    struct json_found *found = find_field(s, parent, name, &members_of);
    if (parent != NULL)
        members_of = no_fields; /* fields are at most two levels deep */
    const char *start = s->at;
    enum json_kind kind = JSON_ABSENT;
    enum json_error error = scan_value(s, depth, members_of, &kind);
    struct span value = {start, (size_t)(s->at - start)};
    skip_white(s);
    if (error != JSON_OK || found == NULL || !at_member_end(s))
        return error;
    if (found->kind != JSON_ABSENT)
        found->duplicate = true;
    else
        *found = (struct json_found){.kind = kind, .text = value};
    return JSON_OK;
}

static enum json_error scan_object(struct scanner *s, int depth,
                                   const char *parent) {
    s->at++;
    skip_white(s);
    if (take(s, '}'))
        return JSON_OK;
    for (;;) {
        enum json_error error = scan_member(s, depth, parent);
        if (error != JSON_OK)
            return error;
        if (take(s, '}'))
            return JSON_OK;
        if (!take(s, ','))
            return JSON_SYNTAX;
        skip_white(s);
    }
}

static enum json_error scan_array(struct scanner *s, int depth) {
    s->at++;
    skip_white(s);
    if (take(s, ']'))
        return JSON_OK;
    for (;;) {
        enum json_kind kind;
        enum json_error error = scan_value(s, depth, no_fields, &kind);
        if (error != JSON_OK)
            return error;
        skip_white(s);
        if (take(s, ']'))
            return JSON_OK;
        if (!take(s, ','))
            return JSON_SYNTAX;
        skip_white(s);
    }
}

static enum json_error scan_value(struct scanner *s, int depth,
                                  const char *parent, enum json_kind *kind) {
    if (s->at >= s->end)
        return JSON_SYNTAX;
    bool right;
    switch (*s->at) {
    case '{':
        *kind = JSON_OBJECT;
        return depth == JSON_MAX_DEPTH ? JSON_TOO_DEEP
                                       : scan_object(s, depth + 1, parent);
    case '[':
        *kind = JSON_ARRAY;
        return depth == JSON_MAX_DEPTH ? JSON_TOO_DEEP
                                       : scan_array(s, depth + 1);
    case '"':
        *kind = JSON_STRING;
        right = scan_string(s);
        break;
    case 't':
        *kind = JSON_BOOLEAN;
        right = scan_word(s, "true");
        break;
    case 'f':
        *kind = JSON_BOOLEAN;
        right = scan_word(s, "false");
        break;
    case 'n':
        *kind = JSON_NULL;
        right = scan_word(s, "null");
        break;
    default:
        *kind = JSON_NUMBER;
        right = scan_number(s);
        break;
    }
    return right ? JSON_OK : JSON_SYNTAX;
}

enum json_error json_scan(struct span text, const struct json_field *fields,
                          size_t count, struct json_found *found,
                          enum json_kind *top) {
    struct scanner s = {.at = text.data,
                        .end = text.data + text.len,
                        .fields = fields,
                        .count = count,
                        .found = found};
    memset(found, 0, count * sizeof *found);
    *top = JSON_ABSENT;
    skip_white(&s);
    enum json_error error = scan_value(&s, 0, NULL, top);
    if (error != JSON_OK)
        return error;
    skip_white(&s);
    return s.at == s.end ? JSON_OK : JSON_SYNTAX;
}

bool json_string_equals(struct span string, const char *plain) {
    const char *at = string.data + 1;
    const char *end = string.data + string.len - 1;
    for (; at < end && *plain != '\0'; plain++)
        if (next_char(&at, end) != *plain)
            return false;
    return at == end && *plain == '\0';
}

int json_string_copy(struct span string, char *out, size_t size) {
    const char *at = string.data + 1;
    const char *end = string.data + string.len - 1;
    size_t len = 0;
    while (at < end) {
        int c = next_char(&at, end);
        if (c < 0 || c > 127 || len == size)
            return -1;
        out[len++] = (char)c;
    }
    return (int)len;
}
