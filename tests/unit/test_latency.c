/* Quantiles of what took how long: never too little, an eighth too much. */
#include "common/latency.h"
#include "tests/unit/unit.h"

/* A time, and what is told where all took so long. */
static const struct {
    int64_t usec, told;
} cases[] = {
    {-1, 0},
    {0, 0},
    {1, 1},
    {7, 7},
    {8, 8},
    {15, 15},
    {16, 17},
    {17, 17},
    {18, 19},
    {100, 103},
    {1000, 1023},
    {1000000, 1048575},
    {LATENCY_MAX_USEC, LATENCY_MAX_USEC},
    {INT64_MAX, LATENCY_MAX_USEC},
};

static void one_time(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct latency latency = {0};
        latency_count(&latency, (duration){cases[i].usec});
        for (unsigned percent = 1; percent <= 100; percent += 33)
            assert_int_equal(latency_quantile(&latency, percent).usec,
                             cases[i].told);
    }
}

static void buckets_follow_each_other(void **state) {
    (void)state;
    for (int64_t usec = 1; usec < 100000; usec++) {
        unsigned step = latency_bucket(usec) - latency_bucket(usec - 1);
        assert_true(step <= 1);
    }
    assert_int_equal(latency_bucket(LATENCY_MAX_USEC), LATENCY_BUCKETS - 1);
}

static void nothing_was_counted(void **state) {
    (void)state;
    const struct latency latency = {0};
    assert_int_equal(latency_quantile(&latency, 50).usec, -1);
}

/* Of 1 to 1000 us, in any order. */
static void many_times(void **state) {
    (void)state;
    struct latency latency = {0};
    for (int64_t usec = 1000; usec > 0; usec--)
        latency_count(&latency, (duration){usec});
    for (unsigned percent = 1; percent <= 100; percent++) {
        int64_t told = latency_quantile(&latency, percent).usec;
        int64_t exact = percent * 10;
        assert_true(told >= exact && told <= exact + exact / 8);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_time),
        cmocka_unit_test(buckets_follow_each_other),
        cmocka_unit_test(nothing_was_counted),
        cmocka_unit_test(many_times),
    };
    return cmocka_run_group_tests_name("latency", tests, NULL, NULL);
}
