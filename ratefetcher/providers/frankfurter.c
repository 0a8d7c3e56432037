#include "ratefetcher/providers/frankfurter.h"

#include <stdio.h>

#include "common/message.h"
#include "ratefetcher/providers/json_tables.h"

static void request(const char *address, const char *key, day when, day today,
                    struct web_request *out) {
    (void)key, (void)today;
    char date[DAY_TEXT_SIZE];
    rates_day_print(when, date);
    snprintf(out->url, sizeof out->url, "%s/%s", address, date);
}

static const char other_base[] = "the base is not EUR";

/* With another base or amount its rates are rounded: these are refused. */
static const char *check_head(struct json_object *body, day *as_of) {
    const char *base = message_text(body, "base");
    const char *date = message_text(body, "date");
    if (base == NULL || strcmp(base, provider_frankfurter.base) != 0)
        return other_base;
    if (message_number(body, "amount", 0) != 1)
        return "the amount is not 1";
    if (date == NULL || day_parse(span_of(date), as_of) != DAY_OK)
        return "no date";
    return NULL;
}

static const char *read_rates(struct json_object *body,
                              const struct web_answer *answer,
                              struct history *tables,
                              struct web_faults *faults) {
    struct json_table table = {.members = json_tables_object(body, "rates"),
                               .provider = provider_frankfurter.name,
                               .base = provider_frankfurter.base,
                               .other_base = other_base};
    const char *why = check_head(body, &table.as_of);
    return why != NULL ? why : json_tables_add(tables, &table, answer, faults);
}

static const char *read_body(const struct web_answer *answer,
                             struct history *tables,
                             struct web_faults *faults) {
    return json_tables_read(answer, tables, faults, read_rates);
}

const struct web_api provider_frankfurter = {
    .name = "frankfurter",
    .base = "EUR",
    .address = SETTING_FRANKFURTER_URL,
    .key = SETTINGS,
    .request = request,
    .read = read_body,
    .no_table_status = 404,
};
