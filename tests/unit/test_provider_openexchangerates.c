/* openexchangerates: its requests, and what is made of its answers. */
#include "tests/unit/provider_reading.h"

#define API   (provider_openexchangerates.api)
#define HOST  "https://openexchangerates.org/api"
#define TODAY "2025-11-21"
#define DAY   "2025-06-13"

static const struct request_case requests[] = {
    {HOST, "k3y", "latest", TODAY, HOST "/latest.json",
     "Authorization: Token k3y"},
    {HOST, "k3y", DAY, TODAY, HOST "/historical/2025-06-13.json",
     "Authorization: Token k3y"},
    {HOST, "k3y", "1999-01-04", TODAY, HOST "/historical/1999-01-04.json",
     "Authorization: Token k3y"},
    {"http://127.0.0.1:8080", "a b&c=%41#\"'", "latest", TODAY,
     "http://127.0.0.1:8080/latest.json", "Authorization: Token a b&c=%41#\"'"},
};

static void urls_and_headers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(requests); i++)
        check_request(API, &requests[i]);
}

#define NOT_JSON   "refused: no JSON object"
#define NO_TABLE   "refused: no table of the day that was asked for"
#define NOT_DOLLAR "refused: the base is not USD"
#define NO_RATES   "refused: no rates"
#define NO_EURO    "refused: no rate of the euro"
#define NO_MOMENT  "refused: the timestamp is none"

#define BODY(moment, base, rates)                                              \
    "{\"disclaimer\":\"x\",\"license\":\"x\",\"timestamp\":" moment            \
    ",\"base\":\"" base "\",\"rates\":{" rates "}}"

/* 1763683200 is 2025-11-21T00:00:00Z, 1749772800 is 2025-06-13T00:00:00Z. */
#define LATEST(rates) BODY("1763683200", "USD", rates)
#define OF_DAY(rates) BODY("1749859196", "USD", rates)

static const struct body_case bodies[] = {
    {"latest", "latest", TODAY, LATEST("\"EUR\":0.866134,\"JPY\":156.4"),
     "2025-11-21 EUR=0.866134 JPY=156.4"},
    {"a day", DAY, TODAY, OF_DAY("\"EUR\":0.8657,\"GBP\":0.7369,\"USD\":1"),
     "2025-06-13 EUR=0.8657 GBP=0.7369"},
    {"the first second of a day", DAY, TODAY,
     BODY("1749772800", "USD", "\"EUR\":0.8657"), "2025-06-13 EUR=0.8657"},
    {"the last second of a day", DAY, TODAY,
     BODY("1749859199", "USD", "\"EUR\":0.8657"), "2025-06-13 EUR=0.8657"},
    {"the second before a day", DAY, TODAY,
     BODY("1749772799", "USD", "\"EUR\":0.8657"), NO_TABLE},
    {"the second after a day", DAY, TODAY,
     BODY("1749859200", "USD", "\"EUR\":0.8657"), NO_TABLE},
    {"the latest for a day", DAY, TODAY, LATEST("\"EUR\":0.8"), NO_TABLE},
    {"a day without a timestamp", DAY, TODAY,
     "{\"base\":\"USD\",\"rates\":{\"EUR\":0.8}}", NO_TABLE},
    {"a day with a text for a timestamp", DAY, TODAY,
     BODY("\"1749859196\"", "USD", "\"EUR\":0.8"), NO_MOMENT},
    {"latest of yesterday", "latest", TODAY,
     BODY("1763683199", "USD", "\"EUR\":0.8"), "2025-11-20 EUR=0.8"},
    {"latest without a timestamp", "latest", TODAY,
     "{\"base\":\"USD\",\"rates\":{\"EUR\":0.8}}", "2025-11-21 EUR=0.8"},
    /* The answer came at 20:00:00; whether that is possible is not judged here.
     */
    {"ahead", "latest", TODAY, BODY("1763755501", "USD", "\"EUR\":0.8"),
     "2025-11-21 EUR=0.8"},
    {"a day ahead", "latest", TODAY, BODY("1763769601", "USD", "\"EUR\":0.8"),
     "2025-11-22 EUR=0.8"},
    {"before 1970", "latest", TODAY, BODY("-1", "USD", "\"EUR\":0.8"),
     NO_MOMENT},
    {"many digits", "latest", TODAY,
     LATEST("\"BTC\":0.000009273581,\"EUR\":0.857649,\"JPY\":145.24400539,"
            "\"ZWL\":322"),
     "2025-11-21 BTC=0.000009273581 EUR=0.857649 JPY=145.24400539 ZWL=322"},
    {"the dollar is not one", "latest", TODAY,
     LATEST("\"EUR\":0.8,\"USD\":1.1"), NOT_DOLLAR},
    {"codes that are none", "latest", TODAY,
     LATEST("\"CNHX\":7,\"CN\":7,\"EUR\":0.8,\"eur\":2"), "2025-11-21 EUR=0.8"},
    {"bad rates are left out", "latest", TODAY,
     LATEST("\"AUD\":0,\"CAD\":-1,\"CHF\":1e12,\"CZK\":\"24\",\"DKK\":null,"
            "\"EUR\":0.8,\"GBP\":1e999,\"HUF\":[1],\"ISK\":true"),
     "2025-11-21 EUR=0.8; 8 bad, AUD first"},
    {"no euro", "latest", TODAY, LATEST("\"JPY\":156"), NO_EURO},
    {"a bad euro", "latest", TODAY, LATEST("\"EUR\":0,\"JPY\":156"),
     NO_EURO "; 1 bad, EUR first"},
    {"nothing in the rates", "latest", TODAY, LATEST(""), NO_RATES},
    {"no rates", "latest", TODAY, "{\"base\":\"USD\"}", NO_TABLE},
    {"the rates are a list", "latest", TODAY,
     "{\"base\":\"USD\",\"rates\":[0.8]}", NO_TABLE},
    {"another base", "latest", TODAY,
     BODY("1763683200", "EUR", "\"EUR\":1,\"USD\":1.15"), NOT_DOLLAR},
    {"no base", "latest", TODAY, "{\"rates\":{\"EUR\":0.8}}", NOT_DOLLAR},
    {"the base is a number", "latest", TODAY,
     "{\"base\":1,\"rates\":{\"EUR\":0.8}}", NOT_DOLLAR},
    {"nothing", "latest", TODAY, "{}", NOT_DOLLAR},
    {"empty", "latest", TODAY, "", NOT_JSON},
    {"HTML", "latest", TODAY,
     "<!DOCTYPE html><html><body>Just a moment...</body></html>", NOT_JSON},
    {"a list", DAY, TODAY, "[1]", NOT_JSON},
    {"two objects", "latest", TODAY, LATEST("\"EUR\":0.8") "{}", NOT_JSON},
};

static void answers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        check_body(API, &bodies[i]);
}

#define ERROR(status, message)                                                 \
    "{\"error\":true,\"status\":" status ",\"message\":\"" message             \
    "\",\"description\":\"Please ask not_available again.\"}"
#define NOT_THERE "no_table: not_available: it has no such day"
#define NO_CALL                                                                \
    "key_refused, of the plan: not_allowed: the call is not in the key's plan"
#define USED_UP "limited, wait 3600: access_restricted: too many calls"

static const struct refusal_case refusals[] = {
    {ERROR("401", "missing_app_id"),
     "key_refused: missing_app_id: the key is missing"},
    {ERROR("401", "invalid_app_id"),
     "key_refused: invalid_app_id: the key is wrong"},
    {ERROR("401", "app_id_inactive"),
     "key_refused: app_id_inactive: the key is not active"},
    /* Documented with one status and seen with another: the word counts. */
    {ERROR("403", "not_allowed"), NO_CALL},
    {ERROR("429", "not_allowed"), NO_CALL},
    {ERROR("429", "access_restricted"), USED_UP},
    {ERROR("403", "access_restricted"), USED_UP},
    {ERROR("400", "not_available"), NOT_THERE},
    {ERROR("400", "invalid_base"),
     "bad_table: invalid_base: it does not know the base"},
    {ERROR("404", "not_found"),
     "bad_table: not_found: it does not know this call"},
    /* What is not known is for the status, and for those who read. */
    {ERROR("500", "internal"), ""},
    {ERROR("400", "not_available_yet"), ""},
    {ERROR("400", ""), ""},
    {"{\"error\":true,\"status\":401,\"message\":401}", ""},
    {"{\"error\":true,\"status\":401}", ""},
    {"<html>invalid_app_id</html>", ""},
    {"", ""},
};

static void errors(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        check_refusal(API, "latest", TODAY, &refusals[i]);
        check_refusal(API, DAY, TODAY, &refusals[i]);
    }
    /* Rates are no refusal, whatever else is said. */
    static const char good[] =
        "{\"message\":\"not_available\",\"base\":\"USD\",\"rates\":{}}";
    assert_string_equal(describe_refusal(API, good, strlen(good)), "");
}

static void cut_and_damaged(void **state) {
    (void)state;
    static const char latest[] = LATEST("\"EUR\":0.866134,\"JPY\":156.4");
    static const char of_day[] = OF_DAY("\"EUR\":0.946495");
    check_truncated(API, "latest", TODAY, latest, "no JSON object");
    check_truncated(API, DAY, TODAY, of_day, "no JSON object");
    check_damaged(API, "latest", TODAY, latest);
    check_damaged(API, DAY, TODAY, of_day);
}

static const struct fixture_case fixtures[] = {
    {"openexchangerates/latest-USD-2025-06-25.json", "latest", TODAY,
     "2025-06-25 AED=3.67246 AFN=70.534168 ALL=84.4227", 1, 168},
    {"openexchangerates/latest-USD-2025-06-25.json", "2025-06-25", TODAY,
     "2025-06-25 AED=3.67246 AFN=70.534168 ALL=84.4227", 1, 168},
    {"openexchangerates/latest-USD-2025-06-25.json", "2025-06-24", TODAY,
     NO_TABLE, 0, 0},
    {"openexchangerates/error-400-date-not-available.json", DAY, TODAY,
     NOT_DOLLAR, 0, 0},
    {"exchangerate-host/legacy-latest-EUR-2022-04-29.json", "latest", TODAY,
     NOT_DOLLAR, 0, 0},
};

static const struct refusal_case captured_refusals[] = {
    {"openexchangerates/error-400-date-not-available.json", NOT_THERE},
    {"openexchangerates/error-403-base-not-allowed.json", NO_CALL},
    {"openexchangerates/latest-USD-2025-06-25.json", ""},
};

static void captured(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fixtures); i++)
        check_fixture(API, &fixtures[i]);
    for (size_t i = 0; i < COUNT_OF(captured_refusals); i++) {
        size_t len;
        char *body = read_fixture(captured_refusals[i].body, &len);
        if (body != NULL)
            assert_string_equal(describe_refusal(API, body, len),
                                captured_refusals[i].reading);
        free(body);
    }
}

static void settings_it_reads(void **state) {
    (void)state;
    assert_string_equal(API->name, "openexchangerates");
    assert_string_equal(API->base, "USD");
    assert_int_equal(API->address, SETTING_OPENEXCHANGERATES_URL);
    assert_int_equal(API->key, SETTING_OPENEXCHANGERATES_KEY);
    assert_int_equal(API->no_table_status, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_and_headers), cmocka_unit_test(answers),
        cmocka_unit_test(errors),           cmocka_unit_test(captured),
        cmocka_unit_test(cut_and_damaged),  cmocka_unit_test(settings_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
