/* Working days of TARGET; the Easters are those of the almanacs. */
#include <stdio.h>

#include "ratefetcher/working_days.h"
#include "tests/unit/unit.h"

static day day_of(const char *text) {
    day d;
    assert_int_equal(day_parse(span_of(text), &d), DAY_OK);
    return d;
}

static const struct {
    const char *date;
    bool working;
} days[] = {
    {"2026-11-27", true},
    {"2026-11-28", false},
    {"2026-11-29", false},
    {"2026-11-30", true},
    {"2026-01-01", false},
    {"2026-01-02", true},
    {"2026-05-01", false},
    {"2026-05-04", true},
    {"2026-12-24", true},
    {"2026-12-25", false},
    {"2027-12-27", true},
    {"2025-12-26", false},
    {"2026-12-31", true},
    {"2024-05-01", false},
    {"2026-05-14", true},
    /* Good Friday and Easter Monday, and the days beside them. */
    {"2026-04-02", true},
    {"2026-04-03", false},
    {"2026-04-06", false},
    {"2026-04-07", true},
    {"2021-04-01", true},
    {"2021-04-02", false},
    {"2021-04-05", false},
    {"2021-04-06", true},
    {"2025-04-17", true},
    {"2025-04-18", false},
    {"2025-04-21", false},
    {"2025-04-22", true},
    {"2008-03-20", true},
    {"2008-03-21", false},
    {"2008-03-24", false},
    {"2008-03-25", true},
    {"2038-04-22", true},
    {"2038-04-23", false},
    {"2038-04-26", false},
    {"2038-04-27", true},
    {"2000-04-21", false},
    {"2000-04-24", false},
    {"2049-04-16", false},
    {"2049-04-19", false},
    {"2076-04-17", false},
    {"2076-04-20", false},
    {"2035-03-23", false},
    {"2035-03-26", false},
    {"1969-12-31", true},
};

static void each_day(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(days); i++)
        if (working_days_is_one(day_of(days[i].date)) != days[i].working)
            fail_msg("%s", days[i].date);
}

/* As many as another reckoning of Easter gives. */
static void a_year(void **state) {
    (void)state;
    assert_int_equal(
        working_days_count(day_of("2025-12-31"), day_of("2026-12-31"), 999),
        256);
}

static const struct {
    const char *first, *last;
    int most, count;
} spans[] = {
    {"2026-11-27", "2026-11-27", 3, 0},  {"2026-11-27", "2026-11-29", 3, 0},
    {"2026-11-27", "2026-11-30", 3, 1},  {"2026-11-27", "2026-12-01", 3, 2},
    {"2026-11-27", "2026-12-02", 3, 3},  {"2026-11-27", "2026-12-30", 3, 3},
    {"2026-04-02", "2026-04-07", 3, 1},  {"2026-04-02", "2026-04-09", 3, 3},
    {"2025-12-24", "2025-12-29", 9, 1},  {"2026-11-28", "2026-11-27", 3, 0},
    {"2026-11-27", "2027-11-27", 50, 50}};

static void counted(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(spans); i++)
        if (working_days_count(day_of(spans[i].first), day_of(spans[i].last),
                               spans[i].most) != spans[i].count)
            fail_msg("row %zu", i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_day),
        cmocka_unit_test(a_year),
        cmocka_unit_test(counted),
    };
    return cmocka_run_group_tests_name("working_days", tests, NULL, NULL);
}
