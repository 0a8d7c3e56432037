/* The command `convert`: one conversion, with what it was made from. */
#include <stdio.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/lines/message.h"
#include "common/rates/decimal.h"
#include "common/rates/rates.h"
#include "supervisor/client.h"
#include "supervisor/command.h"

/* Longer than a request may wait for its rate in the service. */
#define ANSWER_TIMEOUT SECONDS(10)

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

static bool read_day(const char *text, day *when) {
    int64_t seconds;
    day today = day_of_ms(clock_wall_ms());
    *when = today;
    if (text != NULL && moment_parse(span_of(text), &seconds) != DAY_OK)
        return false;
    if (text != NULL)
        *when = day_of_seconds(seconds);
    if (when->number > today.number || when->number < DAY_FIRST_RATES.number)
        return false;
    if (when->number == today.number)
        *when = RATES_LATEST;
    return true;
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
    if (!read_day(options->arguments[2], &c->when))
        return "DATE must be a day from 1999-01-04 to today";
    return NULL;
}

/* The euro's own rate is shown where it is no matter of course. */
static void print_result(const struct conversion *c, const struct rates *rates,
                         struct rate_pair pair, const char *layer) {
    char amount[EURO_TEXT_SIZE], stake[DECIMAL_TEXT_SIZE],
        euro_text[DECIMAL_TEXT_SIZE], rate_text[DECIMAL_TEXT_SIZE],
        as_of[DAY_TEXT_SIZE];
    bool of_euro = strcmp(rates_base(rates), "EUR") == 0;
    euro_print(decimal_convert(c->stake, pair), amount);
    decimal_print(c->stake, stake);
    decimal_print(pair.euro, euro_text);
    decimal_print(pair.currency, rate_text);
    day_print(rates_as_of(rates), as_of);
    int64_t age_ms = clock_wall_ms() - rates_fetched_ms(rates);
    printf("%s EUR = %s %s%s%s / %s (%s, %s, %s, %lld s old)\n", amount, stake,
           c->currency, of_euro ? "" : " * ", of_euro ? "" : euro_text,
           rate_text, as_of, rates_provider(rates), layer,
           (long long)(age_ms > 0 ? age_ms / MSEC_PER_SEC : 0));
}

static int print_answer(const struct conversion *c,
                        struct json_object *answer) {
    const char *why = message_text(answer, "message");
    struct rates *rates = NULL;
    if (answer == NULL)
        why = "the service did not answer";
    else if (message_op(answer) == MESSAGE_RATES)
        rates = rates_from_message(answer, &why);
    struct rate_pair pair;
    bool found =
        rates != NULL && rates_find_pair(rates, span_of(c->currency), &pair);
    if (found)
        print_result(c, rates, pair, message_text(answer, "layer"));
    else
        fprintf(stderr, "%s\n", why != NULL ? why : "no such rate");
    rates_release(&rates);
    return found ? EX_OK : EX_UNAVAILABLE;
}

static int ask(const struct conversion *c, const struct settings *settings) {
    char date[DAY_TEXT_SIZE];
    rates_day_print(c->when, date);
    struct json_object *question = message_new(MESSAGE_RATES), *answer;
    message_add_text(question, "date", date);
    message_add_text(question, "currency", c->currency);
    if (client_ask(settings, "rates.sock", question, ANSWER_TIMEOUT, &answer) <
        0)
        return client_not_running(settings);
    int code = print_answer(c, answer);
    json_object_put(answer);
    return code;
}

int command_convert(const struct options *options) {
    struct conversion c;
    const char *fault = read_arguments(options, &c);
    if (fault != NULL) {
        fprintf(stderr, "%s\n", fault);
        return EX_USAGE;
    }
    if (span_equals(span_of(c.currency), "EUR")) {
        static const struct decimal one = {1, 0};
        char amount[EURO_TEXT_SIZE], stake[DECIMAL_TEXT_SIZE];
        euro_print(decimal_divide(c.stake, one), amount);
        decimal_print(c.stake, stake);
        printf("%s EUR = %s EUR (no rate needed)\n", amount, stake);
        return EX_OK;
    }
    struct settings *settings =
        options_load_settings(options, SETTINGS_COMMAND);
    int code = EX_CONFIG;
    if (*settings_faults(settings) == '\0')
        code = ask(&c, settings);
    else
        fputs(settings_faults(settings), stderr);
    settings_free(&settings);
    return code;
}
