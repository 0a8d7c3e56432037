/* What counts as a step of the wall clock. */
#include "common/clock_watch.h"

#include "tests/unit/unit.h"

/* 2026-11-21T23:00:00Z */
#define EVENING_MS INT64_C(1795302000000)
#define HOUR_MS    INT64_C(3600000)

static const struct look_case {
    int64_t passed_ms, wall_ms; /* since the first look, by each clock */
    struct clock_step step;
} look_cases[] = {
    {0, 0, {0}},
    {5000, 5000, {0}},
    {HOUR_MS, HOUR_MS, {0}}, /* it is midnight: no step */
    {48 * HOUR_MS, 48 * HOUR_MS, {0}},
    {5000, 5999, {0}},
    {5000, 4001, {0}},
    {5000, 6000, {1000, false}},
    {5000, 4000, {-1000, false}},
    {0, HOUR_MS - 1, {HOUR_MS - 1, false}},
    {0, HOUR_MS, {HOUR_MS, true}},
    {0, -22 * HOUR_MS, {-22 * HOUR_MS, false}},
    {0, -23 * HOUR_MS - 1, {-23 * HOUR_MS - 1, true}},
    {HOUR_MS, 0, {-HOUR_MS, true}}, /* set back when midnight had come */
    {HOUR_MS, 72 * HOUR_MS, {71 * HOUR_MS, true}},
    {HOUR_MS, -72 * HOUR_MS, {-73 * HOUR_MS, true}},
};

static void looks(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(look_cases); i++) {
        const struct look_case *c = &look_cases[i];
        struct clock_watch watch = {0};
        monotime start = {INT64_C(77000000)};
        int64_t wall_ms = EVENING_MS + c->wall_ms;
        monotime later = monotime_add(start, MILLISECONDS(c->passed_ms));
        assert_int_equal(clock_watch_look(&watch, EVENING_MS, start).ms, 0);
        struct clock_step step = clock_watch_look(&watch, wall_ms, later);
        if (step.ms != c->step.ms || step.another_day != c->step.another_day)
            fail_msg("row %zu: %lld ms, %d", i, (long long)step.ms,
                     step.another_day);
        /* It is told once. */
        assert_int_equal(clock_watch_look(&watch, wall_ms, later).ms, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(looks)};
    return cmocka_run_group_tests_name("clock_watch", tests, NULL, NULL);
}
