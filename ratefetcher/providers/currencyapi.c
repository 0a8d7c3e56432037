/*
 * currencyapi.com, version 3. It needs a key, has all calendar days since
 * 1999-01-01 and does not say which base it answers with, so EUR is asked for.
 */
#include <stdio.h>

#include "common/lines/message.h"
#include "ratefetcher/providers/json_tables.h"

static const struct web_api api;

static void request(const char *address, const char *key, day when, day today,
                    struct web_request *out) {
    (void)today;
    char date[DAY_TEXT_SIZE];
    if (rates_day_is_latest(when)) {
        snprintf(out->url, sizeof out->url, "%s/latest?base_currency=EUR",
                 address);
    } else {
        day_print(when, date);
        snprintf(out->url, sizeof out->url,
                 "%s/historical?date=%s&base_currency=EUR", address, date);
    }
    snprintf(out->header, sizeof out->header, "apikey: %s", key);
}

/* {"meta":{"last_updated_at":"2025-06-13T23:59:59Z"}}: its UTC day. */
static bool read_day(const struct json_object *body, day *as_of) {
    const char *moment =
        message_text(json_tables_object(body, "meta"), "last_updated_at");
    struct span date = span_of(moment != NULL ? moment : "");
    if (date.len <= DAY_TEXT_SIZE - 1 || date.data[date.len - 1] != 'Z')
        return false;
    date.len = DAY_TEXT_SIZE - 1;
    return day_parse(date, as_of) == DAY_OK;
}

/* {"meta":{},"data":{"USD":{"code":"USD","value":1.1545609338}}} */
static const char *read_data(const struct web_answer *answer,
                             struct history *tables,
                             struct web_faults *faults) {
    const struct json_object *body = answer->json;
    struct json_table table = {.api = &api,
                               .members = json_tables_object(body, "data"),
                               .number = "value"};
    bool latest = rates_day_is_latest(answer->when);
    if (!latest && table.members != NULL &&
        json_object_object_length(table.members) == 0)
        return NULL; /* it has no table of that day (yet) */
    if (!read_day(body, &table.as_of))
        return "no moment of the last update";
    if (!latest && table.as_of.number != answer->when.number)
        return "no table of the day that was asked for";
    return json_tables_add(tables, &table, answer, faults);
}

static const struct web_api api = {
    .name = "currencyapi",
    .base = "EUR",
    .wrong_base = "the base is not EUR",
    .address = SETTING_CURRENCYAPI_URL,
    .key = SETTING_CURRENCYAPI_KEY,
    .request = request,
    .read = read_data,
    .no_table_status = 422, /* a validation error: of the date */
};

const struct provider_class provider_currencyapi =
    WEB_CLASS(currencyapi, CURRENCYAPI, &api);
