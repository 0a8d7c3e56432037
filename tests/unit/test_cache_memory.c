/* The memory cache: whose table of which day, and how long it is fresh. */
#include "ratefetcher/cache_memory.h"
#include "tests/unit/tables.h"
#include "tests/unit/unit.h"

enum { PROVIDERS = 3 };

#define TTL   (7200 * USEC_PER_SEC)
#define START INT64_C(999999999)

static void put(struct cache_memory *cache, size_t provider, const char *date,
                const char *list, int64_t usec) {
    struct rates *rates = table_of("one", "2021-05-18", list);
    cache_memory_put(cache, provider, day_of_text(date), rates,
                     (monotime){START + usec});
    rates_release(&rates);
}

/* What is looked for after one table was put at 0, and how long it is left. */
static const struct find_case {
    size_t provider;
    const char *date;
    int64_t usec;
    int64_t left_usec; /* 0: not found */
} find_cases[] = {
    {1, "2021-05-18", 0, TTL},
    {1, "2021-05-18", 1, TTL - 1},
    {1, "2021-05-18", TTL / 2, TTL / 2},
    {1, "2021-05-18", TTL - 1, 1},
    {1, "2021-05-18", TTL, 0},
    {1, "2021-05-18", TTL + 1, 0},
    {1, "2021-05-18", 100 * TTL, 0},
    {0, "2021-05-18", 0, 0},
    {2, "2021-05-18", 0, 0},
    {1, "2021-05-17", 0, 0},
    {1, "2021-05-19", 0, 0},
    {1, "latest", 0, 0},
    {1, "1999-01-04", 0, 0},
    {1, "2050-01-01", 0, 0},
};

static void finds_what_is_fresh(void **state) {
    (void)state;
    struct cache_memory *cache = cache_memory_new(PROVIDERS, TTL);
    put(cache, 1, "2021-05-18", "USD 1.2", 0);
    for (size_t i = 0; i < COUNT_OF(find_cases); i++) {
        const struct find_case *c = &find_cases[i];
        int64_t left = 0;
        struct rates *rates =
            cache_memory_find(cache, c->provider, day_of_text(c->date),
                              (monotime){START + c->usec}, &left);
        if ((rates != NULL) != (c->left_usec > 0))
            fail_msg("row %zu: found %d", i, rates != NULL);
        if (rates != NULL && left != c->left_usec)
            fail_msg("row %zu: %lld us are left", i, (long long)left);
    }
    cache_memory_free(&cache);
    assert_null(cache);
}

static const char *rate_in(const struct cache_memory *cache, size_t provider,
                           const char *date, int64_t usec) {
    int64_t left;
    struct rates *rates = cache_memory_find(cache, provider, day_of_text(date),
                                            (monotime){START + usec}, &left);
    return rate_text(rates == NULL ? NULL : rates_find(rates, span_of("USD")));
}

static void tables_do_not_mix(void **state) {
    (void)state;
    static const char *const dates[] = {"latest",     "1999-01-04",
                                        "1999-01-05", "2021-05-18",
                                        "2021-05-19", "2026-11-21"};
    static const char *const tables[] = {"USD 1", "USD 2", "USD 3",
                                         "USD 4", "USD 5", "USD 6"};
    struct cache_memory *cache = cache_memory_new(PROVIDERS, TTL);
    for (size_t i = COUNT_OF(dates); i-- > 0;) {
        put(cache, 0, dates[i], tables[i], 0);
        put(cache, 2, dates[i], "USD 9", 0);
    }
    for (size_t i = 0; i < COUNT_OF(dates); i++) {
        assert_string_equal(rate_in(cache, 0, dates[i], 1), tables[i] + 4);
        assert_string_equal(rate_in(cache, 1, dates[i], 1), "none");
        assert_string_equal(rate_in(cache, 2, dates[i], 1), "9");
    }
    cache_memory_free(&cache);
}

static void a_newer_table_is_fresh_again(void **state) {
    (void)state;
    struct cache_memory *cache = cache_memory_new(PROVIDERS, TTL);
    put(cache, 0, "latest", "USD 1", 0);
    put(cache, 0, "latest", "USD 2", TTL - 1);
    assert_string_equal(rate_in(cache, 0, "latest", TTL), "2");
    assert_string_equal(rate_in(cache, 0, "latest", 2 * TTL - 2), "2");
    assert_string_equal(rate_in(cache, 0, "latest", 2 * TTL - 1), "none");
    put(cache, 0, "latest", "USD 3", 2 * TTL);
    assert_string_equal(rate_in(cache, 0, "latest", 2 * TTL), "3");
    cache_memory_free(&cache);
}

/* The cache holds references of its own. */
static void tables_are_held(void **state) {
    (void)state;
    struct cache_memory *cache = cache_memory_new(PROVIDERS, TTL);
    struct rates *rates = table_of("one", "2021-05-18", "USD 1.2");
    cache_memory_put(cache, 0, day_of_text("latest"), rates, (monotime){START});
    cache_memory_put(cache, 0, day_of_text("latest"), rates, (monotime){START});
    put(cache, 0, "latest", "USD 2", 0);
    assert_string_equal(rate_text(rates_find(rates, span_of("USD"))), "1.2");
    rates_release(&rates);
    assert_string_equal(rate_in(cache, 0, "latest", 0), "2");
    cache_memory_free(&cache);
}

/* That a provider has none is remembered as long as tables are. */
static void remembers_that_there_is_none(void **state) {
    (void)state;
    struct cache_memory *cache = cache_memory_new(PROVIDERS, TTL);
    day when = day_of_text("2021-05-18"), other = day_of_text("2021-05-19");
    const monotime then = {START}, late = {START + TTL};
    assert_false(cache_memory_has_none(cache, 1, when, then));
    cache_memory_put_none(cache, 1, when, then);
    assert_true(cache_memory_has_none(cache, 1, when, then));
    assert_true(
        cache_memory_has_none(cache, 1, when, (monotime){START + TTL - 1}));
    assert_false(cache_memory_has_none(cache, 1, when, late));
    assert_false(cache_memory_has_none(cache, 0, when, then));
    assert_false(cache_memory_has_none(cache, 1, other, then));
    assert_string_equal(rate_in(cache, 1, "2021-05-18", 0), "none");
    put(cache, 1, "2021-05-18", "USD 1", 1);
    assert_false(cache_memory_has_none(cache, 1, when, then));
    assert_string_equal(rate_in(cache, 1, "2021-05-18", 1), "1");
    cache_memory_free(&cache);
}

/* An old table stays at hand for the case that all providers fail. */
static void none_does_not_end_an_old_table(void **state) {
    (void)state;
    struct cache_memory *cache = cache_memory_new(PROVIDERS, TTL);
    day when = day_of_text("2021-05-18");
    put(cache, 1, "2021-05-18", "USD 1", 0);
    cache_memory_put_none(cache, 1, when, (monotime){START + TTL});
    struct rates *old = cache_memory_find_stale(
        cache, 1, when, (monotime){START + 2 * TTL}, INT64_MAX);
    assert_non_null(old);
    assert_string_equal(rate_text(rates_find(old, span_of("USD"))), "1");
    cache_memory_free(&cache);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_fresh),
        cmocka_unit_test(tables_do_not_mix),
        cmocka_unit_test(a_newer_table_is_fresh_again),
        cmocka_unit_test(tables_are_held),
        cmocka_unit_test(remembers_that_there_is_none),
        cmocka_unit_test(none_does_not_end_an_old_table),
    };
    return cmocka_run_group_tests_name("cache_memory", tests, NULL, NULL);
}
