/* Lines of the log, of either form, as JSON. */
#include <stdlib.h>

#include "common/lines/message.h"
#include "supervisor/log_json.h"
#include "tests/unit/unit.h"

#define HEAD "2026-11-21T12:00:00.000Z WARN wsclient[12] "
#define JSON_HEAD                                                              \
    "{\"time\":\"2026-11-21T12:00:00.000Z\",\"level\":\"warn\","               \
    "\"process\":\"wsclient\",\"pid\":12,\"event\":"

static const struct line_case {
    const char *line, *json;
} cases[] = {
    {HEAD "stopping", JSON_HEAD "\"stopping\"}"},
    {HEAD "e a=b n=-42 s=1.235 z=\"\"",
     JSON_HEAD "\"e\",\"a\":\"b\",\"n\":-42,\"s\":1.235,\"z\":\"\"}"},
    {HEAD "e x=\"two words = \\\"one\\\"\\n\" y=1",
     JSON_HEAD "\"e\",\"x\":\"two words = \\\"one\\\"\\n\",\"y\":1}"},
    {HEAD "e x=back\\slash", JSON_HEAD "\"e\",\"x\":\"back\\\\slash\"}"},
    {HEAD "e x=say\"hi\"", JSON_HEAD "\"e\",\"x\":\"say\\\"hi\\\"\"}"},
    {HEAD "e x=0.1.0 a=007 b=1. c=.5 d=- e=1e5",
     JSON_HEAD "\"e\",\"x\":\"0.1.0\",\"a\":\"007\",\"b\":\"1.\",\"c\":\".5\","
               "\"d\":\"-\",\"e\":\"1e5\"}"},
    {HEAD "e id=12345678901234567890 zero=0 half=0.5", JSON_HEAD
     "\"e\",\"id\":\"12345678901234567890\",\"zero\":0,\"half\":0.5}"},
    /* What is no list of fields. */
    {HEAD "request {\"id\": 1}",
     JSON_HEAD "\"request\",\"text\":\"{\\\"id\\\": 1}\"}"},
    {HEAD "e a=1 b", JSON_HEAD "\"e\",\"a\":1,\"text\":\"b\"}"},
    {HEAD "e a=\"open", JSON_HEAD "\"e\",\"text\":\"a=\\\"open\"}"},
    {HEAD "e a=\"open\\\"", JSON_HEAD "\"e\",\"text\":\"a=\\\"open\\\\\\\"\"}"},
    {HEAD "e a=\"b\"c", JSON_HEAD "\"e\",\"text\":\"a=\\\"b\\\"c\"}"},
    {HEAD "e a=\"b\tc\"", JSON_HEAD "\"e\",\"text\":\"a=\\\"b\\u0009c\\\"\"}"},
    {HEAD "e a=\"\\x\"", JSON_HEAD "\"e\",\"text\":\"a=\\\"\\\\x\\\"\"}"},
    {HEAD "e a=", JSON_HEAD "\"e\",\"a\":\"\"}"},
    {HEAD "e =1", JSON_HEAD "\"e\",\"text\":\"=1\"}"},
    /* No line of the log's own. */
    {"", "{\"text\":\"\"}"},
    {"Segmentation fault", "{\"text\":\"Segmentation fault\"}"},
    {"a \"b\" \\ \t\x1b", "{\"text\":\"a \\\"b\\\" \\\\ \\u0009\\u001b\"}"},
    {"T WARN wsclient[x] e", "{\"text\":\"T WARN wsclient[x] e\"}"},
    {"T LOUD wsclient[1] e", "{\"text\":\"T LOUD wsclient[1] e\"}"},
    {"T WARN wsclient 1] e", "{\"text\":\"T WARN wsclient 1] e\"}"},
    {"T VERYLOUDINDEED wsclient[1] e",
     "{\"text\":\"T VERYLOUDINDEED wsclient[1] e\"}"},
    /* As it is. */
    {"{\"time\":\"x\"", "{\"text\":\"{\\\"time\\\":\\\"x\\\"\"}"},
    {"{\"time\":\"x\",\"level\":\"info\"}",
     "{\"time\":\"x\",\"level\":\"info\"}"},
};

static char *as_json(struct span line) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    log_json_put(out, line);
    fclose(out);
    return text;
}

static void lines(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *json = as_json(exact_copy(cases[i].line, strlen(cases[i].line)));
        assert_string_equal(json, cases[i].json);
        free(json);
    }
}

/* Wherever a line is cut off, an object comes of it. */
static void cut_lines(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (size_t len = 0; len < strlen(cases[i].line); len++) {
            char *json = as_json(exact_copy(cases[i].line, len));
            struct json_object *object = message_parse(span_of(json));
            if (object == NULL)
                fail_msg("%.*s: %s", (int)len, cases[i].line, json);
            json_object_put(object);
            free(json);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(cut_lines),
    };
    return cmocka_run_group_tests_name("log_json", tests, NULL, NULL);
}
