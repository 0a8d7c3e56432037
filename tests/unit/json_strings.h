/* Strings as they are scanned, and what they mean. */
#ifndef FXWIRE_TESTS_UNIT_JSON_STRINGS_H
#define FXWIRE_TESTS_UNIT_JSON_STRINGS_H

#include <stdbool.h>
#include <stddef.h>

static const struct equals_case {
    const char *string, *plain;
    bool equal;
} equals_cases[] = {
    {"\"\"", "", true},
    {"\"a\"", "a", true},
    {"\"stake\"", "stake", true},
    {"\"st\\u0061ke\"", "stake", true},
    {"\"\\u0055SD\"", "USD", true},
    {"\"\\u0073\\u0074\\u0061\\u006b\\u0065\"", "stake", true},
    {"\"\\u006B\\u006b\"", "kk", true},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", true},
    {"\"/\"", "/", true},
    {"\"\\u002F\"", "/", true},
    {"\"\x7F\"", "\x7F", true},
    {"\"\"", "a", false},
    {"\"a\"", "", false},
    {"\"a\"", "A", false},
    {"\"a\"", "ab", false},
    {"\"ab\"", "a", false},
    {"\"ab\"", "b", false},
    {"\" a\"", "a", false},
    {"\"a \"", "a", false},
    {"\"\\u0000\"", "", false},
    {"\"a\\u0000\"", "a", false},
    {"\"a\\u0000b\"", "a", false},
    {"\"\\u0061\\u0000\"", "a", false},
    {"\"\\\\u0061\"", "a", false},
    {"\"\\u0161\"", "a", false},
    {"\"\\u6100\"", "a", false},
    {"\"\\u1061\"", "a", false},
    {"\"\\uff21\"", "A", false},
    {"\"\xC3\xA1\"", "a", false},
    {"\"\\ud83d\\udcb6\"", "=", false},
    {"\"\\n\"", "n", false},
    {"\"n\"", "\n", false},
    {"\"\\b\"", "\f", false},
};

/* Length -1: refused for a buffer of that size. */
static const struct copy_case {
    const char *string;
    size_t size;
    int len;
    const char *bytes;
} copy_cases[] = {
    {"\"\"", 0, 0, ""},
    {"\"\"", 8, 0, ""},
    {"\"USD\"", 8, 3, "USD"},
    {"\"USD\"", 4, 3, "USD"},
    {"\"USD\"", 3, 3, "USD"},
    {"\"USD\"", 2, -1, ""},
    {"\"USD\"", 0, -1, ""},
    {"\"\\u0055SD\"", 3, 3, "USD"},
    {"\"US\\u0044\"", 2, -1, ""},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", 8, 8, "\"\\/\b\f\n\r\t"},
    {"\"\\u0000\"", 8, 1, "\0"},
    {"\"a\\u0000b\"", 8, 3, "a\0b"},
    {"\"\\u007f\x7F\"", 8, 2, "\x7F\x7F"},
    {"\"\\u0080\"", 8, -1, ""},
    {"\"\\u00e9\"", 8, -1, ""},
    {"\"\\u0100\"", 8, -1, ""},
    {"\"\\u0141\"", 8, -1, ""},
    {"\"\\uffff\"", 8, -1, ""},
    {"\"\\u1061\"", 8, -1, ""},
    {"\"\\ud83d\"", 8, -1, ""},
    {"\"\\ud83d\\udcb6\"", 8, -1, ""},
    {"\"\xC3\xA9\"", 8, -1, ""},
    {"\"abc\xE2\x82\xAC\"", 8, -1, ""},
    {"\"2021-05-18T21:32:42.324Z\"", 24, 24, "2021-05-18T21:32:42.324Z"},
};

#endif
