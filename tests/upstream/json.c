#include "json.h"

#include <stdint.h>
#include <string.h>

enum { JSON_DEPTH_MAX = 64 };

static const char *json_blank(const char *p, const char *end) {
    while (p < end && strchr(" \t\n\r", *p) && *p)
        p++;
    return p;
}

static bool json_digit(const char *p, const char *end) {
    return p < end && *p >= '0' && *p <= '9';
}

static const char *json_digits(const char *p, const char *end) {
    if (!json_digit(p, end))
        return NULL;
    while (json_digit(p, end))
        p++;
    return p;
}

/* Each of these gives the place behind what it reads; NULL if it is not JSON.
 */
static const char *json_number(const char *p, const char *end) {
    p += p < end && *p == '-';
    p = p < end && *p == '0' ? p + 1 : json_digits(p, end);
    if (p && p < end && *p == '.')
        p = json_digits(p + 1, end);
    if (p && p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        p = json_digits(p, end);
    }
    return p;
}

static const char *json_escape(const char *p, const char *end) {
    if (p == end)
        return NULL;
    if (*p != 'u')
        return strchr("\"\\/bfnrt", *p) && *p ? p + 1 : NULL;
    for (int i = 1; i <= 4; i++)
        if (p + i >= end || !p[i] || !strchr("0123456789abcdefABCDEF", p[i]))
            return NULL;
    return p + 5;
}

static const char *json_string(const char *p, const char *end) {
    if (p == end || *p++ != '"')
        return NULL;
    while (p && p < end && *p != '"')
        if ((unsigned char)*p < ' ')
            return NULL;
        else
            p = *p == '\\' ? json_escape(p + 1, end) : p + 1;
    return p && p < end ? p + 1 : NULL;
}

static const char *json_word(const char *p, const char *end) {
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(end - p) >= len && memcmp(p, words[i], len) == 0)
            return p + len;
    }
    return NULL;
}

static const char *json_value(const char *p, const char *end, int depth);

/* A member's name and its colon. */
static const char *json_name(const char *p, const char *end) {
    p = json_string(json_blank(p, end), end);
    p = p ? json_blank(p, end) : NULL;
    return p && p < end && *p == ':' ? p + 1 : NULL;
}

static const char *json_list(const char *p, const char *end, int depth) {
    bool named = *p == '{';
    char close = named ? '}' : ']';
    p = json_blank(p + 1, end);
    if (p < end && *p == close)
        return p + 1;
    for (;;) {
        p = named ? json_name(p, end) : p;
        p = p ? json_value(p, end, depth + 1) : NULL;
        if (!p || p == end)
            return NULL;
        if (*p == close)
            return p + 1;
        if (*p++ != ',')
            return NULL;
    }
}

/* Also the blanks before and behind it. */
static const char *json_value(const char *p, const char *end, int depth) {
    p = json_blank(p, end);
    if (p == end || depth > JSON_DEPTH_MAX)
        return NULL;
    if (*p == '{' || *p == '[')
        p = json_list(p, end, depth);
    else if (*p == '"')
        p = json_string(p, end);
    else
        p = *p == '-' || json_digit(p, end) ? json_number(p, end)
                                            : json_word(p, end);
    return p ? json_blank(p, end) : NULL;
}

bool json_is_valid(struct json_part part) {
    const char *end = part.text + part.len;
    return json_value(part.text, end, 0) == end;
}

struct json_part json_trim(struct json_part part) {
    const char *end = part.text + part.len;
    const char *start = json_blank(part.text, end);
    while (end > start && strchr(" \t\n\r", end[-1]) && end[-1])
        end--;
    return (struct json_part){start, (size_t)(end - start)};
}

bool json_next(struct json_part object, size_t *at, struct json_part *name,
               struct json_part *value) {
    const char *end = object.text + object.len;
    if (*at == 0 && (!json_is_object(object) || !json_is_valid(object)))
        return false;
    const char *p = *at > 0 ? object.text + *at
                            : json_blank(json_blank(object.text, end) + 1, end);
    if (p == end || *p != '"')
        return false;
    const char *quote = json_string(p, end);
    *name = (struct json_part){p + 1, (size_t)(quote - p) - 2};
    const char *start = json_name(p, end);
    p = json_value(start, end, 1);
    *value = json_trim((struct json_part){start, (size_t)(p - start)});
    *at = (size_t)(json_blank(p + 1, end) - object.text);
    return true;
}

bool json_member(struct json_part object, const char *name,
                 struct json_part *value) {
    size_t at = 0;
    struct json_part found, its;
    while (json_next(object, &at, &found, &its))
        if (found.len == strlen(name) &&
            memcmp(found.text, name, found.len) == 0) {
            *value = its;
            return true;
        }
    return false;
}

static bool json_begins(struct json_part value, const char *characters) {
    value = json_trim(value);
    return value.len > 0 && *value.text && strchr(characters, *value.text);
}

bool json_is_string(struct json_part value) {
    return json_begins(value, "\"");
}

bool json_is_number(struct json_part value) {
    return json_begins(value, "-0123456789");
}

bool json_is_object(struct json_part value) {
    return json_begins(value, "{");
}

bool json_equals(struct json_part value, const char *text) {
    size_t len = strlen(text);
    return value.len == len + 2 && json_is_string(value) &&
           memcmp(value.text + 1, text, len) == 0;
}

static uint32_t json_hex(const char *p) {
    uint32_t n = 0;
    for (int i = 0; i < 4; i++)
        n = n << 4 | (p[i] <= '9' ? (uint32_t)(p[i] - '0')
                                  : (uint32_t)((p[i] | 0x20) - 'a' + 10));
    return n;
}

static size_t json_utf8(uint32_t c, char *out) {
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(n == 1 ? c : first[n] | c);
    return n;
}

/* Reads what stands behind a backslash; gives the place behind it. */
static const char *json_read_escape(const char *p, const char *end,
                                    uint32_t *c) {
    static const char marks[] = "bfnrt", means[] = "\b\f\n\r\t";
    if (*p != 'u') {
        const char *mark = strchr(marks, *p);
        *c = (unsigned char)(mark ? means[mark - marks] : *p);
        return p + 1;
    }
    *c = json_hex(p + 1);
    p += 5;
    bool pair = *c >> 10 == 0x36 && end - p >= 6 && p[0] == '\\' &&
                p[1] == 'u' && json_hex(p + 2) >> 10 == 0x37;
    if (pair) {
        *c = 0x10000 + ((*c & 0x3ff) << 10 | (json_hex(p + 2) & 0x3ff));
        p += 6;
    }
    return p;
}

size_t json_unescape(struct json_part value, char *out) {
    const char *end = value.text + value.len - 1;
    size_t n = 0;
    for (const char *p = value.text + 1; p < end;) {
        uint32_t c;
        if (*p != '\\') {
            out[n++] = *p++;
            continue;
        }
        p = json_read_escape(p + 1, end, &c);
        n += json_utf8(c, out + n);
    }
    return n;
}
