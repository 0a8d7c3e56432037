/* The JSON lines between the processes. */
#include "common/lines/message.h"
#include "tests/unit/unit.h"

static const struct parse_case {
    const char *line;
    size_t len; /* 0: up to its NUL */
    bool good;
    enum message_op op;
} parse_cases[] = {
    {"{}", 0, true, MESSAGE_UNKNOWN},
    {"{\"op\":\"rates\"}", 0, true, MESSAGE_RATES},
    {" {\"op\" : \"rates\" , \"date\":\"latest\"} ", 0, true, MESSAGE_RATES},
    {"{\"op\":\"error\"}\r", 0, true, MESSAGE_ERROR},
    {"{\"op\":\"status\"}", 0, true, MESSAGE_STATUS},
    {"{\"op\":\"stop\"}", 0, true, MESSAGE_STOP},
    {"{\"op\":\"ready\"}", 0, true, MESSAGE_READY},
    {"{\"op\":\"ping\"}", 0, true, MESSAGE_PING},
    {"{\"op\":\"pong\"}", 0, true, MESSAGE_PONG},
    {"{\"op\":\"report\"}", 0, true, MESSAGE_REPORT},
    {"{\"op\":\"r\\u0061tes\"}", 0, true, MESSAGE_RATES},
    {"{\"op\":\"Rates\"}", 0, true, MESSAGE_UNKNOWN},
    {"{\"op\":\"\"}", 0, true, MESSAGE_UNKNOWN},
    {"{\"op\":1}", 0, true, MESSAGE_UNKNOWN},
    {"{\"op\":[\"rates\"]}", 0, true, MESSAGE_UNKNOWN},
    {"{\"x\":{\"op\":\"rates\"}}", 0, true, MESSAGE_UNKNOWN},
    {"{\"x\":\"\xc3\xa9\"}", 0, true, MESSAGE_UNKNOWN},
    {"{\"a\":[1,2,{\"b\":null}]}\r\n\t ", 0, true, MESSAGE_UNKNOWN},
    {"\xef\xbb\xbf{}", 0, false, MESSAGE_UNKNOWN},
    {"<html></html>", 0, false, MESSAGE_UNKNOWN},
    {"true", 0, false, MESSAGE_UNKNOWN},
    {"\"{}\"", 0, false, MESSAGE_UNKNOWN},
    {"", 0, false, MESSAGE_UNKNOWN},
    {" ", 0, false, MESSAGE_UNKNOWN},
    {"null", 0, false, MESSAGE_UNKNOWN},
    {"[]", 0, false, MESSAGE_UNKNOWN},
    {"\"rates\"", 0, false, MESSAGE_UNKNOWN},
    {"5", 0, false, MESSAGE_UNKNOWN},
    {"{", 0, false, MESSAGE_UNKNOWN},
    {"{\"op\":\"rates\"", 0, false, MESSAGE_UNKNOWN},
    {"{\"op\":\"rates\"}}", 0, false, MESSAGE_UNKNOWN},
    {"{\"op\":\"rates\"} {}", 0, false, MESSAGE_UNKNOWN},
    {"{\"op\":\"rates\"}x", 0, false, MESSAGE_UNKNOWN},
    {"{\"op\":\"rates\"\0}", 15, false, MESSAGE_UNKNOWN},
    {"{op:\"rates\"}", 0, false, MESSAGE_UNKNOWN},
    {"{'op':'rates'}", 0, false, MESSAGE_UNKNOWN},
    {"{\"op\":\"rates\",}", 0, false, MESSAGE_UNKNOWN},
    {"{\"x\":nan}", 0, false, MESSAGE_UNKNOWN},
    {"{\"x\":NaN}", 0, false, MESSAGE_UNKNOWN},
    {"{\"x\":-Infinity}", 0, false, MESSAGE_UNKNOWN},
    {"{\"x\":1.}", 0, false, MESSAGE_UNKNOWN},
    {"{\"x\":\"\n\"}", 0, false, MESSAGE_UNKNOWN},
    {"{\"x\":18446744073709551616}", 0, true, MESSAGE_UNKNOWN},
    {"{\"x\":-18446744073709551616}", 0, true, MESSAGE_UNKNOWN},
    {"{\"x\":1e999}", 0, true, MESSAGE_UNKNOWN},
    {"{\"x\":01}", 0, false, MESSAGE_UNKNOWN},
    {"{/* */}", 0, false, MESSAGE_UNKNOWN},
    {"{\"x\":\"\xff\"}", 0, false, MESSAGE_UNKNOWN},
    {"{\"x\":\"\xc3\"}", 0, false, MESSAGE_UNKNOWN},
};

static void lines(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(parse_cases); i++) {
        const struct parse_case *c = &parse_cases[i];
        size_t len = c->len > 0 ? c->len : strlen(c->line);
        struct json_object *message = message_parse(exact_copy(c->line, len));
        if ((message != NULL) != c->good)
            fail_msg("row %zu, %s: %s", i, c->line,
                     c->good ? "refused" : "taken");
        if (message != NULL && message_op(message) != c->op)
            fail_msg("%s: op %d, not %d", c->line, (int)message_op(message),
                     (int)c->op);
        json_object_put(message);
    }
    assert_int_equal(message_op(NULL), MESSAGE_UNKNOWN);
}

/* All of the line counts, also what a NUL hides from C strings. */
static void nothing_hides_behind_a_nul(void **state) {
    (void)state;
    assert_null(message_parse(exact_copy("{\"op\":\"stop\"}\0x", 15)));
    assert_null(message_parse(exact_copy("{\"op\":\"stop\"}\0{}", 16)));
}

/* As deep as a request may be. */
static void depth(void **state) {
    (void)state;
    char line[256] = "";
    for (int levels = 1; levels <= 33; levels++) {
        strcat(line, "{\"a\":");
        size_t open = strlen(line);
        line[open] = '1';
        memset(line + open + 1, '}', (size_t)levels);
        struct span text = {line, open + 1 + (size_t)levels};
        struct json_object *message = message_parse(text);
        assert_int_equal(message != NULL, levels <= 32);
        json_object_put(message);
        line[open] = '\0';
    }
}

static void every_op_comes_back(void **state) {
    (void)state;
    for (int op = MESSAGE_UNKNOWN + 1; op < MESSAGE_OPS; op++) {
        struct json_object *message = message_new((enum message_op)op);
        struct json_object *again = message_parse(message_line(message));
        if ((int)message_op(again) != op)
            fail_msg("op %d comes back as %d", op, (int)message_op(again));
        json_object_put(message);
        json_object_put(again);
    }
}

static void members(void **state) {
    (void)state;
    struct json_object *m = message_parse(
        span_of("{\"text\":\"a\\\"b\",\"empty\":\"\",\"int\":-7,\"real\":1.5,"
                "\"null\":null,\"true\":true,\"digits\":\"8\",\"list\":[1]}"));
    assert_string_equal(message_text(m, "text"), "a\"b");
    assert_string_equal(message_text(m, "empty"), "");
    assert_null(message_text(m, "int"));
    assert_null(message_text(m, "null"));
    assert_null(message_text(m, "list"));
    assert_null(message_text(m, "missing"));
    assert_null(message_text(NULL, "text"));
    assert_true(message_number(m, "int", 9) == -7);
    assert_true(message_number(m, "real", 9) == 1.5);
    assert_true(message_number(m, "digits", 9) == 9);
    assert_true(message_number(m, "true", 9) == 9);
    assert_true(message_number(m, "null", 9) == 9);
    assert_true(message_number(m, "missing", 9) == 9);
    json_object_put(m);
}

static void a_line_is_plain(void **state) {
    (void)state;
    struct json_object *m = message_new(MESSAGE_ERROR);
    message_add_text(m, "none", NULL);
    message_add_text(m, "path", "/a/b\n\"c\" \xc3\xa9");
    message_add_duration(m, "short", (duration){1600});
    message_add_duration(m, "long", (duration){INT64_C(7200000000)});
    message_add_duration(m, "back", (duration){-250000});
    message_add_duration(m, "zero", (duration){0});
    struct span line = message_line(m);
    static const char wanted[] =
        "{\"op\":\"error\",\"path\":\"/a/b\\n\\\"c\\\" \xc3\xa9\","
        "\"short\":0.002,\"long\":7200.000,\"back\":-0.250,\"zero\":0.000}";
    if (!span_equals(line, wanted))
        fail_msg("%.*s", (int)line.len, line.data);
    json_object_put(m);
}

/* Else who reads it would refuse the whole line. */
static void what_is_no_utf8_is_replaced(void **state) {
    (void)state;
    static const char *const texts[][2] = {
        {"/r\xff\xe9x", "/r\xef\xbf\xbd\xef\xbf\xbdx"},
        {"\xf0\x9f", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xc3\xa9\xf0\x9f\x98\x80", "\xc3\xa9\xf0\x9f\x98\x80"},
        {"", ""},
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct json_object *m = message_new(MESSAGE_ERROR), *read;
        message_add_text(m, "x", texts[i][0]);
        read = message_parse(message_line(m));
        assert_non_null(read);
        assert_string_equal(message_text(read, "x"), texts[i][1]);
        json_object_put(read);
        json_object_put(m);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(nothing_hides_behind_a_nul),
        cmocka_unit_test(depth),
        cmocka_unit_test(every_op_comes_back),
        cmocka_unit_test(members),
        cmocka_unit_test(a_line_is_plain),
        cmocka_unit_test(what_is_no_utf8_is_replaced),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
