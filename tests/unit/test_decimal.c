/* Decimals: by tables, and by GMP where there are too many cases to list. */
#include <inttypes.h>
#include <regex.h>

#include "common/rates/decimal.h"
#include "tests/unit/decimal_cases.h"
#include "tests/unit/decimal_oracle.h"
#include "tests/unit/unit.h"

static enum decimal_error parse(const char *text, struct decimal *out) {
    return decimal_parse(exact_copy(text, strlen(text)), out);
}

static struct decimal must_parse(const char *text) {
    struct decimal value = {0};
    if (parse(text, &value) != DECIMAL_OK)
        fail_msg("`%s` is refused", text);
    return value;
}

static void check_parse(const struct parse_case *c) {
    struct decimal value = {0};
    enum decimal_error error = parse(c->text, &value);
    if (error != c->error)
        fail_msg("`%.60s`: error %d, not %d", c->text, error, c->error);
    if (error == DECIMAL_OK &&
        (value.coefficient != c->coefficient || value.scale != c->scale))
        fail_msg("`%.60s`: %" PRIu64 " and %d decimals", c->text,
                 value.coefficient, value.scale);
}

static void parses_by_table(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(parse_cases); i++)
        check_parse(&parse_cases[i]);
}

/* A span ends where it says, not at the digits or the NUL behind it. */
static void parses_no_further_than_its_span(void **state) {
    (void)state;
    struct decimal value;
    assert_int_equal(decimal_parse((struct span){"12345", 3}, &value),
                     DECIMAL_OK);
    assert_true(value.coefficient == 123 && value.scale == 0);
    assert_int_equal(decimal_parse((struct span){"1.5", 2}, &value),
                     DECIMAL_SYNTAX);
    assert_int_equal(decimal_parse((struct span){"1e5", 2}, &value),
                     DECIMAL_SYNTAX);
    assert_int_equal(decimal_parse((struct span){"1\0", 2}, &value),
                     DECIMAL_SYNTAX);
}

static void parses_long_texts(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(long_cases); i++) {
        const struct long_case *c = &long_cases[i];
        char fill[8192] = "", text[9000];
        memset(fill, c->fill, (size_t)c->count);
        snprintf(text, sizeof text, "%s%s%s", c->head, fill, c->tail);
        check_parse(
            &(struct parse_case){text, c->error, c->coefficient, c->scale});
    }
}

/* Both limits are passed, and either may be named. */
static void names_one_of_two_faults(void **state) {
    (void)state;
    static const char *const texts[] = {"1234567890123456789",
                                        "1000000000000000001",
                                        "12345678901234567890.5e3"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct decimal value;
        enum decimal_error error = parse(texts[i], &value);
        if (error != DECIMAL_TOO_LARGE && error != DECIMAL_TOO_PRECISE)
            fail_msg("`%s`: error %d", texts[i], error);
    }
}

/* With an exponent it is read the long way: it means the same. */
static void check_long_way(const char *text, enum decimal_error error,
                           struct decimal value) {
    char with_exponent[64];
    struct decimal again;
    snprintf(with_exponent, sizeof with_exponent, "%se0", text);
    assert_int_equal(parse(with_exponent, &again), error);
    if (error == DECIMAL_OK &&
        (value.coefficient != again.coefficient || value.scale != again.scale))
        fail_msg("`%s` is another number than `%s`", text, with_exponent);
}

static void check_form(const regex_t *number, const char *text) {
    struct decimal value;
    enum decimal_error error = decimal_parse(span_of(text), &value);
    bool is_number = regexec(number, text, 0, NULL, 0) == 0;
    if ((error != DECIMAL_SYNTAX) != is_number)
        fail_msg("`%s`: error %d", text, error);
    if (is_number && (error == DECIMAL_NEGATIVE) != (text[0] == '-'))
        fail_msg("`%s`: sign taken wrongly, error %d", text, error);
    if (is_number && strpbrk(text, "eE") == NULL)
        check_long_way(text, error, value);
}

/* Each text of up to seven of these characters, against the grammar. */
static void takes_the_json_grammar(void **state) {
    (void)state;
    static const char alphabet[] = "01.eE+-";
    static const char grammar[] =
        "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?$";
    regex_t number;
    assert_int_equal(regcomp(&number, grammar, REG_EXTENDED | REG_NOSUB), 0);
    int texts = 1;
    for (int len = 0; len <= 7; len++, texts *= 7)
        for (int n = 0; n < texts; n++) {
            char text[8] = "";
            for (int i = 0, rest = n; i < len; i++, rest /= 7)
                text[i] = alphabet[rest % 7];
            check_form(&number, text);
        }
    regfree(&number);
}

static const struct print_case {
    struct decimal value;
    const char *text;
} print_cases[] = {
    {{0, 0}, "0"},
    {{1, 0}, "1"},
    {{10, 0}, "10"},
    {{100, 0}, "100"},
    {{1, 1}, "0.1"},
    {{1, 5}, "0.00001"},
    {{22, 1}, "2.2"},
    {{25367, 2}, "253.67"},
    {{10203, 3}, "10.203"},
    {{100000001, 4}, "10000.0001"},
    {{1, 18}, "0.000000000000000001"},
    {{UINT64_C(100000000000000001), 17}, "1.00000000000000001"},
    {{UINT64_C(123456789012345678), 9}, "123456789.012345678"},
    {{UINT64_C(999999999999999999), 18}, "0.999999999999999999"},
    {{UINT64_C(999999999999999999), 1}, "99999999999999999.9"},
    {{UINT64_C(999999999999999999), 0}, "999999999999999999"},
};

static void prints_decimals(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(print_cases); i++) {
        const struct print_case *c = &print_cases[i];
        char out[DECIMAL_TEXT_SIZE];
        memset(out, '#', sizeof out);
        size_t len = decimal_print(c->value, out);
        assert_string_equal(out, c->text);
        assert_int_equal(len, strlen(c->text));
    }
}

static void prints_euros(void **state) {
    (void)state;
    static const struct {
        uint64_t high, low; /* units = high * 10^18 + low */
        const char *text;
    } cases[] = {
        {0, 0, "0"},
        {0, 1, "0.00001"},
        {0, 10, "0.0001"},
        {0, 99999, "0.99999"},
        {0, 100000, "1"},
        {0, 100001, "1.00001"},
        {0, 20752054, "207.52054"},
        {0, 20750000, "207.5"},
        {0, 10000000, "100"},
        {0, 90000000, "900"},
        {0, 99999999, "999.99999"},
        {0, 100000000, "1000"},
        {0, 100000001, "1000.00001"},
        {0, UINT64_C(9999999999999), "99999999.99999"},
        {0, UINT64_C(10000000000000), "100000000"},
        {0, UINT64_MAX, "184467440737095.51615"},
        {1, 0, "10000000000000"},
        {20, 1, "200000000000000.00001"},
        {UINT64_C(99999999999), UINT64_C(999999999900000),
         "999999999990009999999999"},
        {UINT64_C(100000000000), 0, "1000000000000000000000000"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        euro amount = {cases[i].high * ten_to(18) + cases[i].low};
        char out[EURO_TEXT_SIZE];
        memset(out, '#', sizeof out);
        size_t len = euro_print(amount, out);
        assert_string_equal(out, cases[i].text);
        assert_int_equal(len, strlen(cases[i].text));
    }
}

static void compares_by_table(void **state) {
    (void)state;
    static const char *const ascending[] = {
        "0",
        "0.000000000000000001",
        "0.000000000000000002",
        "0.00000000000000001",
        "0.1",
        "0.999999999999999999",
        "1",
        "1.00000000000000001",
        "1.1",
        "9.99999999999999999",
        "10",
        "10.5",
        "99",
        "1e10",
        "999999999999999.999",
        "1e15",
        "99999999999999999.9",
        "1e17",
        "999999999999999998",
        "999999999999999999",
    };
    for (int i = 0; i < (int)COUNT_OF(ascending); i++)
        for (int j = 0; j < (int)COUNT_OF(ascending); j++) {
            int order = decimal_compare(must_parse(ascending[i]),
                                        must_parse(ascending[j]));
            if ((order > 0) != (i > j) || (order < 0) != (i < j))
                fail_msg("%s against %s: %d", ascending[i], ascending[j],
                         order);
        }
}

static void equal_values_have_equal_members(void **state) {
    (void)state;
    static const char *const texts[] = {"2500",     "2500.0",    "2.5e3",
                                        "2500e0",   "25E+2",     "0.25e4",
                                        "25000e-1", "2500.00e-0"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct decimal value = must_parse(texts[i]);
        if (value.coefficient != 2500 || value.scale != 0)
            fail_msg("%s is not in normal form", texts[i]);
        assert_int_equal(decimal_compare(value, (struct decimal){2500, 0}), 0);
    }
}

static void divides_by_table(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(division_cases); i++) {
        const struct division_case *c = &division_cases[i];
        char out[EURO_TEXT_SIZE];
        euro_print(decimal_divide(must_parse(c->stake), must_parse(c->rate)),
                   out);
        if (strcmp(out, c->euro) != 0)
            fail_msg("%s / %s: %s, not %s", c->stake, c->rate, out, c->euro);
    }
}

/* Whether the quotient is a tie; fails if the code and GMP differ. */
static bool check_division(struct oracle *o, struct decimal stake,
                           struct decimal rate) {
    bool tie = oracle_divide(o, stake, rate);
    euro amount = decimal_divide(stake, rate);
    if (!oracle_agrees(o, amount))
        fail_msg("%" PRIu64 "e-%d / %" PRIu64 "e-%d: wrong at %s",
                 stake.coefficient, stake.scale, rate.coefficient, rate.scale,
                 tie ? "a tie" : "no tie");
    return tie;
}

static void divides_as_gmp_does(void **state) {
    (void)state;
    struct random random = {20210518};
    struct oracle o;
    oracle_init(&o);
    for (int i = 0; i < 2000000; i++) {
        struct decimal stake = random_stake(&random);
        check_division(&o, stake, random_rate(&random));
    }
    oracle_clear(&o);
}

/*
 * A stake whose quotient is k + 1/2 units: (2k + 1) * rate * 5 / 10^6. Twos in
 * the rate and fives in 2k + 1 make zeros at its end, which leave room for
 * long rates. False: this one is no legal stake.
 */
static bool make_tie(struct random *random, struct decimal *stake,
                     struct decimal *rate, uint64_t *k) {
    int digits = 1 + (int)random_below(random, 16);
    decimal_uint128 r = random_digits(random, 17 - digits);
    uint64_t odd = random_digits(random, digits) | 1;
    for (uint64_t i = random_below(random, 8); i > 0 && odd < ten_to(16); i--)
        odd *= 5;
    for (uint64_t i = random_below(random, 16); i > 0 && r < ten_to(17); i--)
        r *= 2;
    int scale = (int)random_below(random, 19);
    if (!is_legal_rate(r, scale))
        return false;
    *rate = normal_form(r, scale);
    decimal_uint128 c = (decimal_uint128)odd * rate->coefficient * 5;
    scale = rate->scale + 6;
    while (scale > 0 && c % 10 == 0) {
        c /= 10;
        scale--;
    }
    if (!is_legal_stake(c, scale))
        return false;
    *stake = (struct decimal){(uint64_t)c, (uint8_t)scale};
    *k = (odd - 1) / 2;
    return true;
}

/* How many quotients beside the ties were rounded down and up. */
struct neighbours {
    int down, up;
};

/* One step of the last digit that there is room for, either way. */
static void check_neighbours(struct oracle *o, struct decimal stake,
                             struct decimal rate, uint64_t k,
                             struct neighbours *count) {
    decimal_uint128 c = stake.coefficient, r = rate.coefficient;
    int cs = stake.scale, rs = rate.scale;
    for (; cs < 18 && c * 10 < ten_to(18); cs++)
        c *= 10;
    for (; rs < 18 && r * 10 < ten_to(18); rs++)
        r *= 10;
    for (int step = -1; step <= 1; step += 2) {
        struct decimal near_stake = normal_form(c + (decimal_uint128)step, cs);
        struct decimal near_rate = normal_form(r + (decimal_uint128)step, rs);
        if (is_legal_stake(c + (decimal_uint128)step, cs)) {
            check_division(o, near_stake, rate);
            count->down += step < 0 && mpz_cmp_ui(o->units, k) == 0;
            count->up += step > 0 && mpz_cmp_ui(o->units, k + 1) == 0;
        }
        if (is_legal_rate(r + (decimal_uint128)step, rs))
            check_division(o, stake, near_rate);
    }
}

static void rounds_ties_away_from_zero(void **state) {
    (void)state;
    struct random random = {1103};
    struct oracle o;
    oracle_init(&o);
    int ties = 0;
    struct neighbours neighbours = {0};
    while (ties < 200000) {
        struct decimal stake, rate;
        uint64_t k;
        if (!make_tie(&random, &stake, &rate, &k))
            continue;
        assert_true(check_division(&o, stake, rate));
        assert_int_equal(mpz_cmp_ui(o.units, k + 1), 0);
        check_neighbours(&o, stake, rate, k, &neighbours);
        ties++;
    }
    assert_in_range(neighbours.down, 150000, 200000);
    assert_in_range(neighbours.up, 150000, 200000);
    oracle_clear(&o);
}

/* Writes coefficient / 10^scale without an exponent; `more` adds zeros. */
static void write_plain(uint64_t coefficient, int scale, int more, char *out) {
    static const char zeros[] = "00000000000000000000";
    int decimals = scale > 0 ? scale : 0;
    int len = sprintf(out, "%0*" PRIu64 "%.*s", decimals + 1, coefficient,
                      scale < 0 && coefficient > 0 ? -scale : 0, zeros);
    char *point = out + len - decimals;
    if (decimals + more > 0) {
        memmove(point + 1, point, (size_t)decimals + 1);
        *point = '.';
    }
    sprintf(out + strlen(out), "%.*s", more, zeros);
}

/* `digits` sevens times 10^power, with and without an exponent. */
static void check_limits(int digits, int power) {
    uint64_t sevens = 0;
    for (int i = 0; i < digits; i++)
        sevens = sevens * 10 + 7;
    bool too_large = digits + power > 18;
    bool too_precise = digits > 18 || power < -18;
    char texts[2][128];
    write_plain(sevens, -power, 0, texts[0]);
    sprintf(texts[1], "%" PRIu64 "e%d", sevens, power);
    for (int i = 0; i < 2; i++) {
        struct decimal value;
        enum decimal_error error = parse(texts[i], &value);
        bool right = (error == DECIMAL_OK && !too_large && !too_precise) ||
                     (error == DECIMAL_TOO_LARGE && too_large) ||
                     (error == DECIMAL_TOO_PRECISE && too_precise);
        if (!right)
            fail_msg("%s: error %d", texts[i], error);
    }
}

static void holds_every_limit(void **state) {
    (void)state;
    for (int digits = 1; digits <= 19; digits++)
        for (int power = -20; power <= 20; power++)
            check_limits(digits, power);
}

/* One of the many ways to write the number down. */
static void write_number(struct random *random, struct decimal value,
                         char out[static 128]) {
    int exponent = (int)random_below(random, 41) - 20;
    int more = (int)random_below(random, 4);
    bool with_exponent = random_below(random, 2) == 0;
    int scale = value.scale + (with_exponent ? exponent : 0);
    write_plain(value.coefficient, scale, more, out);
    if (with_exponent)
        sprintf(out + strlen(out), more == 1 ? "E%+d" : "e%d", exponent);
}

static void goes_from_text_to_text(void **state) {
    (void)state;
    struct random random = {48};
    struct oracle o;
    oracle_init(&o);
    for (int i = 0; i < 200000; i++) {
        struct decimal stake = random_stake(&random);
        struct decimal rate = random_rate(&random);
        char stake_text[128], rate_text[128], out[EURO_TEXT_SIZE], right[64];
        write_number(&random, stake, stake_text);
        write_number(&random, rate, rate_text);
        euro_print(
            decimal_divide(must_parse(stake_text), must_parse(rate_text)), out);
        oracle_divide(&o, stake, rate);
        oracle_print(&o, right);
        if (strcmp(out, right) != 0)
            fail_msg("%s / %s: %s, not %s", stake_text, rate_text, out, right);
    }
    oracle_clear(&o);
}

/* Numbers written down come back, and their plain print means the same. */
static void reads_and_prints_what_was_written(void **state) {
    (void)state;
    struct random random = {8259};
    for (int i = 0; i < 200000; i++) {
        struct decimal value = random_stake(&random);
        char text[128], plain[128], out[DECIMAL_TEXT_SIZE];
        write_number(&random, value, text);
        struct decimal read = must_parse(text);
        if (read.coefficient != value.coefficient || read.scale != value.scale)
            fail_msg("%s: %" PRIu64 " and %d decimals", text, read.coefficient,
                     read.scale);
        write_plain(value.coefficient, value.scale, 0, plain);
        decimal_print(read, out);
        assert_string_equal(out, plain);
    }
}

static void compares_as_gmp_does(void **state) {
    (void)state;
    struct random random = {6};
    mpz_t left, right;
    mpz_inits(left, right, NULL);
    for (int i = 0; i < 200000; i++) {
        struct decimal a = random_stake(&random);
        struct decimal b = random_stake(&random);
        if (i % 2 == 0) { /* the same digits, or nearly so */
            b = a;
            b.coefficient ^= random_below(&random, 2);
        }
        oracle_set_scaled(left, a.coefficient, b.scale);
        oracle_set_scaled(right, b.coefficient, a.scale);
        int wanted = mpz_cmp(left, right), order = decimal_compare(a, b);
        if ((order > 0) != (wanted > 0) || (order < 0) != (wanted < 0))
            fail_msg("%" PRIu64 "e-%d against %" PRIu64 "e-%d: %d",
                     a.coefficient, a.scale, b.coefficient, b.scale, order);
    }
    mpz_clears(left, right, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_by_table),
        cmocka_unit_test(parses_no_further_than_its_span),
        cmocka_unit_test(parses_long_texts),
        cmocka_unit_test(names_one_of_two_faults),
        cmocka_unit_test(takes_the_json_grammar),
        cmocka_unit_test(prints_decimals),
        cmocka_unit_test(prints_euros),
        cmocka_unit_test(compares_by_table),
        cmocka_unit_test(equal_values_have_equal_members),
        cmocka_unit_test(divides_by_table),
        cmocka_unit_test(divides_as_gmp_does),
        cmocka_unit_test(rounds_ties_away_from_zero),
        cmocka_unit_test(holds_every_limit),
        cmocka_unit_test(goes_from_text_to_text),
        cmocka_unit_test(reads_and_prints_what_was_written),
        cmocka_unit_test(compares_as_gmp_does),
    };
    return cmocka_run_group_tests_name("decimal", tests, NULL, NULL);
}
