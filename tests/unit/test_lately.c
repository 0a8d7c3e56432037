/* Requests a second and their latency, as the status is made. */
#include "tests/unit/unit.h"
#include "wsclient/lately.h"

static monotime at(int64_t ms) {
    return (monotime){ms * 1000};
}

static void answer(struct metrics *metrics, enum metric result, int count,
                   duration took) {
    for (int i = 0; i < count; i++) {
        metrics_count(metrics, result);
        metrics_observe_request(metrics, took);
    }
}

static void expect(const struct lately *lately, const char *wanted) {
    struct json_object *report = json_object_new_object();
    lately_report(lately, report);
    assert_string_equal(
        json_object_to_json_string_ext(report, JSON_C_TO_STRING_PLAIN), wanted);
    json_object_put(report);
}

#define NOTHING                                                                \
    "{\"requests_per_second\":0.0,\"p50_seconds\":null,\"p99_seconds\":null}"

static void of_each_second(void **state) {
    (void)state;
    struct lately lately;
    struct metrics metrics = {0};
    lately_init(&lately, at(5000));
    expect(&lately, NOTHING);
    answer(&metrics, METRIC_REQUESTS_CONVERTED, 98, MILLISECONDS(1));
    answer(&metrics, METRIC_REQUESTS_FULL, 2, MILLISECONDS(20));
    answer(&metrics, METRIC_REQUESTS_IGNORED, 7, MILLISECONDS(1));
    lately_look(&lately, &metrics, at(5500)); /* a change: too early */
    expect(&lately, NOTHING);
    lately_look(&lately, &metrics, at(7000));
    expect(&lately, "{\"requests_per_second\":50.0,\"p50_seconds\":0.001023,"
                    "\"p99_seconds\":0.020479}");
    lately_look(&lately, &metrics, at(7001));
    expect(&lately, "{\"requests_per_second\":50.0,\"p50_seconds\":0.001023,"
                    "\"p99_seconds\":0.020479}");
    lately_look(&lately, &metrics, at(8000));
    expect(&lately, NOTHING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_each_second),
    };
    return cmocka_run_group_tests_name("lately", tests, NULL, NULL);
}
