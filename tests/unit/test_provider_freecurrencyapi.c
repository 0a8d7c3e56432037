/* freecurrencyapi: its requests, and what is made of its answers. */
#include "tests/unit/provider_reading.h"

#define API   (provider_freecurrencyapi.api)
#define HOST  "https://api.freecurrencyapi.com/v1"
#define TODAY "2025-11-21"
#define DAY   "2025-06-13"

static const struct request_case requests[] = {
    {HOST, "k3y", "latest", TODAY, HOST "/latest?base_currency=EUR",
     "apikey: k3y"},
    {HOST, "k3y", DAY, TODAY,
     HOST "/historical?date=2025-06-13&base_currency=EUR", "apikey: k3y"},
    {HOST, "k3y", "1999-01-04", TODAY,
     HOST "/historical?date=1999-01-04&base_currency=EUR", "apikey: k3y"},
    /* Today by its date is a day like others. */
    {HOST, "k3y", TODAY, TODAY,
     HOST "/historical?date=2025-11-21&base_currency=EUR", "apikey: k3y"},
    {"http://127.0.0.1:8080", "a b&c=%41#\"'", "latest", TODAY,
     "http://127.0.0.1:8080/latest?base_currency=EUR", "apikey: a b&c=%41#\"'"},
};

static void urls_and_headers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(requests); i++)
        check_request(API, &requests[i]);
}

#define NOT_JSON "refused: no JSON object"
#define NO_TABLE "refused: no table of the day that was asked for"
#define NOT_EURO "refused: the base is not EUR"
#define NO_RATES "refused: no rates"

#define FOUR_DEEP(in) "[[[[" in "]]]]"

static const struct body_case bodies[] = {
    {"latest", "latest", TODAY,
     "{\"data\":{\"AUD\":1.7875257067,\"EUR\":1,\"USD\":1.1616963437}}",
     "2025-11-21 AUD=1.7875257067 USD=1.1616963437"},
    {"a day", DAY, TODAY,
     "{\"data\":{\"2025-06-13\":{\"EUR\":1,\"USD\":1.1545609338}}}",
     "2025-06-13 USD=1.1545609338"},
    {"without its base", DAY, TODAY,
     "{\"data\":{\"2025-06-13\":{\"USD\":1.1545609338}}}",
     "2025-06-13 USD=1.1545609338"},
    {"white space, and more members", "latest", TODAY,
     " \r\n{ \"meta\" : {\"x\":[1,{}]},\t\"data\" : { \"USD\" : 1.1 } }\n",
     "2025-11-21 USD=1.1"},
    {"forms of a number", "latest", TODAY,
     "{\"data\":{\"BTC\":1.4205427e-5,\"IDR\":18942,\"JPY\":1.7900,"
     "\"KRW\":1.5E3,\"USD\":1.0e0,\"XAU\":0.00010,\"ZWL\":12E+2}}",
     "2025-11-21 BTC=0.000014205427 IDR=18942 JPY=1.7900 KRW=1500 USD=1.0 "
     "XAU=0.00010 ZWL=1200"},
    {"the bounds of a rate", "latest", TODAY,
     "{\"data\":{\"AAA\":1e-9,\"AAB\":0.000000001,\"AAC\":10000000000,"
     "\"AAD\":1e10,\"AAE\":1.23456789012345678,\"AAF\":1e0}}",
     "2025-11-21 AAA=0.000000001 AAB=0.000000001 AAC=10000000000 "
     "AAD=10000000000 AAE=1.23456789012345678 AAF=1"},
    {"beyond the bounds", "latest", TODAY,
     "{\"data\":{\"AAA\":9.99e-10,\"AAB\":10000000000.1,\"AAC\":1e12,"
     "\"AAD\":1.234567890123456789,\"AAE\":123456789012345678901234567890,"
     "\"USD\":1.1}}",
     "2025-11-21 USD=1.1; 5 bad, AAA first"},
    {"no rates", "latest", TODAY,
     "{\"data\":{\"JPY\":0,\"KRW\":-1.5,\"PLN\":0.0,\"SEK\":-0,\"USD\":1.1,"
     "\"CHF\":\"1.2\",\"NOK\":null,\"CAD\":true,\"GBP\":[1],\"INR\":{\"v\":1},"
     "\"HKD\":\"\"}}",
     "2025-11-21 USD=1.1; 10 bad, JPY first"},
    {"texts and numbers beyond ASCII and 64 bits", "latest", TODAY,
     "{\"data\":{\"USD\":1.1},\"note\":\"\xe2\x82\xac\","
     "\"n\":18446744073709551616}",
     "2025-11-21 USD=1.1"},
    {"codes that are none", "latest", TODAY,
     "{\"data\":{\"USDT\":1.1,\"OP\":1.2,\"usd\":1.3,\"U$D\":1.4,\"\":1.5,"
     "\"US D\":0,\"USD\":1.1,\"MATIC\":\"x\",\"\\u0055\\u0053X\":2}}",
     "2025-11-21 USD=1.1 USX=2"},
    {"nothing but codes that are none", "latest", TODAY,
     "{\"data\":{\"USDT\":1.1}}", NO_RATES},
    {"nothing but bad rates", "latest", TODAY,
     "{\"data\":{\"USD\":0,\"JPY\":\"170\"}}", NO_RATES "; 2 bad, USD first"},
    {"nothing but the base", "latest", TODAY, "{\"data\":{\"EUR\":1}}",
     NO_RATES},
    {"no rates at all", "latest", TODAY, "{\"data\":{}}", NO_RATES},
    {"no table of the day", DAY, TODAY, "{\"data\":{\"2025-06-13\":{}}}", ""},
    {"no day at all", DAY, TODAY, "{\"data\":{}}", ""},
    {"forms of the base's one", "latest", TODAY,
     "{\"data\":{\"EUR\":1.000,\"USD\":1.1}}", "2025-11-21 USD=1.1"},
    {"base of dollars", "latest", TODAY,
     "{\"data\":{\"EUR\":0.8608101849,\"USD\":1}}", NOT_EURO},
    {"base of dollars, found late", "latest", TODAY,
     "{\"data\":{\"USD\":1,\"EUR\":0.8608101849}}", NOT_EURO},
    {"nearly one", "latest", TODAY,
     "{\"data\":{\"EUR\":1.0000000001,\"USD\":1.1}}", NOT_EURO},
    {"one as a string", "latest", TODAY,
     "{\"data\":{\"EUR\":\"1\",\"USD\":1.1}}", NOT_EURO},
    {"null as the base", "latest", TODAY,
     "{\"data\":{\"EUR\":null,\"USD\":1.1}}", NOT_EURO},
    {"another day", DAY, TODAY, "{\"data\":{\"2025-06-12\":{\"USD\":1.1}}}",
     NO_TABLE},
    {"the day among others", DAY, TODAY,
     "{\"data\":{\"2025-06-12\":{\"USD\":1.2},\"2025-06-13\":{\"USD\":1.1}}}",
     "2025-06-13 USD=1.1"},
    {"the latest for a day", DAY, TODAY, "{\"data\":{\"USD\":1.1}}", NO_TABLE},
    {"a day for the latest", "latest", TODAY,
     "{\"data\":{\"2025-06-13\":{\"USD\":1.1}}}", NO_RATES},
    {"the day is no object", DAY, TODAY, "{\"data\":{\"2025-06-13\":[1.1]}}",
     NO_TABLE},
    {"data is a list", "latest", TODAY, "{\"data\":[]}", NO_TABLE},
    {"data is null", "latest", TODAY, "{\"data\":null}", NO_TABLE},
    {"no data", "latest", TODAY, "{}", NO_TABLE},
    {"wrong key", "latest", TODAY,
     "{\n  \"message\":\"Invalid authentication credentials\"\n}", NO_TABLE},
    {"quota", DAY, TODAY,
     "{\"message\":\"API rate limit exceeded for 'quota'\"}", NO_TABLE},
    {"validation error", DAY, TODAY,
     "{\"message\":\"Validation error\",\"errors\":{\"date\":[\"The date must "
     "be a date after or equal to 1999-01-01.\"]},\"info\":\"https:\\/\\/x\"}",
     NO_TABLE},
    {"empty", "latest", TODAY, "", NOT_JSON},
    {"blanks", "latest", TODAY, " \n ", NOT_JSON},
    {"HTML", "latest", TODAY,
     "<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>",
     NOT_JSON},
    {"a list", "latest", TODAY, "[{\"data\":{\"USD\":1.1}}]", NOT_JSON},
    {"a number", "latest", TODAY, "1.1", NOT_JSON},
    {"a string", "latest", TODAY, "\"data\"", NOT_JSON},
    {"null", "latest", TODAY, "null", NOT_JSON},
    {"two objects", "latest", TODAY,
     "{\"data\":{\"USD\":1.1}}{\"data\":{\"USD\":1.2}}", NOT_JSON},
    {"something behind it", "latest", TODAY, "{\"data\":{\"USD\":1.1}},",
     NOT_JSON},
    {"a byte order mark", "latest", TODAY,
     "\xef\xbb\xbf{\"data\":{\"USD\":1.1}}", NOT_JSON},
    {"no UTF-8", "latest", TODAY, "{\"data\":{\"USD\":1.1,\"\xff\":1}}",
     NOT_JSON},
    {"leading zero", "latest", TODAY, "{\"data\":{\"USD\":01.1}}", NOT_JSON},
    {"plus sign", "latest", TODAY, "{\"data\":{\"USD\":+1.1}}", NOT_JSON},
    {"NaN", "latest", TODAY, "{\"data\":{\"USD\":1.1,\"AUD\":NaN}}", NOT_JSON},
    {"hexadecimal", "latest", TODAY, "{\"data\":{\"USD\":0x10}}", NOT_JSON},
    {"decimal comma", "latest", TODAY, "{\"data\":{\"USD\":1,1}}", NOT_JSON},
    {"trailing comma", "latest", TODAY, "{\"data\":{\"USD\":1.1,}}", NOT_JSON},
    {"comment", "latest", TODAY, "{\"data\":{\"USD\":1.1/* */}}", NOT_JSON},
    {"deep", "latest", TODAY,
     "{\"data\":{\"USD\":1.1},\"x\":" FOUR_DEEP(FOUR_DEEP(FOUR_DEEP(
         FOUR_DEEP(FOUR_DEEP(FOUR_DEEP(FOUR_DEEP(FOUR_DEEP("")))))))) "}",
     NOT_JSON},
};

static void answers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        check_body(API, &bodies[i]);
}

static void cut_and_damaged(void **state) {
    (void)state;
    static const char latest[] =
        "{\"data\":{\"AUD\":1.7875257067,\"EUR\":1,\"USD\":1.1616963437}}";
    static const char of_day[] =
        "{\"data\":{\"2025-06-13\":{\"EUR\":1,\"USD\":1.1545609338}}}";
    check_truncated(API, "latest", TODAY, latest, "no JSON object");
    check_truncated(API, DAY, TODAY, of_day, "no JSON object");
    check_damaged(API, "latest", TODAY, latest);
    check_damaged(API, DAY, TODAY, of_day);
}

static const struct fixture_case fixtures[] = {
    {"freecurrencyapi/latest-EUR.json", "latest", TODAY,
     "2025-11-21 AUD=1.7875257067 BGN=1.9546822017 BRL=6.4454177099", 1, 32},
    {"freecurrencyapi/latest-EUR-filtered-EUR-USD.json", "latest", TODAY,
     "2025-11-21 USD=1.1", 1, 1},
    {"freecurrencyapi/historical-2025-06-13-EUR.json", DAY, TODAY,
     "2025-06-13 AUD=1.7801023123 BGN=1.9558843148 BRL=6.4027915485", 1, 32},
    {"freecurrencyapi/historical-2025-06-13-EUR.json", "2025-06-12", TODAY,
     NO_TABLE, 0, 0},
    {"freecurrencyapi/error-401-invalid-key.json", "latest", TODAY, NO_TABLE, 0,
     0},
    {"freecurrencyapi/error-422-invalid-base.json", "latest", TODAY, NO_TABLE,
     0, 0},
    {"freecurrencyapi/error-429-quota.json", DAY, TODAY, NO_TABLE, 0, 0},
    /* Answers of others. */
    {"frankfurter/v1-2025-06-13-EUR.json", DAY, TODAY, NO_TABLE, 0, 0},
    {"currencyapi/historical-2025-06-13-EUR-filtered-EUR-USD.json", "latest",
     TODAY, NOT_EURO, 0, 0},
};

static void captured(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fixtures); i++)
        check_fixture(API, &fixtures[i]);
}

/* 422 is an answer about the date; 404 would be one about the address. */
static void statuses(void **state) {
    (void)state;
    assert_int_equal(provider_freecurrencyapi.api->no_table_status, 422);
}

static void settings_it_reads(void **state) {
    (void)state;
    assert_string_equal(provider_freecurrencyapi.api->name, "freecurrencyapi");
    assert_int_equal(provider_freecurrencyapi.api->address,
                     SETTING_FREECURRENCYAPI_URL);
    assert_int_equal(provider_freecurrencyapi.api->key,
                     SETTING_FREECURRENCYAPI_KEY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_and_headers), cmocka_unit_test(answers),
        cmocka_unit_test(cut_and_damaged),  cmocka_unit_test(captured),
        cmocka_unit_test(statuses),         cmocka_unit_test(settings_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
