#include "ratefetcher/providers/exchangerateapi.h"

#include <stdio.h>

#include "common/message.h"
#include "ratefetcher/providers/json_tables.h"

/* The month's calls are used up: a new month is far, a new plan may be near. */
enum { QUOTA_WAIT_SECONDS = 3600 };

static const char other_base[] = "the base is not EUR";

/* Year, month and day without leading zeros, as numbers in a path have them. */
struct numbers {
    int year, month, day;
};

static struct numbers numbers_of(day when) {
    char date[DAY_TEXT_SIZE];
    struct numbers n = {0};
    day_print(when, date);
    sscanf(date, "%d-%d-%d", &n.year, &n.month, &n.day);
    return n;
}

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
        struct numbers n = numbers_of(when);
        snprintf(out->url, sizeof out->url, "%s/%s/history/EUR/%d/%d/%d",
                 address, escaped, n.year, n.month, n.day);
    }
    explicit_bzero(escaped, sizeof escaped);
}

static const struct {
    const char *type;
    struct web_refusal refusal;
} refusals[] = {
    {"invalid-key",
     {.result = PROVIDER_KEY_REFUSED,
      .detail = "invalid-key: the key is wrong"}},
    {"inactive-account",
     {.result = PROVIDER_KEY_REFUSED,
      .detail = "inactive-account: its address was not confirmed"}},
    {"plan-upgrade-required",
     {.result = PROVIDER_KEY_REFUSED,
      .detail = "plan-upgrade-required: the call is not in the key's plan",
      .of_plan = true}},
    {"quota-reached",
     {.result = PROVIDER_LIMITED,
      .detail = "quota-reached: the month's calls are used up",
      .wait_seconds = QUOTA_WAIT_SECONDS}},
    {"no-data-available",
     {.result = PROVIDER_NO_TABLE,
      .detail = "no-data-available: it has no such date"}},
    {"unsupported-code",
     {.result = PROVIDER_BAD_TABLE,
      .detail = "unsupported-code: it does not know the base"}},
    {"malformed-request",
     {.result = PROVIDER_BAD_TABLE,
      .detail = "malformed-request: it does not know this call"}},
};

/* {"result":"error","error-type":"invalid-key"} */
static const struct web_refusal *refusal(struct span text) {
    struct json_object *body = json_tables_parse(text);
    const char *type = message_text(body, "error-type");
    const struct web_refusal *found = NULL;
    for (size_t i = 0; type != NULL && i < sizeof refusals / sizeof *refusals;
         i++)
        if (strcmp(type, refusals[i].type) == 0)
            found = &refusals[i].refusal;
    json_object_put(body);
    return found;
}

/* A past day has its own date, the latest table a moment. */
static const char *read_day(const struct json_object *body,
                            const struct web_answer *answer, day *as_of) {
    if (rates_day_is_latest(answer->when))
        return json_tables_day(body, "time_last_update_unix", answer, as_of)
                   ? NULL
                   : "the moment of the update is none";
    struct numbers asked = numbers_of(answer->when);
    *as_of = answer->when;
    if (message_number(body, "year", 0) != asked.year ||
        message_number(body, "month", 0) != asked.month ||
        message_number(body, "day", 0) != asked.day)
        return "no table of the day that was asked for";
    return NULL;
}

/* {"result":"success","base_code":"EUR","conversion_rates":{"USD":1.16}}. */
static const char *read_rates(struct json_object *body,
                              const struct web_answer *answer,
                              struct history *tables,
                              struct web_faults *faults) {
    struct json_table table = {.members =
                                   json_tables_object(body, "conversion_rates"),
                               .provider = provider_exchangerateapi.name,
                               .base = provider_exchangerateapi.base,
                               .other_base = other_base};
    const char *result = message_text(body, "result");
    const char *base = message_text(body, "base_code");
    if (result == NULL || strcmp(result, "success") != 0)
        return "it reports an error that is not known";
    if (base == NULL || strcmp(base, table.base) != 0)
        return other_base;
    const char *why = read_day(body, answer, &table.as_of);
    return why != NULL ? why : json_tables_add(tables, &table, answer, faults);
}

static const char *read_body(const struct web_answer *answer,
                             struct history *tables,
                             struct web_faults *faults) {
    return json_tables_read(answer, tables, faults, read_rates);
}

const struct web_api provider_exchangerateapi = {
    .name = "exchangerateapi",
    .base = "EUR",
    .address = SETTING_EXCHANGERATEAPI_URL,
    .key = SETTING_EXCHANGERATEAPI_KEY,
    .request = request,
    .read = read_body,
    .refusal = refusal,
};
