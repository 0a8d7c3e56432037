/* frankfurter: its requests, and what is made of its answers. */
#include "tests/unit/provider_reading.h"

#define API   (provider_frankfurter.api)
#define HOST  "https://api.frankfurter.dev/v1"
#define V2    "https://api.frankfurter.dev/v2"
#define TODAY "2025-11-21"
#define DAY   "2025-06-13"

static const struct request_case requests[] = {
    {HOST, NULL, "latest", TODAY, HOST "/latest", ""},
    {HOST, NULL, DAY, TODAY, HOST "/2025-06-13", ""},
    {HOST, NULL, "1999-01-04", TODAY, HOST "/1999-01-04", ""},
    {HOST, NULL, "2024-02-29", TODAY, HOST "/2024-02-29", ""},
    {"http://127.0.0.1:8080", NULL, DAY, TODAY,
     "http://127.0.0.1:8080/2025-06-13", ""},
    {V2, NULL, "latest", TODAY, V2 "/rates?base=EUR", ""},
    {V2, NULL, DAY, TODAY, V2 "/rates?base=EUR&date=2025-06-13", ""},
};

static void urls_and_headers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(requests); i++)
        check_request(API, &requests[i]);
}

#define NOT_JSON   "refused: no JSON object"
#define NOT_EURO   "refused: the base is not EUR"
#define NOT_ONE    "refused: the amount is not 1"
#define NO_DATE    "refused: no date"
#define NO_RATES   "refused: no rates"
#define NO_TABLE   "refused: no table of the day that was asked for"
#define HEAD       "{\"amount\":1.0,\"base\":\"EUR\",\"date\":\"2025-06-13\","
#define RATES(all) HEAD "\"rates\":{" all "}}"

static const struct body_case bodies[] = {
    {"latest", "latest", "2025-06-14", RATES("\"AUD\":1.7777,\"USD\":1.1512"),
     "2025-06-13 AUD=1.7777 USD=1.1512"},
    {"a day", DAY, TODAY, RATES("\"AUD\":1.7777,\"USD\":1.1512"),
     "2025-06-13 AUD=1.7777 USD=1.1512"},
    /* Which day serves which is said by the table's own date. */
    {"the day before", "2025-06-14", TODAY, RATES("\"USD\":1.1512"),
     "2025-06-13 USD=1.1512"},
    {"a week before", "2025-06-20", TODAY, RATES("\"USD\":1.1512"),
     "2025-06-13 USD=1.1512"},
    {"another order, white space, more members", DAY, TODAY,
     " { \"rates\" : {\"USD\":1.1512}, \"x\":{\"y\":[]},\n\"date\" : "
     "\"2025-06-13\",\"base\":\"EUR\" ,\"amount\":1 }\r\n",
     "2025-06-13 USD=1.1512"},
    {"forms of a number", DAY, TODAY,
     RATES("\"BTC\":1.4205427e-5,\"HUF\":403.430,\"ISK\":148.0,\"JPY\":166,"
           "\"TRL\":1.9124E6"),
     "2025-06-13 BTC=0.000014205427 HUF=403.430 ISK=148.0 JPY=166 TRL=1912400"},
    {"no rates", DAY, TODAY,
     RATES("\"JPY\":0,\"KRW\":-1,\"PLN\":1e12,\"SEK\":\"10.9\",\"USD\":1.1512,"
           "\"CHF\":1e999,\"NOK\":null,\"CAD\":1e-10"),
     "2025-06-13 USD=1.1512; 7 bad, JPY first"},
    {"codes that are none", DAY, TODAY,
     RATES("\"USDT\":1.1,\"OP\":1,\"usd\":2,\"USD\":1.1512"),
     "2025-06-13 USD=1.1512"},
    {"the base among them", DAY, TODAY, RATES("\"EUR\":1.0,\"USD\":1.1512"),
     "2025-06-13 USD=1.1512"},
    {"another base among them", DAY, TODAY,
     RATES("\"EUR\":0.86866,\"USD\":1.0"), NOT_EURO},
    {"no rates at all", DAY, TODAY, RATES(""), NO_RATES},
    {"nothing but bad rates", DAY, TODAY, RATES("\"USD\":0"),
     NO_RATES "; 1 bad, USD first"},
    {"nothing but the base", DAY, TODAY, RATES("\"EUR\":1"), NO_RATES},
    {"the rates are a list", DAY, TODAY, HEAD "\"rates\":[1.1]}", NO_TABLE},
    {"the rates are null", DAY, TODAY, HEAD "\"rates\":null}", NO_TABLE},
    {"the rates are missing", DAY, TODAY, HEAD "\"x\":1}", NO_TABLE},
    {"base of dollars", DAY, TODAY,
     "{\"amount\":1.0,\"base\":\"USD\",\"date\":\"2025-06-13\",\"rates\":{"
     "\"EUR\":0.86866,\"JPY\":144.14}}",
     NOT_EURO},
    {"base in lower case", DAY, TODAY,
     "{\"amount\":1.0,\"base\":\"eur\",\"date\":\"2025-06-13\",\"rates\":{"
     "\"USD\":1.1512}}",
     NOT_EURO},
    {"no base", DAY, TODAY,
     "{\"amount\":1.0,\"date\":\"2025-06-13\",\"rates\":{\"USD\":1.1512}}",
     NOT_EURO},
    {"base is no string", DAY, TODAY,
     "{\"amount\":1,\"base\":1,\"date\":\"2025-06-13\",\"rates\":{\"USD\":1}}",
     NOT_EURO},
    {"amount of ten", DAY, TODAY,
     "{\"amount\":10.0,\"base\":\"EUR\",\"date\":\"2025-06-13\",\"rates\":{"
     "\"USD\":11.512}}",
     NOT_ONE},
    {"amount nearly one", DAY, TODAY,
     "{\"amount\":1.0001,\"base\":\"EUR\",\"date\":\"2025-06-13\",\"rates\":{"
     "\"USD\":1.1512}}",
     NOT_ONE},
    {"amount as a string", DAY, TODAY,
     "{\"amount\":\"1\",\"base\":\"EUR\",\"date\":\"2025-06-13\",\"rates\":{"
     "\"USD\":1.1512}}",
     NOT_ONE},
    {"no amount", DAY, TODAY,
     "{\"base\":\"EUR\",\"date\":\"2025-06-13\",\"rates\":{\"USD\":1.1512}}",
     NOT_ONE},
    {"no date", DAY, TODAY,
     "{\"amount\":1.0,\"base\":\"EUR\",\"rates\":{\"USD\":1.1512}}", NO_DATE},
    {"date that is none", DAY, TODAY,
     "{\"amount\":1.0,\"base\":\"EUR\",\"date\":\"2025-02-30\",\"rates\":{"
     "\"USD\":1.1512}}",
     NO_DATE},
    {"date as a number", DAY, TODAY,
     "{\"amount\":1.0,\"base\":\"EUR\",\"date\":20250613,\"rates\":{"
     "\"USD\":1.1512}}",
     NO_DATE},
    {"date with something behind it", DAY, TODAY,
     "{\"amount\":1.0,\"base\":\"EUR\",\"date\":\"2025-06-13 \",\"rates\":{"
     "\"USD\":1.1512}}",
     NO_DATE},
    {"not found", DAY, TODAY, "{\"status\":404,\"message\":\"not found\"}",
     NOT_EURO},
    {"empty", DAY, TODAY, "", NOT_JSON},
    {"HTML", DAY, TODAY,
     "<html>\n<head><title>429 Too Many Requests</title></head></html>",
     NOT_JSON},
    {"something behind it", DAY, TODAY, RATES("\"USD\":1.1512") "x", NOT_JSON},
};

#define RECORD(date, base, quote, rate)                                        \
    "{\"date\":\"" date "\",\"base\":\"" base "\",\"quote\":\"" quote          \
    "\",\"rate\":" rate "}"

/* Of version 2. A record may be an older one that is carried forward. */
static const struct body_case lists[] = {
    {"a day", DAY, TODAY,
     "[" RECORD("2025-06-13", "EUR", "EUR", "1.0") "," RECORD(
         "2025-06-06", "EUR", "AED",
         "4.2") "," RECORD("2025-06-05", "EUR", "BOB",
                           "8.0") "," RECORD("2025-06-12", "EUR", "USD",
                                             "1.1510") "]",
     "2025-06-13 AED=4.2 USD=1.1510"},
    {"of tomorrow already", "latest", "2025-06-12",
     "[" RECORD("2025-06-13", "EUR", "USD", "1.5") "]", "2025-06-12 USD=1.5"},
    {"of the day after", "latest", "2025-06-11",
     "[" RECORD("2025-06-13", "EUR", "USD", "1.5") "]", "2025-06-13 USD=1.5"},
    {"no rates", DAY, TODAY,
     "[" RECORD("2025-06-13", "EUR", "USD",
                "1.5") "," RECORD("2025-06-13", "EUR", "JPY", "\"166\"") "]",
     "2025-06-13 USD=1.5; 1 bad, JPY first"},
    {"base of dollars", DAY, TODAY,
     "[" RECORD("2025-06-13", "EUR", "USD",
                "1.5") "," RECORD("2025-06-13", "USD", "JPY", "166") "]",
     NOT_EURO},
    {"another base among them", DAY, TODAY,
     "[" RECORD("2025-06-13", "EUR", "EUR", "0.9") "]", NOT_EURO},
    {"no date", DAY, TODAY,
     "[{\"base\":\"EUR\",\"quote\":\"USD\",\"rate\":1.5}]", NO_DATE},
    {"no quote", DAY, TODAY,
     "[{\"date\":\"2025-06-13\",\"base\":\"EUR\",\"rate\":1.5}]", NO_RATES},
    {"none", DAY, TODAY, "[]", NO_RATES},
    {"no records", DAY, TODAY, "[1]", NOT_EURO},
    {"cut", DAY, TODAY, "[" RECORD("2025-06-13", "EUR", "USD", "1.5"),
     NOT_JSON},
    {"two", DAY, TODAY,
     "[],\"v2\":[" RECORD("2025-06-13", "EUR", "USD", "1.5") "]", NOT_JSON},
};

static void version_2(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        check_body(API, &lists[i]);
    check_damaged(API, DAY, TODAY, lists[0].body);
}

/* One that was captured, of the dollar. */
static const struct fixture_case list = {
    "frankfurter/v2-rates-USD-2026-09-05.json",
    "latest",
    "2026-09-06",
    "2026-09-05 AED=3.6725 CAD=1.3807 MXN=16.9187 SAR=3.75 USD=0.86006",
    1,
    5};

static void version_2_captured(void **state) {
    (void)state;
    check_swapped_fixture(API, &list);
}

static void answers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        check_body(API, &bodies[i]);
}

static void cut_and_damaged(void **state) {
    (void)state;
    static const char body[] = RATES("\"AUD\":1.7777,\"USD\":1.1512");
    check_truncated(API, DAY, TODAY, body, "no JSON object");
    check_damaged(API, DAY, TODAY, body);
}

static const struct fixture_case fixtures[] = {
    {"frankfurter/v1-latest-EUR-2025-12-17.json", "latest", "2025-12-18",
     "2025-12-17 AUD=1.7704 BGN=1.9558 BRL=6.4498 CAD=1.6165", 1, 30},
    {"frankfurter/v1-2025-06-13-EUR.json", DAY, TODAY,
     "2025-06-13 AUD=1.7777 BGN=1.9558 BRL=6.4007 CAD=1.569", 1, 30},
    {"frankfurter/v1-2025-06-13-EUR-filtered-EUR-USD.json", DAY, TODAY,
     "2025-06-13 USD=1.1512", 1, 1},
    {"frankfurter/v1-error-404-not-found.json", DAY, TODAY, NOT_EURO, 0, 0},
    {"frankfurter/v2-rates-USD-2026-09-05.json", "latest", TODAY, NOT_EURO, 0,
     0},
    /* Answers of others. */
    {"freecurrencyapi/latest-EUR.json", "latest", TODAY, NOT_EURO, 0, 0},
    {"fixer/latest-EUR-2025-06-20.json", "latest", TODAY, NOT_ONE, 0, 0},
};

static void captured(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fixtures); i++)
        check_fixture(API, &fixtures[i]);
}

/* 404 is its answer for days before the first and far ahead. */
static void statuses(void **state) {
    (void)state;
    assert_int_equal(provider_frankfurter.api->no_table_status, 404);
}

static void settings_it_reads(void **state) {
    (void)state;
    assert_string_equal(provider_frankfurter.api->name, "frankfurter");
    assert_int_equal(provider_frankfurter.api->address,
                     SETTING_FRANKFURTER_URL);
    assert_int_equal(provider_frankfurter.api->key, SETTINGS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_and_headers),
        cmocka_unit_test(answers),
        cmocka_unit_test(cut_and_damaged),
        cmocka_unit_test(captured),
        cmocka_unit_test(version_2),
        cmocka_unit_test(version_2_captured),
        cmocka_unit_test(statuses),
        cmocka_unit_test(settings_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
