/* fixer: its requests, and what is made of its answers. */
#include "tests/unit/provider_reading.h"

#define API   (provider_fixer.api)
#define HOST  "https://data.fixer.io/api"
#define OTHER "https://api.apilayer.com/fixer"
#define TODAY "2025-11-21"
#define DAY   "2025-06-13"

static const struct request_case requests[] = {
    {HOST, "k3y", "latest", TODAY, HOST "/latest?access_key=k3y", ""},
    {HOST, "k3y", DAY, TODAY, HOST "/2025-06-13?access_key=k3y", ""},
    {HOST, "a b&c=%41#", "latest", TODAY,
     HOST "/latest?access_key=a%20b%26c%3D%2541%23", ""},
    /* What ends so takes the key in a header, and shows it nowhere else. */
    {OTHER, "k3y", "latest", TODAY, OTHER "/latest", "apikey: k3y"},
    {OTHER, "k3y", "1999-01-04", TODAY, OTHER "/1999-01-04", "apikey: k3y"},
    {"https://fixer", "k3y", "latest", TODAY, "https://fixer/latest",
     "apikey: k3y"},
    {"https://fixer/api", "k3y", "latest", TODAY,
     "https://fixer/api/latest?access_key=k3y", ""},
    {"x", "k3y", "latest", TODAY, "x/latest?access_key=k3y", ""},
};

static void urls_and_headers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(requests); i++)
        check_request(API, &requests[i]);
}

/* The longest address and key there can be are not cut. */
static void long_ones(void **state) {
    (void)state;
    struct web_request request = {.url = ""};
    char address[2049] = "", key[1025] = "";
    memset(address, 'a', sizeof address - 1);
    memset(key, '&', sizeof key - 1);
    API->request(address, key, day_of(DAY), day_of(TODAY), &request);
    assert_int_equal(strlen(request.url),
                     2048 + strlen("/2025-06-13?access_key=") + 3 * 1024);
}

#define NOT_JSON  "refused: no JSON object"
#define NO_TABLE  "refused: no table of the day that was asked for"
#define NOT_EURO  "refused: the base is not EUR"
#define NO_RATES  "refused: no rates"
#define UNKNOWN   "refused: it reports an error that is not known"
#define NO_MOMENT "refused: the timestamp is none"

#define BODY(when, base, rates)                                                \
    "{\"success\":true," when ",\"base\":\"" base "\",\"rates\":{" rates "}}"
/* 1763683200 is 2025-11-21T00:00:00Z. */
#define LATEST(rates)                                                          \
    BODY("\"timestamp\":1763683200,\"date\":\"2025-11-21\"", "EUR", rates)
#define OF_DAY(date, rates)                                                    \
    BODY("\"timestamp\":1749859199,\"historical\":true,\"date\":\"" date "\"", \
         "EUR", rates)

static const struct body_case bodies[] = {
    {"latest", "latest", TODAY, LATEST("\"EUR\":1,\"USD\":1.1550"),
     "2025-11-21 USD=1.1550"},
    {"an exponent", "latest", TODAY,
     LATEST("\"BTC\":1.0912818e-5,\"USD\":1.15"),
     "2025-11-21 BTC=0.000010912818 USD=1.15"},
    {"a day", DAY, TODAY, OF_DAY(DAY, "\"EUR\":1,\"USD\":1.15553"),
     "2025-06-13 USD=1.15553"},
    {"the day before", DAY, TODAY, OF_DAY("2025-06-12", "\"USD\":1.15"),
     NO_TABLE},
    {"the latest for a day", DAY, TODAY, LATEST("\"USD\":1.15"), NO_TABLE},
    {"a day without its date", DAY, TODAY,
     BODY("\"timestamp\":1749859199", "EUR", "\"USD\":1.15"), NO_TABLE},
    {"latest of yesterday", "latest", TODAY,
     BODY("\"timestamp\":1763683199", "EUR", "\"USD\":1.15"),
     "2025-11-20 USD=1.15"},
    {"a text for a timestamp", "latest", TODAY,
     BODY("\"timestamp\":\"1763683199\"", "EUR", "\"USD\":1.15"), NO_MOMENT},
    {"another base", "latest", TODAY,
     BODY("\"timestamp\":1763683200", "USD", "\"EUR\":0.86,\"USD\":1"),
     NOT_EURO},
    {"the euro is not one", "latest", TODAY, LATEST("\"EUR\":0.86,\"USD\":1"),
     NOT_EURO},
    {"no base", "latest", TODAY, "{\"success\":true,\"rates\":{\"USD\":1.15}}",
     NOT_EURO},
    {"bad rates are left out", "latest", TODAY,
     LATEST("\"AUD\":0,\"CAD\":-1,\"CHF\":\"1\",\"CZK\":null,\"USD\":1.15"),
     "2025-11-21 USD=1.15; 4 bad, AUD first"},
    {"nothing in the rates", "latest", TODAY, LATEST(""), NO_RATES},
    {"no rates", "latest", TODAY,
     "{\"success\":true,\"timestamp\":1763683200,\"base\":\"EUR\"}", NO_TABLE},
    {"no success", "latest", TODAY, "{\"base\":\"EUR\",\"rates\":{\"USD\":1}}",
     UNKNOWN},
    {"a failure with rates", "latest", TODAY,
     "{\"success\":false,\"base\":\"EUR\",\"rates\":{\"USD\":1}}", UNKNOWN},
    {"success is a text", "latest", TODAY,
     "{\"success\":\"true\",\"base\":\"EUR\",\"rates\":{\"USD\":1}}", UNKNOWN},
    {"nothing", "latest", TODAY, "{}", UNKNOWN},
    {"empty", "latest", TODAY, "", NOT_JSON},
    {"HTML", "latest", TODAY, "<!DOCTYPE html><html></html>", NOT_JSON},
};

static void answers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        check_body(API, &bodies[i]);
}

#define ERROR(code, type)                                                      \
    "{\"success\":false,\"error\":{\"code\":" code ",\"type\":\"" type         \
    "\",\"info\":\"See base, https and limit.\"}}"
#define NO_BASE "key_refused: error 105: the base is not in the key's plan"

static const struct refusal_case refusals[] = {
    {ERROR("101", "invalid_access_key"),
     "key_refused: error 101: the key is missing or wrong"},
    {ERROR("102", "inactive_user"),
     "key_refused: error 102: the account is not active"},
    {ERROR("103", "invalid_api_function"),
     "bad_table: error 103: it does not know this call"},
    {ERROR("104", "usage_limit_reached"),
     "limited, wait 3600: error 104: the month's calls are used up"},
    {ERROR("105", "base_currency_access_restricted"), NO_BASE},
    {ERROR("105", "https_access_restricted"),
     "key_refused: error 105: https is not in the key's plan"},
    {ERROR("105", "function_access_restricted"),
     "key_refused, of the plan: error 105: the call is not in the key's plan"},
    {ERROR("106", "no_rates_available"), "no_table: error 106: no rates"},
    {ERROR("106", "rate_limit_reached"), "limited: error 106: too many calls"},
    {ERROR("201", "invalid_base_currency"),
     "bad_table: error 201: it does not know the base"},
    {ERROR("302", "invalid_date"), "no_table: error 302: it has no such date"},
    {"{\"error\":{\"code\":\"https_access_restricted\",\"message\":\"x\"}}",
     "key_refused: https is not in the key's plan"},
    /* What is not known is for the status, and for those who read. */
    {ERROR("402", "invalid_from"), ""},
    {ERROR("0", ""), ""},
    {"{\"error\":{\"code\":\"other\",\"message\":\"x\"}}", ""},
    {"{\"message\":\"You cannot consume this service\"}", ""},
    {"{\"success\":false}", ""},
    {"", ""},
};

static void errors(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        check_refusal(API, "latest", TODAY, &refusals[i]);
        check_refusal(API, DAY, TODAY, &refusals[i]);
    }
}

static void cut_and_damaged(void **state) {
    (void)state;
    static const char latest[] = LATEST("\"JPY\":156.4,\"USD\":1.15");
    static const char of_day[] = OF_DAY(DAY, "\"USD\":1.15553");
    check_truncated(API, "latest", TODAY, latest, "no JSON object");
    check_truncated(API, DAY, TODAY, of_day, "no JSON object");
    check_damaged(API, "latest", TODAY, latest);
    check_damaged(API, DAY, TODAY, of_day);
}

static const struct fixture_case fixtures[] = {
    {"fixer/latest-EUR-2025-06-20.json", "latest", TODAY,
     "2025-06-20 AED=4.228581 AFN=81.740969 ALL=97.895083", 1, 169},
    {"fixer/historical-2025-06-13-EUR-symbols.json", DAY, TODAY,
     "2025-06-13 CZK=24.84493 GBP=0.852443 RUB=92.187067 USD=1.15553 "
     "ZAR=20.713272",
     1, 5},
    {"fixer/historical-2025-06-13-EUR-symbols.json", "2025-06-12", TODAY,
     NO_TABLE, 0, 0},
    {"fixer/error-105-base-restricted.json", "latest", TODAY, UNKNOWN, 0, 0},
};

static const struct refusal_case captured_refusals[] = {
    {"fixer/error-105-base-restricted.json", NO_BASE},
    {"fixer/latest-EUR-2025-06-20.json", ""},
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
    assert_string_equal(API->name, "fixer");
    assert_string_equal(API->base, "EUR");
    assert_int_equal(API->address, SETTING_FIXER_URL);
    assert_int_equal(API->key, SETTING_FIXER_KEY);
    assert_int_equal(API->no_table_status, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_and_headers),  cmocka_unit_test(long_ones),
        cmocka_unit_test(answers),           cmocka_unit_test(errors),
        cmocka_unit_test(captured),          cmocka_unit_test(cut_and_damaged),
        cmocka_unit_test(settings_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
