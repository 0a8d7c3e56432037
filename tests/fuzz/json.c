/*
 * The scanner of JSON, beside json-c: what it takes, json-c reads, and its
 * fields are json-c's members. What json-c takes strictly, it takes too.
 */
#include <json-c/json.h>

#include "common/json_scan.h"
#include "tests/fuzz/fuzz.h"
#include "tests/request_fields.h"

/*
 * With the NUL behind the text, which ends a number at the top. json-c counts
 * a value within the innermost container as a level. False: it is no JSON.
 */
static bool parse(struct span text, int flags, struct json_object **value) {
    char *copy = fuzz_string(text);
    struct json_tokener *tokener = json_tokener_new_ex(JSON_MAX_DEPTH + 1);
    json_tokener_set_flags(tokener, flags);
    *value = json_tokener_parse_ex(tokener, copy, (int)text.len + 1);
    bool good = json_tokener_get_error(tokener) == json_tokener_success &&
                json_tokener_get_parse_end(tokener) >= text.len;
    json_tokener_free(tokener);
    free(copy);
    return good;
}

static bool is_digit_at(struct span text, size_t at) {
    return at < text.len && text.data[at] >= '0' && text.data[at] <= '9';
}

/*
 * What json-c's strict mode takes all the same, in one version or another:
 * control characters, single quotes, NaN and Infinity, 00, `1.` and `.1`
 */
static bool is_beyond_strict(struct span text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool zero_first = c == '0' && is_digit_at(text, i + 1) &&
                          (i == 0 || !is_digit_at(text, i - 1));
        bool lone_point = c == '.' && !(i > 0 && is_digit_at(text, i - 1) &&
                                        is_digit_at(text, i + 1));
        if (c < ' ' || c == '\'' || c == 'N' || c == 'I' || zero_first ||
            lone_point)
            return true;
    }
    return false;
}

static enum json_kind kind_of(const struct json_object *value) {
    switch (json_object_get_type(value)) {
    case json_type_object:
        return JSON_OBJECT;
    case json_type_array:
        return JSON_ARRAY;
    case json_type_string:
        return JSON_STRING;
    case json_type_boolean:
        return JSON_BOOLEAN;
    case json_type_null:
        return JSON_NULL;
    default:
        return JSON_NUMBER;
    }
}

static void check_string(struct span text, struct json_object *value) {
    const char *plain = json_object_get_string(value);
    size_t len = (size_t)json_object_get_string_len(value);
    bool ascii = true;
    for (size_t i = 0; i < len; i++)
        ascii &= (plain[i] & 0x80) == 0;
    char *out = malloc(len + 1);
    int copied = json_string_copy(text, out, len);
    HOLDS(copied == (ascii ? (int)len : -1), "%.*s", SPAN(text));
    HOLDS(!ascii || memcmp(out, plain, len) == 0, "%.*s", SPAN(text));
    HOLDS(len == 0 || json_string_copy(text, out, len - 1) < 0, "%.*s",
          SPAN(text));
    bool is_c_string = strlen(plain) == len;
    HOLDS(!ascii || json_string_equals(text, plain) == is_c_string, "%.*s",
          SPAN(text));
    free(out);
}

static void check_value(const struct json_found *found,
                        struct json_object *value) {
    struct json_object *alone;
    HOLDS(found->kind == kind_of(value), "%.*s", SPAN(found->text));
    HOLDS(parse(found->text, 0, &alone), "%.*s", SPAN(found->text));
    HOLDS(json_object_equal(alone, value), "%.*s", SPAN(found->text));
    if (found->kind == JSON_STRING)
        check_string(found->text, value);
    json_object_put(alone);
}

static void check_fields(const struct json_found *found,
                         struct json_object *top) {
    struct json_object *payload = NULL, *value;
    json_object_object_get_ex(top, "payload", &payload);
    for (int i = 0; i < FIELDS; i++) {
        struct json_object *parent = i < STAKE ? top : payload;
        bool there = json_object_is_type(parent, json_type_object) &&
                     json_object_object_get_ex(parent, fields[i].name, &value);
        if (found[i].duplicate || (i >= STAKE && found[PAYLOAD].duplicate))
            continue; /* json-c has the last one, fxwire refuses both */
        HOLDS(there == (found[i].kind != JSON_ABSENT), "%s", fields[i].name);
        if (there)
            check_value(&found[i], value);
    }
}

/* In an array it is what it was, but for one level. */
static void check_within_array(struct span text, enum json_error error) {
    char *around = malloc(text.len + sizeof "[0,]");
    struct json_found none[1];
    enum json_kind top;
    int len = sprintf(around, "[0,%.*s]", SPAN(text));
    struct span array = {around, (size_t)len};
    enum json_error within = json_scan(array, NULL, 0, none, &top);
    HOLDS(error == JSON_OK || within != JSON_OK || fuzz_has(text, ","), "%.*s",
          SPAN(text));
    HOLDS(error != JSON_OK || within != JSON_SYNTAX, "%.*s", SPAN(text));
    free(around);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    struct json_found found[FIELDS], none[1];
    enum json_kind top, again;
    struct json_object *value = NULL;
    if (!fuzz_is_utf8(text))
        return 0;
    enum json_error error = json_scan(text, fields, FIELDS, found, &top);
    HOLDS(json_scan(text, NULL, 0, none, &again) == error && again == top,
          "%.*s", SPAN(text));
    if (memchr(text.data, '\0', text.len) == NULL)
        check_within_array(text, error);
    bool strict = parse(text, JSON_TOKENER_STRICT, &value);
    json_object_put(value);
    HOLDS(error == JSON_OK || !strict || is_beyond_strict(text), "%.*s",
          SPAN(text));
    if (error != JSON_OK)
        return 0;
    HOLDS(parse(text, 0, &value) && kind_of(value) == top, "%.*s", SPAN(text));
    /* A NUL ends a name for json-c. */
    if (top == JSON_OBJECT && !fuzz_has(text, "\\u0000"))
        check_fields(found, value);
    json_object_put(value);
    return 0;
}
