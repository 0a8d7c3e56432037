/* The order of a look-up: memory, Redis, each provider, stale, probe, error. */
#include "tests/unit/lookup_bench.h"

static void a_provider_then_memory(void **state) {
    (void)state;
    assert_non_null(ask(DAY, "USD"));
    assert_int_equal(fakes[FRANKFURTER].fetches, 1);
    assert_int_equal(told.count, 0);
    fake_give(FRANKFURTER, "USD 1.2");
    assert_told("frankfurter", "provider");
    assert_int_equal(told.fresh.usec, TTL * USEC_PER_SEC);
    assert_int_equal(redis.stored, 1);
    size_t joined = redis.joined;
    fake_monotonic_usec += 10 * USEC_PER_SEC;
    assert_null(ask(DAY, ""));
    assert_told("frankfurter", "memory");
    assert_int_equal(told.fresh.usec, (TTL - 10) * USEC_PER_SEC);
    assert_int_equal(fakes[FRANKFURTER].fetches, 1);
    assert_int_equal(redis.joined, joined); /* not for what memory has */
    assert_int_equal(fakes[ECB].fetches, 0);
}

/* Nobody is called while Redis is asked, and while another machine fetches. */
static void redis_comes_first(void **state) {
    (void)state;
    redis.in_use = true;
    assert_non_null(ask(DAY, "USD"));
    assert_int_equal(fakes[FRANKFURTER].fetches, 0);
    assert_false(redis.waits->looked(redis.waits, 0, false));
    assert_int_equal(fakes[FRANKFURTER].fetches, 0);
    redis_is_over();
    assert_int_equal(fakes[FRANKFURTER].fetches, 1);
    fake_give(FRANKFURTER, "USD 1.2");
    assert_told("frankfurter", "provider");
    assert_true(metrics.values[METRIC_LOOKUPS_REDIS_MISS] == 1);
}

static void the_next_provider_after_a_failure(void **state) {
    (void)state;
    ask(DAY, "USD");
    /* A tenth of the time is for the way back, the rest for two. */
    assert_int_equal(fakes[FRANKFURTER].asked[0].timeout.usec,
                     TIMEOUT * USEC_PER_SEC * 9 / 20);
    fake_monotonic_usec += USEC_PER_SEC;
    fake_fail(FRANKFURTER, PROVIDER_UNREACHED);
    assert_int_equal(told.count, 0);
    assert_int_equal(fakes[ECB].fetches, 1);
    assert_int_equal(fakes[ECB].asked[0].timeout.usec,
                     TIMEOUT * USEC_PER_SEC * 9 / 10 - USEC_PER_SEC);
    fake_give(ECB, "USD 1.3");
    assert_told("ecb", "provider");
}

static void a_currency_of_the_second(void **state) {
    (void)state;
    ask(DAY, "XAF");
    fake_give(FRANKFURTER, "USD 1.2");
    fake_give(ECB, "USD 1.3 XAF 655.957");
    assert_told("ecb", "provider");
    assert_null(ask(DAY, "USD"));
    assert_told("frankfurter", "memory");
    assert_null(ask(DAY, "XAF"));
    assert_told("ecb", "memory");
    assert_null(ask(DAY, "CHF"));
    assert_refused(LOOKUP_NO_CURRENCY);
    assert_int_equal(fakes[FRANKFURTER].fetches + fakes[ECB].fetches, 2);
}

/* None that has the day is remembered as long as a table is. */
static void a_day_that_none_has(void **state) {
    (void)state;
    ask(DAY, "USD");
    fake_fail(FRANKFURTER, PROVIDER_NO_TABLE);
    fake_fail(ECB, PROVIDER_NO_TABLE);
    assert_refused(LOOKUP_UNAVAILABLE);
    assert_null(ask(DAY, "USD"));
    assert_refused(LOOKUP_UNAVAILABLE);
    assert_int_equal(alerts, 0);
    fakes[FRANKFURTER].fetches = 0;
    fake_monotonic_usec += TTL * USEC_PER_SEC;
    ask(DAY, "USD");
    assert_int_equal(fakes[FRANKFURTER].fetches, 1);
}

static void all_fail(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        fake_monotonic_usec += 61 * USEC_PER_SEC * i;
        alerts = 0;
        for (int asked = 0; asked < 2; asked++) {
            ask(DAY, "USD");
            fake_fail(FRANKFURTER, PROVIDER_BAD_STATUS);
            assert_int_equal(told.count, 0);
            fake_fail(ECB, PROVIDER_BAD_TABLE);
            assert_refused(LOOKUP_UNAVAILABLE);
            assert_true(told.retry.usec >= USEC_PER_SEC);
        }
        if (i == 0) /* within the minute of the one at the start */
            assert_int_equal(alerts, 0);
    }
    assert_int_equal(alerts, 1);
    assert_string_equal(alert_detail, "no provider can be asked for " DAY);
}

/* A past day's table serves past its age while providers fail, without end. */
static void a_stale_table_of_a_day(void **state) {
    (void)state;
    ask(DAY, "USD");
    fake_give(FRANKFURTER, "USD 1.2");
    fake_monotonic_usec += 50 * TTL * USEC_PER_SEC;
    ask(DAY, "USD");
    assert_int_equal(told.count, 0); /* it is fetched anew first */
    fake_fail(FRANKFURTER, PROVIDER_BAD_STATUS);
    fake_fail(ECB, PROVIDER_BAD_STATUS);
    assert_told("frankfurter", "memory");
    assert_int_equal(told.fresh.usec, USEC_PER_SEC);
}

/* The latest one only as long as STALE_MAX_SECONDS says. */
static void a_stale_latest_table(void **state) {
    (void)state;
    ask("latest", "USD");
    fake_give(FRANKFURTER, "USD 1.2");
    for (int over = 0; over < 2; over++) {
        fake_monotonic_usec += (over == 0 ? TTL + STALE_MAX : 1) * USEC_PER_SEC;
        ask("latest", "USD");
        fake_fail(FRANKFURTER, PROVIDER_BAD_STATUS);
        fake_fail(ECB, PROVIDER_BAD_STATUS);
        if (over == 0)
            assert_told("frankfurter", "memory");
        else
            assert_refused(LOOKUP_UNAVAILABLE);
    }
}

/* Five failures of each: both are skipped from then on. */
static void let_both_be_skipped(void) {
    for (int i = 0; i < BREAKER_FAILURES; i++) {
        ask(OTHER, "USD");
        while (fakes[FRANKFURTER].count + fakes[ECB].count > 0)
            fake_fail(fakes[FRANKFURTER].count > 0 ? FRANKFURTER : ECB,
                      PROVIDER_BAD_STATUS);
    }
    fakes[FRANKFURTER].fetches = fakes[ECB].fetches = 0;
}

/* Each 5 s one of them, in turn; who asks meanwhile has an error at once. */
static void probes(void **state) {
    (void)state;
    let_both_be_skipped();
    for (size_t round = 0; round < 4; round++) {
        assert_null(ask(DAY, "USD"));
        assert_refused(LOOKUP_UNAVAILABLE);
        assert_true(told.retry.usec <= 5 * USEC_PER_SEC);
        fake_monotonic_usec += 5 * USEC_PER_SEC;
        assert_non_null(ask(DAY, "USD"));
        size_t turn = fakes[FRANKFURTER].count > 0 ? FRANKFURTER : ECB;
        assert_int_equal(fakes[FRANKFURTER].count + fakes[ECB].count, 1);
        assert_int_equal(fakes[FRANKFURTER].fetches + fakes[ECB].fetches,
                         round + 1);
        assert_int_equal(fakes[turn].fetches, round / 2 + 1);
        if (round < 3)
            fake_fail(turn, PROVIDER_BAD_STATUS);
        else
            fake_give(turn, "USD 1.2");
        if (round < 3)
            assert_refused(LOOKUP_UNAVAILABLE);
        else
            assert_told(fake_classes[turn].name, "provider");
    }
}

/* Who has a stale table does not wait for the probe; it is made, though. */
static void a_probe_behind_a_stale_table(void **state) {
    (void)state;
    ask(DAY, "USD");
    fake_give(FRANKFURTER, "USD 1.2");
    fake_monotonic_usec += TTL * USEC_PER_SEC;
    let_both_be_skipped();
    fake_monotonic_usec += 5 * USEC_PER_SEC;
    assert_null(ask(DAY, "USD"));
    assert_told("frankfurter", "memory");
    size_t turn = fakes[FRANKFURTER].count > 0 ? FRANKFURTER : ECB;
    fake_give(turn, "USD 1.3");
    assert_int_equal(told.count, 1);
    assert_null(ask(DAY, "USD"));
    assert_told(fake_classes[turn].name, "memory");
}

/* All who wait for one fetch are answered by it; it is kept once. */
static void several_for_one_day(void **state) {
    (void)state;
    struct told more[3] = {0};
    for (size_t i = 0; i < COUNT_OF(more); i++)
        lookup_ask(lookup, day_of_text(DAY), span_of("USD"), on_told, &more[i]);
    struct lookup_waiter *cancelled = ask(DAY, "USD");
    lookup_cancel(cancelled);
    struct rates *rates = table_of("frankfurter", DAY, "USD 1.2");
    struct provider_answer answer = {
        .result = PROVIDER_OK, .rates = rates, .detail = ""};
    while (fakes[FRANKFURTER].count > 0) {
        fake_answer(FRANKFURTER, &answer);
        answer.without_call = true;
    }
    for (size_t i = 0; i < COUNT_OF(more); i++) {
        assert_int_equal(more[i].count, 1);
        assert_string_equal(more[i].layer, "provider");
    }
    assert_int_equal(told.count, 0);
    assert_int_equal(redis.stored, 1);
    assert_int_equal(fakes[ECB].fetches, 0);
    rates_release(&rates);
}

static int begin_with_a_file(void **state) {
    (void)state;
    begin("file ecb");
    return 0;
}

/* What is at hand needs no wait; the next one is asked if it has nothing. */
static void answers_at_once(void **state) {
    (void)state;
    struct rates *rates = table_of("file", DAY, "USD 1.2");
    const struct provider_answer has = {
        .result = PROVIDER_OK, .rates = rates, .detail = ""};
    const struct provider_answer lacks = {.result = PROVIDER_NO_TABLE,
                                          .detail = ""};
    fakes[FILE_PROVIDER].at_once = &has;
    assert_null(ask(DAY, "USD"));
    assert_told("file", "provider");
    fakes[FILE_PROVIDER].at_once = &lacks;
    assert_non_null(ask(OTHER, "USD"));
    fake_give(ECB, "USD 1.3");
    assert_told("ecb", "provider");
    rates_release(&rates);
}

static int begin_with_one(void **state) {
    (void)state;
    begin("frankfurter");
    return 0;
}

/* A call that waited in vain for its turn is counted by nobody. */
static void calls_that_are_not_made(void **state) {
    (void)state;
    const struct provider_answer unsent = {
        .result = PROVIDER_UNREACHED, .detail = "", .without_call = true};
    pass(0);
    fake_give(FRANKFURTER, "USD 1.2");
    for (int i = 0; i < 3; i++) {
        ask(DAY, "USD");
        fake_answer(FRANKFURTER, &unsent);
        assert_refused(LOOKUP_UNAVAILABLE);
    }
    struct json_object *report = json_object_new_object(), *list, *calls;
    lookup_report(lookup, report);
    json_object_object_get_ex(report, "providers", &list);
    json_object_object_get_ex(json_object_array_get_idx(list, 0), "calls_month",
                              &calls);
    assert_int_equal(json_object_get_int(calls), 1);
    json_object_put(report);
}

/* One that would have shown whether it works again leaves that to the next. */
static void a_trial_that_is_not_made(void **state) {
    (void)state;
    const struct provider_answer unsent = {
        .result = PROVIDER_UNREACHED, .detail = "", .without_call = true};
    pass(0);
    fake_fail(FRANKFURTER, PROVIDER_BAD_STATUS);
    for (int i = 1; i < BREAKER_FAILURES; i++) {
        ask(DAY, "USD");
        fake_fail(FRANKFURTER, PROVIDER_BAD_STATUS);
    }
    fake_monotonic_usec += BREAKER_FIRST_SKIP.usec;
    assert_non_null(ask(DAY, "USD"));
    fake_answer(FRANKFURTER, &unsent);
    assert_refused(LOOKUP_UNAVAILABLE);
    assert_non_null(ask(DAY, "USD"));
    fake_give(FRANKFURTER, "USD 1.2");
    assert_told("frankfurter", "provider");
}

/* Once at the start, then a tenth of its time before it expires. */
static void refreshes_in_time(void **state) {
    (void)state;
    assert_false(lookup_has_latest(lookup));
    pass(0);
    assert_int_equal(fakes[FRANKFURTER].fetches, 1);
    fake_give(FRANKFURTER, "USD 1.2");
    assert_true(lookup_has_latest(lookup));
    for (size_t i = 2; i < 5; i++) {
        pass(TTL * 0.85);
        assert_null(ask("latest", "USD"));
        assert_told("frankfurter", "memory");
        assert_int_equal(fakes[FRANKFURTER].fetches, i - 1);
        pass(TTL * 0.06);
        assert_int_equal(fakes[FRANKFURTER].fetches, i);
        assert_null(ask("latest", "USD")); /* the old one serves meanwhile */
        assert_told("frankfurter", "memory");
        fake_give(FRANKFURTER, "USD 1.2");
    }
}

static void a_refresh_that_failed(void **state) {
    (void)state;
    pass(0);
    fake_fail(FRANKFURTER, PROVIDER_BAD_STATUS);
    pass(4.9);
    assert_int_equal(fakes[FRANKFURTER].fetches, 1);
    pass(0.2);
    assert_int_equal(fakes[FRANKFURTER].fetches, 2);
    fake_give(FRANKFURTER, "USD 1.2");
    pass(TTL * 0.89);
    assert_int_equal(fakes[FRANKFURTER].fetches, 2);
}

/* After two of its times without a question; the next one begins it again. */
static void nobody_wants_the_latest(void **state) {
    (void)state;
    pass(0);
    ask("latest", "USD");
    fake_give(FRANKFURTER, "USD 1.2");
    fake_give(FRANKFURTER, "USD 1.2");
    size_t fetches = fakes[FRANKFURTER].fetches;
    for (int second = 0; second < 10 * TTL; second++) {
        pass(1);
        while (fakes[FRANKFURTER].count > 0)
            fake_give(FRANKFURTER, "USD 1.2");
    }
    assert_in_range(fakes[FRANKFURTER].fetches, fetches + 1, fetches + 2);
    assert_true(lookup_has_latest(lookup));
    fetches = fakes[FRANKFURTER].fetches;
    ask("latest", "USD");
    while (fakes[FRANKFURTER].count > 0)
        fake_give(FRANKFURTER, "USD 1.2");
    assert_told("frankfurter", "provider");
    pass(TTL * 0.5);
    pass(TTL * 0.45);
    assert_int_equal(fakes[FRANKFURTER].count, 1);
}

/* Asks for today's dollar, and who has the table, of which day. */
static void assert_latest(const char *provider, const char *as_of) {
    ask("latest", "USD");
    assert_int_equal(told.count, 1);
    assert_int_equal(told.result, LOOKUP_FOUND);
    assert_string_equal(told.provider, provider);
    assert_string_equal(told.as_of, as_of);
}

/*
 * Out of a cache somewhere comes an older table: the one in hand serves on, and
 * better is looked for soon, but not with each question.
 */
static void an_older_table_of_the_same_provider(void **state) {
    (void)state;
    static const double pauses[] = {15, 30, 60, TTL, TTL};
    pass(0);
    fake_give_of(FRANKFURTER, "2026-11-20", "USD 1.25");
    assert_latest("frankfurter", "2026-11-20");
    pass(TTL * 0.95);
    for (size_t i = 0; i < COUNT_OF(pauses); i++) {
        assert_int_equal(fakes[FRANKFURTER].count, 1);
        fakes[FRANKFURTER].fetches = 0;
        fake_give_of(FRANKFURTER, "2026-11-19", "USD 1.11");
        assert_latest("frankfurter", "2026-11-20");
        pass(pauses[i] * 0.8);
        assert_latest("frankfurter", "2026-11-20");
        assert_int_equal(fakes[FRANKFURTER].fetches, 0);
        assert_true(lookup_has_latest(lookup));
        pass(pauses[i] * 0.19);
    }
    assert_int_equal(redis.stored, 1);
    /* One of the same day is a correction. */
    fake_give_of(FRANKFURTER, "2026-11-20", "USD 1.2 JPY 180");
    ask("latest", "JPY");
    assert_told("frankfurter", "memory");
    assert_int_equal(redis.stored, 2);
}

static int begin_for_hours(void **state) {
    (void)state;
    begin_for("frankfurter ecb", 7200);
    return 0;
}

/* It works, so no other is asked; and it is asked again well before long. */
static void an_older_table_in_the_place_of_a_refresh(void **state) {
    (void)state;
    pass(0);
    fake_give_of(FRANKFURTER, "2026-11-20", "USD 1.25");
    assert_latest("frankfurter", "2026-11-20");
    pass(7200 * 0.95);
    fake_give_of(FRANKFURTER, "2026-11-19", "USD 1.11");
    assert_int_equal(fakes[ECB].fetches, 0);
    assert_latest("frankfurter", "2026-11-20");
    pass(12);
    assert_int_equal(fakes[FRANKFURTER].count, 0);
    pass(1);
    fake_give_of(FRANKFURTER, "2026-11-19", "USD 1.11");
    pass(26);
    assert_int_equal(fakes[FRANKFURTER].count, 1);
}

/* Today's answers do not go back in time when the first provider fails. */
static void an_older_table_of_the_next_provider(void **state) {
    (void)state;
    fake_wall_ms += (DAY_SECONDS / 2 - 150) * MSEC_PER_SEC;
    ask("latest", "USD");
    fake_give_of(FRANKFURTER, "2026-11-20", "USD 1.25");
    pass(0);
    pass(TTL * 0.95);
    for (int i = 0; i < 3; i++) {
        assert_latest("frankfurter", "2026-11-20");
        fake_fail(FRANKFURTER, PROVIDER_BAD_STATUS);
        if (i == 0)
            fake_give_of(ECB, "2026-11-19", "USD 1.11 XAF 655");
        assert_latest("frankfurter", "2026-11-20");
        pass(14);
    }
    /* What only the older one has, it serves. */
    ask("latest", "XAF");
    assert_told("ecb", "memory");
    assert_latest("frankfurter", "2026-11-20");
    /* On another day the order of providers is all that counts. */
    pass(20);
    assert_latest("ecb", "2026-11-19");
}

/* It does not take the place of a newer one when it works again. */
static void the_first_provider_comes_back_with_an_older_one(void **state) {
    (void)state;
    ask("latest", "USD");
    fake_fail(FRANKFURTER, PROVIDER_BAD_STATUS);
    fake_give_of(ECB, "2026-11-20", "USD 1.25 XAF 655");
    assert_latest("ecb", "2026-11-20");
    pass(0);
    pass(TTL * 0.95);
    fake_give_of(FRANKFURTER, "2026-11-19", "USD 1.11");
    assert_latest("ecb", "2026-11-20");
    assert_true(told.fresh.usec <= 15 * USEC_PER_SEC);
    pass(14);
    /* The one that serves is refreshed as ever. */
    fake_give_of(FRANKFURTER, "2026-11-19", "USD 1.11");
    assert_latest("ecb", "2026-11-20");
    pass(14);
    fake_give_of(ECB, "2026-11-21", "USD 1.3 XAF 655");
    assert_latest("ecb", "2026-11-21");
    pass(14);
    assert_latest("ecb", "2026-11-21");
    while (fakes[FRANKFURTER].count > 0)
        fake_give_of(FRANKFURTER, "2026-11-21", "USD 1.2");
    assert_latest("frankfurter", "2026-11-21");
}

/* A second table for one currency is not in hand for the others. */
static void a_newer_table_for_one_currency(void **state) {
    (void)state;
    ask("latest", "XAF");
    fake_give_of(FRANKFURTER, "2026-11-19", "USD 1.2");
    fake_give_of(ECB, "2026-11-20", "USD 1.3 XAF 655");
    assert_told("ecb", "provider");
    assert_latest("frankfurter", "2026-11-19");
}

int main(void) {
#define TWO(test) cmocka_unit_test_setup_teardown(test, begin_with_two, end)
#define ONE(test) cmocka_unit_test_setup_teardown(test, begin_with_one, end)
    const struct CMUnitTest tests[] = {
        TWO(a_provider_then_memory),
        TWO(redis_comes_first),
        TWO(the_next_provider_after_a_failure),
        TWO(a_currency_of_the_second),
        TWO(a_day_that_none_has),
        TWO(all_fail),
        TWO(a_stale_table_of_a_day),
        TWO(a_stale_latest_table),
        TWO(probes),
        TWO(a_probe_behind_a_stale_table),
        TWO(several_for_one_day),
        cmocka_unit_test_setup_teardown(answers_at_once, begin_with_a_file,
                                        end),
        ONE(calls_that_are_not_made),
        ONE(a_trial_that_is_not_made),
        ONE(refreshes_in_time),
        ONE(a_refresh_that_failed),
        ONE(nobody_wants_the_latest),
        ONE(an_older_table_of_the_same_provider),
        cmocka_unit_test_setup_teardown(
            an_older_table_in_the_place_of_a_refresh, begin_for_hours, end),
        TWO(an_older_table_of_the_next_provider),
        TWO(the_first_provider_comes_back_with_an_older_one),
        TWO(a_newer_table_for_one_currency),
    };
    return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
