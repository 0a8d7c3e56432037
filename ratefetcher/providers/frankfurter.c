/*
 * frankfurter.dev, without a key. Version 1: the ECB's reference rates as JSON;
 * for a day without rates it answers with the last one before it. Version 2, if
 * the address ends with /v2: see frankfurter_v2.h.
 */
#include <stdio.h>

#include "common/lines/message.h"
#include "ratefetcher/providers/frankfurter_v2.h"
#include "ratefetcher/providers/json_tables.h"

static const struct web_api api;

static void request(const char *address, const char *key, day when, day today,
                    struct web_request *out) {
    (void)key, (void)today;
    char date[DAY_TEXT_SIZE];
    if (frankfurter_is_v2(address)) {
        frankfurter_v2_request(address, when, out);
        return;
    }
    rates_day_print(when, date);
    snprintf(out->url, sizeof out->url, "%s/%s", address, date);
}

/* With another base or amount its rates are rounded: these are refused. */
static const char *check_head(const struct json_object *body, day *as_of) {
    const char *base = message_text(body, "base");
    const char *date = message_text(body, "date");
    if (base == NULL || strcmp(base, api.base) != 0)
        return api.wrong_base;
    if (message_number(body, "amount", 0) != 1)
        return "the amount is not 1";
    if (date == NULL || day_parse(span_of(date), as_of) != DAY_OK)
        return "no date";
    return NULL;
}

static const char *read_rates(const struct web_answer *answer,
                              struct history *tables,
                              struct web_faults *faults) {
    const struct json_object *list = frankfurter_v2_list(answer->json);
    if (list != NULL)
        return frankfurter_v2_read(&api, list, answer, tables, faults);
    struct json_table table = {
        .api = &api, .members = json_tables_object(answer->json, "rates")};
    const char *why = check_head(answer->json, &table.as_of);
    return why != NULL ? why : json_tables_add(tables, &table, answer, faults);
}

static const struct web_api api = {
    .name = "frankfurter",
    .base = "EUR",
    .wrong_base = "the base is not EUR",
    .address = SETTING_FRANKFURTER_URL,
    .key = SETTINGS,
    .request = request,
    .array_name = FRANKFURTER_V2_LIST,
    .read = read_rates,
    .no_table_status = 404,
};

const struct provider_class provider_frankfurter =
    WEB_CLASS(frankfurter, FRANKFURTER, &api);
