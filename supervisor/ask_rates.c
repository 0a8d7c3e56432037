#include "supervisor/ask_rates.h"

#include <stdio.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/lines/message.h"
#include "supervisor/client.h"

/* Longer than a request may wait for its rate in the service. */
#define ANSWER_TIMEOUT SECONDS(10)

bool ask_rates_read_day(const char *text, day *when) {
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

/* Reads what came; NULL and why: it is no table. */
static struct rates *read_answer(struct json_object *message,
                                 const char **why) {
    *why = message_text(message, "message");
    if (message == NULL)
        *why = "the service did not answer";
    return message != NULL && message_op(message) == MESSAGE_RATES
               ? rates_from_message(message, why)
               : NULL;
}

static int ask(const struct settings *settings, struct json_object *question,
               struct rates_answer *answer) {
    const char *why;
    if (client_ask(settings, "rates.sock", question, ANSWER_TIMEOUT,
                   &answer->message) < 0)
        return client_not_running(settings);
    answer->rates = read_answer(answer->message, &why);
    if (answer->rates != NULL)
        return EX_OK;
    fprintf(stderr, "%s\n", why != NULL ? why : "no such rate");
    json_object_put(answer->message);
    return EX_UNAVAILABLE;
}

int ask_rates(const struct options *options, day when, const char *currency,
              struct rates_answer *answer) {
    struct settings *settings =
        options_load_settings(options, SETTINGS_COMMAND);
    int code = EX_CONFIG;
    if (*settings_faults(settings) == '\0') {
        char date[DAY_TEXT_SIZE];
        struct json_object *question = message_new(MESSAGE_RATES);
        rates_day_print(when, date);
        message_add_text(question, "date", date);
        message_add_text(question, "currency", currency);
        code = ask(settings, question, answer);
    } else {
        fputs(settings_faults(settings), stderr);
    }
    settings_free(&settings);
    return code;
}

long long ask_rates_age(const struct rates *rates) {
    int64_t age_ms = clock_wall_ms() - rates_fetched_ms(rates);
    return age_ms > 0 ? age_ms / MSEC_PER_SEC : 0;
}
