/* Backoff: the bounds of each delay, for chances given by hand. */
#include <limits.h>
#include <stdlib.h>

#include "common/backoff.h"
#include "tests/unit/unit.h"

enum { FULL_JITTER = 0, EQUAL_JITTER = 50, NO_JITTER = 100 };

static const uint32_t least = 0, most = UINT32_MAX;

/* The delay after so many failures. */
static int64_t delay(int64_t first, int64_t ceiling, int floor_share,
                     unsigned failures, uint32_t chance) {
    struct backoff backoff = {{first}, {ceiling}, floor_share, failures};
    return backoff_next(&backoff, chance).usec;
}

static const struct delay_case {
    int64_t first, ceiling;
    int floor_share;
    unsigned failures;
    int64_t lowest, highest; /* for the least and the most chance */
} cases[] = {
    /* Reconnects: 0.1 s to 10 s, full jitter. */
    {100000, 10000000, FULL_JITTER, 0, 0, 100000},
    {100000, 10000000, FULL_JITTER, 1, 0, 200000},
    {100000, 10000000, FULL_JITTER, 2, 0, 400000},
    {100000, 10000000, FULL_JITTER, 3, 0, 800000},
    {100000, 10000000, FULL_JITTER, 4, 0, 1600000},
    {100000, 10000000, FULL_JITTER, 5, 0, 3200000},
    {100000, 10000000, FULL_JITTER, 6, 0, 6400000},
    {100000, 10000000, FULL_JITTER, 7, 0, 10000000},
    {100000, 10000000, FULL_JITTER, 8, 0, 10000000},
    {100000, 10000000, FULL_JITTER, 1000, 0, 10000000},
    {100000, 10000000, FULL_JITTER, 1000000, 0, 10000000},
    {100000, 10000000, FULL_JITTER, UINT_MAX - 1, 0, 10000000},
    /* Respawns: 0.1 s to 5 s, equal jitter. */
    {100000, 5000000, EQUAL_JITTER, 0, 50000, 100000},
    {100000, 5000000, EQUAL_JITTER, 1, 100000, 200000},
    {100000, 5000000, EQUAL_JITTER, 5, 1600000, 3200000},
    {100000, 5000000, EQUAL_JITTER, 6, 2500000, 5000000},
    {100000, 5000000, EQUAL_JITTER, 99, 2500000, 5000000},
    /* Other shares of the ceiling. */
    {1000, 8000, 1, 3, 80, 8000},
    {1000, 8000, 10, 2, 400, 4000},
    {1000, 8000, 99, 0, 990, 1000},
    {1050, 8000, EQUAL_JITTER, 0, 525, 1050},
    {1000, 8000, NO_JITTER, 2, 4000, 4000},
    /* The ceiling is met exactly, missed by one, or below the first delay. */
    {100000, 800000, FULL_JITTER, 3, 0, 800000},
    {100000, 800001, FULL_JITTER, 3, 0, 800000},
    {100000, 800001, FULL_JITTER, 4, 0, 800001},
    {100000, 799999, FULL_JITTER, 3, 0, 799999},
    {100000, 100000, FULL_JITTER, 0, 0, 100000},
    {100000, 100000, FULL_JITTER, 9, 0, 100000},
    {100000, 50000, EQUAL_JITTER, 0, 25000, 50000},
    {100000, 50000, EQUAL_JITTER, 3, 25000, 50000},
    {1, 3, FULL_JITTER, 1, 0, 2},
    {1, 3, FULL_JITTER, 2, 0, 3},
    {0, 10, FULL_JITTER, 4, 0, 0},
    /* 30 days and 100 years: beyond 32 bits of microseconds. */
    {1000000, INT64_C(2592000000000), FULL_JITTER, 21, 0,
     INT64_C(2097152000000)},
    {1000000, INT64_C(2592000000000), FULL_JITTER, 22, 0,
     INT64_C(2592000000000)},
    {1, INT64_C(3155760000000000), EQUAL_JITTER, 4000,
     INT64_C(1577880000000000), INT64_C(3155760000000000)},
};

static void keeps_the_bounds(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct delay_case *c = &cases[i];
        int64_t low =
            delay(c->first, c->ceiling, c->floor_share, c->failures, least);
        int64_t high =
            delay(c->first, c->ceiling, c->floor_share, c->failures, most);
        if (low != c->lowest || high != c->highest)
            fail_msg("row %zu: %lld to %lld", i, (long long)low,
                     (long long)high);
    }
}

/* No chance leads out of the bounds, more chance never to less delay. */
static void grows_with_chance(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct delay_case *c = &cases[i];
        int64_t before = c->lowest;
        for (uint64_t chance = 0; chance <= most; chance += 65537 * 255) {
            int64_t now = delay(c->first, c->ceiling, c->floor_share,
                                c->failures, (uint32_t)chance);
            if (now < before || now > c->highest)
                fail_msg("row %zu, chance %llu: %lld", i,
                         (unsigned long long)chance, (long long)now);
            before = now;
        }
    }
}

/* The share of the way from the lowest to the highest is that of chance. */
static void is_drawn_evenly(void **state) {
    (void)state;
    static const struct {
        uint32_t chance;
        int64_t full, equal; /* of 8 s, give or take a microsecond */
    } rows[] = {
        {0, 0, 4000000},
        {0x20000000, 1000000, 4500000},
        {0x40000000, 2000000, 5000000},
        {0x80000000, 4000000, 6000000},
        {0xC0000000, 6000000, 7000000},
        {0xE0000000, 7000000, 7500000},
        {UINT32_MAX, 8000000, 8000000},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t full = delay(8000000, 8000000, 0, 0, rows[i].chance);
        int64_t equal = delay(8000000, 8000000, 50, 0, rows[i].chance);
        if (llabs(full - rows[i].full) > 1 || llabs(equal - rows[i].equal) > 1)
            fail_msg("row %zu: %lld, %lld", i, (long long)full,
                     (long long)equal);
    }
}

static void counts_failures_until_reset(void **state) {
    (void)state;
    struct backoff backoff = {MILLISECONDS(100), SECONDS(1), FULL_JITTER, 0};
    static const int64_t wanted[] = {100000, 200000,  400000,
                                     800000, 1000000, 1000000};
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < COUNT_OF(wanted); i++) {
            assert_int_equal(backoff_next(&backoff, most).usec, wanted[i]);
            assert_int_equal(backoff.failures, i + 1);
        }
        backoff_reset(&backoff);
        assert_int_equal(backoff.failures, 0);
    }
    /* The settings are left alone. */
    assert_int_equal(backoff.first.usec, 100000);
    assert_int_equal(backoff.ceiling.usec, 1000000);
    assert_int_equal(backoff.floor_share, FULL_JITTER);
}

static void stays_at_the_ceiling(void **state) {
    (void)state;
    struct backoff backoff = {MILLISECONDS(100), SECONDS(10), EQUAL_JITTER, 7};
    for (int i = 0; i < 100000; i++) {
        assert_true(backoff_next(&backoff, most).usec == 10000000);
        assert_true(backoff_next(&backoff, least).usec == 5000000);
    }
}

static duration in_outage(struct backoff *b, uint32_t chance, int64_t usec) {
    return backoff_next_in_outage(b, chance, (duration){usec});
}

/* In the first seconds of an outage no delay is longer than 0.4 s. */
static void stays_small_while_an_outage_is_brief(void **state) {
    (void)state;
    static const int64_t wanted[] = {100000, 200000, 400000, 400000, 400000};
    struct backoff b = {.first = {100000}, .ceiling = {10000000}};
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        assert_int_equal(in_outage(&b, most, 3999999).usec, wanted[i]);
    b.ceiling.usec = 300000; /* what is set goes before it */
    assert_int_equal(in_outage(&b, most, 3999999).usec, 300000);
}

/* After them it goes on from there, to the ceiling. */
static void grows_as_an_outage_lasts(void **state) {
    (void)state;
    static const int64_t wanted[] = {400000,  800000,  1600000,
                                     3200000, 6400000, 10000000};
    struct backoff b = {.first = {100000}, .ceiling = {10000000}};
    for (int i = 0; i < 20; i++)
        assert_in_range(in_outage(&b, most, 1000000).usec, 0, 400000);
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        assert_int_equal(in_outage(&b, most, 20000000).usec, wanted[i]);
    assert_int_equal(in_outage(&b, most, 4000000).usec, 4000000);
    assert_int_equal(in_outage(&b, least, 4000000).usec, 0);
}

/*
 * An outage of two seconds, 10,000 times: it ends within half a second of the
 * peer's return. One of a minute: at most sixty attempts, on average.
 */
static void outages(void **state) {
    (void)state;
    enum { TIMES = 10000, BACK = 2000000, MINUTE = 60000000 };
    int64_t attempts = 0;
    srand(1);
    for (int i = 0; i < TIMES; i++) {
        struct backoff b = {.first = {100000}, .ceiling = {10000000}};
        int64_t now = 0, reached = -1;
        while (now < MINUTE) {
            uint32_t chance = (uint32_t)rand() << 1;
            now += in_outage(&b, chance, now).usec;
            attempts++;
            if (reached < 0 && now >= BACK)
                reached = now;
        }
        assert_in_range(reached, BACK, BACK + 500000);
    }
    assert_in_range(attempts / TIMES, 10, 60);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_bounds),
        cmocka_unit_test(grows_with_chance),
        cmocka_unit_test(is_drawn_evenly),
        cmocka_unit_test(counts_failures_until_reset),
        cmocka_unit_test(stays_at_the_ceiling),
        cmocka_unit_test(stays_small_while_an_outage_is_brief),
        cmocka_unit_test(grows_as_an_outage_lasts),
        cmocka_unit_test(outages),
    };
    return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
