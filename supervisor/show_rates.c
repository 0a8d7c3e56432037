/* The command `rates`: a day's table, with whose it is and how old. */
#include <stdio.h>
#include <sysexits.h>

#include "common/lines/message.h"
#include "common/rates/euro_fixed.h"
#include "supervisor/ask_rates.h"
#include "supervisor/command.h"

static void print_table(const struct rates_answer *answer) {
    const struct rates *rates = answer->rates;
    struct json_object *table = NULL, *fixed = NULL;
    char as_of[DAY_TEXT_SIZE];
    day_print(rates_as_of(rates), as_of);
    printf("%s, of 1 %s (%s, %s, %lld s old)\n", as_of, rates_base(rates),
           rates_provider(rates), message_text(answer->message, "layer"),
           ask_rates_age(rates));
    json_object_object_get_ex(answer->message, "rates", &table);
    json_object_object_foreach (table, code, rate) {
        printf("%s %s\n", code, json_object_get_string(rate));
    }
    json_object_object_get_ex(answer->message, EURO_FIXED_WORD, &fixed);
    json_object_object_foreach (fixed, euro_code, irrevocable) {
        printf("%s %s " EURO_FIXED_WORD "\n", euro_code,
               json_object_get_string(irrevocable));
    }
}

int command_rates(const struct options *options) {
    struct rates_answer answer;
    day when;
    if (!ask_rates_read_day(options->arguments[0], &when)) {
        fprintf(stderr, "%s\n", ASK_RATES_DAYS);
        return EX_USAGE;
    }
    int code = ask_rates(options, when, NULL, &answer);
    if (code != EX_OK)
        return code;
    if (options->json)
        puts(message_line(answer.message).data);
    else
        print_table(&answer);
    rates_release(&answer.rates);
    json_object_put(answer.message);
    return EX_OK;
}
