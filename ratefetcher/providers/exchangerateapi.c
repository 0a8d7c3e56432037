/*
 * ExchangeRate-API, version 6. It needs a key; past days are in paid plans
 * only. It can publish with the base EUR on all of them.
 */
#include <stdio.h>

#include "common/lines/message.h"
#include "ratefetcher/providers/json_tables.h"

static const struct web_api api;

/*
 * The key is a part of the path: that is the form which all of its clients use.
 */
static void request(const char *address, const char *key, day when, day today,
                    struct web_request *out) {
    (void)today;
    char escaped[WEB_KEY_BYTES];
    http_escape(key, escaped, sizeof escaped);
    if (rates_day_is_latest(when)) {
        snprintf(out->url, sizeof out->url, "%s/%s/latest/EUR", address,
                 escaped);
    } else {
        struct civil_day d = day_civil(when);
        snprintf(out->url, sizeof out->url, "%s/%s/history/EUR/%d/%d/%d",
                 address, escaped, d.year, d.month, d.day_of_month);
    }
    explicit_bzero(escaped, sizeof escaped);
}

static const struct {
    const char *type;
    struct web_refusal refusal;
} refusals[] = {
    {"invalid-key", WEB_REFUSAL(KEY_REFUSED, "invalid-key: the key is wrong")},
    {"inactive-account",
     WEB_REFUSAL(KEY_REFUSED,
                 "inactive-account: its address was not confirmed")},
    {"plan-upgrade-required",
     {.result = PROVIDER_KEY_REFUSED,
      .detail = "plan-upgrade-required: the call is not in the key's plan",
      .of_plan = true}},
    {"quota-reached",
     {.result = PROVIDER_LIMITED,
      .detail = "quota-reached: the month's calls are used up",
      .wait = WEB_QUOTA_WAIT}},
    {"no-data-available",
     WEB_REFUSAL(NO_TABLE, "no-data-available: it has no such date")},
    {"unsupported-code",
     WEB_REFUSAL(BAD_TABLE, "unsupported-code: it does not know the base")},
    {"malformed-request",
     WEB_REFUSAL(BAD_TABLE, "malformed-request: it does not know this call")},
};

/* {"result":"error","error-type":"invalid-key"} */
static const struct web_refusal *refusal(const struct json_object *body) {
    const char *type = message_text(body, "error-type");
    for (size_t i = 0; type != NULL && i < sizeof refusals / sizeof *refusals;
         i++)
        if (strcmp(type, refusals[i].type) == 0)
            return &refusals[i].refusal;
    return NULL;
}

/* A past day has its own date, the latest table a moment. */
static const char *read_day(const struct web_answer *answer, day *as_of) {
    const struct json_object *body = answer->json;
    if (rates_day_is_latest(answer->when))
        return json_tables_day(body, "time_last_update_unix", answer, as_of)
                   ? NULL
                   : "the moment of the update is none";
    struct civil_day asked = day_civil(answer->when);
    *as_of = answer->when;
    if (message_number(body, "year", 0) != asked.year ||
        message_number(body, "month", 0) != asked.month ||
        message_number(body, "day", 0) != asked.day_of_month)
        return "no table of the day that was asked for";
    return NULL;
}

/* {"result":"success","base_code":"EUR","conversion_rates":{"USD":1.16}}. */
static const char *read_rates(const struct web_answer *answer,
                              struct history *tables,
                              struct web_faults *faults) {
    const struct json_object *body = answer->json;
    struct json_table table = {
        .api = &api, .members = json_tables_object(body, "conversion_rates")};
    const char *result = message_text(body, "result");
    const char *base = message_text(body, "base_code");
    if (result == NULL || strcmp(result, "success") != 0)
        return "it reports an error that is not known";
    if (base == NULL || strcmp(base, api.base) != 0)
        return api.wrong_base;
    const char *why = read_day(answer, &table.as_of);
    return why != NULL ? why : json_tables_add(tables, &table, answer, faults);
}

static const struct web_api api = {
    .name = "exchangerateapi",
    .base = "EUR",
    .wrong_base = "the base is not EUR",
    .address = SETTING_EXCHANGERATEAPI_URL,
    .key = SETTING_EXCHANGERATEAPI_KEY,
    .request = request,
    .read = read_rates,
    .refusal = refusal,
};

const struct provider_class provider_exchangerateapi =
    WEB_CLASS(exchangerateapi, EXCHANGERATEAPI, &api);
