/* New tables beside a second provider's, and beside the day before. */
#include <stdio.h>

#include "common/lines/message.h"
#include "tests/unit/lookup_bench.h"
#include "tests/unit/unit.h"

/* The bench's today is 2026-11-21; the first provider is asked at the start. */
#define TODAY "2026-11-21"

enum { LONG_TTL = 86400 };

static int begin_second(void **state) {
    (void)state;
    differ_alerts = 0;
    differ_detail[0] = '\0';
    begin_with("frankfurter", LONG_TTL, "RATES_CROSSCHECK=ecb");
    pass(0);
    return 0;
}

/* Without a second one. */
static int begin_alone(void **state) {
    (void)state;
    differ_alerts = 0;
    differ_detail[0] = '\0';
    begin_with("frankfurter", LONG_TTL, "RATES_CROSSCHECK_PERCENT=100");
    pass(0);
    return 0;
}

/* The differences that the status tells of, as "why CODE rate/other ...". */
static const char *in_status(void) {
    static char text[256];
    struct json_object *report = json_object_new_object(), *rows;
    size_t len = 0;
    text[0] = '\0';
    lookup_report(lookup, report);
    json_object_object_get_ex(report, "rates_differ", &rows);
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        len += (size_t)snprintf(
            text + len, sizeof text - len, "%s%s %s %s/%s", i > 0 ? ", " : "",
            message_text(row, "why"), message_text(row, "currency"),
            message_text(row, "rate"), message_text(row, "other_rate"));
    }
    json_object_put(report);
    return text;
}

static const struct second_case {
    const char *first, *second; /* their tables */
    const char *found;          /* "": nothing is told */
} second_cases[] = {
    {"USD 1.15 JPY 180", "USD 1.15 JPY 180", ""},
    {"USD 1.02 JPY 180", "USD 1 JPY 180", ""},
    {"USD 1.0201 JPY 180", "USD 1 JPY 180", "crosscheck USD 1.0201/1"},
    {"USD 1.1500 JPY 0.180", "USD 1.15 JPY 180", "crosscheck JPY 0.180/180"},
    {"USD 1.15 KRW 1600", "USD 1.15 JPY 180", ""},
    {"USD 2 JPY 90", "JPY 180 USD 1.15",
     "crosscheck JPY 90/180, crosscheck USD 2/1.15"},
    /* By law, whatever both say. */
    {"USD 1.15 DEM 3", "USD 1.15 DEM 2", ""},
};

/* Who asks is answered, and waits for nothing. */
static void beside_the_second(void **state) {
    for (size_t i = 0; i < COUNT_OF(second_cases); i++) {
        const struct second_case *c = &second_cases[i];
        begin_second(state);
        assert_int_equal(fakes[ECB].count, 0);
        fake_give_of(FRANKFURTER, TODAY, c->first);
        assert_null(ask("latest", "USD"));
        assert_told("frankfurter", "memory");
        assert_int_equal(differ_alerts, 0);
        fake_give_of(ECB, TODAY, c->second);
        if (strcmp(in_status(), c->found) != 0)
            fail_msg("row %zu: %s", i, in_status());
        assert_int_equal(differ_alerts, c->found[0] != '\0');
        assert_null(ask("latest", "USD"));
        assert_told("frankfurter", "memory"); /* it serves all the same */
        end(state);
    }
}

static void what_the_alert_says(void **state) {
    (void)state;
    fake_give_of(FRANKFURTER, TODAY, "USD 4.00 JPY 0.18 GBP 0.86");
    fake_give_of(ECB, "2026-11-20", "USD 1.15 JPY 180 GBP 0.8601");
    assert_string_equal(differ_detail,
                        "frankfurter 2026-11-21 (ecb 2026-11-20): 2: JPY 0.18 "
                        "(180), USD 4.00 (1.15)");
}

/* What the second one has already is not asked for again. */
static void out_of_memory_of_the_second(void **state) {
    end(state);
    begin_with("frankfurter ecb", LONG_TTL, "RATES_CROSSCHECK=ecb");
    pass(0);
    fake_give_of(FRANKFURTER, "2026-11-20", "USD 1.2");
    fake_give_of(ECB, "2026-11-20", "USD 1.2 XAF 655");
    (void)ask(DAY, "XAF");
    fake_fail(FRANKFURTER, PROVIDER_UNREACHED);
    fake_give_of(ECB, DAY, "USD 1.2 XAF 655");
    assert_told("ecb", "provider");
    (void)ask(DAY, "XXX");
    fake_give_of(FRANKFURTER, DAY, "USD 2.2");
    assert_int_equal(fakes[ECB].count, 0);
    assert_string_equal(in_status(), "crosscheck USD 2.2/1.2");
}

/* It may fail, or the service end, and nothing comes of it. */
static void a_second_that_fails(void **state) {
    (void)state;
    fake_give_of(FRANKFURTER, TODAY, "USD 4");
    fake_fail(ECB, PROVIDER_UNREACHED);
    assert_int_equal(differ_alerts, 0);
    (void)ask(DAY, "USD");
    fake_give_of(FRANKFURTER, DAY, "USD 4");
    assert_told("frankfurter", "provider");
    assert_int_equal(fakes[ECB].count, 1); /* still out at the end */
}

static const struct jump_case {
    const char *before_of, *before, *as_of, *after;
    const char *found;
} jump_cases[] = {
    {"2026-11-20", "USD 1 JPY 180", "2026-11-21", "USD 1.2 JPY 180", ""},
    {"2026-11-20", "USD 1 JPY 180", "2026-11-21", "USD 1.2001 JPY 180",
     "jump USD 1.2001/1"},
    {"2026-11-20", "USD 1 JPY 180", "2026-11-21", "USD 0.7999 JPY 180",
     "jump USD 0.7999/1"},
    {"2026-11-20", "USD 1 JPY 180", "2026-11-21", "USD 1 JPY 0.180",
     "jump JPY 0.180/180"},
    {"2026-11-20", "USD 1", "2026-11-21", "USD 1 JPY 0.180", ""},
    /* A correction of the same day is none; over a week a rate may go far. */
    {"2026-11-20", "USD 1 JPY 180", "2026-11-20", "USD 2 JPY 180", ""},
    {"2026-11-15", "USD 1", "2026-11-22", "USD 2", "jump USD 2/1"},
    {"2026-11-14", "USD 1", "2026-11-22", "USD 2", ""},
};

static void beside_the_day_before(void **state) {
    for (size_t i = 0; i < COUNT_OF(jump_cases); i++) {
        const struct jump_case *c = &jump_cases[i];
        begin_alone(state);
        fake_give_of(FRANKFURTER, c->before_of, c->before);
        assert_null(ask("latest", "USD"));
        pass(LONG_TTL * 0.91); /* the refresh */
        fake_give_of(FRANKFURTER, c->as_of, c->after);
        if (strcmp(in_status(), c->found) != 0)
            fail_msg("row %zu: %s", i, in_status());
        assert_int_equal(differ_alerts, c->found[0] != '\0');
        end(state);
    }
}

/* Of past days the nearest one that is known counts, up to a week before. */
static void past_days(void **state) {
    (void)state;
    static const struct {
        const char *date, *table;
        const char *found;
    } days[] = {
        {"2021-05-18", "USD 1.2", ""},
        {"2021-05-26", "USD 2", ""}, /* too long after */
        {"2021-05-25", "USD 2.0", "jump USD 2.0/1.2"},
        {"2021-05-27", "USD 1", "jump USD 2.0/1.2, jump USD 1/2"},
    };
    fake_give_of(FRANKFURTER, TODAY, "USD 1.15");
    for (size_t i = 0; i < COUNT_OF(days); i++) {
        (void)ask(days[i].date, "USD");
        fake_give_of(FRANKFURTER, days[i].date, days[i].table);
        assert_string_equal(in_status(), days[i].found);
    }
}

/* Once for a day's table, and no longer in the status when it is mended. */
static void told_once_and_mended(void **state) {
    static const struct {
        const char *as_of, *first;
        size_t alerts;
        const char *found;
    } tables[] = {
        {"2026-11-20", "USD 4", 1, "crosscheck USD 4/1.15"},
        {"2026-11-20", "USD 4.1", 1, "crosscheck USD 4.1/1.15"},
        {"2026-11-20", "USD 1.15", 1, ""},
        {"2026-11-21", "USD 4", 2, "jump USD 4/1.15, crosscheck USD 4/1.15"},
    };
    end(state);
    differ_alerts = 0;
    begin_with("frankfurter", 100, "RATES_CROSSCHECK=ecb");
    pass(0);
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        fake_give_of(FRANKFURTER, tables[i].as_of, tables[i].first);
        if (fakes[ECB].count > 0)
            fake_give_of(ECB, "2026-11-20", "USD 1.15");
        assert_string_equal(in_status(), tables[i].found);
        assert_in_range(differ_alerts, tables[i].alerts, tables[i].alerts + 1);
        (void)ask("latest", "USD");
        pass(91);
        assert_int_equal(fakes[FRANKFURTER].count, 1);
    }
}

/* Who needs a rate of the second one finds calls left, however many tables of
 * others were compared with it. */
static void calls_are_left(void **state) {
    enum { DAYS_ASKED = 50, HALF = 30 };
    (void)state;
    begin_with("file ecb", LONG_TTL, "RATES_CROSSCHECK=ecb");
    pass(0);
    fake_give_of(FILE_PROVIDER, TODAY, "USD 1.15");
    fakes[ECB].fetches = 0;
    for (int i = 0; i < DAYS_ASKED; i++) {
        char date[DAY_TEXT_SIZE];
        day_print(day_add(day_of_text(DAY), i), date);
        (void)ask(date, "USD");
        fake_give_of(FILE_PROVIDER, date, "USD 1.2");
        assert_told("file", "provider");
        while (fakes[ECB].count > 0)
            fake_give_of(ECB, date, "USD 1.2");
    }
    assert_in_range(fakes[ECB].fetches, 1, HALF);
    (void)ask("2020-01-02", "USD");
    fake_fail(FILE_PROVIDER, PROVIDER_NO_TABLE);
    assert_int_equal(fakes[ECB].count, 1);
    fake_give_of(ECB, "2020-01-02", "USD 1.1");
    assert_told("ecb", "provider");
    end(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beside_the_second),
        cmocka_unit_test_setup_teardown(what_the_alert_says, begin_second, end),
        cmocka_unit_test_setup_teardown(out_of_memory_of_the_second,
                                        begin_second, end),
        cmocka_unit_test_setup_teardown(a_second_that_fails, begin_second, end),
        cmocka_unit_test(beside_the_day_before),
        cmocka_unit_test_setup_teardown(past_days, begin_alone, end),
        cmocka_unit_test_setup_teardown(told_once_and_mended, begin_second,
                                        end),
        cmocka_unit_test(calls_are_left),
    };
    return cmocka_run_group_tests_name("crosscheck", tests, NULL, NULL);
}
