/* The quota: never more than the limit in any sixty seconds. */
#include "ratefetcher/quota.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#define START  (INT64_C(86400) * USEC_PER_SEC)
#define MINUTE (60 * USEC_PER_SEC)

static monotime at(double seconds) {
    return (monotime){START + (int64_t)(seconds * 1e6)};
}

static void allows_as_many_as_the_limit(void **state) {
    (void)state;
    struct quota quota = {0};
    for (int i = 0; i < 10; i++) {
        assert_int_equal(quota_wait(&quota, 10, at(0.5)).usec, 0);
        quota_take(&quota, at(0.5));
    }
    /* Whole seconds are counted: the one of the calls is over in 60.5 s. */
    assert_int_equal(quota_wait(&quota, 10, at(0.5)).usec, 60500000);
    assert_int_equal(quota_wait(&quota, 11, at(0.5)).usec, 0);
    assert_int_equal(quota_wait(&quota, 10, at(60.999999)).usec, 1);
    assert_int_equal(quota_wait(&quota, 10, at(61)).usec, 0);
}

/* Each call makes room when it is a minute old, not all at once. */
static void slides(void **state) {
    (void)state;
    struct quota quota = {0};
    for (int i = 0; i < 4; i++)
        quota_take(&quota, at(10 * i));
    assert_int_equal(quota_wait(&quota, 4, at(30)).usec, 31 * USEC_PER_SEC);
    assert_int_equal(quota_wait(&quota, 4, at(61)).usec, 0);
    quota_take(&quota, at(61));
    assert_int_equal(quota_wait(&quota, 4, at(61)).usec, 10 * USEC_PER_SEC);
    assert_int_equal(quota_wait(&quota, 2, at(61)).usec, 30 * USEC_PER_SEC);
    assert_int_equal(quota_wait(&quota, 4, at(71)).usec, 0);
    assert_int_equal(quota_wait(&quota, 1, at(5000)).usec, 0);
}

static void a_clock_that_went_back_forgets(void **state) {
    (void)state;
    struct quota quota = {0};
    quota_take(&quota, at(1000));
    assert_int_equal(quota_wait(&quota, 1, at(5)).usec, 0);
    quota_take(&quota, at(5));
    assert_int_equal(quota_wait(&quota, 1, at(5)).usec, 61 * USEC_PER_SEC);
    assert_int_equal(quota_wait(&quota, 1, at(66)).usec, 0);
}

static void tells_how_many(void **state) {
    (void)state;
    struct quota quota = {0};
    assert_int_equal(quota_calls(&quota, at(1000)), 0);
    quota_take(&quota, at(1000));
    quota_take(&quota, at(1030));
    quota_take(&quota, at(1030));
    assert_int_equal(quota_calls(&quota, at(1060)), 3);
    assert_int_equal(quota_calls(&quota, at(1061)), 2);
    assert_int_equal(quota_calls(&quota, at(1091)), 0);
}

/* One that was not made leaves the others' moments as they are. */
static void gives_back(void **state) {
    (void)state;
    struct quota quota = {0};
    quota_take(&quota, at(1000));
    quota_take(&quota, at(1002));
    quota_take(&quota, at(1003));
    quota_give_back(&quota, at(1002));
    assert_int_equal(quota_wait(&quota, 3, at(1003)).usec, 0);
    assert_int_equal(quota_wait(&quota, 2, at(1003)).usec, 58 * USEC_PER_SEC);
    /* Nothing is left to be given back, or it is too old to be counted. */
    quota_give_back(&quota, at(1002));
    quota_give_back(&quota, at(1000 - 60));
    assert_int_equal(quota_wait(&quota, 2, at(1003)).usec, 58 * USEC_PER_SEC);
    quota_take(&quota, at(1060));
    quota_give_back(&quota, at(999));
    assert_int_equal(quota_wait(&quota, 3, at(1060)).usec, 1 * USEC_PER_SEC);
}

/* Against the plain list of all calls: who waits as told is never late. */
static void never_more_in_any_minute(void **state) {
    (void)state;
    enum { CALLS = 4000 };
    static int64_t made[CALLS];
    struct random chance = {20211};
    for (uint32_t limit = 1; limit <= 60; limit += 7) {
        struct quota quota = {0};
        int64_t now = START;
        size_t count = 0;
        while (count < CALLS) {
            now += (int64_t)(random_below(&chance, 3000000));
            int64_t wait = quota_wait(&quota, limit, (monotime){now}).usec;
            assert_in_range(wait, 0, 61 * USEC_PER_SEC);
            if (wait > 0 && random_below(&chance, 2) == 0)
                now += wait;
            else if (wait > 0)
                continue;
            assert_int_equal(quota_wait(&quota, limit, (monotime){now}).usec,
                             0);
            quota_take(&quota, (monotime){now});
            made[count++] = now;
            if (count > limit)
                assert_true(now - made[count - 1 - limit] >= MINUTE);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allows_as_many_as_the_limit),
        cmocka_unit_test(slides),
        cmocka_unit_test(a_clock_that_went_back_forgets),
        cmocka_unit_test(tells_how_many),
        cmocka_unit_test(gives_back),
        cmocka_unit_test(never_more_in_any_minute),
    };
    return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
