#include "ratefetcher/providers/frankfurter_v2.h"

#include <stdio.h>
#include <string.h>

#include "common/lines/message.h"

bool frankfurter_is_v2(const char *address) {
    static const char version[] = "/v2";
    size_t len = strlen(address);
    return len >= sizeof version - 1 &&
           strcmp(address + len - (sizeof version - 1), version) == 0;
}

/* One bad parameter spoils the call: so there are no more than these. */
void frankfurter_v2_request(const char *address, day when,
                            struct web_request *out) {
    char date[DAY_TEXT_SIZE];
    rates_day_print(when, date);
    bool latest = rates_day_is_latest(when);
    snprintf(out->url, sizeof out->url, "%s/rates?base=EUR%s%s", address,
             latest ? "" : "&date=", latest ? "" : date);
}

const struct json_object *frankfurter_v2_list(const struct json_object *body) {
    struct json_object *list;
    return json_object_object_get_ex(body, FRANKFURTER_V2_LIST, &list) &&
                   json_object_is_type(list, json_type_array)
               ? list
               : NULL;
}

static bool read_date(const struct json_object *record, day *out) {
    const char *date = message_text(record, "date");
    return date != NULL && day_parse(span_of(date), out) == DAY_OK;
}

/* What is wrong with the records, or NULL; and the newest date of them. */
static const char *check_records(const struct web_api *api,
                                 const struct json_object *list, day *newest) {
    day date;
    newest->number = INT32_MIN;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *record = json_object_array_get_idx(list, i);
        bool is_object = json_object_is_type(record, json_type_object);
        const char *base = is_object ? message_text(record, "base") : NULL;
        if (base == NULL || strcmp(base, api->base) != 0)
            return api->wrong_base;
        if (!read_date(record, &date))
            return "no date";
        if (date.number > newest->number)
            *newest = date;
    }
    return newest->number == INT32_MIN ? "no rates" : NULL;
}

/* The digits of its rate, as they were sent; "" if it is no number. */
static struct span rate_of(const struct json_object *record) {
    struct json_object *rate;
    bool is_number = json_object_object_get_ex(record, "rate", &rate) &&
                     (json_object_is_type(rate, json_type_double) ||
                      json_object_is_type(rate, json_type_int));
    return span_of(is_number ? json_object_get_string(rate) : "");
}

/* Adds a record, unless it was carried forward for too long. */
static bool add_record(struct rates *rates, const struct json_object *record,
                       day newest, struct web_faults *faults) {
    const char *quote = message_text(record, "quote");
    day date;
    if (!read_date(record, &date) ||
        date.number < newest.number - RATES_MAX_LOOK_BACK_DAYS)
        return true;
    return web_add_rate(rates, quote != NULL ? quote : "", rate_of(record),
                        faults);
}

/*
 * The table is of its newest record's day. Where that is tomorrow, as it is
 * there already, it is of today: no older one is in the answer.
 */
const char *frankfurter_v2_read(const struct web_api *api,
                                const struct json_object *list,
                                const struct web_answer *answer,
                                struct history *tables,
                                struct web_faults *faults) {
    day newest;
    const char *why = check_records(api, list, &newest);
    if (why != NULL)
        return why;
    bool tomorrow = rates_day_is_latest(answer->when) &&
                    newest.number == answer->today.number + 1;
    struct rates *rates =
        rates_new(api->name, api->base, tomorrow ? answer->today : newest,
                  answer->fetched_ms);
    for (size_t i = 0; why == NULL && i < json_object_array_length(list); i++)
        if (!add_record(rates, json_object_array_get_idx(list, i), newest,
                        faults))
            why = api->wrong_base;
    if (why == NULL)
        why = rates_fault(rates);
    if (why == NULL)
        history_add(tables, rates);
    else
        rates_release(&rates);
    return why;
}
