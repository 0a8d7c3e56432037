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

bool json_rates_add(struct rates *rates, struct json_object *table,
                    struct web_faults *faults) {
    json_object_object_foreach (table, code, value) {
        /* Of a string this is its text, in which no number is looked for. */
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
