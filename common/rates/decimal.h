/*
 * Exact decimals for stakes and rates, and the one division of the service.
 * Digits are taken as they were sent; no binary fraction is used anywhere.
 */
#ifndef FXWIRE_COMMON_RATES_DECIMAL_H
#define FXWIRE_COMMON_RATES_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/span.h"

__extension__ typedef unsigned __int128 decimal_uint128;

enum {
    DECIMAL_MAX_DIGITS = 18, /* significant ones, and after the point */
    DECIMAL_TEXT_SIZE = 24,
    DECIMAL_PLACES_TEXT_SIZE = 40,
    EURO_DECIMALS = 5,
    EURO_TEXT_SIZE = 40,
};

/*
 * coefficient / 10^scale. Always in normal form: no trailing zero after the
 * point, so that equal values have equal members.
 */
struct decimal {
    uint64_t coefficient; /* below 10^18 */
    uint8_t scale;        /* 0 to 18 */
};

/* Rates of the euro and of a currency, both for one unit of the same base. */
struct rate_pair {
    struct decimal euro, currency;
};

/* An amount of euro, counted in units of 0.00001. */
typedef struct {
    decimal_uint128 units;
} euro;

enum decimal_error {
    DECIMAL_OK,
    DECIMAL_SYNTAX,     /* no JSON number */
    DECIMAL_NEGATIVE,   /* has a minus sign, -0 too */
    DECIMAL_TOO_LARGE,  /* 10^18 or more */
    DECIMAL_TOO_PRECISE /* more than 18 significant digits or decimals */
};

/*
 * Reads a JSON number (RFC 8259, section 6) exactly. Leading and trailing
 * zeros do not count as digits; an exponent is expanded.
 */
MUST_CHECK enum decimal_error decimal_parse(struct span text,
                                            struct decimal *out);

/*
 * How many decimals a JSON number (it must be one) has as it is written, zeros
 * at its end too, up to DECIMAL_MAX_DIGITS: 4 for "1.2220", 0 for "12e1". An
 * exponent is expanded.
 */
uint8_t decimal_places(struct span text);

/* Less than, equal to or greater than zero as `a` is to `b`. */
int decimal_compare(struct decimal a, struct decimal b);

/* Writes it plainly (no exponent, no trailing zeros) and a NUL. */
size_t decimal_print(struct decimal value, char out[static DECIMAL_TEXT_SIZE]);

/*
 * The same with that many decimals (at most DECIMAL_MAX_DIGITS), where the
 * value has fewer by zeros at the end: as it was written, but for an exponent.
 */
size_t decimal_print_places(struct decimal value, unsigned places,
                            char out[static DECIMAL_PLACES_TEXT_SIZE]);

/*
 * stake / rate, rounded once to five decimals, half away from zero: the rule
 * of Council Regulation (EC) No 1103/97, articles 4 and 5, with the decimals
 * of this service. For a stake below 10^15 and a rate from 10^-9 to 10^10.
 */
euro decimal_divide(struct decimal stake, struct decimal rate);

/*
 * stake * euro / currency, exactly, and rounded once in the same way. Bounds as
 * above; the euro's rate is from 10^-9 to 10^9.
 */
euro decimal_convert(struct decimal stake, struct rate_pair rates);

/* Writes it plainly (no exponent, no trailing zeros) and a NUL. */
size_t euro_print(euro amount, char out[static EURO_TEXT_SIZE]);

#endif
