/* json-c as the second opinion on what is JSON. */
#ifndef FXWIRE_TESTS_UNIT_JSON_ORACLE_H
#define FXWIRE_TESTS_UNIT_JSON_ORACLE_H

#include <json-c/json.h>

#include "common/json_scan.h"
#include "tests/unit/unit.h"

/*
 * What json-c reads, to be released with json_object_put(); *accepted tells
 * the value null from a refusal. The NUL behind the text, which ends a number
 * at the top level for json-c, is passed with it. It counts a value within
 * the innermost array or object as one level more.
 */
static inline struct json_object *json_c_parse(struct span text,
                                               bool *accepted) {
    char *copy = malloc(text.len + 1);
    assert_non_null(copy);
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    struct json_tokener *tokener = json_tokener_new_ex(JSON_MAX_DEPTH + 1);
    json_tokener_set_flags(tokener,
                           JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *value =
        json_tokener_parse_ex(tokener, copy, (int)text.len + 1);
    /* It stops at a NUL in the text, too, which is no end of ours. */
    *accepted = json_tokener_get_error(tokener) == json_tokener_success &&
                json_tokener_get_parse_end(tokener) >= text.len;
    json_tokener_free(tokener);
    free(copy);
    return value;
}

static inline bool json_c_accepts(struct span text) {
    bool accepted;
    json_object_put(json_c_parse(text, &accepted));
    return accepted;
}

static inline bool is_decimal_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Whether the number at `at` begins by a zero that says nothing. */
static inline bool has_leading_zero(struct span text, size_t at) {
    bool first = at == 0 || strchr("[:,- \t\r\n", text.data[at - 1]) != NULL;
    return first && text.data[at] == '0' && at + 1 < text.len &&
           is_decimal_digit(text.data[at + 1]);
}

/*
 * Whether the text holds what json-c 0.16 is known to accept although it is
 * no JSON, even by JSON_TOKENER_STRICT: NaN, Infinity, names in single quotes,
 * numbers like 1. -.5 00 -01, and control characters within strings.
 */
static inline bool json_c_is_lenient_with(struct span text) {
    bool in_string = false;
    for (size_t at = 0; at < text.len; at++) {
        char c = text.data[at];
        if (in_string && (unsigned char)c < 0x20)
            return true;
        if (in_string && c == '\\') {
            at++;
            continue;
        }
        if (c == '"')
            in_string = !in_string;
        if (in_string)
            continue;
        bool digit_before = at > 0 && is_decimal_digit(text.data[at - 1]);
        bool digit_behind =
            at + 1 < text.len && is_decimal_digit(text.data[at + 1]);
        if (c == 'N' || c == 'I' || c == '\'' || has_leading_zero(text, at) ||
            (c == '.' && (!digit_before || !digit_behind)))
            return true;
    }
    return false;
}

static inline enum json_kind kind_of(const struct json_object *value) {
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

#endif
