/* exchangeratehost: its requests, and what is made of its answers. */
#include "tests/unit/provider_reading.h"

#define API   (provider_exchangeratehost.api)
#define HOST  "https://api.exchangerate.host"
#define TODAY "2025-11-21"
#define DAY   "2023-10-27"

static const struct request_case requests[] = {
    {HOST, "k3y", "latest", TODAY, HOST "/live?access_key=k3y", ""},
    {HOST, "k3y", DAY, TODAY, HOST "/historical?date=2023-10-27&access_key=k3y",
     ""},
    {HOST, "k3y", "1999-01-04", TODAY,
     HOST "/historical?date=1999-01-04&access_key=k3y", ""},
    /* The key stays one value of the query, whatever is in it. */
    {"http://127.0.0.1:8080/x", "a b&c=%41#\"'/?+", "latest", TODAY,
     "http://127.0.0.1:8080/x/live?access_key=a%20b%26c%3D%2541%23%22%27%2F%3F"
     "%2B",
     ""},
};

static void urls(void **state) {
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
                     2048 + strlen("/historical?date=2023-10-27&access_key=") +
                         3 * 1024);
}

#define NOT_JSON   "refused: no JSON object"
#define NO_TABLE   "refused: no table of the day that was asked for"
#define NOT_DOLLAR "refused: the base is not USD"
#define NO_RATES   "refused: no rates"
#define NO_EURO    "refused: no rate of the euro"
#define UNKNOWN    "refused: it reports an error that is not known"
#define NO_MOMENT  "refused: the timestamp is none"

/* 1763683200 is 2025-11-21T00:00:00Z. */
#define LIVE_AT(moment, quotes)                                                \
    "{\"success\":true,\"terms\":\"https:\\/\\/x\",\"timestamp\":" moment      \
    ",\"source\":\"USD\",\"quotes\":{" quotes "}}"
#define LIVE(quotes) LIVE_AT("1763683200", quotes)
#define HISTORICAL_OF(date, quotes)                                            \
    "{\"success\":true,\"historical\":true,\"date\":\"" date                   \
    "\",\"timestamp\":1698451199,\"source\":\"USD\",\"quotes\":{" quotes "}}"

static const struct body_case bodies[] = {
    {"live", "latest", TODAY, LIVE("\"USDEUR\":0.866134,\"USDJPY\":156.4"),
     "2025-11-21 EUR=0.866134 JPY=156.4"},
    {"a day", DAY, TODAY,
     HISTORICAL_OF(DAY, "\"USDEUR\":0.946495,\"USDGBP\":0.824704"),
     "2023-10-27 EUR=0.946495 GBP=0.824704"},
    {"the euro alone", "latest", TODAY, LIVE("\"USDEUR\":0.866134"),
     "2025-11-21 EUR=0.866134"},
    {"scientific notation", "latest", TODAY,
     LIVE("\"USDBTC\":1.1873e-5,\"USDEUR\":8.66134E-1,\"USDVND\":2.63e+4"),
     "2025-11-21 BTC=0.000011873 EUR=0.866134 VND=26300"},
    {"forms of a number", "latest", TODAY,
     LIVE("\"USDEUR\":0.86613400,\"USDJPY\":156,\"USDKWD\":0.3"),
     "2025-11-21 EUR=0.86613400 JPY=156 KWD=0.3"},
    {"the base among the rest", "latest", TODAY,
     LIVE("\"USDEUR\":0.8,\"USDUSD\":1,\"USDJPY\":156"),
     "2025-11-21 EUR=0.8 JPY=156"},
    {"the base is not one", "latest", TODAY,
     LIVE("\"USDEUR\":0.8,\"USDUSD\":1.1"), NOT_DOLLAR},
    {"pairs of another source are left out", "latest", TODAY,
     LIVE("\"EURJPY\":180,\"USDEUR\":0.8,\"GBPUSD\":1.3,\"USDCHF\":0.9"),
     "2025-11-21 CHF=0.9 EUR=0.8; 2 bad, EURJPY first"},
    {"nothing but pairs of another source", "latest", TODAY,
     LIVE("\"EURJPY\":180,\"EURUSD\":1.15"), NO_RATES "; 2 bad, EURJPY first"},
    {"pairs without the source", "latest", TODAY,
     LIVE("\"EUR\":0.8,\"JPY\":156"), NO_RATES "; 2 bad, EUR first"},
    {"codes that are none", "latest", TODAY,
     LIVE("\"USDUSDT\":1,\"USD\":1,\"USDeur\":2,\"USDEUR\":0.8,\"usdJPY\":3"),
     "2025-11-21 EUR=0.8; 1 bad, usdJPY first"},
    {"bad rates are left out", "latest", TODAY,
     LIVE("\"USDAUD\":0,\"USDCAD\":-1,\"USDCHF\":1e12,\"USDCZK\":\"24\","
          "\"USDDKK\":null,\"USDEUR\":0.8,\"USDGBP\":1e999,\"USDHUF\":[1]"),
     "2025-11-21 EUR=0.8; 7 bad, AUD first"},
    {"no euro", "latest", TODAY, LIVE("\"USDJPY\":156"), NO_EURO},
    {"a bad euro", "latest", TODAY, LIVE("\"USDEUR\":0,\"USDJPY\":156"),
     NO_EURO "; 1 bad, EUR first"},
    {"a euro of a billion and more", "latest", TODAY,
     LIVE("\"USDEUR\":1000000000.1,\"USDJPY\":156"),
     NO_EURO "; 1 bad, EUR first"},
    {"no quotes in them", "latest", TODAY, LIVE(""), NO_RATES},
    {"no quotes", "latest", TODAY, "{\"success\":true,\"source\":\"USD\"}",
     NO_TABLE},
    {"quotes are a list", "latest", TODAY,
     "{\"success\":true,\"source\":\"USD\",\"quotes\":[0.8]}", NO_TABLE},
    {"another base", "latest", TODAY,
     "{\"success\":true,\"timestamp\":1763683200,\"source\":\"EUR\",\"quotes\":"
     "{\"EURUSD\":1.15}}",
     NOT_DOLLAR},
    {"no base", "latest", TODAY,
     "{\"success\":true,\"quotes\":{\"USDEUR\":0.8}}", NOT_DOLLAR},
    {"the base is a number", "latest", TODAY,
     "{\"success\":true,\"source\":1,\"quotes\":{\"USDEUR\":0.8}}", NOT_DOLLAR},
    {"without a timestamp", "latest", TODAY,
     "{\"success\":true,\"source\":\"USD\",\"quotes\":{\"USDEUR\":0.8}}",
     "2025-11-21 EUR=0.8"},
    {"the last second of the day before", "latest", TODAY,
     LIVE_AT("1763683199", "\"USDEUR\":0.8"), "2025-11-20 EUR=0.8"},
    /* The answer came at 20:00:00; whether that is possible is not judged here.
     */
    {"ahead", "latest", TODAY, LIVE_AT("1763755501", "\"USDEUR\":0.8"),
     "2025-11-21 EUR=0.8"},
    {"a day ahead", "latest", TODAY, LIVE_AT("1763769601", "\"USDEUR\":0.8"),
     "2025-11-22 EUR=0.8"},
    {"no timestamp", "latest", TODAY, LIVE_AT("\"now\"", "\"USDEUR\":0.8"),
     NO_MOMENT},
    {"another day", DAY, TODAY, HISTORICAL_OF("2023-10-26", "\"USDEUR\":0.8"),
     NO_TABLE},
    {"the latest for a day", DAY, TODAY, LIVE("\"USDEUR\":0.8"), NO_TABLE},
    {"a date that is none", DAY, TODAY,
     HISTORICAL_OF("27.10.2023", "\"USDEUR\":0.8"), NO_TABLE},
    {"the older API of that name", "latest", TODAY,
     "{\"success\":true,\"base\":\"EUR\",\"date\":\"2022-04-29\",\"rates\":{"
     "\"USD\":1.05}}",
     NOT_DOLLAR},
    {"its error", "latest", TODAY, "{\"success\":false}", UNKNOWN},
    {"an error that has no code", "latest", TODAY,
     "{\"success\":false,\"error\":{}}", UNKNOWN},
    {"an error with quotes", "latest", TODAY,
     "{\"success\":false,\"source\":\"USD\",\"quotes\":{\"USDEUR\":0.8}}",
     UNKNOWN},
    {"success is a text", "latest", TODAY,
     "{\"success\":\"true\",\"source\":\"USD\",\"quotes\":{\"USDEUR\":0.8}}",
     UNKNOWN},
    {"success is one", "latest", TODAY,
     "{\"success\":1,\"source\":\"USD\",\"quotes\":{\"USDEUR\":0.8}}", UNKNOWN},
    {"nothing", "latest", TODAY, "{}", UNKNOWN},
    {"empty", "latest", TODAY, "", NOT_JSON},
    {"HTML", "latest", TODAY,
     "<!DOCTYPE html><html><body>Just a moment...</body></html>", NOT_JSON},
    {"a list", DAY, TODAY, "[1]", NOT_JSON},
    {"two objects", "latest", TODAY, LIVE("\"USDEUR\":0.8") "{}", NOT_JSON},
};

static void answers(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        check_body(API, &bodies[i]);
}

#define ERROR(code, more)                                                      \
    "{\"success\":false,\"error\":{\"code\":" code more "}}"
#define TYPE(name) ",\"type\":\"" name "\""
#define INFO(text) ",\"info\":\"" text "\""
#define USED_UP    "limited, wait 3600: error 104: the month's calls are used up"
#define NO_KEY     "key_refused: error 101: the key is missing or wrong"
#define NO_HTTPS   "key_refused: error 105: https is not in the key's plan"
#define NO_SOURCE  "key_refused: error 105: the base is not in the key's plan"
#define NO_CALL                                                                \
    "key_refused, of the plan: error 105: the call is not in the key's plan"
#define TOO_FAST  "limited: error 106: too many calls"
#define NOT_THERE "no_table: error 106: no rates"

static const struct refusal_case refusals[] = {
    {ERROR("101", TYPE("missing_access_key")
                      INFO("You have not supplied an API Access Key.")),
     NO_KEY},
    {ERROR("101", TYPE("invalid_access_key")), NO_KEY},
    {ERROR("101", ""), NO_KEY},
    {ERROR("102", TYPE("inactive_user")),
     "key_refused: error 102: the account is not active"},
    {ERROR("103", TYPE("invalid_api_function")),
     "bad_table: error 103: it does not know this call"},
    {ERROR("104", TYPE("usage_limit_reached")), USED_UP},
    {ERROR("104", TYPE("monthly_usage_limit_reached")), USED_UP},
    {ERROR("104", ""), USED_UP},
    {ERROR("105", TYPE("https_access_restricted")), NO_HTTPS},
    {ERROR("105", INFO("Your plan does not support HTTPS Encryption.")),
     NO_HTTPS},
    {ERROR("105", TYPE("source_currency_access_restricted")), NO_SOURCE},
    {ERROR("105", INFO("... does not support Source Currency Switching.")),
     NO_SOURCE},
    {ERROR("105", TYPE("function_access_restricted")), NO_CALL},
    {ERROR("105", ""), NO_CALL},
    /* The type says which of the two it is, else the text. */
    {ERROR("106", TYPE("rate_limit_reached") INFO("no rates")), TOO_FAST},
    {ERROR("106", INFO("You have exceeded the rate limit.")), TOO_FAST},
    {ERROR("106", TYPE("no_rates_available") INFO("No limit.")), NOT_THERE},
    {ERROR("106", INFO("Your query did not return any results.")), NOT_THERE},
    {ERROR("106", ""), NOT_THERE},
    {ERROR("201", TYPE("invalid_source_currency")),
     "bad_table: error 201: it does not know the base"},
    {ERROR("202", TYPE("invalid_currency_codes")),
     "bad_table: error 202: it does not know a currency"},
    {ERROR("301", TYPE("no_date")), "bad_table: error 301: no date was given"},
    {ERROR("302", TYPE("invalid_date")),
     "no_table: error 302: it has no such date"},
    /* What is not known is for the status, and for those who read. */
    {ERROR("404", TYPE("404_not_found")), ""},
    {ERROR("100000000000000000000", ""), ""},
    {ERROR("\"105\"", TYPE("https_access_restricted")), ""},
    {ERROR("null", ""), ""},
    {"{\"success\":false,\"error\":\"101\"}", ""},
    {"{\"success\":false}", ""},
    {"<html>101</html>", ""},
    {"", ""},
};

static void errors(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        check_refusal(API, "latest", TODAY, &refusals[i]);
        check_refusal(API, DAY, TODAY, &refusals[i]);
    }
    const char *good = LIVE("\"USDEUR\":0.8");
    assert_string_equal(describe_refusal(API, good, strlen(good)), "");
}

static void cut_and_damaged(void **state) {
    (void)state;
    static const char live[] = LIVE("\"USDEUR\":0.866134,\"USDJPY\":156.4");
    static const char of_day[] = HISTORICAL_OF(DAY, "\"USDEUR\":0.946495");
    check_truncated(API, "latest", TODAY, live, "no JSON object");
    check_truncated(API, DAY, TODAY, of_day, "no JSON object");
    check_damaged(API, "latest", TODAY, live);
    check_damaged(API, DAY, TODAY, of_day);
}

/* Of this base there is none: one of another base, with its codes swapped. */
static const struct fixture_case swapped = {
    "exchangerate-host/live-EUR-2025-04-09.json",          "latest", TODAY,
    "2025-04-09 AED=4.043945 AFN=78.219221 ALL=98.848466", 1,        169};

static const struct fixture_case fixtures[] = {
    {"exchangerate-host/live-EUR-2025-04-09.json", "latest", TODAY, NOT_DOLLAR,
     0, 0},
    {"exchangerate-host/error-101-missing-access-key.json", "latest", TODAY,
     UNKNOWN, 0, 0},
    {"exchangerate-host/legacy-latest-EUR-2022-04-29.json", "latest", TODAY,
     NOT_DOLLAR, 0, 0},
    {"exchangerate-host/legacy-error.json", DAY, TODAY, UNKNOWN, 0, 0},
    {"openexchangerates/latest-USD-2025-06-25.json", "latest", TODAY, UNKNOWN,
     0, 0},
};

static const struct refusal_case captured_refusals[] = {
    {"exchangerate-host/error-101-missing-access-key.json", NO_KEY},
    {"exchangerate-host/error-105-source-switching.json", NO_SOURCE},
    {"exchangerate-host/legacy-error.json", ""},
    {"exchangerate-host/live-EUR-2025-04-09.json", ""},
};

static void captured(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fixtures); i++)
        check_fixture(API, &fixtures[i]);
    check_swapped_fixture(API, &swapped);
    for (size_t i = 0; i < COUNT_OF(captured_refusals); i++) {
        size_t len;
        char *body = read_fixture(captured_refusals[i].body, &len);
        if (body != NULL)
            assert_string_equal(describe_refusal(API, body, len),
                                captured_refusals[i].reading);
        free(body);
    }
}

static void statuses(void **state) {
    (void)state;
    assert_int_equal(provider_exchangeratehost.api->no_table_status, 0);
}

static void settings_it_reads(void **state) {
    (void)state;
    assert_string_equal(API->name, "exchangeratehost");
    assert_string_equal(API->base, "USD");
    assert_int_equal(API->address, SETTING_EXCHANGERATEHOST_URL);
    assert_int_equal(API->key, SETTING_EXCHANGE_ACCESS_KEY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),     cmocka_unit_test(long_ones),
        cmocka_unit_test(answers),  cmocka_unit_test(errors),
        cmocka_unit_test(captured), cmocka_unit_test(cut_and_damaged),
        cmocka_unit_test(statuses), cmocka_unit_test(settings_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
