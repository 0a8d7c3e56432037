/* Responses: the request's own bytes with three values replaced; errors. */
#include <stdio.h>

#include "tests/unit/unit.h"
#include "wsclient/response.h"

enum { KEEP_DATE = -1 };

/* 2026-11-21T12:00:00Z; a moment of conversion, 1 ms before a leap day ends. */
#define NOW_MS        INT64_C(1795262400000)
#define CONVERSION_MS INT64_C(1709251199999)
#define CONVERTED     "\"2024-02-29T23:59:59.999Z\""

/*
 * A request, an amount in units of 0.00001 euro, the moment of conversion, and
 * the response to the byte.
 */
static const struct response_case {
    const char *request;
    uint64_t units;
    int64_t date_ms;
    const char *response;
} response_cases[] = {
    {"{\"type\":\"message\",\"id\":456,\"payload\":{\"marketId\":123456,"
     "\"selectionId\":987654,\"odds\":2.2,\"stake\":253.67,"
     "\"currency\":\"USD\",\"date\":\"2021-05-18T21:32:42.324Z\"}}",
     20752054, CONVERSION_MS,
     "{\"type\":\"message\",\"id\":456,\"payload\":{\"marketId\":123456,"
     "\"selectionId\":987654,\"odds\":2.2,\"stake\":207.52054,"
     "\"currency\":\"EUR\",\"date\":" CONVERTED "}}"},
    {"{\"type\":\"message\",\"id\":456,\"payload\":{\"marketId\":123456,"
     "\"selectionId\":987654,\"odds\":2.2,\"stake\":253.67,"
     "\"currency\":\"USD\",\"date\":\"2021-05-18T21:32:42.324Z\"}}",
     20752054, KEEP_DATE,
     "{\"type\":\"message\",\"id\":456,\"payload\":{\"marketId\":123456,"
     "\"selectionId\":987654,\"odds\":2.2,\"stake\":207.52054,"
     "\"currency\":\"EUR\",\"date\":\"2021-05-18T21:32:42.324Z\"}}"},
    /* The six orders of the three values. */
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":1,\"date\":"
     "\"2021-05-18\",\"currency\":\"USD\"}}",
     500000, CONVERSION_MS,
     "{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":5,"
     "\"date\":" CONVERTED ",\"currency\":\"EUR\"}}"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"currency\":\"USD\","
     "\"stake\":1,\"date\":\"2021-05-18\"}}",
     500000, CONVERSION_MS,
     "{\"type\":\"message\",\"id\":1,\"payload\":{\"currency\":\"EUR\","
     "\"stake\":5,\"date\":" CONVERTED "}}"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"currency\":\"USD\","
     "\"date\":\"2021-05-18\",\"stake\":1}}",
     500000, CONVERSION_MS,
     "{\"type\":\"message\",\"id\":1,\"payload\":{\"currency\":\"EUR\","
     "\"date\":" CONVERTED ",\"stake\":5}}"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"date\":\"2021-05-18\","
     "\"stake\":1,\"currency\":\"USD\"}}",
     500000, CONVERSION_MS,
     "{\"type\":\"message\",\"id\":1,\"payload\":{\"date\":" CONVERTED ","
     "\"stake\":5,\"currency\":\"EUR\"}}"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"date\":\"2021-05-18\","
     "\"currency\":\"USD\",\"stake\":1}}",
     500000, CONVERSION_MS,
     "{\"type\":\"message\",\"id\":1,\"payload\":{\"date\":" CONVERTED ","
     "\"currency\":\"EUR\",\"stake\":5}}"},
    /* White space stays where it was, all around the values too. */
    {"\n{ \"payload\"\t:\r\n { \"stake\" :  2.20  , \"currency\" : \"JPY\" ,"
     " \"date\":\t\"2021-05-18\"\n} , \"id\" : 2.20 ,\"type\" : \"message\"} ",
     1234567, CONVERSION_MS,
     "\n{ \"payload\"\t:\r\n { \"stake\" :  12.34567  , \"currency\" : "
     "\"EUR\" , \"date\":\t" CONVERTED "\n} , \"id\" : 2.20 ,\"type\" : "
     "\"message\"} "},
    /* Escapes in names stay, those in values go with them. */
    {"{\"t\\u0079pe\":\"m\\u0065ssage\",\"id\":\"\\u0061\",\"payload\":"
     "{\"st\\u0061ke\":1e0,\"c\\u0075rrency\":\"\\u0055SD\","
     "\"dat\\u0065\":\"2021\\u002d05-18\"}}",
     123, CONVERSION_MS,
     "{\"t\\u0079pe\":\"m\\u0065ssage\",\"id\":\"\\u0061\",\"payload\":"
     "{\"st\\u0061ke\":0.00123,\"c\\u0075rrency\":\"EUR\","
     "\"dat\\u0065\":" CONVERTED "}}"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":1,"
     "\"currency\":\"US\\u0044\",\"date\":\"2021-05-18T02:00:00\\u002b02:00\"}"
     "}",
     0, KEEP_DATE,
     "{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":0,"
     "\"currency\":\"EUR\",\"date\":\"2021-05-18T02:00:00\\u002b02:00\"}}"},
    /* Unknown fields, digits and look-alikes byte for byte. */
    {"{\"stake\":7,\"currency\":\"USD\",\"x\":{\"stake\":0.10,\"date\":\"\"},"
     "\"big\":12345678901234567890.10e+007,\"\":[ ],\"type\":\"message\","
     "\"id\":-0,\"payload\":{\"odds\":2.20,\"x\":{\"stake\":1,\"currency\":"
     "\"USD\"},\"stake\":10,\"\xc3\xa9\":\"\\u00e9\xf0\x9f\x98\x80\\/\","
     "\"currency\":\"GBP\",\"y\":\"\\\"stake\\\":1\",\"date\":\"2021-05-18\","
     "\"z\":-0.0}}",
     1000001, CONVERSION_MS,
     "{\"stake\":7,\"currency\":\"USD\",\"x\":{\"stake\":0.10,\"date\":\"\"},"
     "\"big\":12345678901234567890.10e+007,\"\":[ ],\"type\":\"message\","
     "\"id\":-0,\"payload\":{\"odds\":2.20,\"x\":{\"stake\":1,\"currency\":"
     "\"USD\"},\"stake\":10.00001,\"\xc3\xa9\":\"\\u00e9\xf0\x9f\x98\x80\\/\","
     "\"currency\":\"EUR\",\"y\":\"\\\"stake\\\":1\",\"date\":" CONVERTED ","
     "\"z\":-0.0}}"},
    /* Values that get shorter: the bytes behind them move up. */
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":"
     "1.000000000000000000000000000000000000000,\"currency\":"
     "\"\\u0055\\u0053\\u0044\",\"date\":\"2021-05-18T21:32:42."
     "33333333333333333333333333333Z\",\"end\":[1,2]}}",
     100000, CONVERSION_MS,
     "{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":1,\"currency\":"
     "\"EUR\",\"date\":" CONVERTED ",\"end\":[1,2]}}"},
    /* The epoch is a moment like others. */
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":1,\"currency\":"
     "\"USD\",\"date\":\"2021-05-18\"}}",
     100000, 0,
     "{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":1,\"currency\":"
     "\"EUR\",\"date\":\"1970-01-01T00:00:00.000Z\"}}"},
};

/* Reads the request and writes the response into an array of exact size. */
static char *respond(const char *text, euro amount, int64_t date_ms,
                     size_t *len) {
    struct span span = padded_copy(text, strlen(text));
    struct request request;
    request_read(span, NOW_MS, &request);
    if (request.kind != REQUEST_CONVERT)
        fail_msg("%s: %s", text, refusal_text(request.refusal));
    char *out = malloc(span.len + RESPONSE_GROWTH_BYTES);
    assert_non_null(out);
    *len = response_write(&request, span, amount, date_ms, out);
    return out;
}

static void check_text(const char *what, const char *found, size_t len,
                       const char *wanted) {
    if (len != strlen(wanted) || memcmp(found, wanted, len) != 0)
        fail_msg("%s:\n%.*s\nis not\n%s", what, (int)len, found, wanted);
}

static void responses(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(response_cases); i++) {
        const struct response_case *c = &response_cases[i];
        size_t len;
        char *out = respond(c->request, (euro){c->units}, c->date_ms, &len);
        check_text(c->request, out, len, c->response);
        free(out);
    }
}

/* A stake and a rate, and the stake in euro: one rounding, half away from 0. */
static const struct conversion_case {
    const char *stake;
    struct decimal rate;
    const char *euro;
} conversion_cases[] = {
    {"253.67", {1222385, 6}, "207.52054"},
    {"207.5", {1, 0}, "207.5"},
    {"100.00", {1, 0}, "100"},
    {"1e2", {1, 0}, "100"},
    {"0", {12, 1}, "0"},
    {"0.000", {12, 1}, "0"},
    {"0.000005", {1, 0}, "0.00001"},
    {"0.000004999999999999", {1, 0}, "0"},
    {"0.000015", {1, 0}, "0.00002"},
    {"0.000025", {1, 0}, "0.00003"},
    {"0.00001", {2, 0}, "0.00001"},
    {"0.00003", {2, 0}, "0.00002"},
    {"1", {3, 0}, "0.33333"},
    {"2", {3, 0}, "0.66667"},
    {"1", {32, 0}, "0.03125"},
    {"1", {64, 0}, "0.01563"},
    {"3", {64, 0}, "0.04688"},
    {"0.00001", {199999, 5}, "0.00001"},
    {"0.00001", {200001, 5}, "0"},
    {"999999999999999", {1, 9}, "999999999999999000000000"},
    {"1", {10000000000, 0}, "0"},
    {"99999.999995", {1, 0}, "100000"},
    {"1000000", {1, 0}, "1000000"},
    {"10.5", {105, 1}, "1"},
};

static void converted_stakes(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(conversion_cases); i++) {
        const struct conversion_case *c = &conversion_cases[i];
        char text[256], wanted[256];
        static const char form[] =
            "{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":%s,"
            "\"currency\":\"%s\",\"date\":\"2021-05-18\"}}";
        sprintf(text, form, c->stake, "USD");
        sprintf(wanted, form, c->euro, "EUR");
        struct request request;
        request_read(padded_copy(text, strlen(text)), NOW_MS, &request);
        size_t len;
        char *out = respond(text, decimal_divide(request.amount, c->rate),
                            KEEP_DATE, &len);
        check_text(c->stake, out, len, wanted);
        free(out);
    }
}

static const struct error_case {
    const char *id;
    enum refusal refusal;
    const char *text;
} error_cases[] = {
    {"456", REFUSAL_STAKE_NEGATIVE,
     "{\"type\":\"error\",\"id\":456,\"message\":\"Unable to convert stake. "
     "Error: stake must not be negative\"}"},
    {"", REFUSAL_NOT_JSON,
     "{\"type\":\"error\",\"id\":null,\"message\":\"Unable to convert stake. "
     "Error: the message is not valid JSON\"}"},
    {"\"a\\\"b\\u0000\"", REFUSAL_TIMEOUT,
     "{\"type\":\"error\",\"id\":\"a\\\"b\\u0000\",\"message\":\"Unable to "
     "convert stake. Error: no rate came in time\"}"},
    {"-1.50E+003", REFUSAL_FULL,
     "{\"type\":\"error\",\"id\":-1.50E+003,\"message\":\"Unable to convert "
     "stake. Error: too many messages are in hand\"}"},
    {"\"\xf0\x9f\x98\x80\"", REFUSAL_NO_CURRENCY,
     "{\"type\":\"error\",\"id\":\"\xf0\x9f\x98\x80\",\"message\":\"Unable to "
     "convert stake. Error: no rate of this currency for this date\"}"},
};

static void errors(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(error_cases); i++) {
        const struct error_case *c = &error_cases[i];
        struct span id = exact_copy(c->id, strlen(c->id));
        char *out = malloc(id.len + RESPONSE_GROWTH_BYTES);
        size_t len = response_write_error(id, c->refusal, out);
        check_text(c->id, out, len, c->text);
        free(out);
    }
}

/* The room that the ledger sets aside is enough, with a null id as well. */
static void every_error_fits_its_room(void **state) {
    (void)state;
    for (int i = REFUSAL_NONE + 1; i < REFUSALS; i++) {
        char out[RESPONSE_GROWTH_BYTES];
        size_t len =
            response_write_error((struct span){"", 0}, (enum refusal)i, out);
        if (len > sizeof out)
            fail_msg("%s: %zu bytes", refusal_text((enum refusal)i), len);
    }
}

/* The longest values in the place of the shortest. */
static void the_longest_growth_fits_its_room(void **state) {
    (void)state;
    static const char text[] =
        "{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":1,"
        "\"currency\":\"USD\",\"date\":\"2021-05-18\"}}";
    size_t len;
    euro amount = decimal_divide((struct decimal){999999999999999999, 3},
                                 (struct decimal){1, 9});
    char *out = respond(text, amount, NOW_MS, &len);
    check_text("longest", out, len,
               "{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":"
               "999999999999999999000000,\"currency\":\"EUR\",\"date\":"
               "\"2026-11-21T12:00:00.000Z\"}}");
    free(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responses),
        cmocka_unit_test(converted_stakes),
        cmocka_unit_test(errors),
        cmocka_unit_test(every_error_fits_its_room),
        cmocka_unit_test(the_longest_growth_fits_its_room),
    };
    return cmocka_run_group_tests_name("response", tests, NULL, NULL);
}
