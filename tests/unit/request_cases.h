/* Messages, and by hand from the contract what each of them means. */
#ifndef FXWIRE_TESTS_UNIT_REQUEST_CASES_H
#define FXWIRE_TESTS_UNIT_REQUEST_CASES_H

#include "wsclient/request.h"

/* 2026-11-21T12:00:00Z */
#define NOON_MS INT64_C(1795262400000)

#define PAYLOAD "{\"stake\":1,\"currency\":\"USD\",\"date\":\"2021-05-18\"}"

/* What a good message gives; strings with their quotes. */
static const struct good_case {
    const char *text, *id, *stake, *currency, *date, *code;
    uint64_t coefficient;
    uint8_t scale;
} good_cases[] = {
    {"{\"type\":\"message\",\"id\":456,\"payload\":{\"marketId\":123456,"
     "\"selectionId\":987654,\"odds\":2.2,\"stake\":253.67,"
     "\"currency\":\"USD\",\"date\":\"2021-05-18T21:32:42.324Z\"}}",
     "456", "253.67", "\"USD\"", "\"2021-05-18T21:32:42.324Z\"", "USD", 25367,
     2},
    /* Any order, any white space. */
    {"\t{ \"payload\" :\r\n{ \"date\" : \"2021-05-18\" , \"stake\" : 5.0 ,"
     "\"currency\" : \"JPY\" } , \"id\" : \"a b\" , \"type\" : \"message\" } ",
     "\"a b\"", "5.0", "\"JPY\"", "\"2021-05-18\"", "JPY", 5, 0},
    /* Names and values are compared after unescaping. */
    {"{\"ty\\u0070e\":\"m\\u0065ssage\",\"\\u0069d\":7,\"pay\\u006Coad\":"
     "{\"st\\u0061ke\":1.50,\"curr\\u0065ncy\":\"\\u0055SD\","
     "\"d\\u0061te\":\"2021\\u002d05-18\"}}",
     "7", "1.50", "\"\\u0055SD\"", "\"2021\\u002d05-18\"", "USD", 15, 1},
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":1,"
     "\"currency\":\"\\u0045\\u0055\\u0052\",\"date\":"
     "\"2021-05-18\\u005421:32:42\\u005A\"}}",
     "1", "1", "\"\\u0045\\u0055\\u0052\"",
     "\"2021-05-18\\u005421:32:42\\u005A\"", "EUR", 1, 0},
    /* Look-alikes in other places are not the fields. */
    {"{\"stake\":-1,\"x\":{\"stake\":2,\"id\":2,\"payload\":{\"stake\":3}},"
     "\"list\":[{\"type\":\"heartbeat\",\"id\":3}],\"type\":\"message\","
     "\"id\":9,\"payload\":{\"id\":4,\"type\":\"error\",\"payload\":"
     "{\"stake\":5,\"currency\":\"XXX\"},\"stake\":8,\"currency\":\"GBP\","
     "\"date\":\"2021-05-18\",\"stake2\":6,\"Stake\":7,\"stake \":7}}",
     "9", "8", "\"GBP\"", "\"2021-05-18\"", "GBP", 8, 0},
    /* Fields stand in strings, and duplicates of what is not read. */
    {"{\"a\":1,\"a\":2,\"note\":\"\\\"id\\\":5,\",\"type\":\"message\","
     "\"id\":6,\"payload\":{\"odds\":1,\"odds\":2,\"n\":\"\\\"stake\\\":9\","
     "\"stake\":3,\"currency\":\"USD\",\"date\":\"2021-05-18\"}}",
     "6", "3", "\"USD\"", "\"2021-05-18\"", "USD", 3, 0},
};

/* Ids that are taken as they are. */
static const char *const good_ids[] = {
    "0",
    "-0",
    "-17",
    "1.50",
    "1e400",
    "-1E-999999999999",
    "123456789012345678901234567890123456789012345678901234567890",
    "\"\"",
    "\"null\"",
    "\"a\\\"b\\\\\"",
    "\"\\u0000\"",
    "\"\\ud83d\\ude00\"",
    "\"\xf0\x9f\x98\x80\"",
    "\"  \"",
};

/* Answered by an error, which carries this id ("": null). */
static const struct refused_case {
    const char *text;
    enum refusal refusal;
    const char *id;
} refused_cases[] = {
    {"{\"type\":\"message\",\"payload\":" PAYLOAD "}", REFUSAL_ID, ""},
    {"{\"type\":\"message\",\"id\":null,\"payload\":" PAYLOAD "}", REFUSAL_ID,
     ""},
    {"{\"type\":\"message\",\"id\":true,\"payload\":" PAYLOAD "}", REFUSAL_ID,
     ""},
    {"{\"type\":\"message\",\"id\":{\"id\":1},\"payload\":" PAYLOAD "}",
     REFUSAL_ID, ""},
    {"{\"type\":\"message\",\"id\":[1],\"payload\":" PAYLOAD "}", REFUSAL_ID,
     ""},
    {"{\"type\":\"message\",\"Id\":1,\"payload\":" PAYLOAD "}", REFUSAL_ID, ""},
    {"{\"type\":\"message\",\"payload\":{\"id\":1}}", REFUSAL_ID, ""},
    /* Duplicates of each key that is read, also behind an escape. */
    {"{\"type\":\"message\",\"id\":1,\"id\":1,\"payload\":" PAYLOAD "}",
     REFUSAL_DUPLICATE, ""},
    {"{\"type\":\"message\",\"id\":1,\"i\\u0064\":2,\"payload\":" PAYLOAD "}",
     REFUSAL_DUPLICATE, ""},
    {"{\"type\":\"message\",\"id\":null,\"id\":2,\"payload\":" PAYLOAD "}",
     REFUSAL_DUPLICATE, ""},
    {"{\"type\":\"message\",\"type\":\"message\",\"id\":1,\"payload\":" PAYLOAD
     "}",
     REFUSAL_DUPLICATE, "1"},
    {"{\"type\":\"heartbeat\",\"type\":\"message\",\"id\":1}",
     REFUSAL_DUPLICATE, "1"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":" PAYLOAD
     ",\"payload\":" PAYLOAD "}",
     REFUSAL_DUPLICATE, "1"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":" PAYLOAD ",\"payload\":null}",
     REFUSAL_DUPLICATE, "1"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":1,\"stake\":1,"
     "\"currency\":\"USD\",\"date\":\"2021-05-18\"}}",
     REFUSAL_DUPLICATE, "1"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":1,"
     "\"st\\u0061ke\":1,\"currency\":\"USD\",\"date\":\"2021-05-18\"}}",
     REFUSAL_DUPLICATE, "1"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":1,\"currency\":"
     "\"USD\",\"currency\":\"USD\",\"date\":\"2021-05-18\"}}",
     REFUSAL_DUPLICATE, "1"},
    {"{\"type\":\"message\",\"id\":\"x\",\"payload\":{\"stake\":1,"
     "\"currency\":\"USD\",\"date\":\"2021-05-18\",\"date\":\"\"}}",
     REFUSAL_DUPLICATE, "\"x\""},
    /* A payload that is none. */
    {"{\"type\":\"message\",\"id\":1}", REFUSAL_PAYLOAD, "1"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":null}", REFUSAL_PAYLOAD, "1"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":[" PAYLOAD "]}",
     REFUSAL_PAYLOAD, "1"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":\"{}\"}", REFUSAL_PAYLOAD,
     "1"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":5}", REFUSAL_PAYLOAD, "1"},
    /* A member of it that is missing. */
    {"{\"type\":\"message\",\"id\":1,\"payload\":{}}", REFUSAL_STAKE, "1"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"currency\":\"USD\","
     "\"date\":\"2021-05-18\"}}",
     REFUSAL_STAKE, "1"},
    {"{\"type\":\"message\",\"id\":1,\"stake\":1,\"payload\":{\"currency\":"
     "\"USD\",\"date\":\"2021-05-18\"}}",
     REFUSAL_STAKE, "1"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":1,"
     "\"date\":\"2021-05-18\"}}",
     REFUSAL_CURRENCY, "1"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":1,"
     "\"currency\":\"USD\"}}",
     REFUSAL_DATE, "1"},
    /* No object. */
    {"[]", REFUSAL_NOT_OBJECT, ""},
    {"\"message\"", REFUSAL_NOT_OBJECT, ""},
    {"0", REFUSAL_NOT_OBJECT, ""},
    {"null", REFUSAL_NOT_OBJECT, ""},
    {"[{\"type\":\"message\",\"id\":1,\"payload\":" PAYLOAD "}]",
     REFUSAL_NOT_OBJECT, ""},
    /* Not JSON; an id that was whole before the fault is told. */
    {"", REFUSAL_NOT_JSON, ""},
    {" ", REFUSAL_NOT_JSON, ""},
    {"{", REFUSAL_NOT_JSON, ""},
    {"{}}", REFUSAL_NOT_JSON, ""},
    {"\xef\xbb\xbf{}", REFUSAL_NOT_JSON, ""},
    {"{'type':'message'}", REFUSAL_NOT_JSON, ""},
    {"{\"type\":\"heartbeat\"", REFUSAL_NOT_JSON, ""},
    {"{\"type\":\"heartbeat\"} x", REFUSAL_NOT_JSON, ""},
    {"{\"type\":\"message\",\"id\":1,}", REFUSAL_NOT_JSON, "1"},
    {"{\"id\":\"k\",\"type\":message}", REFUSAL_NOT_JSON, "\"k\""},
    {"{\"id\":01,\"type\":\"message\"}", REFUSAL_NOT_JSON, ""},
    {"{\"id\":1", REFUSAL_NOT_JSON, ""},
    {"{\"id\":\"\\x\",\"type\":\"message\"}", REFUSAL_NOT_JSON, ""},
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":NaN}}",
     REFUSAL_NOT_JSON, "1"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":+1}}",
     REFUSAL_NOT_JSON, "1"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":.5}}",
     REFUSAL_NOT_JSON, "1"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":5.}}",
     REFUSAL_NOT_JSON, "1"},
    {"{\"type\":\"message\",\"id\":1,\"payload\":{\"stake\":0x1}}",
     REFUSAL_NOT_JSON, "1"},
};

/* Not answered. */
static const struct kind_case {
    const char *text;
    enum request_kind kind;
} kind_cases[] = {
    {"{\"type\":\"heartbeat\"}", REQUEST_HEARTBEAT},
    {" {\"type\" : \"h\\u0065artbeat\"}\n", REQUEST_HEARTBEAT},
    {"{\"n\":[1,{\"type\":\"message\"}],\"type\":\"heartbeat\",\"at\":null}",
     REQUEST_HEARTBEAT},
    {"{\"type\":\"heartbeat\",\"id\":1,\"payload\":" PAYLOAD "}",
     REQUEST_HEARTBEAT},
    {"{\"type\":\"heartbeat\",\"id\":1,\"id\":2}", REQUEST_HEARTBEAT},
    {"{\"type\":\"error\",\"id\":1,\"message\":\"no\"}", REQUEST_ERROR},
    {"{}", REQUEST_UNKNOWN},
    {"{\"id\":1,\"payload\":" PAYLOAD "}", REQUEST_UNKNOWN},
    {"{\"type\":\"\",\"id\":1}", REQUEST_UNKNOWN},
    {"{\"type\":\"messages\",\"id\":1}", REQUEST_UNKNOWN},
    {"{\"type\":\"messag\",\"id\":1}", REQUEST_UNKNOWN},
    {"{\"type\":\"Message\",\"id\":1}", REQUEST_UNKNOWN},
    {"{\"type\":\"message\\u0000\",\"id\":1}", REQUEST_UNKNOWN},
    {"{\"type\":null,\"id\":1,\"payload\":" PAYLOAD "}", REQUEST_UNKNOWN},
    {"{\"type\":1,\"id\":1}", REQUEST_UNKNOWN},
    {"{\"type\":[\"message\"],\"id\":1}", REQUEST_UNKNOWN},
    {"{\"type\":{\"type\":\"message\"},\"id\":1}", REQUEST_UNKNOWN},
    {"{\"payload\":{\"type\":\"message\"},\"id\":1}", REQUEST_UNKNOWN},
};

/* A stake, and its refusal or its value. */
static const struct stake_case {
    const char *stake;
    enum refusal refusal;
    uint64_t coefficient;
    uint8_t scale;
} stake_cases[] = {
    {"0", REFUSAL_NONE, 0, 0},
    {"0.00", REFUSAL_NONE, 0, 0},
    {"0e999", REFUSAL_NONE, 0, 0},
    {"2.20", REFUSAL_NONE, 22, 1},
    {"1E2", REFUSAL_NONE, 100, 0},
    {"25367e-2", REFUSAL_NONE, 25367, 2},
    {"999999999999999", REFUSAL_NONE, 999999999999999, 0},
    {"999999999999999.999", REFUSAL_NONE, 999999999999999999, 3},
    {"0.000000000000000001", REFUSAL_NONE, 1, 18},
    {"1e-18", REFUSAL_NONE, 1, 18},
    {"1.00000000000000000000000000", REFUSAL_NONE, 1, 0},
    {"0.99999999999999999900", REFUSAL_NONE, 999999999999999999, 18},
    {"9.99999999999999e14", REFUSAL_NONE, 999999999999999, 0},
    {"-0", REFUSAL_STAKE_NEGATIVE, 0, 0},
    {"-0.0e1", REFUSAL_STAKE_NEGATIVE, 0, 0},
    {"-5", REFUSAL_STAKE_NEGATIVE, 0, 0},
    {"1e15", REFUSAL_STAKE_TOO_LARGE, 0, 0},
    {"1000000000000000", REFUSAL_STAKE_TOO_LARGE, 0, 0},
    {"1000000000000000.01", REFUSAL_STAKE_TOO_LARGE, 0, 0},
    {"0.1e17", REFUSAL_STAKE_TOO_LARGE, 0, 0},
    {"1e400", REFUSAL_STAKE_TOO_LARGE, 0, 0},
    {"1e-19", REFUSAL_STAKE_TOO_PRECISE, 0, 0},
    {"1e-99999999999999999999", REFUSAL_STAKE_TOO_PRECISE, 0, 0},
    {"0.0000000000000000001", REFUSAL_STAKE_TOO_PRECISE, 0, 0},
    {"1.123456789012345678", REFUSAL_STAKE_TOO_PRECISE, 0, 0},
    {"123456789012345.6789", REFUSAL_STAKE_TOO_PRECISE, 0, 0},
    {"\"5\"", REFUSAL_STAKE, 0, 0},
    {"null", REFUSAL_STAKE, 0, 0},
    {"true", REFUSAL_STAKE, 0, 0},
    {"[5]", REFUSAL_STAKE, 0, 0},
    {"{\"stake\":5}", REFUSAL_STAKE, 0, 0},
};

static const struct currency_case {
    const char *currency;
    enum refusal refusal;
} currency_cases[] = {
    {"\"USD\"", REFUSAL_NONE},
    {"\"EUR\"", REFUSAL_NONE},
    {"\"ZZZ\"", REFUSAL_NONE},
    {"\"AAA\"", REFUSAL_NONE},
    {"\"U\\u0053D\"", REFUSAL_NONE},
    {"\"\"", REFUSAL_CURRENCY},
    {"\"US\"", REFUSAL_CURRENCY},
    {"\"USDX\"", REFUSAL_CURRENCY},
    {"\"usd\"", REFUSAL_CURRENCY},
    {"\"UsD\"", REFUSAL_CURRENCY},
    {"\"U D\"", REFUSAL_CURRENCY},
    {"\" USD\"", REFUSAL_CURRENCY},
    {"\"US1\"", REFUSAL_CURRENCY},
    {"\"@SD\"", REFUSAL_CURRENCY},
    {"\"US[\"", REFUSAL_CURRENCY},
    {"\"US\\u0000\"", REFUSAL_CURRENCY},
    {"\"USD\\u0000\"", REFUSAL_CURRENCY},
    {"\"U\\u0153D\"", REFUSAL_CURRENCY},
    {"\"\xc3\x9c"
     "D\"",
     REFUSAL_CURRENCY},
    {"840", REFUSAL_CURRENCY},
    {"null", REFUSAL_CURRENCY},
    {"[\"USD\"]", REFUSAL_CURRENCY},
};

#endif
