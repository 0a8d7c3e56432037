/*
 * openexchangerates.org. It needs a key, has all calendar days since
 * 1999-01-01, and with a free key no base but the dollar.
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
        snprintf(out->url, sizeof out->url, "%s/latest.json", address);
    } else {
        day_print(when, date);
        snprintf(out->url, sizeof out->url, "%s/historical/%s.json", address,
                 date);
    }
    snprintf(out->header, sizeof out->header, "Authorization: Token %s", key);
}

/* By the word: the statuses differ between its manual and its answers. */
static const struct {
    const char *word;
    struct web_refusal refusal;
} refusals[] = {
    {"missing_app_id",
     WEB_REFUSAL(KEY_REFUSED, "missing_app_id: the key is missing")},
    {"invalid_app_id",
     WEB_REFUSAL(KEY_REFUSED, "invalid_app_id: the key is wrong")},
    {"app_id_inactive",
     WEB_REFUSAL(KEY_REFUSED, "app_id_inactive: the key is not active")},
    {"not_allowed",
     {.result = PROVIDER_KEY_REFUSED,
      .detail = "not_allowed: the call is not in the key's plan",
      .of_plan = true}},
    {"access_restricted",
     {.result = PROVIDER_LIMITED,
      .detail = "access_restricted: too many calls",
      .wait = WEB_QUOTA_WAIT}},
    {"not_available",
     WEB_REFUSAL(NO_TABLE, "not_available: it has no such day")},
    {"invalid_base",
     WEB_REFUSAL(BAD_TABLE, "invalid_base: it does not know the base")},
    {"not_found",
     WEB_REFUSAL(BAD_TABLE, "not_found: it does not know this call")},
};

/* {"error":true,"status":401,"message":"invalid_app_id","description":""} */
static const struct web_refusal *refusal(const struct json_object *body) {
    struct json_object *error;
    const char *word = message_text(body, "message");
    bool is_error = json_object_object_get_ex(body, "error", &error) &&
                    json_object_get_boolean(error);
    for (size_t i = 0;
         is_error && word != NULL && i < sizeof refusals / sizeof *refusals;
         i++)
        if (strcmp(word, refusals[i].word) == 0)
            return &refusals[i].refusal;
    return NULL;
}

/*
 * {"timestamp":1749859196,"base":"USD","rates":{"EUR":0.86}}; a past day's
 * timestamp is a moment of that day.
 */
static const char *read_rates(const struct web_answer *answer,
                              struct history *tables,
                              struct web_faults *faults) {
    const struct json_object *body = answer->json;
    struct json_table table = {.api = &api,
                               .members = json_tables_object(body, "rates")};
    const char *base = message_text(body, "base");
    if (base == NULL || strcmp(base, api.base) != 0)
        return api.wrong_base;
    if (!json_tables_day(body, "timestamp", answer, &table.as_of))
        return "the timestamp is none";
    if (!rates_day_is_latest(answer->when) &&
        table.as_of.number != answer->when.number)
        return "no table of the day that was asked for";
    return json_tables_add(tables, &table, answer, faults);
}

static const struct web_api api = {
    .name = "openexchangerates",
    .base = "USD",
    .wrong_base = "the base is not USD",
    .address = SETTING_OPENEXCHANGERATES_URL,
    .key = SETTING_OPENEXCHANGERATES_KEY,
    .request = request,
    .read = read_rates,
    .refusal = refusal,
};

const struct provider_class provider_openexchangerates =
    WEB_CLASS(openexchangerates, OPENEXCHANGERATES, &api);
