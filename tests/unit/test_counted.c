/* Counters by their labels, as the status shows them. */
#include "common/metrics.h"
#include "supervisor/counted.h"
#include "tests/unit/unit.h"

static void expect(struct json_object *object, const char *wanted) {
    assert_string_equal(
        json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN), wanted);
    json_object_put(object);
}

static void families(void **state) {
    (void)state;
    struct metrics metrics = {0};
    metrics_set(&metrics, METRIC_REQUESTS_CONVERTED, 7);
    metrics_set(&metrics, METRIC_REFUSED_STAKE, 2);
    metrics_set(&metrics, METRIC_REFUSED_BY_UPSTREAM, 1);
    struct json_object *counters = metrics_to_json(&metrics);
    expect(counted_family(counters, "fxwire_requests_refused_total", false),
           "{\"stake\":2,\"by_upstream\":1}");
    expect(counted_family(counters, "fxwire_requests_total", true),
           "{\"converted\":7,\"invalid\":0,\"no_rate\":0,\"timeout\":0,"
           "\"full\":0,\"unanswered\":0,\"quarantined\":0,\"ignored\":0}");
    expect(counted_family(NULL, "fxwire_reconnects_total", false), "{}");
    json_object_put(counters);
}

static void lookups(void **state) {
    (void)state;
    struct metrics metrics = {0};
    metrics_set(&metrics, METRIC_LOOKUPS_MEMORY_HIT, 3);
    metrics_set(&metrics, METRIC_LOOKUPS_PROVIDER_MISS, 4);
    struct json_object *counters = metrics_to_json(&metrics);
    expect(counted_lookups(counters),
           "{\"memory\":{\"hit\":3,\"miss\":0},"
           "\"redis\":{\"hit\":0,\"miss\":0,\"bad\":0},"
           "\"provider\":{\"hit\":0,\"miss\":4}}");
    json_object_put(counters);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families),
        cmocka_unit_test(lookups),
    };
    return cmocka_run_group_tests_name("counted", tests, NULL, NULL);
}
