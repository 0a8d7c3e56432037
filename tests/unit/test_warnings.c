/* The last warnings of the log, for the status. */
#include <stdio.h>

#include "supervisor/monitor/warnings.h"
#include "tests/unit/unit.h"

#define TIME "2026-11-21T18:00:00.123Z"

static void look(struct warnings *warnings, const char *lines) {
    warnings_look(warnings, exact_copy(lines, strlen(lines)));
}

static void expect(const struct warnings *warnings, const char *wanted) {
    struct json_object *rows = warnings_rows(warnings);
    const char *found =
        json_object_to_json_string_ext(rows, JSON_C_TO_STRING_PLAIN);
    if (strcmp(found, wanted) != 0)
        fail_msg("%s\nis not\n%s", found, wanted);
    json_object_put(rows);
}

#define ROW(level, process, event, detail)                                     \
    "{\"time\":\"" TIME "\",\"level\":\"" level "\",\"process\":\"" process    \
    "\",\"event\":\"" event "\",\"detail\":\"" detail "\"}"

static void either_format(void **state) {
    (void)state;
    struct warnings warnings = {0};
    expect(&warnings, "[]");
    look(&warnings, TIME " INFO wsclient[12] connected url=a\n" TIME
                         " WARN wsclient[12] disconnected reason=silent a=\"b "
                         "c\"\nWARN\n\n" TIME " ERROR supervisor[1] died\n");
    look(&warnings,
         "{\"time\":\"" TIME "\",\"level\":\"info\",\"process\":\"monitor\","
         "\"pid\":3,\"event\":\"x\"}\n"
         "{\"time\":\"" TIME "\",\"level\":\"warn\",\"process\":\"monitor\","
         "\"pid\":3,\"event\":\"y\",\"why\":\"b c\",\"n\":1.5}\n"
         "{\"time\":\"" TIME "\",\"level\":\"warn\",\"process\":\n"
         "{\"time\":\"" TIME "\",\"level\":\"error\"}\n");
    expect(&warnings,
           "[{\"time\":\"" TIME "\",\"level\":\"error\",\"detail\":\"\"}," ROW(
               "warn", "monitor", "y",
               "why=b c n=1.5") "," ROW("error", "supervisor", "died",
                                        "") "," ROW("warn", "wsclient",
                                                    "disconnected",
                                                    "reason=silent "
                                                    "a=\\\"b c\\\"") "]");
    warnings_clear(&warnings);
    expect(&warnings, "[]");
}

static void what_is_no_line_of_ours(void **state) {
    (void)state;
    static const char *const lines[] = {
        TIME " WARN ",
        TIME " WARN",
        TIME,
        TIME " WARN a",
        TIME " WARN a b",
        "{\"time\":\"" TIME "\",\"level\":\"warn\"",
        "\n\n\n",
        "",
    };
    struct warnings warnings = {0};
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        look(&warnings, lines[i]);
    warnings_clear(&warnings);
}

static void the_last_ones_are_kept(void **state) {
    (void)state;
    struct warnings warnings = {0};
    char line[1000], all[800];
    for (int i = 0; i < 5 * WARNINGS_KEPT + 3; i++) {
        snprintf(line, sizeof line, TIME " WARN a[1] event%d b=c\n", i);
        look(&warnings, line);
    }
    struct json_object *rows = warnings_rows(&warnings), *event = NULL;
    assert_int_equal(json_object_array_length(rows), WARNINGS_KEPT);
    for (int i = 0; i < WARNINGS_KEPT; i++) {
        json_object_object_get_ex(json_object_array_get_idx(rows, (size_t)i),
                                  "event", &event);
        snprintf(line, sizeof line, "event%d", 5 * WARNINGS_KEPT + 2 - i);
        assert_string_equal(json_object_get_string(event), line);
    }
    json_object_put(rows);
    for (size_t i = 0; i + 1 < sizeof all; i += 2)
        memcpy(all + i, "\xC3\xA4", 2);
    snprintf(line, sizeof line, TIME " WARN a[1] long x%.*s\n", 798, all);
    look(&warnings, line);
    rows = warnings_rows(&warnings);
    json_object_object_get_ex(json_object_array_get_idx(rows, 0), "detail",
                              &event);
    assert_int_equal(json_object_get_string_len(event),
                     WARNINGS_DETAIL_SIZE - 1);
    json_object_put(rows);
    warnings_clear(&warnings);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(either_format),
        cmocka_unit_test(what_is_no_line_of_ours),
        cmocka_unit_test(the_last_ones_are_kept),
    };
    return cmocka_run_group_tests_name("warnings", tests, NULL, NULL);
}
