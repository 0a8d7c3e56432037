/*
 * Decimals, beside GMP: lines of a stake, a currency's rate and the euro's
 * rate. What is read is the number that it says; what is printed is read as the
 * same; what comes of a conversion is exact.
 */
#include <regex.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/decimal_oracle.h"

/* An exponent beyond it makes a number too large, or too precise, anyhow. */
enum { LARGEST_EXPONENT = 10000 };

static const char form[] =
    "^(-?)(0|[1-9][0-9]*)(\\.([0-9]+))?([eE]([+-]?[0-9]+))?$";

/* digits * 10^exponent */
struct number {
    mpz_t digits;
    long exponent;
    bool negative;
};

static long exponent_of(const char *text) {
    double value = strtod(text, NULL);
    return value > LARGEST_EXPONENT    ? LARGEST_EXPONENT
           : value < -LARGEST_EXPONENT ? -LARGEST_EXPONENT
                                       : (long)value;
}

/* False: the text is no JSON number. */
static bool read_number(struct span text, struct number *out) {
    static regex_t expression;
    static bool compiled;
    regmatch_t at[7];
    if (!compiled)
        HOLDS(regcomp(&expression, form, REG_EXTENDED) == 0, "%s", form);
    compiled = true;
    char *copy = fuzz_string(text), *digits = malloc(text.len + 1);
    bool good =
        strlen(copy) == text.len && regexec(&expression, copy, 7, at, 0) == 0;
    if (good) {
        int whole = (int)(at[2].rm_eo - at[2].rm_so);
        int fraction = (int)(at[4].rm_eo - at[4].rm_so);
        sprintf(digits, "%.*s%.*s", whole, copy + at[2].rm_so, fraction,
                fraction > 0 ? copy + at[4].rm_so : "");
        mpz_set_str(out->digits, digits, 10);
        out->exponent =
            (at[6].rm_so >= 0 ? exponent_of(copy + at[6].rm_so) : 0) - fraction;
        out->negative = at[1].rm_eo > at[1].rm_so;
    }
    free(copy);
    free(digits);
    return good;
}

static enum decimal_error judge(struct number *n) {
    if (n->negative)
        return DECIMAL_NEGATIVE;
    if (mpz_sgn(n->digits) == 0)
        return DECIMAL_OK;
    for (; mpz_divisible_ui_p(n->digits, 10); n->exponent++)
        mpz_divexact_ui(n->digits, n->digits, 10);
    char *text = mpz_get_str(NULL, 10, n->digits);
    long significant = (long)strlen(text);
    free(text);
    if (significant > DECIMAL_MAX_DIGITS || n->exponent < -DECIMAL_MAX_DIGITS)
        return DECIMAL_TOO_PRECISE;
    return n->exponent + significant > DECIMAL_MAX_DIGITS ? DECIMAL_TOO_LARGE
                                                          : DECIMAL_OK;
}

/* Both without zeros at the end: equal values are equal in their members. */
static void check_value(struct span text, struct decimal ours,
                        const struct number *right) {
    mpz_t value;
    mpz_init(value);
    int zeros = right->exponent > 0 ? (int)right->exponent : 0;
    mpz_ui_pow_ui(value, 10, (unsigned long)zeros);
    mpz_mul(value, value, right->digits);
    bool same = mpz_cmp_ui(value, ours.coefficient) == 0;
    int scale =
        mpz_sgn(value) == 0 || right->exponent > 0 ? 0 : (int)-right->exponent;
    HOLDS(same && ours.scale == scale, "%.*s", SPAN(text));
    mpz_clear(value);
}

/* Without an exponent, and with no more decimals than are kept. */
static bool is_plain(struct span text) {
    const char *point = memchr(text.data, '.', text.len);
    size_t decimals =
        point != NULL ? (size_t)(text.data + text.len - point) - 1 : 0;
    return memchr(text.data, 'e', text.len) == NULL &&
           memchr(text.data, 'E', text.len) == NULL &&
           decimals <= DECIMAL_MAX_DIGITS;
}

static void check_printed(struct span text, struct decimal ours) {
    char plain[DECIMAL_TEXT_SIZE], padded[DECIMAL_PLACES_TEXT_SIZE];
    struct decimal again;
    uint8_t places = decimal_places(text);
    HOLDS(decimal_print(ours, plain) == strlen(plain), "%s", plain);
    HOLDS(decimal_parse(span_of(plain), &again) == DECIMAL_OK, "%s", plain);
    HOLDS(decimal_compare(ours, again) == 0 && again.scale == ours.scale, "%s",
          plain);
    HOLDS(places >= ours.scale && places <= DECIMAL_MAX_DIGITS, "%.*s",
          SPAN(text));
    decimal_print_places(ours, places, padded);
    HOLDS(strncmp(padded, plain, strlen(plain)) == 0, "%s", padded);
    HOLDS(decimal_places(span_of(padded)) == places, "%s", padded);
    HOLDS(!is_plain(text) || fuzz_same(text, span_of(padded)), "%.*s is %s",
          SPAN(text), padded);
}

static bool read_decimal(struct span text, struct decimal *out) {
    struct number right;
    mpz_init(right.digits);
    bool good = read_number(text, &right);
    enum decimal_error expected = good ? judge(&right) : DECIMAL_SYNTAX;
    enum decimal_error error = decimal_parse(text, out);
    HOLDS(error == expected, "%.*s: %d", SPAN(text), error);
    if (error == DECIMAL_OK) {
        check_value(text, *out, &right);
        check_printed(text, *out);
    }
    mpz_clear(right.digits);
    return error == DECIMAL_OK;
}

static void check_conversion(struct decimal stake, struct rate_pair rates) {
    struct oracle oracle;
    char ours[EURO_TEXT_SIZE], right[64];
    oracle_init(&oracle);
    oracle_convert(&oracle, stake, rates);
    oracle_print(&oracle, right);
    euro_print(decimal_convert(stake, rates), ours);
    HOLDS(strcmp(ours, right) == 0, "%s, not %s", ours, right);
    oracle_clear(&oracle);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span rest = fuzz_text(data, size);
    struct span stake_text = fuzz_take(&rest, '\n');
    struct span rate_text = fuzz_take(&rest, '\n');
    struct span euro_text = fuzz_take(&rest, '\n');
    struct decimal stake, rate, euro_rate;
    bool has_stake = read_decimal(stake_text, &stake);
    bool has_rate = read_decimal(rate_text, &rate);
    bool has_euro = read_decimal(euro_text, &euro_rate);
    if (has_stake && has_rate)
        HOLDS(decimal_compare(stake, rate) == -decimal_compare(rate, stake),
              "%.*s %.*s", SPAN(stake_text), SPAN(rate_text));
    if (!has_stake || !has_rate ||
        !is_legal_stake(stake.coefficient, stake.scale) ||
        !is_legal_rate(rate.coefficient, rate.scale))
        return 0;
    check_conversion(stake, (struct rate_pair){{1, 0}, rate});
    if (has_euro && is_legal_euro(euro_rate.coefficient, euro_rate.scale))
        check_conversion(stake, (struct rate_pair){euro_rate, rate});
    return 0;
}
