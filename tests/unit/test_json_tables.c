/* Rates in JSON: digits as they were sent, and what is no number. */
#include "ratefetcher/providers/json_tables.h"

#include <stdio.h>

#include "common/lines/message.h"
#include "tests/unit/unit.h"

static const struct number_case {
    const char *json, *rate; /* rate NULL: counted as a fault */
} numbers[] = {
    {"1", "1"},
    {"1.7900", "1.7900"},
    {"18273", "18273"},
    {"1.4205427e-5", "0.000014205427"},
    {"1.0912818E-5", "0.000010912818"},
    {"1.5e+3", "1500"},
    {"0.000009273581", "0.000009273581"},
    {"11772310.331969786", "11772310.331969786"},
    {"1.1545609338", "1.1545609338"},
    {"1.0", "1.0"},
    {"100.00", "100.00"},
    {"1.20e-3", "0.00120"},
    {"1.2e1", "12"},
    {"1.200e1", "12.00"},
    {"1.000000000000000000000000000", "1.000000000000000000"},
    {"0.1", "0.1"}, /* which no binary fraction is */
    {"0.10000000000000001", "0.10000000000000001"},
    {"123456789.012345678", "123456789.012345678"},
    {"1e-9", "0.000000001"},
    {"0.9e-9", NULL},
    {"10000000000", "10000000000"},
    {"1e10", "10000000000"},
    {"10000000000.00001", NULL},
    {"10000000001", NULL},
    {"1e12", NULL},
    {"1e999", NULL},
    {"1e-999", NULL},
    {"9223372036854775807", NULL},
    {"18446744073709551616", NULL},
    {"1.234567890123456789", NULL}, /* 19 digits */
    {"0", NULL},
    {"0.0", NULL},
    {"0e5", NULL},
    {"-0", NULL},
    {"-0.0", NULL},
    {"-1.1", NULL},
    {"\"1.1\"", NULL},
    {"\"\"", NULL},
    {"null", NULL},
    {"true", NULL},
    {"[1.1]", NULL},
    {"{\"value\":1.1}", NULL},
};

/* What the table comes to: its rates, or NULL and why not. */
static struct history *add(const char *body, size_t len, const char **why,
                           struct web_faults *faults) {
    struct json_object *table = message_parse(exact_copy(body, len));
    if (table == NULL)
        fail_msg("%s is not read", body);
    struct history *tables = history_new();
    const struct web_answer answer = {.fetched_ms = 1};
    static const struct web_api api = {
        .name = "test", .base = "EUR", .wrong_base = "the base is not EUR"};
    const struct json_table wanted = {
        .api = &api, .members = table, .as_of = {20000}};
    *why = json_tables_add(tables, &wanted, &answer, faults);
    assert_int_equal(history_count(tables), *why == NULL);
    json_object_put(table);
    return tables;
}

static const struct rates *only_table(const struct history *tables) {
    return history_find(tables, (day){20000}, (day){20000});
}

/* Adds {"USD": number, "JPY": 170}: JPY has to be there whatever USD is. */
static void digits(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        const struct number_case *c = &numbers[i];
        char body[128], text[RATE_TEXT_SIZE] = "";
        int len = sprintf(body, "{\"USD\":%s,\"JPY\":170}", c->json);
        const char *why;
        struct web_faults faults = {0};
        struct history *tables = add(body, (size_t)len, &why, &faults);
        assert_null(why);
        const struct rates *rates = only_table(tables);
        bool found = rates_print(rates, span_of("USD"), text);
        assert_int_equal(found, c->rate != NULL);
        if (strcmp(text, c->rate != NULL ? c->rate : "") != 0)
            fail_msg("%s becomes `%s`", c->json, text);
        assert_int_equal(faults.count, c->rate == NULL);
        assert_string_equal(faults.example, c->rate == NULL ? "USD" : "");
        assert_non_null(rates_find(rates, span_of("JPY")));
        history_free(&tables);
    }
}

static const struct base_case {
    const char *euro;
    bool good;
} bases[] = {
    {"1", true},       {"1.0", true},
    {"1.00000", true}, {"1e0", true},
    {"10e-1", true},   {"0", false},
    {"-1", false},     {"1.1", false},
    {"10", false},     {"\"1\"", false},
    {"null", false},   {"[1]", false},
    {"1e999", false},  {"1.000000000000000001", false},
};

/* EUR is the base: it is not a rate of the table, and it is one. */
static void base(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bases); i++)
        for (int first = 0; first < 2; first++) {
            char body[128];
            int len =
                first
                    ? sprintf(body, "{\"EUR\":%s,\"USD\":1.1}", bases[i].euro)
                    : sprintf(body, "{\"USD\":1.1,\"EUR\":%s}", bases[i].euro);
            const char *why;
            struct web_faults faults = {0};
            struct history *tables = add(body, (size_t)len, &why, &faults);
            if ((why == NULL) != bases[i].good)
                fail_msg("EUR of %s is taken wrongly", bases[i].euro);
            if (why != NULL)
                assert_string_equal(why, "the base is not EUR");
            else
                assert_int_equal(rates_count(only_table(tables)), 1);
            assert_int_equal(faults.count, 0);
            history_free(&tables);
        }
}

/* No table is better than an empty one. */
static void nothing(void **state) {
    (void)state;
    static const char *const bodies[] = {"{}", "{\"EUR\":1}", "{\"USD\":0}",
                                         "{\"USDT\":1}"};
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        const char *why;
        struct web_faults faults = {0};
        struct history *tables =
            add(bodies[i], strlen(bodies[i]), &why, &faults);
        assert_string_equal(why, "no rates");
        history_free(&tables);
    }
}

/* More codes than a table has room for: those that fit, and no fault. */
static void too_many(void **state) {
    (void)state;
    enum { CODES = 26 * 26 * 2 };
    static char body[CODES * 10 + 8];
    size_t len = 1;
    body[0] = '{';
    for (int i = 0; i < CODES; i++)
        len += (size_t)sprintf(body + len, "\"%c%c%c\":1.5,", 'A' + i / 676,
                               'A' + i / 26 % 26, 'A' + i % 26);
    body[len - 1] = '}';
    const char *why;
    struct web_faults faults = {0};
    struct history *tables = add(body, len, &why, &faults);
    assert_null(why);
    assert_int_equal(rates_count(only_table(tables)), RATES_MAX_CURRENCIES);
    assert_int_equal(faults.count, 0);
    history_free(&tables);
}

/* Moments, at 2024-10-04T00:03:00Z. */
static const struct {
    const char *body;
    bool good;
    int32_t day;
} moments[] = {
    {"{}", true, 20000},
    {"{\"at\":1728000180}", true, 20000},
    {"{\"at\":1728000000}", true, 20000},
    {"{\"at\":1727999999}", true, 19999},
    {"{\"at\":1728000480}", true, 20000},
    {"{\"at\":1728086399}", true, 20000},
    {"{\"at\":1728086400}", true, 20001}, /* see history_is_ahead() */
    {"{\"at\":253402300799}", true, 2932896},
    {"{\"at\":253402300800}", false, 0},
    {"{\"at\":0}", true, 0},
    {"{\"at\":-1}", false, 0},
    {"{\"at\":1728000000000}", false, 0},
    {"{\"at\":99999999999999999999999}", false, 0},
    {"{\"at\":1728000000.5}", false, 0},
    {"{\"at\":\"1728000000\"}", false, 0},
    {"{\"at\":null}", false, 0},
    {"{\"at\":true}", false, 0},
};

static void days_of_moments(void **state) {
    (void)state;
    const struct web_answer answer = {.today = {20000},
                                      .fetched_ms = INT64_C(1728000180000)};
    for (size_t i = 0; i < COUNT_OF(moments); i++) {
        struct json_object *body = message_parse(span_of(moments[i].body));
        day found;
        if (json_tables_day(body, "at", &answer, &found) != moments[i].good)
            fail_msg("%s is taken wrongly", moments[i].body);
        if (moments[i].good && found.number != moments[i].day)
            fail_msg("%s is of day %d", moments[i].body, (int)found.number);
        json_object_put(body);
    }
}

static void members(void **state) {
    (void)state;
    static const char body[] = "{\"a\":{\"b\":1},\"c\":[],\"d\":null}";
    struct json_object *parsed = message_parse(span_of(body));
    assert_non_null(json_tables_object(parsed, "a"));
    assert_null(json_tables_object(parsed, "b"));
    assert_null(json_tables_object(parsed, "c"));
    assert_null(json_tables_object(parsed, "d"));
    assert_null(json_tables_object(NULL, "a"));
    json_object_put(parsed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits),          cmocka_unit_test(base),
        cmocka_unit_test(nothing),         cmocka_unit_test(too_many),
        cmocka_unit_test(days_of_moments), cmocka_unit_test(members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
