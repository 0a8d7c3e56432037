/* Where a number of a JSON text ends (RFC 8259, section 6). */
#ifndef FXWIRE_COMMON_JSON_NUMBER_H
#define FXWIRE_COMMON_JSON_NUMBER_H

#include "common/json_plain.h"

/* Behind the digits at `at`, mostly one or two; NULL: there is none. */
static inline const char *json_few_digits_end(const char *at, const char *end) {
    const char *behind = json_digits_end_by_bytes(at, end);
    return behind > at ? behind : NULL;
}

/* Behind an exponent, from its letter on. */
static inline const char *json_exponent_end(const char *at, const char *end) {
    at++;
    if (at < end && (*at == '+' || *at == '-'))
        at++;
    return json_few_digits_end(at, end);
}

/* Behind the number at `at`; NULL: it is none. Of 01 it is the 0. */
static inline const char *json_number_end(const char *at, const char *end) {
    const char *behind = json_digits_end(at, end);
    if (behind == at) {
        if (at == end || *at != '-')
            return NULL;
        at++;
        behind = json_few_digits_end(at, end);
        if (behind == NULL)
            return NULL;
    }
    if (*at == '0')
        behind = at + 1;
    if (behind < end && *behind == '.')
        behind = json_few_digits_end(behind + 1, end);
    if (behind != NULL && behind < end && (*behind | 0x20) == 'e')
        behind = json_exponent_end(behind, end);
    return behind;
}

#endif
