/* exchangerateapi: its requests, and what is made of its answers. */
#include "tests/unit/provider_reading.h"

#define API   (provider_exchangerateapi.api)
#define HOST  "https://v6.exchangerate-api.com/v6"
#define TODAY "2025-11-21"
#define DAY   "2021-05-18"

static const struct request_case requests[] = {
    {HOST, "k3y", "latest", TODAY, HOST "/k3y/latest/EUR", ""},
    {HOST, "k3y", DAY, TODAY, HOST "/k3y/history/EUR/2021/5/18", ""},
    /* Month and day have no leading zeros. */
    {HOST, "k3y", "1999-01-04", TODAY, HOST "/k3y/history/EUR/1999/1/4", ""},
    {HOST, "k3y", "2024-12-31", TODAY, HOST "/k3y/history/EUR/2024/12/31", ""},
    {"http://127.0.0.1:8080", "a/b&c", "2024-10-09", TODAY,
     "http://127.0.0.1:8080/a%2Fb%26c/history/EUR/2024/10/9", ""},
};

static void urls_and_headers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(requests); i++)
        check_request(API, &requests[i]);
}

#define NOT_JSON  "refused: no JSON object"
#define NO_TABLE  "refused: no table of the day that was asked for"
#define NOT_EURO  "refused: the base is not EUR"
#define NO_RATES  "refused: no rates"
#define UNKNOWN   "refused: it reports an error that is not known"
#define NO_MOMENT "refused: the moment of the update is none"

/* 1763683201 is 2025-11-21T00:00:01Z. */
#define LATEST_AT(moment, rates)                                               \
    "{\"result\":\"success\",\"documentation\":\"https://x\","                 \
    "\"time_last_update_unix\":" moment ",\"base_code\":\"EUR\","              \
    "\"conversion_rates\":{" rates "}}"
#define LATEST(rates) LATEST_AT("1763683201", rates)
#define HISTORY_OF(date, rates)                                                \
    "{\"result\":\"success\"," date ",\"base_code\":\"EUR\","                  \
    "\"conversion_rates\":{" rates "}}"
#define THE_DAY "\"year\":2021,\"month\":5,\"day\":18"

static const struct body_case bodies[] = {
    {"latest", "latest", TODAY,
     LATEST("\"EUR\":1,\"AED\":4.2350,\"USD\":1.1531"),
     "2025-11-21 AED=4.2350 USD=1.1531"},
    {"a day", DAY, TODAY, HISTORY_OF(THE_DAY, "\"EUR\":1,\"USD\":1.2222"),
     "2021-05-18 USD=1.2222"},
    {"without its base", "latest", TODAY, LATEST("\"USD\":1.1531"),
     "2025-11-21 USD=1.1531"},
    {"forms of a number", "latest", TODAY,
     LATEST("\"EUR\":1.0,\"JPY\":180,\"VES\":3138598.8100,\"XDR\":8.5e-1"),
     "2025-11-21 JPY=180 VES=3138598.8100 XDR=0.85"},
    {"bad rates are left out", "latest", TODAY,
     LATEST("\"AUD\":0,\"CAD\":-1,\"CHF\":1e12,\"CZK\":\"24\",\"DKK\":null,"
            "\"USD\":1.1"),
     "2025-11-21 USD=1.1; 5 bad, AUD first"},
    {"another base by its rates", "latest", TODAY,
     LATEST("\"EUR\":0.86,\"USD\":1"), NOT_EURO},
    {"another base by its name", "latest", TODAY,
     "{\"result\":\"success\",\"base_code\":\"USD\",\"conversion_rates\":{"
     "\"USD\":1,\"EUR\":0.86}}",
     NOT_EURO},
    {"no base", "latest", TODAY,
     "{\"result\":\"success\",\"conversion_rates\":{\"USD\":1.1}}", NOT_EURO},
    {"no rates", "latest", TODAY, LATEST("\"EUR\":1"), NO_RATES},
    {"nothing in it", "latest", TODAY, LATEST(""), NO_RATES},
    {"no table", "latest", TODAY,
     "{\"result\":\"success\",\"base_code\":\"EUR\"}", NO_TABLE},
    {"the table of the open API", "latest", TODAY,
     "{\"result\":\"success\",\"base_code\":\"EUR\",\"rates\":{\"USD\":1.1}}",
     NO_TABLE},
    {"before the update of the day", "latest", TODAY,
     LATEST_AT("1763596801", "\"USD\":1.1"), "2025-11-20 USD=1.1"},
    {"without its moment", "latest", TODAY,
     "{\"result\":\"success\",\"base_code\":\"EUR\",\"conversion_rates\":{"
     "\"USD\":1.1}}",
     "2025-11-21 USD=1.1"},
    {"ahead", "latest", TODAY, LATEST_AT("1763769601", "\"USD\":1.1"),
     "2025-11-22 USD=1.1"},
    {"its moment is a text", "latest", TODAY,
     LATEST_AT("\"1763683201\"", "\"USD\":1.1"), NO_MOMENT},
    {"another day", DAY, TODAY,
     HISTORY_OF("\"year\":2021,\"month\":5,\"day\":17", "\"USD\":1.1"),
     NO_TABLE},
    {"another month", DAY, TODAY,
     HISTORY_OF("\"year\":2021,\"month\":4,\"day\":18", "\"USD\":1.1"),
     NO_TABLE},
    {"another year", DAY, TODAY,
     HISTORY_OF("\"year\":2020,\"month\":5,\"day\":18", "\"USD\":1.1"),
     NO_TABLE},
    {"the day as texts", DAY, TODAY,
     HISTORY_OF("\"year\":\"2021\",\"month\":\"5\",\"day\":\"18\"",
                "\"USD\":1.1"),
     NO_TABLE},
    {"the latest for a day", DAY, TODAY, LATEST("\"USD\":1.1"), NO_TABLE},
    {"an error of another kind", "latest", TODAY,
     "{\"result\":\"error\",\"error-type\":\"new-kind\"}", UNKNOWN},
    {"an error with rates", "latest", TODAY,
     "{\"result\":\"error\",\"base_code\":\"EUR\",\"conversion_rates\":{"
     "\"USD\":1.1}}",
     UNKNOWN},
    {"no result", "latest", TODAY,
     "{\"base_code\":\"EUR\",\"conversion_rates\":{\"USD\":1.1}}", UNKNOWN},
    {"the result is true", "latest", TODAY,
     "{\"result\":true,\"base_code\":\"EUR\",\"conversion_rates\":{\"USD\":1}}",
     UNKNOWN},
    {"nothing", DAY, TODAY, "{}", UNKNOWN},
    {"empty", "latest", TODAY, "", NOT_JSON},
    {"HTML", "latest", TODAY, "<html><h1>403 Forbidden</h1></html>", NOT_JSON},
    {"a list", "latest", TODAY, "[]", NOT_JSON},
};

static void answers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        check_body(API, &bodies[i]);
}

#define ERROR(type)                                                            \
    "{\"result\":\"error\",\"documentation\":\"https://x\",\"terms-of-use\":"  \
    "\"https://x\",\"error-type\":\"" type "\"}"
#define WRONG_KEY "key_refused: invalid-key: the key is wrong"

static const struct refusal_case refusals[] = {
    {ERROR("invalid-key"), WRONG_KEY},
    {ERROR("inactive-account"),
     "key_refused: inactive-account: its address was not confirmed"},
    {ERROR("plan-upgrade-required"),
     "key_refused, of the plan: plan-upgrade-required: the call is not in the "
     "key's plan"},
    {ERROR("quota-reached"), "limited, wait 3600: quota-reached: the month's "
                             "calls are used up"},
    {ERROR("no-data-available"),
     "no_table: no-data-available: it has no such date"},
    {ERROR("unsupported-code"),
     "bad_table: unsupported-code: it does not know the base"},
    {ERROR("malformed-request"),
     "bad_table: malformed-request: it does not know this call"},
    {ERROR("new-kind"), ""},
    {ERROR(""), ""},
    {"{\"result\":\"error\",\"error-type\":7}", ""},
    {"{\"result\":\"error\"}", ""},
    {"<html>invalid-key</html>", ""},
    {"", ""},
};

static void errors(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        check_refusal(API, "latest", TODAY, &refusals[i]);
        check_refusal(API, DAY, TODAY, &refusals[i]);
    }
    const char *good = LATEST("\"USD\":1.1");
    assert_string_equal(describe_refusal(API, good, strlen(good)), "");
}

static void cut_and_damaged(void **state) {
    (void)state;
    static const char latest[] = LATEST("\"EUR\":1,\"USD\":1.1531");
    static const char of_day[] = HISTORY_OF(THE_DAY, "\"USD\":1.2222");
    check_truncated(API, "latest", TODAY, latest, "no JSON object");
    check_truncated(API, DAY, TODAY, of_day, "no JSON object");
    check_damaged(API, "latest", TODAY, latest);
    check_damaged(API, DAY, TODAY, of_day);
}

/* Of this base there is none: one of another base, with its codes swapped. */
static const struct fixture_case swapped = {
    "exchangerate-api/v6-latest-USD-2020-03-27.reconstructed.json",
    "latest",
    TODAY,
    "2020-03-27 AED=3.6724 AFN=77.0382 ARS=64.3375",
    1,
    21};

static const struct fixture_case fixtures[] = {
    {"exchangerate-api/v6-latest-USD-2020-03-27.reconstructed.json", "latest",
     TODAY, NOT_EURO, 0, 0},
    {"exchangerate-api/open-latest-EUR-2025-08-13.json", "latest", TODAY,
     NO_TABLE, 0, 0},
    {"exchangerate-api/v6-error-invalid-key.json", DAY, TODAY, UNKNOWN, 0, 0},
};

static void captured(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fixtures); i++)
        check_fixture(API, &fixtures[i]);
    check_swapped_fixture(API, &swapped);
    size_t len;
    char *body =
        read_fixture("exchangerate-api/v6-error-invalid-key.json", &len);
    if (body != NULL)
        assert_string_equal(describe_refusal(API, body, len), WRONG_KEY);
    free(body);
}

static void statuses(void **state) {
    (void)state;
    assert_int_equal(provider_exchangerateapi.api->no_table_status, 0);
}

static void settings_it_reads(void **state) {
    (void)state;
    assert_string_equal(API->name, "exchangerateapi");
    assert_string_equal(API->base, "EUR");
    assert_int_equal(API->address, SETTING_EXCHANGERATEAPI_URL);
    assert_int_equal(API->key, SETTING_EXCHANGERATEAPI_KEY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_and_headers),
        cmocka_unit_test(answers),
        cmocka_unit_test(errors),
        cmocka_unit_test(cut_and_damaged),
        cmocka_unit_test(captured),
        cmocka_unit_test(statuses),
        cmocka_unit_test(settings_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
