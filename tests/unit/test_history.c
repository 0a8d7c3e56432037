/* History: which published day serves the day that is asked for. */
#include "ratefetcher/providers/history.h"
#include "tests/unit/tables.h"
#include "tests/unit/unit.h"

#define TODAY "2021-05-21"

static void add(struct history *history, const char *as_of, const char *list) {
    history_add(history, table_of("one", as_of, list));
}

/* The day of the table that serves, or "none". */
static const char *serving(const struct history *history, const char *date,
                           const char *today) {
    static char text[DAY_TEXT_SIZE];
    const struct rates *rates =
        history_find(history, day_of_text(date), day_of_text(today));
    if (rates == NULL)
        return "none";
    day_print(rates_as_of(rates), text);
    return text;
}

static const struct find_case {
    const char *published[5];
    const char *asked, *today, *serving;
} find_cases[] = {
    {{NULL}, "2021-05-18", TODAY, "none"},
    {{NULL}, "latest", TODAY, "none"},
    /* The day itself, or the last one before it. */
    {{"2021-05-14", "2021-05-17", "2021-05-18"},
     "2021-05-18",
     TODAY,
     "2021-05-18"},
    {{"2021-05-14", "2021-05-17", "2021-05-18"},
     "2021-05-17",
     TODAY,
     "2021-05-17"},
    {{"2021-05-14", "2021-05-17", "2021-05-18"},
     "2021-05-16",
     TODAY,
     "2021-05-14"},
    {{"2021-05-14", "2021-05-17", "2021-05-18"},
     "2021-05-15",
     TODAY,
     "2021-05-14"},
    {{"2021-05-14", "2021-05-17", "2021-05-18"},
     "2021-05-14",
     TODAY,
     "2021-05-14"},
    {{"2021-05-14", "2021-05-17", "2021-05-18"}, "2021-05-13", TODAY, "none"},
    {{"2021-05-14", "2021-05-17", "2021-05-18"},
     "2021-05-20",
     TODAY,
     "2021-05-18"},
    /* At most seven days back, also over months and leap days. */
    {{"2021-05-10"}, "2021-05-17", TODAY, "2021-05-10"},
    {{"2021-05-10"}, "2021-05-18", TODAY, "none"},
    {{"2020-12-28"}, "2021-01-04", TODAY, "2020-12-28"},
    {{"2020-12-28"}, "2021-01-05", TODAY, "none"},
    {{"2020-02-24"}, "2020-03-02", TODAY, "2020-02-24"},
    {{"2020-02-24"}, "2020-03-03", TODAY, "none"},
    {{"2021-05-10", "2021-05-20"}, "2021-05-18", TODAY, "none"},
    /* The latest is the newest, however old. */
    {{"2021-05-18", "2021-05-20"}, "latest", TODAY, "2021-05-20"},
    {{"2020-05-18"}, "latest", TODAY, "2020-05-18"},
    {{"2021-05-18", "2021-05-21"}, "latest", TODAY, "2021-05-21"},
    /* Days after today are not there yet. */
    {{"2021-05-20", "2021-05-22"}, "latest", TODAY, "2021-05-20"},
    /* But our clock may be behind: one of the next day, and it alone. */
    {{"2021-05-22"}, "latest", TODAY, "2021-05-22"},
    {{"2021-05-22", "2021-05-23"}, "latest", TODAY, "2021-05-22"},
    {{"2021-05-23"}, "latest", TODAY, "none"},
    {{"2021-05-22"}, "2021-05-21", TODAY, "none"},
    {{"2021-05-20", "2021-05-22"}, "2021-05-22", TODAY, "2021-05-20"},
    {{"2021-05-20", "2021-05-22"}, "2021-05-22", "2021-05-22", "2021-05-22"},
    /* Added in any order. */
    {{"2021-05-18", "2021-05-14", "2021-05-17", "2021-05-19", "2021-05-13"},
     "2021-05-16",
     TODAY,
     "2021-05-14"},
    {{"2021-05-18", "2021-05-14", "2021-05-17", "2021-05-19", "2021-05-13"},
     "latest",
     TODAY,
     "2021-05-19"},
    {{"2021-05-18", "2021-05-14", "2021-05-17", "2021-05-19", "2021-05-13"},
     "2021-05-13",
     TODAY,
     "2021-05-13"},
};

static void finds_the_serving_day(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(find_cases); i++) {
        const struct find_case *c = &find_cases[i];
        struct history *history = history_new();
        for (size_t k = 0; k < 5 && c->published[k] != NULL; k++)
            add(history, c->published[k], "USD 1");
        const char *found = serving(history, c->asked, c->today);
        if (strcmp(found, c->serving) != 0)
            fail_msg("row %zu: %s is served by %s, not %s", i, c->asked, found,
                     c->serving);
        history_free(&history);
        assert_null(history);
    }
}

static void tells_that_it_is_ahead(void **state) {
    (void)state;
    struct history *history = history_new();
    char why[HISTORY_WHY_SIZE];
    assert_false(history_is_ahead(history, day_of_text(TODAY), why));
    add(history, "2021-05-23", "USD 1");
    assert_true(history_is_ahead(history, day_of_text(TODAY), why));
    assert_string_equal(why, "its latest table is of 2021-05-23, our today is "
                             "2021-05-21: our clock or theirs is wrong");
    assert_false(history_is_ahead(history, day_of_text("2021-05-22"), why));
    assert_false(history_is_ahead(history, day_of_text("2021-05-23"), why));
    history_free(&history);
}

static void one_day_twice_keeps_the_later(void **state) {
    (void)state;
    struct history *history = history_new();
    add(history, "2021-05-17", "USD 1");
    add(history, "2021-05-18", "USD 2 JPY 9");
    add(history, "2021-05-19", "USD 3");
    add(history, "2021-05-18", "USD 4");
    const struct rates *rates =
        history_find(history, day_of_text("2021-05-18"), day_of_text(TODAY));
    assert_string_equal(rate_text(rates_find(rates, span_of("USD"))), "4");
    assert_null(rates_find(rates, span_of("JPY")));
    assert_string_equal(serving(history, "2021-05-17", TODAY), "2021-05-17");
    assert_string_equal(serving(history, "2021-05-19", TODAY), "2021-05-19");
    history_free(&history);
}

/*
 * As many as the ECB has published, `step` days further each time around: the
 * oldest first, the newest first, and in orders that are neither.
 */
static void thousands_of_days(void **state) {
    (void)state;
    enum { COUNT = 5001 }; /* no multiple of 2 or 7 */
    static const int32_t steps[] = {1, COUNT - 1, 2, 7, COUNT - 7};
    int32_t first = DAY_FIRST_RATES.number, last = first + 2 * (COUNT - 1);
    for (size_t s = 0; s < COUNT_OF(steps); s++) {
        struct history *history = history_new();
        for (int32_t i = 0; i < COUNT; i++) {
            int32_t place = (int32_t)((int64_t)(i + 1) * steps[s] % COUNT);
            history_add(history,
                        rates_new("one", "EUR", (day){first + 2 * place}, 0));
        }
        assert_int_equal(history_count(history), COUNT);
        for (int32_t n = first; n <= last; n++) {
            const struct rates *rates =
                history_find(history, (day){n}, (day){last});
            if (rates == NULL ||
                rates_as_of(rates).number != n - (n - first) % 2)
                fail_msg("step %d: day %d is not served", steps[s], n);
        }
        history_free(&history);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_serving_day),
        cmocka_unit_test(tells_that_it_is_ahead),
        cmocka_unit_test(one_day_twice_keeps_the_later),
        cmocka_unit_test(thousands_of_days),
    };
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
