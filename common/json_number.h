/* Where a number of a JSON text, which is padded, ends (RFC 8259, section 6).
 */
#ifndef FXWIRE_COMMON_JSON_NUMBER_H
#define FXWIRE_COMMON_JSON_NUMBER_H

#include "common/attributes.h"
#include "common/json_plain.h"

/* Behind the digits at `at`; NULL: there is none. */
static inline const char *json_some_digits_end(const char *at) {
    const char *behind = json_digits_end(at);
    return behind > at ? behind : NULL;
}

/* Behind any number from its first digit on. */
static NOINLINE const char *json_any_digits_end(const char *at) {
    const char *behind = *at == '0' ? at + 1 : json_digits_end(at);
    if (*behind == '.')
        behind = json_some_digits_end(behind + 1);
    if (behind == NULL || (*behind | 0x20) != 'e')
        return behind;
    behind++;
    return json_some_digits_end(behind + (*behind == '+' || *behind == '-'));
}

/*
 * Where a number of the usual kind, `12` or `1.2`, ends that begins with this
 * digit. Only if a comma stands there is it one, and its end.
 */
static inline const char *json_likely_number_end(const char *at) {
    unsigned others = json_not_digits(at);
    size_t len = json_lowest(others);
    if (*at == '0')
        return at;
    if (at[len] == '.') {
        size_t point = len;
        len = json_lowest(others & (others - 1));
        if (len == point + 1)
            return at;
    }
    return at + len;
}

/* Behind the number at `at`; NULL: it is none. Of 01 it is the 0. */
static inline const char *json_number_end(const char *at) {
    at += *at == '-';
    if (!json_is_digit(*at))
        return NULL;
    const char *likely = json_likely_number_end(at);
    return *likely == ',' ? likely : json_any_digits_end(at);
}

#endif
