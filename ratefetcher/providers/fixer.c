/*
 * fixer.io. It needs a key and publishes in euro, whatever the plan; past days
 * and https are, by what is said of it, not in each plan.
 *
 * It is reached at two kinds of places, told apart by the address's end: its
 * own (data.fixer.io/api) takes the key in the query alone, apilayer's for all
 * its products (api.apilayer.com/fixer, api.apilayer.net/fixer) in a header.
 */
#include <stdio.h>

#include "common/lines/message.h"
#include "ratefetcher/providers/apilayer.h"

static const struct web_api api;

static bool takes_header(const char *address) {
    static const char end[] = "/fixer";
    size_t len = strlen(address);
    return len >= sizeof end - 1 &&
           strcmp(address + len - (sizeof end - 1), end) == 0;
}

static void request(const char *address, const char *key, day when, day today,
                    struct web_request *out) {
    (void)today;
    char name[DAY_TEXT_SIZE], escaped[WEB_KEY_BYTES];
    rates_day_print(when, name);
    if (takes_header(address)) {
        snprintf(out->url, sizeof out->url, "%s/%s", address, name);
        snprintf(out->header, sizeof out->header, "apikey: %s", key);
        return;
    }
    http_escape(key, escaped, sizeof escaped);
    snprintf(out->url, sizeof out->url, "%s/%s?access_key=%s", address, name,
             escaped);
    explicit_bzero(escaped, sizeof escaped);
}

/* {"success":true,"base":"EUR","rates":{"USD":1.15553}}, and the day. */
static const char *read_rates(const struct web_answer *answer,
                              struct history *tables,
                              struct web_faults *faults) {
    const struct json_object *body = answer->json;
    struct json_table table = {.api = &api,
                               .members = json_tables_object(body, "rates")};
    const char *base = message_text(body, "base");
    const char *why = apilayer_read_day(answer, &table.as_of);
    if (why != NULL)
        return why;
    if (base == NULL || strcmp(base, api.base) != 0)
        return api.wrong_base;
    return json_tables_add(tables, &table, answer, faults);
}

static const struct web_api api = {
    .name = "fixer",
    .base = "EUR",
    .wrong_base = "the base is not EUR",
    .address = SETTING_FIXER_URL,
    .key = SETTING_FIXER_KEY,
    .request = request,
    .read = read_rates,
    .refusal = apilayer_refusal,
};

const struct provider_class provider_fixer = WEB_CLASS(fixer, FIXER, &api);
