/* The status in one sentence. */
#include "supervisor/summary.h"
#include "tests/unit/unit.h"

#define READY "\"reasons\":[],"

/* A status; its summary; what else is to be looked at. */
static const struct {
    const char *status, *summary, *attention;
} cases[] = {
    {"{\"reasons\":[]}", "Converting", "[]"},
    {"{" READY "\"redis\":\"off\",\"providers\":[{\"name\":\"ecb\","
     "\"state\":\"unused\"}],\"helpers\":[{\"name\":\"wsclient\","
     "\"deaths_minute\":2}],\"upstreams\":[{\"ledger_bytes\":79,"
     "\"ledger_max_bytes\":100,\"connected\":true}]}",
     "Converting", "[]"},
    {"{" READY "\"redis\":\"down\",\"providers\":[{\"name\":\"ecb\","
     "\"state\":\"skipped\"}]}",
     "Converting, but provider ecb is skipped, as it fails",
     "[\"provider ecb is skipped, as it fails\",\"Redis is down\"]"},
    {"{" READY "\"redis\":\"read only\"}",
     "Converting, but Redis takes no writes", "[\"Redis takes no writes\"]"},
    {"{" READY "\"upstreams\":[{\"upstream\":\"h:1/\",\"connected\":true,"
     "\"ledger_bytes\":80,\"ledger_max_bytes\":100}]}",
     "Converting, but the room for messages in hand of h:1/ is used to 80 %",
     "[\"the room for messages in hand of h:1/ is used to 80 %\"]"},
    {"{" READY "\"latest\":{\"as_of\":\"2026-11-27\","
     "\"working_days_without_new\":3}}",
     "Converting, but today's table is of 2026-11-27, 3 working days without a "
     "new one",
     "[\"today's table is of 2026-11-27, 3 working days without a new one\"]"},
    {"{" READY "\"latest\":{\"as_of\":\"2026-11-27\"},\"rates_differ\":["
     "{\"as_of\":\"2026-11-26\",\"currency\":\"JPY\"},"
     "{\"as_of\":\"2026-11-27\",\"currency\":\"USD\",\"provider\":\"ecb\","
     "\"rate\":\"1.2\",\"other\":\"file\",\"other_rate\":\"1.30\"},"
     "{\"as_of\":\"2026-11-27\",\"currency\":\"GBP\"}]}",
     "Converting, but today's rate of USD and others differs much: ecb has "
     "1.2, file has 1.30",
     "[\"today's rate of USD and others differs much: ecb has 1.2, file has "
     "1.30\"]"},
    {"{" READY "\"latest\":null,\"rates_differ\":[{\"as_of\":\"2026-11-26\"}]}",
     "Converting", "[]"},
    {"{\"reasons\":[\"upstream is not connected: h:1/\"],\"upstreams\":["
     "{\"upstream\":\"g:1/\",\"connected\":true},"
     "{\"upstream\":\"h:1/\",\"connected\":false,\"since_seconds\":12.4}]}",
     "Not ready: upstream h:1/ not connected for 12 s", "[]"},
    {"{\"reasons\":[\"upstream is not connected: h:1/\",\"today's rates are "
     "not at hand\"],\"redis\":\"down\",\"upstreams\":[{\"upstream\":\"h:1/\","
     "\"connected\":false,\"since_seconds\":5400}]}",
     "Not ready: upstream h:1/ not connected for 1.5 h, and 1 more reason",
     "[\"Redis is down\"]"},
    {"{\"reasons\":[\"helper is not ready: wsclient\",\"a\",\"b\"],"
     "\"helpers\":[{\"name\":\"wsclient\",\"deaths_minute\":3,"
     "\"last_death\":\"signal 9\"},{\"name\":\"monitor\",\"state\":"
     "\"refused\"}],\"upstreams\":[{\"upstream\":\"h:1/\"}]}",
     "Not ready: helper is not ready: wsclient, and 2 more reasons",
     "[\"wsclient died 3 times in a minute, last by signal 9\","
     "\"monitor refuses its configuration\"]"},
    {"{\"reasons\":[\"upstream is not connected: h:1/\"],\"upstreams\":["
     "{\"upstream\":\"h:1/\",\"connected\":false}]}",
     "Not ready: upstream h:1/ not connected", "[]"},
};

static void sentences(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct json_object *status = json_tokener_parse(cases[i].status);
        struct json_object *summary = NULL, *attention = NULL;
        assert_non_null(status);
        summary_add(status);
        json_object_object_get_ex(status, "summary", &summary);
        json_object_object_get_ex(status, "attention", &attention);
        assert_string_equal(json_object_get_string(summary), cases[i].summary);
        assert_string_equal(json_object_to_json_string_ext(
                                attention, JSON_C_TO_STRING_PLAIN |
                                               JSON_C_TO_STRING_NOSLASHESCAPE),
                            cases[i].attention);
        json_object_put(status);
    }
}

/* As many as there can be, of names that are as long as they can be. */
static void long_names_are_cut(void **state) {
    (void)state;
    struct json_object *status = json_object_new_object();
    struct json_object *reasons = json_object_new_array();
    char reason[3000];
    memset(reason, 'x', sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    json_object_array_add(reasons, json_object_new_string(reason));
    json_object_object_add(status, "reasons", reasons);
    json_object_object_add(status, "redis", json_object_new_string("down"));
    summary_add(status);
    struct json_object *summary = NULL;
    json_object_object_get_ex(status, "summary", &summary);
    assert_true(json_object_get_string_len(summary) < 1000);
    json_object_put(status);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences),
        cmocka_unit_test(long_names_are_cut),
    };
    return cmocka_run_group_tests_name("summary", tests, NULL, NULL);
}
