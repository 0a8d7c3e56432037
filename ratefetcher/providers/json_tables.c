#include "ratefetcher/providers/json_tables.h"

#include "common/clock.h"

/* The last second of the year 9999: later ones are no moments. */
#define LAST_SECOND INT64_C(253402300799)

struct json_object *json_tables_object(const struct json_object *parent,
                                       const char *name) {
    struct json_object *member;
    if (!json_object_object_get_ex(parent, name, &member) ||
        !json_object_is_type(member, json_type_object))
        return NULL;
    return member;
}

/* The currency of a member; NULL: it is a pair of another base. */
static const char *code_of(const struct json_table *table, const char *name) {
    if (!table->pairs)
        return name;
    return strncmp(name, table->api->base, RATES_CODE_LEN) == 0
               ? name + RATES_CODE_LEN
               : NULL;
}

/* The digits of a member's number, as they were sent; "" if it is none. */
static struct span digits_of(const struct json_table *table,
                             struct json_object *value) {
    struct json_object *number = value;
    if (table->number != NULL &&
        (!json_object_is_type(value, json_type_object) ||
         !json_object_object_get_ex(value, table->number, &number)))
        return span_of("");
    bool is_number = json_object_is_type(number, json_type_double) ||
                     json_object_is_type(number, json_type_int);
    return span_of(is_number ? json_object_get_string(number) : "");
}

/* Adds all members; false: the base's own rate is not 1. */
static bool add_members(struct rates *rates, const struct json_table *table,
                        struct web_faults *faults) {
    json_object_object_foreach (table->members, name, value) {
        struct span text = digits_of(table, value);
        const char *code = code_of(table, name);
        if (code == NULL)
            web_note_fault(faults, name);
        else if (!web_add_rate(rates, code, text, faults))
            return false;
    }
    return true;
}

const char *json_tables_add(struct history *tables,
                            const struct json_table *table,
                            const struct web_answer *answer,
                            struct web_faults *faults) {
    if (table->members == NULL)
        return "no table of the day that was asked for";
    struct rates *rates = rates_new(table->api->name, table->api->base,
                                    table->as_of, answer->fetched_ms);
    const char *why = add_members(rates, table, faults)
                          ? rates_fault(rates)
                          : table->api->wrong_base;
    if (why == NULL)
        history_add(tables, rates);
    else
        rates_release(&rates);
    return why;
}

bool json_tables_day(const struct json_object *body, const char *name,
                     const struct web_answer *answer, day *out) {
    struct json_object *member;
    *out = answer->today;
    if (!json_object_object_get_ex(body, name, &member))
        return true;
    int64_t seconds = json_object_get_int64(member);
    if (!json_object_is_type(member, json_type_int) || seconds < 0 ||
        seconds > LAST_SECOND)
        return false;
    *out = day_of_seconds(seconds);
    return true;
}
