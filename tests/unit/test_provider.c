/* What is kept of a provider's tables: of which day, and how long it serves. */
#include "ratefetcher/provider.h"

#include <fcntl.h>

#include "common/log.h"
#include "tests/unit/fake_clock.h"
#include "tests/unit/fake_providers.h"

#define TTL_USEC   (7200 * USEC_PER_SEC)
#define STALE_USEC (100 * USEC_PER_SEC)

static struct settings *settings;
static struct metrics metrics;
static struct provider_context context;
static struct providers *providers;
static monotime start;

static void ignore_alert(void *arg, enum event_id event, const char *detail) {
    (void)arg, (void)event, (void)detail;
}

static void ignore_change(void *arg) {
    (void)arg;
}

static int begin(void **state) {
    (void)state;
    static char rest[][48] = {"RATE_PROVIDERS=frankfurter ecb file",
                              "RATES_FILE=/dev/null",
                              "CACHE_TTL_SECONDS=7200",
                              "STALE_MAX_SECONDS=100",
                              "STATE_DIR=/proc/none",
                              "LATEST_MAX_AGE_DAYS=36500"};
    char *const environment[] = {rest[0], rest[1], rest[2], rest[3],
                                 rest[4], rest[5], NULL};
    log_open("test", "error", "text", open("/dev/null", O_WRONLY));
    settings = settings_load(environment, NULL, false, SETTINGS_RATEFETCHER);
    context = (struct provider_context){.metrics = &metrics,
                                        .settings = settings,
                                        .alert = ignore_alert,
                                        .changed = ignore_change};
    fake_forget();
    start = (monotime){fake_monotonic_usec};
    providers = providers_new(&context);
    return 0;
}

static int end(void **state) {
    (void)state;
    providers_free(&providers);
    assert_null(providers);
    settings_free(&settings);
    return 0;
}

static bool keep_at(size_t provider, const char *date, const char *list,
                    int64_t usec) {
    struct rates *rates = table_of("one", "2021-05-18", list);
    bool kept = provider_keep(&providers->list[provider], day_of_text(date),
                              rates, (monotime){start.usec + usec}, "redis");
    rates_release(&rates);
    return kept;
}

/* The rate of the dollar in the first table that serves at that moment. */
static const char *rate_at(const char *date, int64_t usec, duration *left,
                           size_t *provider) {
    const struct rates_query query = {.when = day_of_text(date)};
    fake_monotonic_usec = start.usec + usec;
    const struct rates *rates =
        providers_find(providers, &query, provider, left);
    return rate_text(rates != NULL ? rates_find(rates, span_of("USD")) : NULL);
}

/* What is looked for after one table was put at 0, and how long it is left. */
static const struct find_case {
    const char *date;
    int64_t usec;
    int64_t left_usec; /* 0: not found */
} find_cases[] = {
    {"2021-05-18", 0, TTL_USEC},
    {"2021-05-18", 1, TTL_USEC - 1},
    {"2021-05-18", TTL_USEC / 2, TTL_USEC / 2},
    {"2021-05-18", TTL_USEC - 1, 1},
    {"2021-05-18", TTL_USEC, 0},
    {"2021-05-18", TTL_USEC + 1, 0},
    {"2021-05-18", 100 * TTL_USEC, 0},
    {"2021-05-17", 0, 0},
    {"2021-05-19", 0, 0},
    {"latest", 0, 0},
    {"1999-01-04", 0, 0},
    {"2050-01-01", 0, 0},
};

static void finds_what_is_fresh(void **state) {
    (void)state;
    assert_true(keep_at(1, "2021-05-18", "USD 1.2", 0));
    for (size_t i = 0; i < COUNT_OF(find_cases); i++) {
        const struct find_case *c = &find_cases[i];
        duration left;
        size_t provider;
        bool found =
            strcmp(rate_at(c->date, c->usec, &left, &provider), "1.2") == 0;
        if (found != (c->left_usec > 0))
            fail_msg("row %zu: found %d", i, found);
        if (found && (left.usec != c->left_usec || provider != 1))
            fail_msg("row %zu: %lld us are left", i, (long long)left.usec);
    }
}

static void assert_rate(const char *date, int64_t usec, const char *rate) {
    duration left;
    size_t provider;
    assert_string_equal(rate_at(date, usec, &left, &provider), rate);
}

static void tables_do_not_mix(void **state) {
    (void)state;
    static const char *const dates[] = {"latest",     "1999-01-04",
                                        "1999-01-05", "2021-05-18",
                                        "2021-05-19", "2026-11-21"};
    static const char *const tables[] = {"USD 1", "USD 2", "USD 3",
                                         "USD 4", "USD 5", "USD 6"};
    for (size_t i = COUNT_OF(dates); i-- > 0;) {
        assert_true(keep_at(0, dates[i], tables[i], 0));
        assert_true(keep_at(2, dates[i], "USD 9", 2));
    }
    for (size_t i = 0; i < COUNT_OF(dates); i++) {
        assert_rate(dates[i], 1, tables[i] + 4);
        assert_rate(dates[i], TTL_USEC, "9"); /* the first one's is too old */
        assert_rate(dates[i], TTL_USEC + 2, "none");
    }
}

static void a_newer_table_is_fresh_again(void **state) {
    (void)state;
    assert_true(keep_at(0, "latest", "USD 1", 0));
    assert_true(keep_at(0, "latest", "USD 2", TTL_USEC - 1));
    assert_rate("latest", TTL_USEC, "2");
    assert_rate("latest", 2 * TTL_USEC - 2, "2");
    assert_rate("latest", 2 * TTL_USEC - 1, "none");
    assert_true(keep_at(0, "latest", "USD 3", 2 * TTL_USEC));
    assert_rate("latest", 2 * TTL_USEC, "3");
}

/* One that was fetched earlier than what is there does not take its place. */
static void an_older_table_is_not_kept(void **state) {
    (void)state;
    assert_true(keep_at(0, "latest", "USD 1", 1000));
    assert_false(keep_at(0, "latest", "USD 2", 999));
    assert_false(keep_at(0, "latest", "USD 2", 1000));
    assert_rate("latest", 1000, "1");
}

/* Provider keeps references of its own; the same table again is nothing new. */
static void tables_are_held(void **state) {
    (void)state;
    struct provider *provider = &providers->list[0];
    struct rates *rates = table_of("one", "2021-05-18", "USD 1.2");
    assert_true(
        provider_keep(provider, RATES_LATEST, rates, start, "provider"));
    assert_false(provider_keep(provider, RATES_LATEST, rates,
                               (monotime){start.usec + 5}, "provider"));
    assert_true(keep_at(0, "latest", "USD 2", 6));
    assert_string_equal(rate_text(rates_find(rates, span_of("USD"))), "1.2");
    rates_release(&rates);
    assert_rate("latest", 6, "2");
}

static void end_fetch(const char *date, enum provider_result result,
                      int64_t usec) {
    const struct provider_call call = {.begun = start};
    fake_monotonic_usec = start.usec + usec;
    provider_end(&providers->list[0], day_of_text(date), &call,
                 &(struct provider_answer){.result = result, .detail = ""});
}

static bool knows(size_t provider, const char *date, int64_t usec) {
    const struct rates_query query = {.when = day_of_text(date),
                                      .currency = span_of("USD")};
    return provider_knows(&providers->list[provider], &query,
                          (monotime){start.usec + usec});
}

/* That a provider has none is remembered as long as tables are. */
static void remembers_that_there_is_none(void **state) {
    (void)state;
    assert_false(knows(0, "2021-05-18", 0));
    end_fetch("2021-05-18", PROVIDER_NO_TABLE, 0);
    assert_true(knows(0, "2021-05-18", 0));
    assert_true(knows(0, "2021-05-18", TTL_USEC - 1));
    assert_false(knows(0, "2021-05-18", TTL_USEC));
    assert_false(knows(1, "2021-05-18", 0));
    assert_false(knows(0, "2021-05-19", 0));
    assert_rate("2021-05-18", 0, "none");
    assert_true(keep_at(0, "2021-05-18", "USD 1", 1));
    assert_true(knows(0, "2021-05-18", TTL_USEC));
    assert_false(knows(0, "2021-05-18", TTL_USEC + 1));
    assert_rate("2021-05-18", 1, "1");
}

/* A failure tells nothing of the day. */
static void a_failure_is_not_remembered(void **state) {
    (void)state;
    end_fetch("2021-05-18", PROVIDER_BAD_STATUS, 0);
    assert_false(knows(0, "2021-05-18", 0));
}

static const char *stale_at(const char *date, const char *currency,
                            int64_t usec) {
    const struct rates_query query = {.when = day_of_text(date),
                                      .currency = span_of(currency)};
    fake_monotonic_usec = start.usec + usec;
    const struct rates *rates = providers_find_stale(providers, &query);
    return rate_text(rates != NULL ? rates_find(rates, span_of("USD")) : NULL);
}

/* An old table stays at hand for the case that all providers fail. */
static void old_tables(void **state) {
    (void)state;
    assert_true(keep_at(0, "2021-05-18", "USD 1", 0));
    assert_true(keep_at(1, "latest", "USD 2", 0));
    end_fetch("2021-05-18", PROVIDER_NO_TABLE, TTL_USEC);
    assert_string_equal(stale_at("2021-05-18", "", 50 * TTL_USEC), "1");
    assert_string_equal(stale_at("2021-05-18", "JPY", 50 * TTL_USEC), "none");
    assert_string_equal(stale_at("latest", "USD", TTL_USEC + STALE_USEC), "2");
    assert_string_equal(stale_at("latest", "USD", TTL_USEC + STALE_USEC + 1),
                        "none");
}

/* Keeps a latest table that is fetched now. */
static void keep_latest(const char *rate, int64_t usec) {
    struct rates *rates =
        rates_new("one", "EUR", day_of_text("2026-11-20"), fake_wall_ms);
    assert_int_equal(rates_add(rates, span_of("USD"), span_of(rate)),
                     RATES_ADDED);
    assert_true(provider_keep(&providers->list[0], RATES_LATEST, rates,
                              (monotime){start.usec + usec}, "provider"));
    rates_release(&rates);
}

static int reset_wall_clock(void **state) {
    fake_wall_ms = FAKE_NOON_MS;
    return end(state);
}

/*
 * The last table that was fetched as the latest on a day that is just over
 * serves for it as long as the provider has no other one.
 */
static void a_day_that_is_just_over(void **state) {
    (void)state;
    keep_latest("1.5", 0);
    assert_string_equal(stale_at("2026-11-21", "USD", 0), "none");
    fake_wall_ms += DAY_SECONDS * MSEC_PER_SEC;
    assert_string_equal(stale_at("2026-11-21", "USD", 0), "1.5");
    assert_string_equal(stale_at("2026-11-20", "USD", 0), "none");
    end_fetch("2026-11-20", PROVIDER_NO_TABLE, 0);
    assert_rate("2026-11-20", 0, "none");
    end_fetch("2026-11-21", PROVIDER_NO_TABLE, 0);
    assert_rate("2026-11-21", 0, "1.5");
    /* Past its time it is had once more, and is fresh again. */
    assert_rate("2026-11-21", TTL_USEC, "none");
    end_fetch("2026-11-21", PROVIDER_NO_TABLE, TTL_USEC);
    assert_rate("2026-11-21", TTL_USEC, "1.5");
    fake_wall_ms += DAY_SECONDS * MSEC_PER_SEC;
    assert_string_equal(stale_at("2026-11-22", "USD", 0), "none");
}

/* Also if the new day's first table came before anybody asked for the old. */
static void a_day_that_is_over_and_the_next_has_begun(void **state) {
    (void)state;
    keep_latest("1.4", 0);
    keep_latest("1.5", 1);
    fake_wall_ms += DAY_SECONDS * MSEC_PER_SEC;
    keep_latest("1.6", 2);
    keep_latest("1.7", 3);
    assert_rate("latest", 3, "1.7");
    assert_string_equal(stale_at("2026-11-21", "USD", 3), "1.5");
    end_fetch("2026-11-21", PROVIDER_NO_TABLE, 3);
    assert_rate("2026-11-21", 3, "1.5");
    fake_wall_ms += DAY_SECONDS * MSEC_PER_SEC;
    assert_string_equal(stale_at("2026-11-22", "USD", 3), "1.7");
}

/* There is always a latest one: that there is none is never remembered. */
static void no_latest_is_not_remembered(void **state) {
    (void)state;
    end_fetch("latest", PROVIDER_NO_TABLE, 0);
    assert_false(knows(0, "latest", 0));
    end_fetch("latest", PROVIDER_AHEAD, 0);
    assert_false(knows(0, "latest", 0));
    end_fetch("2021-05-18", PROVIDER_NO_TABLE, 0);
    assert_true(knows(0, "2021-05-18", 0));
}

/* What is known of today, once it turns out to be another day. */
static void a_step_of_the_clock(void **state) {
    (void)state;
    assert_true(keep_at(0, "latest", "USD 1", 0));
    assert_true(keep_at(0, "2021-05-17", "USD 2", 0));
    end_fetch("2021-05-18", PROVIDER_NO_TABLE, 0);
    for (int i = 0; i < BREAKER_FAILURES; i++)
        end_fetch("2021-05-19", PROVIDER_UNREACHED, 0);
    struct provider *provider = &providers->list[0];
    monotime now = {fake_monotonic_usec};
    assert_true(provider_wait(provider, RATES_LATEST, now).usec > 0);
    providers_clock_stepped(providers, &(struct clock_step){.ms = 5000});
    assert_int_equal(provider_wait(provider, RATES_LATEST, now).usec, 0);
    assert_rate("latest", 0, "1");
    assert_true(knows(0, "2021-05-18", 0));
    providers_clock_stepped(
        providers, &(struct clock_step){.ms = -5000, .another_day = true});
    assert_rate("latest", 0, "none");
    assert_string_equal(stale_at("latest", "USD", 0), "none");
    assert_false(knows(0, "2021-05-18", 0));
    assert_rate("2021-05-17", 0, "2");
}

static bool keep_latest_of(const char *as_of, int64_t usec, const char *layer) {
    struct rates *rates = table_of("one", as_of, "USD 1");
    bool kept = provider_keep(&providers->list[0], RATES_LATEST, rates,
                              (monotime){start.usec + usec}, layer);
    rates_release(&rates);
    return kept;
}

static bool has_latest_of(const char *as_of, int64_t usec) {
    const struct rates_query query = {.when = RATES_LATEST};
    duration left;
    size_t place;
    fake_monotonic_usec = start.usec + usec;
    const struct rates *rates =
        providers_find(providers, &query, &place, &left);
    return rates != NULL &&
           rates_as_of(rates).number == day_of_text(as_of).number;
}

/*
 * None that is older by its own date takes the place of the one in hand. If the
 * provider itself gave it that one serves on for a while; if Redis did, the
 * provider may know better.
 */
static void older_latest_tables(void **state) {
    (void)state;
    const int64_t second = USEC_PER_SEC;
    assert_true(keep_latest_of("2026-11-20", 0, "provider"));
    assert_false(keep_latest_of("2026-11-19", 1, "provider"));
    assert_false(keep_latest_of("2026-11-19", 1, "redis"));
    assert_true(has_latest_of("2026-11-20", TTL_USEC - 1));
    assert_false(has_latest_of("2026-11-20", TTL_USEC));
    assert_false(keep_latest_of("2026-11-19", TTL_USEC, "redis"));
    assert_false(has_latest_of("2026-11-20", TTL_USEC));
    assert_false(keep_latest_of("2026-11-19", TTL_USEC, "provider"));
    assert_true(has_latest_of("2026-11-20", TTL_USEC + 30 * second - 1));
    assert_false(has_latest_of("2026-11-20", TTL_USEC + 30 * second));
    assert_true(keep_latest_of("2026-11-20", TTL_USEC + 1, "redis"));
    assert_true(keep_latest_of("2026-11-21", TTL_USEC + 2, "redis"));
    assert_true(has_latest_of("2026-11-21", 2 * TTL_USEC + 1));
    assert_false(has_latest_of("2026-11-21", 2 * TTL_USEC + 2));
    /* Of past days the later fetch counts. */
    assert_true(keep_at(0, "2021-05-19", "USD 1", 0));
    assert_true(keep_at(0, "2021-05-19", "USD 2", 1));
}

int main(void) {
#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(finds_what_is_fresh),
        CASE(tables_do_not_mix),
        CASE(a_newer_table_is_fresh_again),
        CASE(an_older_table_is_not_kept),
        CASE(tables_are_held),
        CASE(remembers_that_there_is_none),
        CASE(a_failure_is_not_remembered),
        CASE(old_tables),
        CASE(older_latest_tables),
        CASE(no_latest_is_not_remembered),
        CASE(a_step_of_the_clock),
        cmocka_unit_test_setup_teardown(a_day_that_is_just_over, begin,
                                        reset_wall_clock),
        cmocka_unit_test_setup_teardown(
            a_day_that_is_over_and_the_next_has_begun, begin, reset_wall_clock),
    };
    return cmocka_run_group_tests_name("provider", tests, NULL, NULL);
}
