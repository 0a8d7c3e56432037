/* What is taken from Redis, and what is not. */
#include "ratefetcher/redis/redis_format.h"

#include <stdio.h>

#include "common/lines/message.h"
#include "tests/unit/tables.h"
#include "tests/unit/unit.h"

#define HOUR_MS INT64_C(3600000)
#define TTL_MS  (2 * HOUR_MS)
/* 2021-05-18T12:00:00Z */
#define NOON_MS INT64_C(1621339200000)

/* The parts of a value; what is not set is as in the first row. */
struct parts {
    const char *op, *date, *as_of, *base, *provider, *fetched_at, *expires_at,
        *rates;
};

static const struct parts good = {
    "\"rates\"",
    "\"2021-05-17\"",
    "\"2021-05-17\"",
    "\"EUR\"",
    "\"ecb\"",
    "\"2021-05-18T11:00:00.250Z\"",
    "\"2021-05-18T13:00:00.250Z\"",
    "{\"USD\":\"1.2222\",\"JPY\":\"133.1\"}",
};

static const struct value_case {
    struct parts parts;
    const char *why; /* NULL: it is used */
} cases[] = {
    {{.op = "\"rates\""}, NULL},
    {{.as_of = "\"2021-05-10\""}, NULL},
    {{.as_of = "\"2021-05-09\""}, "published on an implausible day"},
    {{.as_of = "\"2021-05-18\""}, "published on an implausible day"},
    {{.as_of = "\"2021-02-30\""}, "a member is missing or bad"},
    {{.as_of = "null"}, "a member is missing or bad"},
    {{.op = "\"error\""}, "not of this kind"},
    {{.op = "\"rates2\""}, "not of this kind"},
    {{.op = "1"}, "not of this kind"},
    {{.date = "\"2021-05-18\""}, "of another day"},
    {{.date = "\"latest\""}, "of another day"},
    {{.date = "17"}, "of another day"},
    {{.base = "\"GBP\"", .rates = "{\"EUR\":\"1.1\"}"}, "of another base"},
    {{.base = "\"GBP\""}, "no rate of the euro"},
    {{.base = "\"USD\""}, "the base's own rate is not 1"},
    {{.base = "\"eur\""}, "a member is missing or bad"},
    {{.provider = "\"file\""}, "of another provider"},
    {{.provider = "{}"}, "a member is missing or bad"},
    {{.fetched_at = "\"2021-05-18T12:00:04Z\""}, NULL},
    {{.fetched_at = "\"2021-05-18T12:00:06Z\""}, "fetched in the future"},
    {{.fetched_at = "\"2031-05-18T12:00:00Z\""}, "fetched in the future"},
    {{.fetched_at = "\"2021-05-18T10:00:01Z\""}, NULL},
    {{.fetched_at = "\"2021-05-18T10:00:00Z\""}, "expired"},
    {{.fetched_at = "\"1999-05-18T10:00:00Z\""}, "expired"},
    {{.fetched_at = "\"yesterday\""}, "a member is missing or bad"},
    {{.expires_at = "\"2021-05-18T12:00:01Z\""}, NULL},
    {{.expires_at = "\"2021-05-18T11:59:59Z\""}, "expired"},
    {{.expires_at = "null"}, "no expires_at"},
    {{.expires_at = "\"2021-05-18T25:00:00Z\""}, "no expires_at"},
    {{.rates = "{}"}, "no rates"},
    {{.rates = "[]"}, "a member is missing or bad"},
    {{.rates = "{\"USD\":1.2222}"}, "no rates"},
    {{.rates = "{\"USD\":\"0\"}"}, "no rates"},
};

static const char *or_good(const char *part, const char *otherwise) {
    return part != NULL ? part : otherwise;
}

static struct span value_of(const struct parts *p) {
    static char text[1024];
    int len = snprintf(
        text, sizeof text,
        "{\"op\":%s,\"date\":%s,\"as_of\":%s,\"base\":%s,\"provider\":%s,"
        "\"layer\":\"provider\",\"fetched_at\":%s,\"expires_at\":%s,"
        "\"rates\":%s}",
        or_good(p->op, good.op), or_good(p->date, good.date),
        or_good(p->as_of, good.as_of), or_good(p->base, good.base),
        or_good(p->provider, good.provider),
        or_good(p->fetched_at, good.fetched_at),
        or_good(p->expires_at, good.expires_at), or_good(p->rates, good.rates));
    return (struct span){text, (size_t)len};
}

static struct redis_value_bounds bounds_of(const char *date) {
    return (struct redis_value_bounds){.provider = "ecb",
                                       .base = "EUR",
                                       .when = day_of_text(date),
                                       .now_ms = NOON_MS,
                                       .ttl_ms = TTL_MS};
}

static void checks_each_member(void **state) {
    (void)state;
    struct redis_value_bounds bounds = bounds_of("2021-05-17");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct span text = value_of(&cases[i].parts);
        struct redis_value value;
        const char *why =
            redis_value_read(exact_copy(text.data, text.len), &bounds, &value);
        if ((why == NULL) != (cases[i].why == NULL) ||
            (why != NULL && strcmp(why, cases[i].why) != 0))
            fail_msg("row %zu: %s", i, why != NULL ? why : "used");
        if ((value.rates != NULL) != (why == NULL))
            fail_msg("row %zu: rates %p", i, (void *)value.rates);
        bool expired = why != NULL && strcmp(why, "expired") == 0;
        if (value.expired != expired)
            fail_msg("row %zu: expired %d", i, value.expired);
        rates_release(&value.rates);
    }
}

/* Of today's table the day may have turned on one of the two clocks. */
static void checks_the_latest(void **state) {
    (void)state;
    static const struct {
        const char *as_of;
        bool used, used_with_long_age;
    } days[] = {
        {"\"2021-05-18\"", true, true},   {"\"2021-05-19\"", true, true},
        {"\"2021-05-20\"", false, false}, {"\"2021-05-10\"", true, true},
        {"\"2021-05-09\"", false, true},  {"\"1999-01-04\"", false, true},
        {"\"1999-01-03\"", false, false},
    };
    for (size_t i = 0; i < COUNT_OF(days); i++)
        for (int still = 0; still < 2; still++) {
            struct redis_value_bounds bounds = bounds_of("latest");
            struct redis_value value;
            bounds.latest_max_days = still == 1 ? 36500 : 7;
            struct span text = value_of(
                &(struct parts){.date = "\"latest\"", .as_of = days[i].as_of});
            bool used = redis_value_read(text, &bounds, &value) == NULL;
            if (used !=
                (still == 1 ? days[i].used_with_long_age : days[i].used))
                fail_msg("%s: %d", days[i].as_of, used);
            rates_release(&value.rates);
        }
}

static void refuses_what_is_none(void **state) {
    (void)state;
    static char long_text[REDIS_MAX_VALUE_BYTES + 2];
    memset(long_text, ' ', sizeof long_text);
    struct span whole = value_of(&good);
    const struct span texts[] = {
        span_of(""),
        span_of("x"),
        span_of("[]"),
        span_of("1"),
        span_of("{}"),
        span_of("{\"v\":2,\"USD\":1.2}"),
        {"\0\0\0\0", 4},
        {"\x80\x04\x95", 3},
        {whole.data, whole.len - 1},
        {long_text, sizeof long_text - 1},
    };
    struct redis_value_bounds bounds = bounds_of("2021-05-17");
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct redis_value value;
        assert_non_null(redis_value_read(
            exact_copy(texts[i].data, texts[i].len), &bounds, &value));
        assert_null(value.rates);
        assert_false(value.expired);
    }
}

/* A bad rate is left out and counted, the rest serves. */
static void leaves_bad_rates_out(void **state) {
    (void)state;
    struct redis_value_bounds bounds = bounds_of("2021-05-17");
    struct redis_value value;
    struct span text = value_of(&(struct parts){
        .rates =
            "{\"USD\":\"1.2222\",\"JPY\":\"0\",\"GBP\":1,\"SEK\":\"1e12\"}"});
    assert_null(redis_value_read(text, &bounds, &value));
    assert_int_equal(value.left_out, 3);
    assert_int_equal(rates_count(value.rates), 1);
    assert_int_equal(value.age_ms, HOUR_MS);
    assert_string_equal(rate_text(rates_find(value.rates, span_of("USD"))),
                        "1.2222");
    rates_release(&value.rates);
}

static void reads_what_is_written(void **state) {
    (void)state;
    static const char *const dates[] = {"2021-05-17", "latest"};
    for (size_t i = 0; i < COUNT_OF(dates); i++) {
        struct rates *rates = table_of("ecb", "2021-05-17", "USD 1.2 JPY 130"),
                     *then = rates_copy(rates, NOON_MS - HOUR_MS);
        struct json_object *message = rates_message_new(
            day_of_text(dates[i]), then, "provider", NOON_MS + HOUR_MS);
        struct redis_value_bounds bounds = bounds_of(dates[i]);
        struct redis_value value;
        assert_null(redis_value_read(message_line(message), &bounds, &value));
        assert_int_equal(rates_count(value.rates), 2);
        assert_int_equal(value.left_out, 0);
        assert_int_equal(value.age_ms, HOUR_MS);
        rates_release(&value.rates);
        json_object_put(message);
        rates_release(&then);
        rates_release(&rates);
    }
}

static void names_keys(void **state) {
    (void)state;
    char key[REDIS_KEY_SIZE];
    redis_rates_key("freecurrencyapi", day_of_text("2021-05-18"), key);
    assert_string_equal(key, "fxwire:rates:freecurrencyapi:2021-05-18");
    redis_rates_key("ecb", RATES_LATEST, key);
    assert_string_equal(key, "fxwire:rates:ecb:latest");
    redis_lock_key(day_of_text("2021-05-18"), key);
    assert_string_equal(key, "fxwire:lock:2021-05-18");
    redis_lock_key(RATES_LATEST, key);
    assert_string_equal(key, "fxwire:lock:latest");
}

static void decides_whose_turn_it_is(void **state) {
    (void)state;
    assert_int_equal(redis_lock_decide(true, true, true), REDIS_LOCK_OURS);
    assert_int_equal(redis_lock_decide(true, true, false), REDIS_LOCK_OURS);
    assert_int_equal(redis_lock_decide(true, false, true), REDIS_LOCK_OURS);
    assert_int_equal(redis_lock_decide(true, false, false), REDIS_LOCK_OTHERS);
    assert_int_equal(redis_lock_decide(false, false, true), REDIS_LOCK_UNKNOWN);
    assert_int_equal(redis_lock_decide(false, false, false),
                     REDIS_LOCK_UNKNOWN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_each_member),
        cmocka_unit_test(checks_the_latest),
        cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(leaves_bad_rates_out),
        cmocka_unit_test(reads_what_is_written),
        cmocka_unit_test(names_keys),
        cmocka_unit_test(decides_whose_turn_it_is),
    };
    return cmocka_run_group_tests_name("redis_value", tests, NULL, NULL);
}
