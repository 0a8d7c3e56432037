/*
 * exchangerate.host as it is since 2023. It needs a key, has all calendar days
 * and publishes in US dollars: other bases cost more and are not asked for.
 */
#include <stdio.h>

#include "common/lines/message.h"
#include "ratefetcher/providers/apilayer.h"

static const struct web_api api;

/* It takes its key in the query alone. */
static void request(const char *address, const char *key, day when, day today,
                    struct web_request *out) {
    (void)today;
    char date[DAY_TEXT_SIZE], escaped[WEB_KEY_BYTES];
    http_escape(key, escaped, sizeof escaped);
    if (rates_day_is_latest(when)) {
        snprintf(out->url, sizeof out->url, "%s/live?access_key=%s", address,
                 escaped);
    } else {
        day_print(when, date);
        snprintf(out->url, sizeof out->url,
                 "%s/historical?date=%s&access_key=%s", address, date, escaped);
    }
    explicit_bzero(escaped, sizeof escaped);
}

/* {"success":true,"source":"USD","quotes":{"USDEUR":0.86}}, and the day. */
static const char *read_quotes(const struct web_answer *answer,
                               struct history *tables,
                               struct web_faults *faults) {
    const struct json_object *body = answer->json;
    struct json_table table = {.api = &api,
                               .members = json_tables_object(body, "quotes"),
                               .pairs = true};
    const char *source = message_text(body, "source");
    const char *why = apilayer_read_day(answer, &table.as_of);
    if (why != NULL)
        return why;
    if (source == NULL || strcmp(source, api.base) != 0)
        return api.wrong_base;
    return json_tables_add(tables, &table, answer, faults);
}

static const struct web_api api = {
    .name = "exchangeratehost",
    .base = "USD",
    .wrong_base = "the base is not USD",
    .address = SETTING_EXCHANGERATEHOST_URL,
    .key = SETTING_EXCHANGE_ACCESS_KEY,
    .request = request,
    .read = read_quotes,
    .refusal = apilayer_refusal,
};

const struct provider_class provider_exchangeratehost =
    WEB_CLASS(exchangeratehost, EXCHANGERATEHOST, &api);
