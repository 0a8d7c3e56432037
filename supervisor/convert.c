/* The command `convert`: one conversion, with what it was made from. */
#include <stdio.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/lines/message.h"
#include "common/rates/decimal.h"
#include "common/rates/euro_fixed.h"
#include "common/rates/rates.h"
#include "supervisor/ask_rates.h"
#include "supervisor/command.h"

struct conversion {
    struct decimal stake;
    const char *currency;
    day when;
};

static bool read_stake(const char *text, struct decimal *stake) {
    static const struct decimal limit = {1000000000000000, 0};
    return decimal_parse(span_of(text), stake) == DECIMAL_OK &&
           decimal_compare(*stake, limit) < 0;
}

/* Reads the arguments; NULL or what is wrong with them. */
static const char *read_arguments(const struct options *options,
                                  struct conversion *c) {
    c->currency = options->arguments[1];
    if (!read_stake(options->arguments[0], &c->stake))
        return "AMOUNT must be a number from 0 to below 1e15 with at most 18 "
               "digits";
    if (!rates_is_code(span_of(c->currency)))
        return "CURRENCY must be three upper-case letters";
    if (!ask_rates_read_day(options->arguments[2], &c->when))
        return ASK_RATES_DAYS;
    return NULL;
}

/* The euro's own rate is shown where it is no matter of course. */
static void print_result(const struct conversion *c, const struct rates *rates,
                         struct rate_pair pair, const char *layer) {
    char amount[EURO_TEXT_SIZE], stake[DECIMAL_TEXT_SIZE],
        euro_text[RATE_TEXT_SIZE], rate_text[RATE_TEXT_SIZE],
        as_of[DAY_TEXT_SIZE];
    bool of_euro = strcmp(rates_base(rates), "EUR") == 0;
    euro_print(decimal_convert(c->stake, pair), amount);
    decimal_print(c->stake, stake);
    rates_print(rates, span_of("EUR"), euro_text);
    rates_print(rates, span_of(c->currency), rate_text);
    day_print(rates_as_of(rates), as_of);
    printf("%s EUR = %s %s%s%s / %s (%s, %s, %s, %lld s old)\n", amount, stake,
           c->currency, of_euro ? "" : " * ", of_euro ? "" : euro_text,
           rate_text, as_of, rates_provider(rates), layer,
           ask_rates_age(rates));
}

static int convert(const struct options *options, const struct conversion *c) {
    struct rates_answer answer;
    struct rate_pair pair;
    int code = ask_rates(options, c->when, c->currency, &answer);
    if (code != EX_OK)
        return code;
    if (rates_find_pair(answer.rates, span_of(c->currency), &pair)) {
        print_result(c, answer.rates, pair,
                     message_text(answer.message, "layer"));
    } else {
        fprintf(stderr, "no such rate\n");
        code = EX_UNAVAILABLE;
    }
    rates_release(&answer.rates);
    json_object_put(answer.message);
    return code;
}

/* The euro itself, or what it has replaced: no service is needed for that. */
static bool print_without_table(const struct conversion *c) {
    day today = day_of_ms(clock_wall_ms());
    char amount[EURO_TEXT_SIZE], stake[DECIMAL_TEXT_SIZE];
    struct rate_pair pair;
    if (!euro_fixed_pair(c->currency, c->when, today, &pair))
        return false;
    euro_print(decimal_convert(c->stake, pair), amount);
    decimal_print(c->stake, stake);
    const struct euro_fixed *fixed =
        euro_fixed_find(c->currency, c->when, today);
    if (fixed == NULL)
        printf("%s EUR = %s EUR (no rate needed)\n", amount, stake);
    else
        printf("%s EUR = %s %s / %s (" EURO_FIXED_WORD
               " since %s, Council Regulation %s)\n",
               amount, stake, fixed->code, fixed->rate, fixed->from,
               fixed->regulation);
    return true;
}

int command_convert(const struct options *options) {
    struct conversion c;
    const char *fault = read_arguments(options, &c);
    if (fault != NULL) {
        fprintf(stderr, "%s\n", fault);
        return EX_USAGE;
    }
    return print_without_table(&c) ? EX_OK : convert(options, &c);
}
