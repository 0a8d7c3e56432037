/* currencyapi: its requests, and what is made of its answers. */
#include "tests/unit/provider_reading.h"

#define API   (provider_currencyapi.api)
#define HOST  "https://api.currencyapi.com/v3"
#define TODAY "2025-11-21"
#define DAY   "2025-06-13"

static const struct request_case requests[] = {
    {HOST, "k3y", "latest", TODAY, HOST "/latest?base_currency=EUR",
     "apikey: k3y"},
    {HOST, "k3y", DAY, TODAY,
     HOST "/historical?date=2025-06-13&base_currency=EUR", "apikey: k3y"},
    {"http://127.0.0.1:8080", "a b&c=%41#\"'", "latest", TODAY,
     "http://127.0.0.1:8080/latest?base_currency=EUR", "apikey: a b&c=%41#\"'"},
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
#define NO_MOMENT "refused: no moment of the last update"

#define RATE(code, value)                                                      \
    "\"" code "\":{\"code\":\"" code "\",\"value\":" value "}"
#define AT(moment, data)                                                       \
    "{\"meta\":{\"last_updated_at\":" moment "},\"data\":{" data "}}"
#define LATEST(data) AT("\"2025-11-20T23:59:59Z\"", data)
#define OF_DAY(data) AT("\"2025-06-13T23:59:59Z\"", data)

static const struct body_case bodies[] = {
    {"latest", "latest", TODAY,
     LATEST(RATE("EUR", "1") "," RATE("USD", "1.1550")),
     "2025-11-20 USD=1.1550"},
    {"a day", DAY, TODAY,
     OF_DAY(RATE("BTC", "1.08647e-5") "," RATE("USD", "1.1545609338")),
     "2025-06-13 BTC=0.0000108647 USD=1.1545609338"},
    {"the first second of a day", DAY, TODAY,
     AT("\"2025-06-13T00:00:00Z\"", RATE("USD", "1.15")),
     "2025-06-13 USD=1.15"},
    {"the day before", DAY, TODAY,
     AT("\"2025-06-12T23:59:59Z\"", RATE("USD", "1.15")), NO_TABLE},
    {"the latest for a day", DAY, TODAY, LATEST(RATE("USD", "1.15")), NO_TABLE},
    {"nothing of a day", DAY, TODAY, "{\"data\":{}}", ""},
    {"nothing of the latest", "latest", TODAY, LATEST(""), NO_RATES},
    {"no moment", "latest", TODAY, "{\"data\":{" RATE("USD", "1.15") "}}",
     NO_MOMENT},
    {"a moment that is a number", "latest", TODAY,
     AT("1763683200", RATE("USD", "1.15")), NO_MOMENT},
    {"a moment that is none", "latest", TODAY,
     AT("\"2025-02-30T23:59:59Z\"", RATE("USD", "1.15")), NO_MOMENT},
    {"a moment of another zone", "latest", TODAY,
     AT("\"2025-11-20T23:59:59+02:00\"", RATE("USD", "1.15")), NO_MOMENT},
    {"an empty moment", "latest", TODAY, AT("\"\"", RATE("USD", "1.15")),
     NO_MOMENT},
    {"a day is no moment", "latest", TODAY,
     AT("\"2025-11-20\"", RATE("USD", "1.15")), NO_MOMENT},
    {"the euro is not one", "latest", TODAY,
     LATEST(RATE("EUR", "0.86") "," RATE("USD", "1")), NOT_EURO},
    {"bad rates are left out", "latest", TODAY,
     LATEST(RATE("AUD", "0") "," RATE("CAD", "-1") "," RATE(
         "CHF",
         "\"1\"") "," RATE("CZK",
                           "null") ",\"DKK\":7.46,\"GBP\":{},\"HUF\":null,"
                                   "\"ISK\":[1]," RATE("USD", "1.15")),
     "2025-11-20 USD=1.15; 8 bad, AUD first"},
    {"codes that are none", "latest", TODAY,
     LATEST(RATE("AVAX", "7") "," RATE("OP", "7") "," RATE("USD", "1.15")),
     "2025-11-20 USD=1.15"},
    {"no data", "latest", TODAY,
     "{\"meta\":{\"last_updated_at\":\"2025-11-20T23:59:59Z\"}}", NO_TABLE},
    {"the data is a list", DAY, TODAY,
     "{\"meta\":{\"last_updated_at\":\"2025-06-13T23:59:59Z\"},\"data\":[]}",
     NO_TABLE},
    {"nothing", "latest", TODAY, "{}", NO_MOMENT},
    {"empty", "latest", TODAY, "", NOT_JSON},
    {"HTML", "latest", TODAY, "<!DOCTYPE html><html></html>", NOT_JSON},
};

static void answers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        check_body(API, &bodies[i]);
}

static void cut_and_damaged(void **state) {
    (void)state;
    static const char latest[] = LATEST(RATE("USD", "1.15"));
    static const char of_day[] = OF_DAY(RATE("USD", "1.15"));
    check_truncated(API, "latest", TODAY, latest, "no JSON object");
    check_truncated(API, DAY, TODAY, of_day, "no JSON object");
    check_damaged(API, "latest", TODAY, latest);
    check_damaged(API, DAY, TODAY, of_day);
}

#define CAPTURED "currencyapi/historical-2025-06-13-EUR-filtered-EUR-USD.json"

static const struct fixture_case fixtures[] = {
    {CAPTURED, DAY, TODAY, "2025-06-13 USD=1.1545609338", 1, 1},
    {CAPTURED, "latest", TODAY, "2025-06-13 USD=1.1545609338", 1, 1},
    {CAPTURED, "2025-06-14", TODAY, NO_TABLE, 0, 0},
    {"currencyapi/error-422-invalid-base.json", DAY, TODAY, NO_MOMENT, 0, 0},
    {"freecurrencyapi/latest-EUR.json", "latest", TODAY, NO_MOMENT, 0, 0},
};

static void captured(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fixtures); i++)
        check_fixture(API, &fixtures[i]);
}

static void settings_it_reads(void **state) {
    (void)state;
    assert_string_equal(API->name, "currencyapi");
    assert_string_equal(API->base, "EUR");
    assert_int_equal(API->address, SETTING_CURRENCYAPI_URL);
    assert_int_equal(API->key, SETTING_CURRENCYAPI_KEY);
    assert_int_equal(API->no_table_status, 422);
    assert_null(API->refusal); /* its statuses say all */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_and_headers),  cmocka_unit_test(answers),
        cmocka_unit_test(captured),          cmocka_unit_test(cut_and_damaged),
        cmocka_unit_test(settings_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
