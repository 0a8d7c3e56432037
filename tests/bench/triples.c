/*
 * Converts random stakes by random rates, as texts, for decimals.py to hold
 * against Python's decimal: triples COUNT SEED. A line each: the stake, the
 * euro's rate, the currency's, the euros.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/rates/decimal.h"
#include "tests/unit/random.h"

enum { NUMBER_BYTES = 32, MAX_DIGITS = 18 };

/* Digits of which the first is none of 0, unless it is the only one. */
static char *put_integer(struct random *random, char *out, size_t digits) {
    *out++ = (char)('1' + random_below(random, 9));
    while (--digits > 0)
        *out++ = (char)('0' + random_below(random, 10));
    return out;
}

/* A point and that many digits; zeros may be among them, also at the end. */
static char *put_decimals(struct random *random, char *out, size_t digits) {
    if (digits > 0)
        *out++ = '.';
    for (; digits > 0; digits--)
        *out++ = (char)('0' + random_below(random, 10));
    return out;
}

/* From 0 to below 10^`whole`; `most` decimals, fewer if there is no room. */
static void put_number(struct random *random, size_t whole, size_t most,
                       char out[static NUMBER_BYTES]) {
    size_t before = random_below(random, whole + 1), room = MAX_DIGITS - before;
    char *end = out;
    if (before == 0)
        *end++ = '0';
    else
        end = put_integer(random, end, before);
    end = put_decimals(random, end,
                       random_below(random, (most < room ? most : room) + 1));
    *end = '\0';
}

/* As they are in the wild: two decimals, four to six. */
static void put_usual(struct random *random, size_t whole, size_t decimals,
                      char out[static NUMBER_BYTES]) {
    char *end = put_integer(random, out, 1 + random_below(random, whole));
    *put_decimals(random, end, decimals) = '\0';
}

static void put_stake(struct random *random, char out[static NUMBER_BYTES]) {
    if (random_below(random, 2) == 0)
        put_usual(random, 6, 2, out);
    else
        put_number(random, 15, MAX_DIGITS, out);
}

/* From 1e-9 on, so one that is less has another go. */
static void put_rate(struct random *random, size_t whole,
                     char out[static NUMBER_BYTES]) {
    const struct decimal lowest = {1, 9};
    struct decimal value;
    do
        if (random_below(random, 2) == 0)
            put_usual(random, 3, 4 + random_below(random, 3), out);
        else
            put_number(random, whole, MAX_DIGITS, out);
    while (decimal_parse(span_of(out), &value) != DECIMAL_OK ||
           decimal_compare(value, lowest) < 0);
}

static struct decimal parse(const char *text) {
    struct decimal value;
    if (decimal_parse(span_of(text), &value) == DECIMAL_OK)
        return value;
    fprintf(stderr, "%s is not read\n", text);
    exit(1);
}

int main(int argc, char *argv[]) {
    if (argc != 3)
        return 2;
    struct random random = {strtoull(argv[2], NULL, 10)};
    for (long count = strtol(argv[1], NULL, 10); count > 0; count--) {
        char stake[NUMBER_BYTES], euro_rate[NUMBER_BYTES] = "1",
                                  rate[NUMBER_BYTES], amount[EURO_TEXT_SIZE];
        put_stake(&random, stake);
        if (random_below(&random, 2) == 0)
            put_rate(&random, 9, euro_rate);
        put_rate(&random, 10, rate);
        euro_print(
            decimal_convert(parse(stake),
                            (struct rate_pair){parse(euro_rate), parse(rate)}),
            amount);
        printf("%s %s %s %s\n", stake, euro_rate, rate, amount);
    }
    return 0;
}
