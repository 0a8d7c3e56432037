/*
 * freecurrencyapi.com, version 1. It needs a key, has all calendar days since
 * 1999-01-01 and does not say which base it answers with, so EUR is asked for.
 */
#include <stdio.h>

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

static bool is_empty(const struct json_object *object) {
    return object != NULL && json_object_object_length(object) == 0;
}

/* {"data":{"USD":1.16}}, and for a day {"data":{"2025-06-13":{"USD":1.16}}}. */
static const char *read_data(const struct web_answer *answer,
                             struct history *tables,
                             struct web_faults *faults) {
    const struct json_object *data = json_tables_object(answer->json, "data");
    day as_of = answer->today;
    if (!rates_day_is_latest(answer->when)) {
        char date[DAY_TEXT_SIZE];
        as_of = answer->when;
        day_print(as_of, date);
        if (is_empty(data) || is_empty(json_tables_object(data, date)))
            return NULL; /* it has no table of that day (yet) */
        data = json_tables_object(data, date);
    }
    return json_tables_add(
        tables,
        &(struct json_table){.api = &api, .members = data, .as_of = as_of},
        answer, faults);
}

static const struct web_api api = {
    .name = "freecurrencyapi",
    .base = "EUR",
    .wrong_base = "the base is not EUR",
    .address = SETTING_FREECURRENCYAPI_URL,
    .key = SETTING_FREECURRENCYAPI_KEY,
    .request = request,
    .read = read_data,
    .no_table_status = 422, /* a validation error: of the date */
};

const struct provider_class provider_freecurrencyapi =
    WEB_CLASS(freecurrencyapi, FREECURRENCYAPI, &api);
