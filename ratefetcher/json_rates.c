#include "ratefetcher/json_rates.h"

/* The deepest body of a provider has three levels. */
enum { MAX_DEPTH = 8 };

struct json_object *json_rates_parse(struct span body) {
    struct json_tokener *tokener = json_tokener_new_ex(MAX_DEPTH);
    if (tokener == NULL)
        return NULL;
    json_tokener_set_flags(tokener,
                           JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *parsed =
        json_tokener_parse_ex(tokener, body.data, (int)body.len);
    bool whole = json_tokener_get_error(tokener) == json_tokener_success;
    json_tokener_free(tokener);
    if (whole && json_object_is_type(parsed, json_type_object))
        return parsed;
    json_object_put(parsed);
    return NULL;
}

struct json_object *json_rates_object(struct json_object *parent,
                                      const char *name) {
    struct json_object *member;
    if (!json_object_object_get_ex(parent, name, &member) ||
        !json_object_is_type(member, json_type_object))
        return NULL;
    return member;
}

static bool is_one(struct span text) {
    static const struct decimal one = {1, 0};
    struct decimal value;
    return decimal_parse(text, &value) == DECIMAL_OK &&
           decimal_compare(value, one) == 0;
}

/* Adds all members; false: the base is not EUR. */
static bool add_members(struct rates *rates, struct json_object *table,
                        struct web_faults *faults) {
    json_object_object_foreach (table, code, value) {
        bool number = json_object_is_type(value, json_type_double) ||
                      json_object_is_type(value, json_type_int);
        struct span text = span_of(number ? json_object_get_string(value) : "");
        if (strcmp(code, "EUR") != 0)
            web_add_rate(rates, code, text, faults);
        else if (!is_one(text))
            return false;
    }
    return true;
}

const char *json_rates_add_table(struct history *tables,
                                 struct json_object *table,
                                 const char *provider, day as_of,
                                 const struct web_answer *answer,
                                 struct web_faults *faults) {
    if (table == NULL)
        return "no table of the day that was asked for";
    struct rates *rates = rates_new(provider, "EUR", as_of, answer->fetched_ms);
    bool base_is_euro = add_members(rates, table, faults);
    if (base_is_euro && rates_count(rates) > 0) {
        history_add(tables, rates);
        return NULL;
    }
    rates_release(&rates);
    return base_is_euro ? "no rates" : "the base is not EUR";
}
