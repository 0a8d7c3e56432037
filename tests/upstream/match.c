#include "match.h"

#include <string.h>

size_t match_digits(uint64_t id, char out[MATCH_DIGITS]) {
    char turned[MATCH_DIGITS];
    size_t n = 0;
    do {
        turned[n++] = (char)('0' + id % 10);
        id /= 10;
    } while (id);
    for (size_t i = 0; i < n; i++)
        out[i] = turned[n - 1 - i];
    return n;
}

static bool match_digit(char c) {
    return c >= '0' && c <= '9';
}

static const char *match_blank(const char *p, const char *end) {
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

/* From behind an opening quote to behind the closing one (or to the end). */
static const char *match_string(const char *p, const char *end) {
    while (p < end && *p != '"')
        p += *p == '\\' && p + 1 < end ? 2 : 1;
    return p < end ? p + 1 : end;
}

/* Reads `: 123` behind a key. */
static bool match_number(const char *p, const char *end, uint64_t *id) {
    p = match_blank(p, end);
    if (p == end || *p != ':')
        return false;
    p = match_blank(p + 1, end);
    const char *start = p;
    for (*id = 0; p < end && match_digit(*p); p++)
        *id = *id * 10 + (uint64_t)(*p - '0');
    return p > start && p - start < MATCH_DIGITS;
}

bool match_id(const char *text, size_t len, uint64_t *id) {
    const char *end = text + len;
    int depth = 0;
    for (const char *p = text; p < end;) {
        char c = *p++;
        if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
        } else if (c == '"') {
            const char *key = p;
            p = match_string(p, end);
            if (depth == 1 && p - key == 3 && memcmp(key, "id", 2) == 0 &&
                match_number(p, end, id))
                return true;
        }
    }
    return false;
}

bool match_date(const char *text, const struct match_span *span) {
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    for (int i = 0; i < MATCH_DATE; i++)
        if (form[i] == 'd' ? !match_digit(text[i]) : text[i] != form[i])
            return false;
    return memcmp(text, span->first, DAY_TEXT - 1) >= 0 &&
           memcmp(text, span->last, DAY_TEXT - 1) <= 0;
}

bool match_reason(const char *p, const char *end) {
    const char *start = p;
    p = match_string(p, end);
    return p - start > 1 && end - p == 1 && p[-1] == '"' && *p == '}';
}

bool match_answer(const struct script_item *item, uint64_t id,
                  const struct match_span *span, const char *text, size_t len) {
    char want[MATCH_TEXT_MAX];
    char digits[MATCH_DIGITS];
    size_t digits_len = match_digits(id, digits);
    size_t want_len = item->answer.len + digits_len;
    form_spell(&item->answer, digits, digits_len, want);
    if (item->error)
        return len > want_len && memcmp(text, want, want_len) == 0 &&
               match_reason(text + want_len, text + len);
    if (len != want_len)
        return false;
    size_t at = item->date_at;
    if (item->answer.id_at <= at)
        at += digits_len;
    if (!match_date(text + at, span))
        return false;
    memcpy(want + at, text + at, MATCH_DATE);
    return memcmp(text, want, len) == 0;
}
