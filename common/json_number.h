/* Where a number of a JSON text ends (RFC 8259, section 6). */
#ifndef FXWIRE_COMMON_JSON_NUMBER_H
#define FXWIRE_COMMON_JSON_NUMBER_H

#include "common/attributes.h"
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

/*
 * Behind a number of the usual kind, `12`, `1.2` or one of these with an
 * exponent, whose digits end in the step at `at`; NULL: it is no such.
 */
static inline const char *json_usual_number_end(const char *at,
                                                const char *end) {
    unsigned others = json_not_digits(at);
    size_t len = (unsigned)__builtin_ctz(others);
    if (len - 1 >= JSON_STEP - 1 || (*at == '0' && len > 1))
        return NULL;
    if (at[len] == ',')
        return at + len; /* what most are followed by */
    if (at[len] == '.') {
        size_t digits = len + 1;
        len = (unsigned)__builtin_ctz(others & (others - 1));
        if (len == digits || len >= JSON_STEP)
            return NULL;
    }
    return (at[len] | 0x20) != 'e' ? at + len
                                   : json_exponent_end(at + len, end);
}

/* Any number, see json_number_end(). */
static NOINLINE const char *json_any_number_end(const char *at,
                                                const char *end) {
    if (at < end && *at == '-') {
        at++;
        const char *usual =
            end - at >= JSON_STEP ? json_usual_number_end(at, end) : NULL;
        if (usual != NULL)
            return usual;
    }
    const char *behind = json_digits_end(at, end);
    if (behind == at)
        return NULL;
    if (*at == '0')
        behind = at + 1;
    if (behind < end && *behind == '.')
        behind = json_few_digits_end(behind + 1, end);
    if (behind != NULL && behind < end && (*behind | 0x20) == 'e')
        behind = json_exponent_end(behind, end);
    return behind;
}

/* The same as json_number_end() where a step can be loaded. */
static inline const char *json_number_end_in_step(const char *at,
                                                  const char *end) {
    const char *usual = json_usual_number_end(at, end);
    return usual != NULL ? usual : json_any_number_end(at, end);
}

/* Behind the number at `at`; NULL: it is none. Of 01 it is the 0. */
static inline const char *json_number_end(const char *at, const char *end) {
    return end - at >= JSON_STEP ? json_number_end_in_step(at, end)
                                 : json_any_number_end(at, end);
}

#endif
