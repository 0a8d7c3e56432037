/* The rows of `top`: what stands in them, and how they fit a screen. */
#include <stdio.h>

#include "supervisor/top/cells.h"
#include "supervisor/top/layout.h"
#include "tests/unit/unit.h"

#define NOTHING                                                                \
    "{\"version\":\"0.1.0\",\"time\":\"2026-11-28T16:32:38.123Z\","            \
    "\"uptime_seconds\":7,\"ready\":false,\"summary\":\"Not ready: x\","       \
    "\"redis\":\"off\"}"

#define USUAL                                                                  \
    "{\"version\":\"0.1.0\",\"time\":\"2026-11-28T16:32:38.123Z\","            \
    "\"uptime_seconds\":7260,\"ready\":true,\"summary\":\"Converting\","       \
    "\"attention\":[\"a\",\"b\",\"c\"],\"redis\":\"down\","                    \
    "\"upstreams\":[{\"upstream\":\"h:1/a\",\"connected\":true,"               \
    "\"since_seconds\":12.3,\"heartbeat_age_seconds\":0.164,\"pending\":3,"    \
    "\"requests_per_second\":12.25,\"p50_seconds\":0.0000123,"                 \
    "\"p99_seconds\":1.5,\"results\":{\"converted\":50,\"invalid\":1,"         \
    "\"no_rate\":0},\"refused\":{\"payload\":1},\"reconnects\":"               \
    "{\"silent\":2}},{\"upstream\":\"h:2/b\",\"connected\":false,"             \
    "\"since_seconds\":null,\"heartbeat_age_seconds\":null,"                   \
    "\"pending\":null,\"p50_seconds\":null,\"results\":{\"converted\":5},"     \
    "\"reconnects\":{\"silent\":1,\"failed\":4}}],"                            \
    "\"providers\":[{\"name\":\"ecb\",\"state\":\"skipped\","                  \
    "\"skipped_seconds\":28.4,\"calls_minute\":2,\"calls_minute_max\":60,"     \
    "\"calls_month\":9,\"last_success\":\"2026-11-28T16:32:38.877Z\","         \
    "\"failure\":\"unreached: no\"},{\"name\":\"file\",\"state\":\"ok\","      \
    "\"last_success\":null,\"calls_month\":0}],"                               \
    "\"latest\":{\"as_of\":\"2026-11-27\",\"provider\":\"ecb\","               \
    "\"layer\":\"redis\",\"age_seconds\":600,\"currencies\":29},"              \
    "\"lookups\":{\"memory\":{\"hit\":5,\"miss\":1},\"redis\":{\"hit\":1,"     \
    "\"miss\":2,\"bad\":3}},"                                                  \
    "\"helpers\":[{\"name\":\"wsclient\",\"upstream\":\"h:1/a\",\"pid\":42,"   \
    "\"state\":\"ready\",\"uptime_seconds\":172800,\"deaths\":1,"              \
    "\"last_death\":\"signal SIGKILL\"},{\"name\":\"monitor\",\"pid\":null,"   \
    "\"state\":\"waiting\",\"uptime_seconds\":null,\"deaths\":0}],"            \
    "\"last_warnings\":[{\"time\":\"2026-11-28T16:00:01.000Z\","               \
    "\"level\":\"warn\",\"process\":\"wsclient\",\"event\":\"odd\","           \
    "\"detail\":\"a\\tb=\xc3\xa4\"},{\"time\":\"bad\",\"level\":\"error\"}]}"

static struct top_rows rows;

static void lay_out(const char *text, int width, int height) {
    struct json_object *status = json_tokener_parse(text);
    assert_non_null(status);
    top_layout(status, width, height, &rows);
    json_object_put(status);
}

/* What USUAL looks like where there is room for all. */
static const struct top_row usual[] = {
    {TOP_HEAD, "fxwire 0.1.0, up 2.0 h, 11-28 16:32:38 UTC, ready: yes"},
    {TOP_PLAIN, "Converting"},
    {TOP_BAD, "attention  b; c"},
    {TOP_PLAIN, "rates      of 2026-11-27, 29 currencies, ecb, redis, "
                "10.0 min old"},
    {TOP_PLAIN, "look-ups   memory 5 of 6, redis 1 of 6; redis is down"},
    {TOP_PLAIN, "requests   converted 55, invalid 1 (payload 1)"},
    {TOP_PLAIN, "reconnects silent 3, failed 4"},
    {TOP_TITLE, "UPSTREAM                 LINK           BEAT  PENDING    "
                "REQ/S      P50      P99"},
    {TOP_PLAIN, "h:1/a                    up 12 s      0.16 s        3     "
                "12.2 0.0123 ms    1.5 s"},
    {TOP_BAD, "h:2/b                    DOWN              -        -        "
              "-        -        -"},
    {TOP_TITLE, "PROVIDER          STATE         CALLS/MIN   MONTH LAST "
                "SUCCESS   FAILURE"},
    {TOP_BAD, "ecb               skipped 28 s       2/60       9 11-28 "
              "16:32:38 unreached: no"},
    {TOP_PLAIN, "file              ok                    -       0 -        "
                "      -"},
    {TOP_TITLE, "PROCESS                         PID STATE        UPTIME "
                "DEATHS LAST DEATH"},
    {TOP_PLAIN, "wsclient h:1/a                   42 ready         2.0 d "
                "     1 signal SIGKILL"},
    {TOP_BAD, "monitor                           - waiting           -      "
              "0 -"},
    {TOP_TITLE, "WARNING  LEVEL PROCESS     EVENT                  DETAIL"},
    {TOP_PLAIN, "16:00:01 warn  wsclient    odd                    "
                "a?b=\xc3\xa4"},
    {TOP_BAD, "-        error -           -                      -"},
};

static void all_of_it(void **state) {
    (void)state;
    lay_out(USUAL, 0, 0);
    for (int i = 0; i < rows.count && i < (int)COUNT_OF(usual); i++) {
        assert_string_equal(rows.rows[i].text, usual[i].text);
        assert_int_equal(rows.rows[i].look, usual[i].look);
    }
    assert_int_equal(rows.count, COUNT_OF(usual));
}

static void next_to_nothing(void **state) {
    (void)state;
    lay_out(NOTHING, 80, 23);
    assert_string_equal(rows.rows[0].text,
                        "fxwire 0.1.0, up 7 s, 11-28 16:32:38 UTC, ready: NO");
    assert_int_equal(rows.rows[1].look, TOP_BAD);
    assert_string_equal(rows.rows[2].text, "rates      none for today");
    assert_string_equal(rows.rows[3].text, "look-ups   none; redis is off");
    assert_string_equal(rows.rows[4].text, "requests   none");
    assert_string_equal(rows.rows[5].text, "reconnects none");
    assert_int_equal(rows.count, 6);
    lay_out("{}", 80, 23);
    assert_string_equal(rows.rows[0].text, "fxwire -, up -, - UTC, ready: NO");
}

static int characters(const char *text) {
    int count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

/* No screen is too small, and none is overrun. */
static void any_screen(void **state) {
    (void)state;
    for (int width = 1; width <= 130; width++)
        for (int height = 1; height <= 30; height++) {
            lay_out(USUAL, width, height);
            assert_true(rows.count <= height);
            for (int i = 0; i < rows.count; i++)
                assert_true(characters(rows.rows[i].text) <= width);
        }
    lay_out(USUAL, 80, 19);
    assert_int_equal(rows.count, 19);
    assert_string_equal(rows.rows[18].text, usual[18].text);
}

/* The first column of a list takes what a wider screen has. */
static void a_wide_screen(void **state) {
    (void)state;
    lay_out(USUAL, 120, 40);
    assert_int_equal(strlen(rows.rows[7].text), 120);
    assert_ptr_equal(strstr(rows.rows[7].text, "LINK"),
                     rows.rows[7].text + 25 + 40);
}

static char *many(int upstreams, int warnings) {
    char *text = malloc((size_t)(upstreams + warnings) * 60 + 200), *at = text;
    at += sprintf(at, "{\"upstreams\":[");
    for (int i = 0; i < upstreams; i++)
        at += sprintf(at, "%s{\"upstream\":\"u%d\"}", i > 0 ? "," : "", i);
    at += sprintf(at, "],\"last_warnings\":[");
    for (int i = 0; i < warnings; i++)
        at += sprintf(at, "%s{\"event\":\"e%d\"}", i > 0 ? "," : "", i);
    sprintf(at, "]}");
    return text;
}

/* Lists share what there is, and say how much is not shown. */
static void long_lists(void **state) {
    (void)state;
    char *text = many(20, 2);
    lay_out(text, 80, 23);
    assert_int_equal(rows.count, 23);
    /* 6 rows are before it, 3 are those of the warnings: 13 under its title. */
    assert_string_equal(rows.rows[19].text, "and 8 more");
    assert_non_null(strstr(rows.rows[22].text, "e1"));
    free(text);
    text = many(20, 20);
    lay_out(text, 80, 23);
    assert_string_equal(rows.rows[14].text, "and 13 more");
    assert_string_equal(rows.rows[22].text, "and 14 more");
    free(text);
    text = many(300, 3);
    lay_out(text, 0, 0);
    assert_int_equal(rows.count, TOP_MAX_ROWS);
    assert_non_null(strstr(rows.rows[TOP_MAX_ROWS - 1].text, "e2"));
    free(text);
}

static void durations(void **state) {
    (void)state;
    static const struct {
        const char *seconds, *shown;
    } cases[] = {{"0", "0 s"},          {"99.4", "99 s"},  {"100", "1.7 min"},
                 {"5999", "100.0 min"}, {"6000", "1.7 h"}, {"172799", "48.0 h"},
                 {"172800", "2.0 d"},   {"-1", "-"},       {"null", "-"},
                 {"\"x\"", "-"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[64], out[CELL_SIZE];
        snprintf(text, sizeof text, "{\"a\":%s}", cases[i].seconds);
        struct json_object *row = json_tokener_parse(text);
        cell_duration(row, "a", out);
        assert_string_equal(out, cases[i].shown);
        json_object_put(row);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it),  cmocka_unit_test(next_to_nothing),
        cmocka_unit_test(any_screen), cmocka_unit_test(a_wide_screen),
        cmocka_unit_test(long_lists), cmocka_unit_test(durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
