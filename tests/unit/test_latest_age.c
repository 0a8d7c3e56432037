/* Today's table by its own date: which one serves, and what is told of it. */
#include <stdio.h>

#include "tests/unit/lookup_bench.h"
#include "tests/unit/unit.h"

/* The bench's today is Saturday, 2026-11-21, at noon. */
#define HOURS(n) ((n)*3600 * USEC_PER_SEC)
#define DAYS(n)  ((n)*86400.0)

enum { A_DAY = 86400, A_MONTH = 30 * A_DAY };

/* Two providers, nothing asked yet; tables are kept for a day. */
static int begin_long(void **state) {
    (void)state;
    begin_with("frankfurter ecb", A_DAY, "LATEST_MAX_AGE_DAYS=7");
    pass(0);
    return 0;
}

/* What the fetch at the start brings, and what a question is told then. */
static const struct start_case {
    const char *of_first, *of_second; /* NULL: is not asked */
    const char *provider;             /* NULL: refused */
} starts[] = {
    {"2026-11-20", NULL, "frankfurter"}, {"2026-11-14", NULL, "frankfurter"},
    {"2026-11-13", "2026-11-20", "ecb"}, {"2026-11-13", "2026-11-13", NULL},
    {"2026-08-21", "2026-11-14", "ecb"}, {"1999-01-04", "1999-01-04", NULL},
    {"2026-11-22", NULL, "frankfurter"},
};

static void the_next_one_serves(void **state) {
    for (size_t i = 0; i < COUNT_OF(starts); i++) {
        const struct start_case *c = &starts[i];
        begin_long(state);
        fake_give_of(FRANKFURTER, c->of_first, "USD 1.2");
        if (c->of_second != NULL)
            fake_give_of(ECB, c->of_second, "USD 1.3");
        if (fakes[ECB].count != 0)
            fail_msg("row %zu: the second is asked", i);
        if (lookup_has_latest(lookup) != (c->provider != NULL))
            fail_msg("row %zu", i);
        if (c->provider != NULL) {
            assert_null(ask("latest", "USD"));
            assert_told(c->provider, "memory");
        }
        end(state);
    }
}

/* With the date of the first provider's table. */
static void why_there_is_none(void **state) {
    (void)state;
    fake_give_of(FRANKFURTER, "2026-08-21", "USD 1.2");
    fake_give_of(ECB, "2026-11-13", "USD 1.3");
    assert_non_null(ask("latest", "USD"));
    fake_give_of(FRANKFURTER, "2026-08-21", "USD 1.2");
    fake_give_of(ECB, "2026-11-13", "USD 1.3");
    assert_refused(LOOKUP_UNAVAILABLE);
    assert_string_equal(told.why,
                        "its latest table is of 2026-08-21, more than 7 days "
                        "old (LATEST_MAX_AGE_DAYS)");
    /* Of another day nothing of the kind is said. */
    assert_non_null(ask(DAY, "USD"));
    fake_fail(FRANKFURTER, PROVIDER_BAD_STATUS);
    fake_fail(ECB, PROVIDER_BAD_STATUS);
    assert_refused(LOOKUP_UNAVAILABLE);
    assert_string_equal(told.why, "");
    /* Nor once it has a new one. */
    assert_non_null(ask("latest", "USD"));
    fake_give_of(FRANKFURTER, "2026-11-20", "USD 1.2");
    assert_told("frankfurter", "provider");
    assert_string_equal(told.why, "");
}

/* It is over with the seventh day after its own, however long it is kept. */
static void it_ends_with_a_day(void **state) {
    (void)state;
    fake_give_of(FRANKFURTER, "2026-11-14", "USD 1.2");
    assert_null(ask("latest", "USD"));
    assert_told("frankfurter", "memory");
    assert_int_equal(told.fresh.usec, HOURS(12));
    pass(DAYS(0.5) - 1);
    assert_null(ask("latest", "USD"));
    assert_told("frankfurter", "memory");
    pass(1);
    while (fakes[FRANKFURTER].count > 0) /* a refresh */
        fake_fail(FRANKFURTER, PROVIDER_BAD_STATUS);
    while (fakes[ECB].count > 0)
        fake_fail(ECB, PROVIDER_BAD_STATUS);
    assert_false(lookup_has_latest(lookup));
    (void)ask("latest", "USD");
    assert_int_equal(told.count, 0);
}

/* Who has no new table has those of other days all the same: only for today's
 * the provider is left alone. */
static void other_days_serve(void **state) {
    end(state);
    begin_with("frankfurter", A_DAY, "LATEST_MAX_AGE_DAYS=7");
    pass(0);
    for (int i = 0; i < BREAKER_FAILURES; i++) {
        fake_give_of(FRANKFURTER, "2026-08-21", "USD 1.2");
        (void)ask("latest", "USD");
    }
    assert_refused(LOOKUP_UNAVAILABLE);
    assert_int_equal(fakes[FRANKFURTER].count, 0);
    pass(6); /* nor is it probed */
    assert_int_equal(fakes[FRANKFURTER].count, 0);
    assert_non_null(ask(DAY, "USD"));
    fake_give(FRANKFURTER, "USD 1.3");
    assert_told("frankfurter", "provider");
    (void)ask("latest", "USD");
    assert_refused(LOOKUP_UNAVAILABLE);
    assert_true(told.retry.usec > SECONDS(20).usec);
    pass(30);
    assert_int_equal(fakes[FRANKFURTER].count, 1);
    fake_give_of(FRANKFURTER, "2026-11-20", "USD 1.2");
    assert_null(ask("latest", "USD"));
    assert_told("frankfurter", "memory");
}

/* Nor does STALE_MAX_SECONDS lengthen it. */
static void it_is_not_stale_but_over(void **state) {
    end(state);
    begin_with("file", A_DAY, "LATEST_MAX_AGE_DAYS=7");
    pass(0);
    fake_give_of(FILE_PROVIDER, "2026-11-14", "USD 1.2");
    pass(DAYS(0.5) + 1);
    while (fakes[FILE_PROVIDER].count > 0)
        fake_fail(FILE_PROVIDER, PROVIDER_UNREACHED);
    (void)ask("latest", "USD");
    fake_fail(FILE_PROVIDER, PROVIDER_UNREACHED);
    assert_refused(LOOKUP_UNAVAILABLE);
}

/* A day past the table's, with what is told on it: once, from the third working
 * day on. */
static void told_on_the_third_working_day(void **state) {
    end(state);
    begin_with("frankfurter", A_MONTH, "LATEST_MAX_AGE_DAYS=7");
    pass(0);
    static const struct {
        double days;
        size_t told;
    } days[] = {{0, 0}, {1, 0}, {1, 0}, {1, 0}, {1, 1}, {0, 1}, {1, 1}};
    size_t before = old_alerts;
    fake_give_of(FRANKFURTER, "2026-11-20", "USD 1.2");
    for (size_t i = 0; i < COUNT_OF(days); i++) { /* to Thursday, the 26th */
        fake_monotonic_usec += (int64_t)(days[i].days * DAYS(1)) * USEC_PER_SEC;
        lookup_look_around(lookup);
        if (old_alerts - before != days[i].told)
            fail_msg("row %zu: told %zu times", i, old_alerts - before);
    }
    assert_string_equal(old_detail,
                        "frankfurter: no new table since 2026-11-20");
}

/* Each table once: one that comes later and stands still, too. */
static void told_of_each_table(void **state) {
    (void)state;
    size_t before = old_alerts;
    fake_give_of(FRANKFURTER, "2026-11-16", "USD 1.2");
    lookup_look_around(lookup);
    assert_int_equal(old_alerts - before, 1); /* Tuesday to Friday */
    lookup_look_around(lookup);
    assert_int_equal(old_alerts - before, 1);
}

/* One that is too old to serve is told as well. */
static void told_if_none_serves(void **state) {
    (void)state;
    size_t before = old_alerts;
    fake_give_of(FRANKFURTER, "2026-08-21", "USD 1.2");
    fake_give_of(ECB, "2026-08-20", "USD 1.2");
    lookup_look_around(lookup);
    lookup_look_around(lookup);
    assert_int_equal(old_alerts - before, 1);
    assert_string_equal(old_detail,
                        "frankfurter: no new table since 2026-08-21");
}

static void in_the_status(void **state) {
    static const struct {
        const char *as_of;
        int days;
    } cases[] = {{"2026-11-20", -1},
                 {"2026-11-18", -1},
                 {"2026-11-17", 3},
                 {"2026-11-14", 5}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct json_object *report = json_object_new_object(), *latest, *days;
        begin_long(state);
        fake_give_of(FRANKFURTER, cases[i].as_of, "USD 1.2");
        lookup_report(lookup, report);
        json_object_object_get_ex(report, "latest", &latest);
        bool has = json_object_object_get_ex(latest, "working_days_without_new",
                                             &days);
        assert_int_equal(has ? json_object_get_int(days) : -1, cases[i].days);
        json_object_put(report);
        end(state);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_one_serves),
        cmocka_unit_test_setup_teardown(why_there_is_none, begin_long, end),
        cmocka_unit_test_setup_teardown(it_ends_with_a_day, begin_long, end),
        cmocka_unit_test_setup_teardown(it_is_not_stale_but_over, begin_long,
                                        end),
        cmocka_unit_test_setup_teardown(other_days_serve, begin_long, end),
        cmocka_unit_test_setup_teardown(told_on_the_third_working_day,
                                        begin_long, end),
        cmocka_unit_test_setup_teardown(told_of_each_table, begin_long, end),
        cmocka_unit_test_setup_teardown(told_if_none_serves, begin_long, end),
        cmocka_unit_test(in_the_status),
    };
    return cmocka_run_group_tests_name("latest_age", tests, NULL, NULL);
}
