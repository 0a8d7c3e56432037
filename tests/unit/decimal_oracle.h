/*
 * What decimals ought to be, worked out by GMP on integers of any size: no
 * limit, no step and no line in common with common/rates/decimal.c.
 */
#ifndef FXWIRE_TESTS_UNIT_DECIMAL_ORACLE_H
#define FXWIRE_TESTS_UNIT_DECIMAL_ORACLE_H

#include <gmp.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/rates/decimal.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

struct oracle {
    mpz_t numerator, divisor, doubled, units;
};

static inline void oracle_init(struct oracle *o) {
    mpz_inits(o->numerator, o->divisor, o->doubled, o->units, NULL);
}

static inline void oracle_clear(struct oracle *o) {
    mpz_clears(o->numerator, o->divisor, o->doubled, o->units, NULL);
}

static inline void oracle_set(mpz_t out, uint64_t value) {
    mpz_import(out, 1, 1, sizeof value, 0, 0, &value);
}

static inline void oracle_set_scaled(mpz_t out, uint64_t value, int power) {
    mpz_t ten;
    mpz_init(ten);
    mpz_ui_pow_ui(ten, 10, (unsigned long)power);
    oracle_set(out, value);
    mpz_mul(out, out, ten);
    mpz_clear(ten);
}

/*
 * units = floor(stake * euro * 10^5 / currency + 1/2), which is half away from
 * zero for what is not negative. Whether the exact quotient was a tie.
 */
static inline bool oracle_convert(struct oracle *o, struct decimal stake,
                                  struct rate_pair rates) {
    oracle_set_scaled(o->numerator, stake.coefficient,
                      rates.currency.scale + 5);
    oracle_set(o->units, rates.euro.coefficient);
    mpz_mul(o->numerator, o->numerator, o->units);
    oracle_set_scaled(o->divisor, rates.currency.coefficient,
                      stake.scale + rates.euro.scale);
    mpz_mul_2exp(o->numerator, o->numerator, 1);
    mpz_mul_2exp(o->doubled, o->divisor, 1);
    mpz_mod(o->units, o->numerator, o->doubled);
    bool tie = mpz_cmp(o->units, o->divisor) == 0;
    mpz_add(o->numerator, o->numerator, o->divisor);
    mpz_fdiv_q(o->units, o->numerator, o->doubled);
    return tie;
}

static inline bool oracle_divide(struct oracle *o, struct decimal stake,
                                 struct decimal rate) {
    return oracle_convert(o, stake, (struct rate_pair){{1, 0}, rate});
}

static inline bool oracle_agrees(struct oracle *o, euro amount) {
    uint64_t halves[2] = {(uint64_t)(amount.units >> 64),
                          (uint64_t)amount.units};
    mpz_import(o->numerator, 2, 1, sizeof *halves, 0, 0, halves);
    return mpz_cmp(o->numerator, o->units) == 0;
}

/* An integer's text as so many hundred-thousandths, printed plainly. */
static inline void oracle_print(const struct oracle *o, char out[static 64]) {
    char digits[64], *text = digits + 8;
    memset(digits, '0', 8);
    mpz_get_str(text, 10, o->units);
    size_t len = strlen(text);
    size_t lead = len < 6 ? 6 - len : 0; /* one digit before the point */
    text -= lead;
    len += lead;
    sprintf(out, "%.*s.%s", (int)(len - 5), text, text + len - 5);
    char *end = out + len;
    while (*end == '0')
        *end-- = '\0';
    if (*end == '.')
        *end = '\0';
}

/* The normal form: no zero at the end of what stands after the point. */
static inline struct decimal normal_form(decimal_uint128 coefficient,
                                         int scale) {
    while (scale > 0 && coefficient % 10 == 0) {
        coefficient /= 10;
        scale--;
    }
    return (struct decimal){(uint64_t)coefficient, (uint8_t)scale};
}

static inline decimal_uint128 ten_to(int power) {
    decimal_uint128 value = 1;
    while (power-- > 0)
        value *= 10;
    return value;
}

static inline bool is_legal_stake(decimal_uint128 coefficient, int scale) {
    return scale <= 18 && coefficient < ten_to(18) &&
           coefficient < ten_to(15 + scale);
}

static inline bool is_legal_rate(decimal_uint128 coefficient, int scale) {
    return scale <= 18 && coefficient < ten_to(18) &&
           coefficient <= ten_to(10 + scale) &&
           coefficient * ten_to(9) >= ten_to(scale);
}

static inline bool is_legal_euro(decimal_uint128 coefficient, int scale) {
    return is_legal_rate(coefficient, scale) &&
           coefficient <= ten_to(9 + scale);
}

/* Exactly that many digits; now and then the largest or the smallest. */
static inline uint64_t random_digits(struct random *random, int digits) {
    uint64_t lowest = (uint64_t)ten_to(digits - 1);
    switch (random_below(random, 32)) {
    case 0:
        return lowest;
    case 1:
        return lowest * 9 + (lowest - 1);
    default:
        return lowest + random_below(random, lowest * 9);
    }
}

static inline struct decimal random_stake(struct random *random) {
    for (;;) {
        uint64_t digits = random_below(random, 19);
        int scale = (int)random_below(random, 19);
        uint64_t c = digits > 0 ? random_digits(random, (int)digits) : 0;
        if (is_legal_stake(c, scale))
            return normal_form(c, scale);
    }
}

static inline struct decimal random_rate(struct random *random) {
    for (;;) {
        uint64_t c = random_digits(random, 1 + (int)random_below(random, 18));
        int scale = (int)random_below(random, 19);
        if (is_legal_rate(c, scale))
            return normal_form(c, scale);
    }
}

static inline struct decimal random_euro_rate(struct random *random) {
    for (;;) {
        struct decimal rate = random_rate(random);
        if (is_legal_euro(rate.coefficient, rate.scale))
            return rate;
    }
}

#endif
