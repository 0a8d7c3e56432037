/* Differences in percent, at their bounds, and against GMP. */
#include <gmp.h>
#include <stdio.h>

#include "ratefetcher/rates_differ.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

static struct decimal parse(const char *text) {
    struct decimal value = {0};
    assert_int_equal(decimal_parse(span_of(text), &value), DECIMAL_OK);
    return value;
}

static const struct differ_case {
    const char *euro, *rate, *other_euro, *other_rate;
    double percent;
    bool differs;
} cases[] = {
    {"1", "1.02", "1", "1", 2, false},
    {"1", "1.0200000000000001", "1", "1", 2, true},
    {"1", "0.98", "1", "1", 2, false},
    {"1", "0.9799999999999999", "1", "1", 2, true},
    {"1", "1", "1", "1", 1, false},
    {"1", "1000", "1", "1", 2, true},
    {"1", "1", "1", "1000", 2, true},
    {"1", "1.1576", "1", "1.1580", 2, false},
    {"1", "120", "1", "100", 20, false},
    {"1", "120.01", "1", "100", 20, true},
    {"1", "80", "1", "100", 20, false},
    {"1", "79.99", "1", "100", 20, true},
    /* Decimals. */
    {"1", "1.005", "1", "1", 0.5, false},
    {"1", "1.0050000000000001", "1", "1", 0.5, true},
    {"1", "0.995", "1", "1", 0.5, false},
    {"1", "0.99499999999999999", "1", "1", 0.5, true},
    {"1", "1.000000025", "1", "1", 0.000002, true},
    {"1", "1.000000015", "1", "1", 0.000002, false},
    {"1", "1.00000002", "1", "1", 0.000002, false},
    /* Of which one is the other's measure. */
    {"1", "100", "1", "120", 20, false},
    {"1", "100", "1", "125.01", 20, true},
    /* Other bases: 1.2 dollars for one euro, 1 / 0.8 = 1.25. */
    {"0.8", "1", "1", "1.25", 1, false},
    {"0.8", "1", "1", "1.2", 4, true},
    {"0.8", "1", "1", "1.2", 5, false},
    {"0.8", "109.5", "0.5", "68.4375", 1, false},
    /* The ends of what is legal. */
    {"1000000000", "0.000000001", "0.000000001", "10000000000", 100, false},
    {"0.000000001", "10000000000", "1000000000", "0.000000001", 100, true},
    {"0.999999999999999999", "0.999999999999999999", "0.999999999999999999",
     "0.999999999999999999", 100, false},
    {"0.999999999999999999", "9999999999.99999999", "0.000000001",
     "0.000000001", 100, true},
};

static void by_table(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct differ_case *c = &cases[i];
        if (rates_differ(
                (struct rate_pair){parse(c->euro), parse(c->rate)},
                (struct rate_pair){parse(c->other_euro), parse(c->other_rate)},
                (uint64_t)(c->percent * 1e6 + 0.5)) != c->differs)
            fail_msg("row %zu", i);
    }
}

/* A legal rate of up to 18 digits; often of few. */
static struct decimal random_rate(struct random *random) {
    uint64_t most = 1;
    for (uint64_t n = random_below(random, 19); n > 0; n--)
        most *= 10;
    for (;;) {
        struct decimal value = {random_below(random, most) + 1,
                                (uint8_t)random_below(random, 19)};
        if (value.coefficient < UINT64_C(1000000000000000000) &&
            decimal_compare(value, (struct decimal){1, 9}) >= 0 &&
            decimal_compare(value, (struct decimal){1000000000, 0}) <= 0)
            return value;
    }
}

static void set(mpq_t out, struct decimal value) {
    mpz_set_ui(mpq_numref(out), value.coefficient);
    mpz_ui_pow_ui(mpq_denref(out), 10, value.scale);
    mpq_canonicalize(out);
}

/* |a - b| * 100 > percent * b, as fractions; in millionths of a percent. */
static bool gmp_says(struct rate_pair rates, struct rate_pair other,
                     uint64_t percent) {
    mpq_t a, b, t;
    mpq_inits(a, b, t, NULL);
    set(a, rates.currency);
    set(t, rates.euro);
    mpq_div(a, a, t);
    set(b, other.currency);
    set(t, other.euro);
    mpq_div(b, b, t);
    mpq_sub(a, a, b);
    mpq_abs(a, a);
    mpq_set_ui(t, percent, 100000000);
    mpq_canonicalize(t);
    mpq_mul(b, b, t);
    bool differs = mpq_cmp(a, b) > 0;
    mpq_clears(a, b, t, NULL);
    return differs;
}

static void as_gmp_does(void **state) {
    (void)state;
    struct random random = {20261128};
    size_t differing = 0;
    for (int i = 0; i < 200000; i++) {
        struct rate_pair rates = {random_rate(&random), random_rate(&random)};
        struct rate_pair other = {random_rate(&random), random_rate(&random)};
        uint64_t percent = 10000 + random_below(&random, 100000000 - 9999);
        if (i % 3 == 0)
            percent = (1 + percent / 1000000) % 101 * 1000000;
        if (i % 2 == 0) { /* near to each other */
            other = rates;
            other.currency.coefficient +=
                other.currency.coefficient / 100 * random_below(&random, 200);
            if (other.currency.coefficient >= UINT64_C(1000000000000000000))
                continue;
        }
        bool differs = rates_differ(rates, other, percent);
        differing += differs;
        if (differs != gmp_says(rates, other, percent))
            fail_msg("round %d", i);
    }
    assert_in_range(differing, 50000, 190000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_table),
        cmocka_unit_test(as_gmp_does),
    };
    return cmocka_run_group_tests_name("rates_differ", tests, NULL, NULL);
}
