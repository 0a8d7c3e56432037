/* Conversions by two rates of one table: by hand, and by GMP. */
#include <inttypes.h>

#include "common/rates/decimal.h"
#include "tests/unit/decimal_oracle.h"
#include "tests/unit/unit.h"

static const struct conversion_case {
    const char *stake, *of_euro, *of_currency, *euro;
} conversion_cases[] = {
    {"253.67", "0.8", "1", "202.936"},
    {"253.67", "0.818073", "1", "207.52058"},
    {"253.67", "1", "1.222385", "207.52054"},
    {"100", "0.8", "109.5", "0.73059"},
    {"1", "1", "3", "0.33333"},
    {"0", "0.8", "1", "0"},
    {"1", "0.923456", "147.8912", "0.00624"},
    {"1000000", "0.860812", "1354.5", "635.52012"},
    {"0.000001", "0.86", "16500.25", "0"},
    {"123456789.012345678", "0.123456789012345678", "9.87654321098765432",
     "1543209.84859"},
    /* Ties go away from zero; so does nothing below them. */
    {"0.00001", "0.5", "1", "0.00001"},
    {"0.00003", "0.5", "1", "0.00002"},
    {"0.00001", "1.5", "3", "0.00001"},
    {"0.00001", "1.4999999999", "3", "0"},
    {"0.00001", "1.5000000001", "3", "0.00001"},
    {"0.00001", "1.5", "3.00000000000000001", "0"},
    {"1", "0.000005", "1", "0.00001"},
    {"0.00001", "0.2", "0.4", "0.00001"},
    {"1e-18", "500000000", "0.0001", "0.00001"},
    {"0.000000000016777216", "0.298023223876953125", "0.000001", "0.00001"},
    {"0.000000000016777215", "0.298023223876953125", "0.000001", "0"},
    {"1.000005", "0.8", "0.8", "1.00001"},
    {"999999999.999995", "0.8", "0.8", "1000000000"},
    /* The ends of what is legal. */
    {"999999999999999.999", "1e9", "1e-9", "999999999999999999000000000000000"},
    {"999999999999999.999", "1e9", "0.000000001000000001",
     "999999999000000000000000000000000"},
    {"999999999999999.999", "1e-9", "1e10", "0.0001"},
    {"999999999999999.999", "1e9", "1e10", "99999999999999.9999"},
    {"999999999999999", "1e-9", "1e-9", "999999999999999"},
    {"1e-18", "1e9", "1e-9", "1"},
    {"1e-18", "1e-9", "1e10", "0"},
    {"0.999999999999999999", "0.999999999999999999", "0.999999999999999999",
     "1"},
    {"0.999999999999999999", "0.999999999999999999", "1e-9", "1000000000"},
    {"5000000000000", "1e-9", "1e9", "0.00001"},
    {"4999999999999.99999", "1e-9", "1e9", "0"},
    {"5000000000000", "1e-9", "1000000000.00000001", "0"},
};

static struct decimal parse(const char *text) {
    struct decimal value = {0};
    assert_int_equal(decimal_parse(span_of(text), &value), DECIMAL_OK);
    return value;
}

static void converts_by_table(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(conversion_cases); i++) {
        const struct conversion_case *c = &conversion_cases[i];
        char out[EURO_TEXT_SIZE];
        struct rate_pair rates = {parse(c->of_euro), parse(c->of_currency)};
        euro_print(decimal_convert(parse(c->stake), rates), out);
        if (strcmp(out, c->euro) != 0)
            fail_msg("%s * %s / %s: %s, not %s", c->stake, c->of_euro,
                     c->of_currency, out, c->euro);
    }
}

/* Whether the quotient is a tie; fails if the code and GMP differ. */
static bool check(struct oracle *o, struct decimal stake,
                  struct rate_pair rates) {
    bool tie = oracle_convert(o, stake, rates);
    if (!oracle_agrees(o, decimal_convert(stake, rates)))
        fail_msg("%" PRIu64 "e-%d * %" PRIu64 "e-%d / %" PRIu64
                 "e-%d: wrong at %s",
                 stake.coefficient, stake.scale, rates.euro.coefficient,
                 rates.euro.scale, rates.currency.coefficient,
                 rates.currency.scale, tie ? "a tie" : "no tie");
    return tie;
}

static void converts_as_gmp_does(void **state) {
    (void)state;
    struct random random = {20231027};
    struct oracle o;
    oracle_init(&o);
    for (int i = 0; i < 1500000; i++) {
        struct decimal stake = random_stake(&random);
        struct decimal of_euro = random_euro_rate(&random);
        check(&o, stake, (struct rate_pair){of_euro, random_rate(&random)});
    }
    oracle_clear(&o);
}

/* With a table to the euro it is the plain division. */
static void divides_where_the_base_is_the_euro(void **state) {
    (void)state;
    struct random random = {1997};
    for (int i = 0; i < 200000; i++) {
        struct decimal stake = random_stake(&random);
        struct decimal rate = random_rate(&random);
        euro amount = decimal_convert(stake, (struct rate_pair){{1, 0}, rate});
        assert_true(amount.units == decimal_divide(stake, rate).units);
    }
}

/* A conversion and the integers that its three numbers are made of. */
struct tie {
    decimal_uint128 stake, euro, currency;
    int stake_scale, euro_scale, currency_scale;
};

static bool is_legal(const struct tie *t) {
    return t->stake_scale >= 0 && t->euro_scale >= 0 &&
           t->currency_scale >= 0 && is_legal_stake(t->stake, t->stake_scale) &&
           is_legal_euro(t->euro, t->euro_scale) &&
           is_legal_rate(t->currency, t->currency_scale);
}

/*
 * stake = odd * 5 * x, euro = y, currency = x * y, and scales by which their
 * quotient has six decimals: so it is an odd number of halves of a unit.
 */
static struct tie tie_by_factors(struct random *random) {
    int of_x = 1 + (int)random_below(random, 15);
    int of_y = 1 + (int)random_below(random, (uint64_t)(17 - of_x));
    int of_odd = 1 + (int)random_below(random, (uint64_t)(17 - of_x));
    decimal_uint128 x = random_digits(random, of_x);
    struct tie t = {.stake = (random_digits(random, of_odd) | 1) * 5 * x,
                    .euro = random_digits(random, of_y),
                    .stake_scale = (int)random_below(random, 19),
                    .euro_scale = (int)random_below(random, 19)};
    t.currency = x * t.euro;
    t.currency_scale = t.stake_scale + t.euro_scale - 6;
    return t;
}

/*
 * stake = odd * 2^p, euro = n * 5^(p+1), currency = n: the digits of the
 * product end in up to 24 zeros, all of them behind the last unit.
 */
static struct tie tie_by_powers(struct random *random) {
    int p = (int)random_below(random, 25);
    decimal_uint128 power = (decimal_uint128)1 << p, fives = 5;
    for (int i = 0; i < p; i++)
        fives *= 5;
    uint64_t n = 1 + random_below(random, (uint64_t)(ten_to(18) / fives) / 2);
    uint64_t odd = 1 | random_below(random, (uint64_t)(ten_to(18) / power));
    struct tie t = {.stake = odd * power,
                    .euro = n * fives,
                    .currency = n,
                    .stake_scale = (int)random_below(random, 19),
                    .currency_scale = (int)random_below(random, 19)};
    t.euro_scale = 6 + p + t.currency_scale - t.stake_scale;
    return t;
}

/* The next numbers of the stake are no ties; the one below rounds down. */
static void check_neighbours(struct oracle *o, const struct tie *t,
                             struct rate_pair rates) {
    if (t->stake_scale > 18 || !is_legal_stake(t->stake + 1, t->stake_scale))
        return;
    check(o, normal_form(t->stake + 1, t->stake_scale), rates);
    check(o, normal_form(t->stake - 1, t->stake_scale), rates);
}

static void rounds_ties_away_from_zero(void **state) {
    (void)state;
    struct random random = {974};
    struct oracle o;
    oracle_init(&o);
    int ties = 0, deep = 0, shallow = 0;
    while (ties < 200000) {
        struct tie t = random_below(&random, 2) == 0 ? tie_by_factors(&random)
                                                     : tie_by_powers(&random);
        if (!is_legal(&t))
            continue;
        struct decimal stake = normal_form(t.stake, t.stake_scale);
        struct rate_pair rates = {normal_form(t.euro, t.euro_scale),
                                  normal_form(t.currency, t.currency_scale)};
        assert_true(check(&o, stake, rates));
        check_neighbours(&o, &t, rates);
        int shift = EURO_DECIMALS + rates.currency.scale - stake.scale -
                    rates.euro.scale;
        deep += shift < -10;
        shallow += shift >= 0;
        ties++;
    }
    assert_in_range(deep, 1000, 200000);
    assert_in_range(shallow, 1000, 200000);
    oracle_clear(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(converts_by_table),
        cmocka_unit_test(converts_as_gmp_does),
        cmocka_unit_test(divides_where_the_base_is_the_euro),
        cmocka_unit_test(rounds_ties_away_from_zero),
    };
    return cmocka_run_group_tests_name("decimal_convert", tests, NULL, NULL);
}
