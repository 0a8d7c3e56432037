/* Dates of requests at wall times of ours, and the day that each means. */
#ifndef FXWIRE_TESTS_UNIT_REQUEST_DATES_H
#define FXWIRE_TESTS_UNIT_REQUEST_DATES_H

#include "wsclient/request.h"

#define MAY17_235459 INT64_C(1621295699000) /* 2021-05-17T23:54:59Z */
#define MAY17_235500 INT64_C(1621295700000)
#define MAY17_235700 INT64_C(1621295820000)
#define MAY18_000000 INT64_C(1621296000000)
#define MAY18_120000 INT64_C(1621339200000)
#define MAY18_235959 INT64_C(1621382399999) /* and 999 ms */
#define LEAP_DAY     INT64_C(1709208000000) /* 2024-02-29T12:00:00Z */
#define YEAR_END     INT64_C(1640994960000) /* 2021-12-31T23:56:00Z */
#define FIRST_DAY    INT64_C(915408000000)  /* 1999-01-04T00:00:00Z */
#define NOV_2026     INT64_C(1795262400000) /* 2026-11-21T12:00:00Z */

#define GOOD      REFUSAL_NONE
#define FORM      REFUSAL_DATE
#define NONE_SUCH REFUSAL_DATE_IMPOSSIBLE
#define EARLY     REFUSAL_DATE_TOO_EARLY
#define FUTURE    REFUSAL_DATE_FUTURE

static const struct date_case {
    int64_t now_ms;
    const char *date; /* as it stands in the message */
    enum refusal refusal;
    const char *day;
} date_cases[] = {
    /* Today is the latest table, yesterday a day of its own. */
    {MAY18_120000, "\"2021-05-18T12:00:00Z\"", GOOD, "latest"},
    {MAY18_120000, "\"2021-05-18T00:00:00Z\"", GOOD, "latest"},
    {MAY18_120000, "\"2021-05-18\"", GOOD, "latest"},
    {MAY18_120000, "\"2021-05-17T23:59:59.999999999Z\"", GOOD, "2021-05-17"},
    {MAY18_120000, "\"2021-05-17\"", GOOD, "2021-05-17"},
    {MAY18_000000, "\"2021-05-17T23:59:59Z\"", GOOD, "2021-05-17"},
    {MAY18_000000, "\"2021-05-18\"", GOOD, "latest"},
    {MAY18_235959, "\"2021-05-18\"", GOOD, "latest"},
    {MAY18_235959, "\"2021-05-17\"", GOOD, "2021-05-17"},
    /* Later today is today, however late. */
    {MAY18_000000, "\"2021-05-18T23:59:59.999Z\"", GOOD, "latest"},
    /* Tomorrow: at most five minutes ahead of our clock. */
    {MAY18_120000, "\"2021-05-19\"", FUTURE, NULL},
    {MAY18_120000, "\"2021-05-19T00:00:00Z\"", FUTURE, NULL},
    {MAY17_235459, "\"2021-05-18T00:00:00Z\"", FUTURE, NULL},
    {MAY17_235459, "\"2021-05-18\"", FUTURE, NULL},
    {MAY17_235500, "\"2021-05-18T00:00:00Z\"", GOOD, "latest"},
    {MAY17_235500, "\"2021-05-18\"", GOOD, "latest"},
    {MAY17_235500, "\"2021-05-18T00:00:01Z\"", FUTURE, NULL},
    {MAY17_235500, "\"2021-05-19\"", FUTURE, NULL},
    {MAY17_235700, "\"2021-05-18T00:02:00Z\"", GOOD, "latest"},
    {MAY17_235700, "\"2021-05-18T00:02:01Z\"", FUTURE, NULL},
    {MAY17_235700, "\"2021-05-18T05:32:00+05:30\"", GOOD, "latest"},
    {MAY17_235700, "\"2021-05-18T05:32:01+05:30\"", FUTURE, NULL},
    {MAY18_235959, "\"2021-05-19T00:04:59Z\"", GOOD, "latest"},
    {MAY18_235959, "\"2021-05-19T00:05:01Z\"", FUTURE, NULL},
    {YEAR_END, "\"2022-01-01\"", GOOD, "latest"},
    {YEAR_END, "\"2022-01-01T00:01:00Z\"", GOOD, "latest"},
    {YEAR_END, "\"2022-01-01T00:01:01Z\"", FUTURE, NULL},
    {NOV_2026, "\"9999-12-31T23:59:59Z\"", FUTURE, NULL},
    {NOV_2026, "\"9999-12-31T23:59:59-23:59\"", FUTURE, NULL},
    /* It is the UTC day that counts. */
    {MAY18_120000, "\"2021-05-18T01:59:59+02:00\"", GOOD, "2021-05-17"},
    {MAY18_120000, "\"2021-05-18T02:00:00+02:00\"", GOOD, "latest"},
    {MAY18_120000, "\"2021-05-17T22:00:00-02:00\"", GOOD, "latest"},
    {MAY18_120000, "\"2021-05-17T21:59:59-02:00\"", GOOD, "2021-05-17"},
    {MAY18_120000, "\"2021-05-19T01:00:00+14:00\"", GOOD, "latest"},
    {NOV_2026, "\"2021-05-18T00:00:00+23:59\"", GOOD, "2021-05-17"},
    {NOV_2026, "\"2021-05-18T23:59:59-00:01\"", GOOD, "2021-05-19"},
    {NOV_2026, "\"2021-05-18T12:00:00-00:00\"", GOOD, "2021-05-18"},
    {NOV_2026, "\"2021-05-18t21:32:42.324z\"", GOOD, "2021-05-18"},
    /* The first rates. */
    {NOV_2026, "\"1999-01-04\"", GOOD, "1999-01-04"},
    {NOV_2026, "\"1999-01-04T00:00:00Z\"", GOOD, "1999-01-04"},
    {NOV_2026, "\"1999-01-03T23:00:00-01:00\"", GOOD, "1999-01-04"},
    {NOV_2026, "\"1999-01-03\"", EARLY, NULL},
    {NOV_2026, "\"1999-01-03T23:59:59Z\"", EARLY, NULL},
    {NOV_2026, "\"1999-01-04T00:59:59+01:00\"", EARLY, NULL},
    {NOV_2026, "\"1970-01-01\"", EARLY, NULL},
    {NOV_2026, "\"0001-01-01\"", EARLY, NULL},
    {FIRST_DAY, "\"1999-01-04\"", GOOD, "latest"},
    {FIRST_DAY, "\"1999-01-03\"", EARLY, NULL},
    /* Days that exist, and days that do not. */
    {LEAP_DAY, "\"2024-02-29\"", GOOD, "latest"},
    {LEAP_DAY, "\"2024-03-01T00:00:00+12:01\"", GOOD, "latest"},
    {NOV_2026, "\"2024-02-29\"", GOOD, "2024-02-29"},
    {NOV_2026, "\"2000-02-29T10:00:00Z\"", GOOD, "2000-02-29"},
    {NOV_2026, "\"2023-02-29\"", NONE_SUCH, NULL},
    {NOV_2026, "\"2100-02-29\"", NONE_SUCH, NULL},
    {NOV_2026, "\"2021-04-31\"", NONE_SUCH, NULL},
    {NOV_2026, "\"2021-13-01T00:00:00Z\"", NONE_SUCH, NULL},
    {NOV_2026, "\"2021-00-01\"", NONE_SUCH, NULL},
    {NOV_2026, "\"2021-05-00\"", NONE_SUCH, NULL},
    {NOV_2026, "\"2021-05-18T24:00:00Z\"", NONE_SUCH, NULL},
    {NOV_2026, "\"2021-05-18T23:60:00Z\"", NONE_SUCH, NULL},
    {NOV_2026, "\"2021-05-18T23:59:60Z\"", NONE_SUCH, NULL},
    {NOV_2026, "\"2016-12-31T23:59:60Z\"", GOOD, "2016-12-31"},
    /* The form. */
    {NOV_2026, "\"\"", FORM, NULL},
    {NOV_2026, "\"today\"", FORM, NULL},
    {NOV_2026, "\"2021-05-18T21:32:42\"", FORM, NULL},
    {NOV_2026, "\"2021-05-18T21:32Z\"", FORM, NULL},
    {NOV_2026, "\"2021-05-18 21:32:42Z\"", FORM, NULL},
    {NOV_2026, "\"2021-05-18T21:32:42.Z\"", FORM, NULL},
    {NOV_2026, "\"2021-05-18T21:32:42,3Z\"", FORM, NULL},
    {NOV_2026, "\"2021-05-18T21:32:42+0200\"", FORM, NULL},
    {NOV_2026, "\"2021-5-18\"", FORM, NULL},
    {NOV_2026, "\"20210518\"", FORM, NULL},
    {NOV_2026, "\"2021-05-18Z\"", FORM, NULL},
    {NOV_2026, "\" 2021-05-18\"", FORM, NULL},
    {NOV_2026, "\"2021-05-18 \"", FORM, NULL},
    {NOV_2026, "\"2021-05-18\\u0000\"", FORM, NULL},
    {NOV_2026, "\"2021-05-18\\n\"", FORM, NULL},
    {NOV_2026, "\"-2021-05-18\"", FORM, NULL},
    {NOV_2026, "1621373562", FORM, NULL},
    {NOV_2026, "null", FORM, NULL},
    {NOV_2026, "{\"date\":\"2021-05-18\"}", FORM, NULL},
    /* Escapes mean what they stand for. */
    {NOV_2026, "\"2021\\u002d05-18T21\\u003a32:42Z\"", GOOD, "2021-05-18"},
    {NOV_2026, "\"\\u0032\\u0030\\u0032\\u0031-05-18\"", GOOD, "2021-05-18"},
    {NOV_2026, "\"2021-05-18\\u0054\\u0032\\u0031:32:42Z\"", GOOD,
     "2021-05-18"},
    {NOV_2026, "\"\\uff12021-05-18\"", FORM, NULL},
};

#undef GOOD
#undef FORM
#undef NONE_SUCH
#undef EARLY
#undef FUTURE

#endif
