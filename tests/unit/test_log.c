/* The log, through a pipe: its two forms, masks, cuts, dropped lines. */
#include <errno.h>
#include <stdio.h>

#include "common/lines/message.h"
#include "tests/unit/log_pipe.h"
#include "tests/unit/unit.h"

#define TEXT_HEAD "2026-11-21T12:00:00.000Z INFO proc[PID] connected"
#define JSON_HEAD                                                              \
    "{\"time\":\"2026-11-21T12:00:00.000Z\",\"level\":\"info\","               \
    "\"process\":\"proc\",\"pid\":PID,\"event\":\"connected\""

#define STRAY "\xef\xbf\xbd"

/* A value, and how it stands behind `x=` and in JSON. */
static const struct value_case {
    const char *value, *text, *json;
} value_cases[] = {
    {"plain", "plain", "plain"},
    {"a/b:c,d-e_f(g)[h]{i}'j", "a/b:c,d-e_f(g)[h]{i}'j",
     "a/b:c,d-e_f(g)[h]{i}'j"},
    {"", "\"\"", ""},
    {"two words", "\"two words\"", "two words"},
    {" ", "\" \"", " "},
    {"a=b", "\"a=b\"", "a=b"},
    {"say \"hi\"", "\"say \\\"hi\\\"\"", "say \\\"hi\\\""},
    {"\"", "\"\\\"\"", "\\\""},
    {"a\nb", "\"a\\nb\"", "a\\nb"},
    {"a\r\tb", "\"a\\u000d\\u0009b\"", "a\\u000d\\u0009b"},
    {"\x1b[31m", "\"\\u001b[31m\"", "\\u001b[31m"},
    {"\x7f", "\"\\u007f\"", "\\u007f"},
    {"\x01", "\"\\u0001\"", "\\u0001"},
    {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
     "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
     "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"back \\ slash", "\"back \\\\ slash\"", "back \\\\ slash"},
    {"100%", "100%", "100%"},
    /* What is no UTF-8: U+FFFD for each byte. */
    {"a\xff"
     "b",
     "a" STRAY "b", "a" STRAY "b"},
    {"\xc3", STRAY, STRAY},
    {"\xe2\x82x", STRAY STRAY "x", STRAY STRAY "x"},
    {"\xed\xa0\x80", STRAY STRAY STRAY, STRAY STRAY STRAY},
    {"PK\x03\x04\x80", "\"PK\\u0003\\u0004" STRAY "\"",
     "PK\\u0003\\u0004" STRAY},
    {"%s%n", "%s%n", "%s%n"},
    {"x\n2026-11-21T12:00:00.000Z INFO forged",
     "\"x\\n2026-11-21T12:00:00.000Z INFO forged\"",
     "x\\n2026-11-21T12:00:00.000Z INFO forged"},
};

static void values(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(value_cases); i++) {
        const struct value_case *c = &value_cases[i];
        const struct log_field field =
            log_span("x", exact_copy(c->value, strlen(c->value)));
        char wanted[512];
        open_log("info", "text");
        log_info(EVENT_CONNECTED, LOG_FIELDS(field));
        snprintf(wanted, sizeof wanted, "%s x=%s\n", TEXT_HEAD, c->text);
        expect_logged(wanted);
        close_log();
        open_log("info", "json");
        log_info(EVENT_CONNECTED, LOG_FIELDS(field));
        snprintf(wanted, sizeof wanted, "%s,\"x\":\"%s\"}\n", JSON_HEAD,
                 c->json);
        expect_logged(wanted);
        close_log();
    }
}

static void log_all_kinds(void) {
    log_info(EVENT_CONNECTED,
             LOG_FIELDS(
                 log_text("a", "b"), log_text("none", NULL), log_int("n", -42),
                 log_int("zero", 0), log_int("big", INT64_C(4503599627370497)),
                 log_duration("s", (duration){1234567}),
                 log_duration("t", (duration){-600}),
                 log_span("cut", (struct span){"xyz", 2}), log_text("z", "")));
    log_info(EVENT_CONNECTED, NULL);
}

static void fields(void **state) {
    (void)state;
    open_log("info", "text");
    log_all_kinds();
    expect_logged(TEXT_HEAD " a=b n=-42 zero=0 big=4503599627370497 s=1.235 "
                            "t=-0.001 cut=xy z=\"\"\n" TEXT_HEAD "\n");
    close_log();
    open_log("info", "json");
    log_all_kinds();
    expect_logged(JSON_HEAD ",\"a\":\"b\",\"n\":-42,\"zero\":0,\"big\":"
                            "4503599627370497,\"s\":1.235,\"t\":-0.001,\"cut\":"
                            "\"xy\",\"z\":\"\"}\n" JSON_HEAD "}\n");
    close_log();
}

static void levels(void **state) {
    (void)state;
    static const char *const words[] = {"debug", "info", "warn", "error"};
    static const char *const titles[] = {" DEBUG ", " INFO ", " WARN ",
                                         " ERROR "};
    for (size_t least = 0; least < COUNT_OF(words); least++) {
        open_log(words[least], "text");
        errno = EXDEV;
        log_debug(EVENT_CONNECTED, NULL);
        log_info(EVENT_CONNECTED, NULL);
        log_warn(EVENT_CONNECTED, NULL);
        log_error(EVENT_CONNECTED, NULL);
        assert_int_equal(errno, EXDEV);
        const char *text = logged();
        for (size_t i = 0; i < COUNT_OF(titles); i++) {
            bool is_there = strstr(text, titles[i]) != NULL;
            if (is_there != (i >= least))
                fail_msg("least %s: %s", words[least], text);
            assert_int_equal(log_enabled((enum log_level)i), i >= least);
        }
        close_log();
    }
}

static void another_level(void **state) {
    (void)state;
    open_log("error", "text");
    assert_int_equal(log_level_of("loud"), LOG_LEVELS);
    log_set_level(log_level_of("loud"));
    assert_false(log_enabled(LOG_WARN));
    log_set_level(log_level_of("Debug"));
    assert_true(log_enabled(LOG_DEBUG));
    for (int i = 0; i < LOG_LEVELS; i++)
        assert_int_equal(log_level_of(log_level_word((enum log_level)i)), i);
    close_log();
}

/* A secret, a text that has it, and what may be seen of it. */
static const struct mask_case {
    const char *secret, *text, *seen;
} mask_cases[] = {
    {"hunter2", "the key is hunter2, hunter2!", "the key is ***, ***!"},
    {"hunter2", "hunter", "hunter"},
    {"hunter2", "xhunter2x", "x***x"},
    {"hunter2", "hunterhunter2", "hunter***"},
    {"aXbX", "aXbXaXbX", "******"},
    {"abcd", "abcd", "***"},
    {"abc", "abc", "abc"}, /* too short: it would garble everything */
    {"pass\"word\\", "a pass\"word\\ b", "a *** b"},
    /* The value of a header, and what stands in it behind the scheme. */
    {"Bearer tok3n", "Authorization: Bearer tok3n", "Authorization: ***"},
    {"Bearer tok3n", "tok3n", "***"},
    {"Bearer tok3n", "Bearer x", "Bearer x"},
    {"Basic dXNlcjpwYXNz", "sent dXNlcjpwYXNz", "sent ***"},
    /* Of an address only user-info and query. */
    {"wss://user:hunter2@host:81/path?token=tok3n",
     "wss://user:hunter2@host:81/path?token=tok3n",
     "wss://***@host:81/path?***"},
    {"wss://user:hunter2@host/", "password hunter2 of host",
     "password *** of host"},
    {"wss://host/path?token=tok3n", "host/path token=tok3n", "host/path ***"},
    {"wss://host:81/path", "wss://host:81/path", "wss://host:81/path"},
    {"redis://:hunter2@host/1", "redis://:hunter2@host/1",
     "redis://***@host/1"},
    {"redis://:hunter2@host/1", "AUTH hunter2", "AUTH ***"},
    {"wss://host/a@b?longquery", "wss://host/a@b?longquery",
     "wss://host/a@b?***"},
};

static void masks(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(mask_cases); i++) {
        const struct mask_case *c = &mask_cases[i];
        for (int json = 0; json <= 1; json++) {
            open_log("info", json ? "json" : "text");
            log_mask(c->secret);
            log_info(EVENT_CONNECTED, LOG_FIELDS(log_text("x", c->text)));
            log_show(EVENT_REQUEST, span_of(c->text));
            const char *found = logged();
            size_t seen = 0;
            for (const char *at = found; (at = strstr(at, c->seen)) != NULL;
                 at++)
                seen++;
            if (seen != 2 || (strcmp(c->text, c->seen) != 0 &&
                              strstr(found, c->text) != NULL))
                fail_msg("`%s` of `%s` is seen as: %s", c->text, c->secret,
                         found);
            close_log();
        }
    }
}

static void several_masks(void **state) {
    (void)state;
    open_log("info", "text");
    log_mask("secret");
    log_mask("secret-longer");
    log_mask("other");
    log_info(EVENT_CONNECTED,
             LOG_FIELDS(log_text("x", "secret-longer,secret,other,secre")));
    expect_logged(TEXT_HEAD " x=***,***,***,secre\n");
    /* Forgotten when the log is closed. */
    log_close();
    log_info(EVENT_CONNECTED, LOG_FIELDS(log_text("x", "other")));
    expect_logged(TEXT_HEAD " x=other\n");
    close_log();
}

/* As with eleven upstreams, each with a user, a password and a query. */
static void any_number_of_masks(void **state) {
    (void)state;
    char secret[32];
    open_log("debug", "text");
    for (int i = 0; i < 300; i++) {
        snprintf(secret, sizeof secret, "hunter%03d", i);
        log_mask(secret);
    }
    for (int i = 0; i < 300; i++) {
        snprintf(secret, sizeof secret, "hunter%03d", i);
        log_info(EVENT_CONNECTED, LOG_FIELDS(log_text("x", secret)));
        expect_logged(TEXT_HEAD " x=***\n");
    }
    close_log();
}

static void shown_messages(void **state) {
    (void)state;
    static const char message[] = "{\"id\": \"a\\\"b\",\n \"x\":\x1b}";
    open_log("error", "text"); /* whatever the level */
    errno = EXDEV;
    log_show(EVENT_CONNECTED, exact_copy(message, sizeof message - 1));
    assert_int_equal(errno, EXDEV);
    expect_logged(TEXT_HEAD " {\"id\": \"a\\\"b\",\\n \"x\":\\u001b}\n");
    close_log();
    open_log("error", "json");
    log_show(EVENT_CONNECTED, exact_copy(message, sizeof message - 1));
    expect_logged(JSON_HEAD ",\"text\":\"{\\\"id\\\": \\\"a\\\\\\\"b\\\",\\n "
                            "\\\"x\\\":\\u001b}\"}\n");
    close_log();
}

static bool is_utf8(const char *text) {
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0';) {
        int more = *c < 0x80   ? 0
                   : *c < 0xc2 ? -1
                   : *c < 0xe0 ? 1
                   : *c < 0xf0 ? 2
                   : *c < 0xf5 ? 3
                               : -1;
        for (c++; more > 0 && (*c & 0xc0) == 0x80; more--)
            c++;
        if (more != 0)
            return false;
    }
    return true;
}

/* One line, not too long, in UTF-8; and one object if it is JSON. */
static void check_line(const char *what, size_t len, const char *line,
                       bool json) {
    size_t end = strlen(line);
    if (end == 0 || end > LOG_LINE_BYTES ||
        strchr(line, '\n') != line + end - 1)
        fail_msg("%s, %zu bytes: %zu bytes, or no one line", what, len, end);
    if (!is_utf8(line))
        fail_msg("%s, %zu bytes: not UTF-8: ...%s", what, len,
                 line + (end > 40 ? end - 40 : 0));
    if (!json)
        return;
    struct json_object *object = message_parse((struct span){line, end});
    if (object == NULL)
        fail_msg("%s, %zu bytes: not JSON: ...%s", what, len,
                 line + (end > 40 ? end - 40 : 0));
    json_object_put(object);
}

static const struct cut_case {
    const char *name, *unit; /* repeated up to the length */
    bool json, show;
} cut_cases[] = {
    {"text", "a", false, false},
    {"text with blanks", "a ", false, false},
    {"text of two bytes a character", "\xc3\xa9", false, false},
    {"text of three", "\xe2\x82\xac", false, false},
    {"text of four, quoted", "\xf0\x9f\x98\x80 ", false, false},
    {"text with escapes", "\n", false, false},
    {"JSON", "a", true, false},
    {"JSON with escapes", "\"\x01\\", true, false},
    {"JSON of two bytes a character", "\xc3\xa9", true, false},
    {"JSON of three", "\xe2\x82\xac", true, false},
    {"JSON of four", "\xf0\x9f\x98\x80", true, false},
    {"text of stray bytes", "\x80", false, false},
    {"text of half characters", "\xe2\x82", false, false},
    {"JSON of stray bytes", "\xff", true, false},
    {"shown JSON of half characters", "a\xf0\x9f\x98", true, true},
    {"shown text", "{\"a\": 1}", false, true},
    {"shown text of two bytes a character", "\xc3\xa9", false, true},
    {"shown text of three", "\xe2\x82\xac", false, true},
    {"shown JSON of four", "\xf0\x9f\x98\x80", true, true},
};

/* Logs a value behind a head of `shift` bytes; gives the line's length. */
static size_t log_cut(const struct cut_case *c, struct span value,
                      size_t shift) {
    char head[16] = "hhhhhhhhhhhhhh";
    head[shift] = '\0';
    log_open(c->show ? head : "proc", "debug", c->json ? "json" : "text", out);
    if (c->show)
        log_show(EVENT_REQUEST, value);
    else
        log_info(EVENT_CONNECTED,
                 LOG_FIELDS(log_text("head", head), log_span("x", value),
                            log_int("n", 123456), log_text("y", "z")));
    const char *line = logged();
    check_line(c->name, value.len, line, c->json);
    return strlen(line);
}

/* Lengths around the place where a line is full, at all offsets. */
static void cut_lines(void **state) {
    const struct cut_case *c = *state;
    static char text[8192];
    size_t unit = strlen(c->unit), full = 0;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = c->unit[i % unit];
    open_log("debug", c->json ? "json" : "text");
    for (size_t len = unit; len < sizeof text - unit && full < 100;
         len += unit) {
        struct span value = {text, len};
        if (log_cut(c, value, 1) < LOG_LINE_BYTES - 60)
            continue;
        full++;
        for (size_t shift = 2; shift <= 14; shift++)
            log_cut(c, value, shift);
    }
    assert_true(full > 0);
    close_log();
}

/* Many short fields: none is left without its value. */
static void cut_between_fields(void **state) {
    (void)state;
    static char text[5000];
    memset(text, 'a', sizeof text);
    for (int json = 0; json <= 1; json++) {
        open_log("debug", json ? "json" : "text");
        for (size_t len = 3700; len < 4200; len++) {
            struct span value = {text, len};
            log_info(EVENT_CONNECTED,
                     LOG_FIELDS(log_span("x", value),
                                log_int("number", INT64_MIN),
                                log_text("name", "v"), log_int("n", 1),
                                log_duration("seconds", (duration){INT64_MAX}),
                                log_text("last", "a b")));
            check_line("fields", len, logged(), json);
        }
        close_log();
    }
}

static void dropped_lines_are_counted_and_told(void **state) {
    (void)state;
    open_log("info", "text");
    uint64_t before = log_dropped();
    static const char block[4096] = "";
    while (write(out, block, sizeof block) > 0)
        continue;
    while (write(out, block, 1) > 0)
        continue;
    errno = EXDEV;
    log_info(EVENT_CONNECTED, NULL);
    log_warn(EVENT_CONNECTED, NULL);
    log_show(EVENT_REQUEST, span_of("x"));
    assert_int_equal(errno, EXDEV);
    assert_int_equal(log_dropped() - before, 3);
    while (read(in, output, sizeof output) > 0)
        continue;
    log_info(EVENT_CONNECTED, NULL);
    expect_logged(TEXT_HEAD "\n2026-11-21T12:00:00.000Z WARN proc[PID] "
                            "log_lines_dropped lines=3\n");
    /* Told once. */
    log_info(EVENT_CONNECTED, NULL);
    expect_logged(TEXT_HEAD "\n");
    assert_int_equal(log_dropped() - before, 3);
    close_log();
}

/* For people in any case: no head, no JSON, but the same masks. */
static void rows(void **state) {
    (void)state;
    static const char *const formats[] = {"text", "json"};
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        open_log("error", formats[i]);
        log_mask("SecretKey");
        log_print_row(out, "redis",
                      LOG_FIELDS(log_text("result", "down"),
                                 log_text("detail", "no SecretKey,\nat all"),
                                 log_text("none", NULL), log_int("n", -3)));
        log_print_row(out, "a long title", LOG_FIELDS(log_text("x", "y")));
        expect_logged("redis       result=down detail=\"no ***,\\nat all\" "
                      "n=-3\na long title x=y\n");
        close_log();
    }
}

int main(void) {
    static struct CMUnitTest tests[COUNT_OF(cut_cases) + 11] = {
        cmocka_unit_test(values),
        cmocka_unit_test(fields),
        cmocka_unit_test(levels),
        cmocka_unit_test(another_level),
        cmocka_unit_test(masks),
        cmocka_unit_test(several_masks),
        cmocka_unit_test(any_number_of_masks),
        cmocka_unit_test(shown_messages),
        cmocka_unit_test(cut_between_fields),
        cmocka_unit_test(dropped_lines_are_counted_and_told),
        cmocka_unit_test(rows),
    };
    for (size_t i = 0; i < COUNT_OF(cut_cases); i++)
        tests[i + 11] =
            (struct CMUnitTest){.name = cut_cases[i].name,
                                .test_func = cut_lines,
                                .initial_state = (void *)&cut_cases[i]};
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
