/* Counters and gauges: the histogram, the names, the sum over lives. */
#include <stdio.h>

#include "common/metrics.h"
#include "tests/unit/unit.h"

/* A time, and the buckets (from 10 us to all) that it falls into. */
static const struct bucket_case {
    int64_t usec;
    int in[8];
} bucket_cases[] = {
    {0, {1, 1, 1, 1, 1, 1, 1, 1}},
    {10, {1, 1, 1, 1, 1, 1, 1, 1}},
    {11, {0, 1, 1, 1, 1, 1, 1, 1}},
    {99, {0, 1, 1, 1, 1, 1, 1, 1}},
    {100, {0, 1, 1, 1, 1, 1, 1, 1}},
    {101, {0, 0, 1, 1, 1, 1, 1, 1}},
    {1000, {0, 0, 1, 1, 1, 1, 1, 1}},
    {1001, {0, 0, 0, 1, 1, 1, 1, 1}},
    {10000, {0, 0, 0, 1, 1, 1, 1, 1}},
    {10001, {0, 0, 0, 0, 1, 1, 1, 1}},
    {100000, {0, 0, 0, 0, 1, 1, 1, 1}},
    {100001, {0, 0, 0, 0, 0, 1, 1, 1}},
    {1000000, {0, 0, 0, 0, 0, 1, 1, 1}},
    {1000001, {0, 0, 0, 0, 0, 0, 1, 1}},
    {10000000, {0, 0, 0, 0, 0, 0, 1, 1}},
    {10000001, {0, 0, 0, 0, 0, 0, 0, 1}},
    {INT64_C(86400000000), {0, 0, 0, 0, 0, 0, 0, 1}},
};

static const enum metric buckets[] = {
    METRIC_REQUEST_UNDER_10US,  METRIC_REQUEST_UNDER_100US,
    METRIC_REQUEST_UNDER_1MS,   METRIC_REQUEST_UNDER_10MS,
    METRIC_REQUEST_UNDER_100MS, METRIC_REQUEST_UNDER_1S,
    METRIC_REQUEST_UNDER_10S,   METRIC_REQUEST_ALL,
};

/* What is told of one. */
static double reported(const struct metrics *metrics, enum metric which) {
    struct json_object *object = metrics_to_json(metrics);
    double value = metrics_value(object, which);
    json_object_put(object);
    return value;
}

static void times_fall_into_buckets(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bucket_cases); i++) {
        const struct bucket_case *c = &bucket_cases[i];
        struct metrics m = {0};
        metrics_observe_request(&m, (duration){c->usec});
        for (size_t k = 0; k < COUNT_OF(buckets); k++)
            if ((int)reported(&m, buckets[k]) != c->in[k])
                fail_msg("%lld us: bucket %zu has %g", (long long)c->usec, k,
                         reported(&m, buckets[k]));
        if (m.values[METRIC_REQUEST_SUM] != (double)c->usec / 1000000)
            fail_msg("%lld us: the sum is %g", (long long)c->usec,
                     m.values[METRIC_REQUEST_SUM]);
    }
}

static void times_add_up(void **state) {
    (void)state;
    struct metrics m = {0};
    metrics_observe_request(&m, MILLISECONDS(250));
    metrics_observe_request(&m, MILLISECONDS(500));
    assert_true(reported(&m, METRIC_REQUEST_SUM) == 0.75);
    assert_true(reported(&m, METRIC_REQUEST_ALL) == 2);
    assert_true(reported(&m, METRIC_REQUEST_COUNT) == 2);
    assert_true(reported(&m, METRIC_REQUEST_UNDER_100MS) == 0);
}

static void expect_json(struct json_object *object, const char *wanted) {
    const char *found =
        json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
    if (strcmp(found, wanted) != 0)
        fail_msg("%s\nis not\n%s", found, wanted);
    json_object_put(object);
}

static void names_and_values(void **state) {
    (void)state;
    struct metrics m = {0};
    expect_json(metrics_to_json(&m), "{}");
    metrics_set(&m, METRIC_CONNECTED, 1);
    metrics_set(&m, METRIC_HEARTBEAT_AGE, 0.25);
    for (int i = 0; i < 3; i++)
        metrics_count(&m, METRIC_REQUESTS_NO_RATE);
    metrics_count(&m, METRIC_CALLS_OK_FILE);
    metrics_count(&m, METRIC_LOOKUPS_MEMORY_HIT);
    m.values[METRIC_RESPONSES] = 4503599627370497; /* 2^52 + 1 */
    expect_json(
        metrics_to_json(&m),
        "{\"fxwire_connected\":1,"
        "\"fxwire_requests_total{result=\\\"no_rate\\\"}\":3,"
        "\"fxwire_responses_total\":4503599627370497,"
        "\"fxwire_heartbeat_age_seconds\":0.250000,"
        "\"fxwire_rate_lookups_total{layer=\\\"memory\\\",result=\\\"hit"
        "\\\"}\":1,"
        "\"fxwire_provider_calls_total{provider=\\\"file\\\",result="
        "\\\"ok\\\"}\":1}");
}

static struct json_object *parse(const char *text) {
    if (text == NULL)
        return NULL;
    struct json_object *object = json_tokener_parse(text);
    assert_non_null(object);
    return object;
}

/* Counters add up over lives; a gauge is of the present one alone. */
static const struct merge_case {
    const char *past, *now, *merged;
} merge_cases[] = {
    {NULL, NULL, "{}"},
    {"{}", "{}", "{}"},
    {NULL, "{\"fxwire_connected\":1,\"fxwire_responses_total\":2}",
     "{\"fxwire_connected\":1,\"fxwire_responses_total\":2}"},
    {"{\"fxwire_connected\":1,\"fxwire_responses_total\":2}", NULL,
     "{\"fxwire_responses_total\":2}"},
    {"{\"fxwire_connected\":1,\"fxwire_pending\":7,"
     "\"fxwire_responses_total\":2}",
     "{\"fxwire_pending\":3,\"fxwire_responses_total\":40,"
     "\"fxwire_expired_total\":5}",
     "{\"fxwire_responses_total\":42,\"fxwire_expired_total\":5,"
     "\"fxwire_pending\":3}"},
    {"{\"fxwire_requests_total{result=\\\"full\\\"}\":1,"
     "\"fxwire_requests_total{result=\\\"timeout\\\"}\":10}",
     "{\"fxwire_requests_total{result=\\\"full\\\"}\":5}",
     "{\"fxwire_requests_total{result=\\\"timeout\\\"}\":10,"
     "\"fxwire_requests_total{result=\\\"full\\\"}\":6}"},
    {"{\"fxwire_request_seconds_sum\":0.25}",
     "{\"fxwire_request_seconds_sum\":0.5}",
     "{\"fxwire_request_seconds_sum\":0.750000}"},
    {"{\"fxwire_no_such_total\":4}", "{\"fxwire_no_such_total\":4}", "{}"},
};

static void sums_over_lives(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(merge_cases); i++) {
        struct json_object *past = parse(merge_cases[i].past),
                           *now = parse(merge_cases[i].now);
        expect_json(metrics_merge(past, now), merge_cases[i].merged);
        json_object_put(past);
        json_object_put(now);
    }
}

/* What one process reports is read back by name: each has its own. */
static void every_metric_has_its_own_name(void **state) {
    (void)state;
    for (int i = 0; i < METRICS; i++) {
        const struct metrics_row *row = metrics_row((enum metric)i);
        char name[256];
        snprintf(name, sizeof name, "%s%s%s%s", row->name,
                 *row->labels != 0 ? "{" : "", row->labels,
                 *row->labels != 0 ? "}" : "");
        struct json_object *object = json_object_new_object();
        json_object_object_add(object, name, json_object_new_int(7));
        struct json_object *merged = metrics_merge(NULL, object);
        if (json_object_object_length(merged) != 1 ||
            !json_object_equal(object, merged))
            fail_msg("metric %d: %s", i, json_object_to_json_string(merged));
        json_object_put(object);
        json_object_put(merged);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_fall_into_buckets),
        cmocka_unit_test(times_add_up),
        cmocka_unit_test(names_and_values),
        cmocka_unit_test(sums_over_lives),
        cmocka_unit_test(every_metric_has_its_own_name),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
