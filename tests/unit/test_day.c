/* Days and moments: by tables, and by the C library's calendar. */
#include <stdio.h>
#include <time.h>

#include "common/day.h"
#include "tests/unit/unit.h"

static enum day_error parse_day(const char *text, day *out) {
    return day_parse(exact_copy(text, strlen(text)), out);
}

static enum day_error parse_moment(const char *text, int64_t *out) {
    return moment_parse(exact_copy(text, strlen(text)), out);
}

static const struct day_case {
    const char *text;
    enum day_error error;
    int32_t number;
} day_cases[] = {
    {"1970-01-01", DAY_OK, 0},         {"1969-12-31", DAY_OK, -1},
    {"1999-01-04", DAY_OK, 10595},     {"1999-12-31", DAY_OK, 10956},
    {"2000-01-01", DAY_OK, 10957},     {"2000-02-29", DAY_OK, 11016},
    {"2000-03-01", DAY_OK, 11017},     {"2024-02-29", DAY_OK, 19782},
    {"2021-05-18", DAY_OK, 18765},     {"1900-02-28", DAY_OK, -25509},
    {"1900-03-01", DAY_OK, -25508},    {"2100-02-28", DAY_OK, 47540},
    {"2100-03-01", DAY_OK, 47541},     {"1600-02-29", DAY_OK, -135081},
    {"0000-01-01", DAY_OK, -719528},   {"0000-02-29", DAY_OK, -719469},
    {"0001-01-01", DAY_OK, -719162},   {"9999-12-31", DAY_OK, 2932896},
    {"1900-02-29", DAY_IMPOSSIBLE, 0}, {"2100-02-29", DAY_IMPOSSIBLE, 0},
    {"2021-02-29", DAY_IMPOSSIBLE, 0}, {"2000-02-30", DAY_IMPOSSIBLE, 0},
    {"2021-04-31", DAY_IMPOSSIBLE, 0}, {"2021-01-32", DAY_IMPOSSIBLE, 0},
    {"2021-01-00", DAY_IMPOSSIBLE, 0}, {"2021-00-01", DAY_IMPOSSIBLE, 0},
    {"2021-13-01", DAY_IMPOSSIBLE, 0}, {"2021-99-99", DAY_IMPOSSIBLE, 0},
    {"0000-00-00", DAY_IMPOSSIBLE, 0}, {"", DAY_SYNTAX, 0},
    {"2021", DAY_SYNTAX, 0},           {"2021-05", DAY_SYNTAX, 0},
    {"2021-05-1", DAY_SYNTAX, 0},      {"2021-5-18", DAY_SYNTAX, 0},
    {"21-05-18", DAY_SYNTAX, 0},       {"02021-05-18", DAY_SYNTAX, 0},
    {"12021-05-18", DAY_SYNTAX, 0},    {"+2021-05-18", DAY_SYNTAX, 0},
    {"-2021-05-18", DAY_SYNTAX, 0},    {"2021-05-18 ", DAY_SYNTAX, 0},
    {" 2021-05-18", DAY_SYNTAX, 0},    {"2021-05-18Z", DAY_SYNTAX, 0},
    {"2021-05-180", DAY_SYNTAX, 0},    {"2021-05-18T00:00:00Z", DAY_SYNTAX, 0},
    {"2021-02-30 ", DAY_SYNTAX, 0},    {"20210518", DAY_SYNTAX, 0},
    {"2021/05/18", DAY_SYNTAX, 0},     {"2021-05/18", DAY_SYNTAX, 0},
    {"2021_05-18", DAY_SYNTAX, 0},     {"18-05-2021", DAY_SYNTAX, 0},
    {"2021-W20-2", DAY_SYNTAX, 0},     {"2021-138", DAY_SYNTAX, 0},
    {"2021-0x-18", DAY_SYNTAX, 0},     {"2021-+5-18", DAY_SYNTAX, 0},
    {"2021- 5-18", DAY_SYNTAX, 0},     {"202a-05-18", DAY_SYNTAX, 0},
    {"2021-05-1:", DAY_SYNTAX, 0},     {"2021-05-1/", DAY_SYNTAX, 0},
    {"today", DAY_SYNTAX, 0},          {"latest", DAY_SYNTAX, 0},
};

static void parses_days(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(day_cases); i++) {
        const struct day_case *c = &day_cases[i];
        day parsed = {0};
        enum day_error error = parse_day(c->text, &parsed);
        if (error != c->error)
            fail_msg("`%s`: error %d, not %d", c->text, error, c->error);
        if (error == DAY_OK && parsed.number != c->number)
            fail_msg("`%s`: day %d", c->text, parsed.number);
    }
}

static const struct moment_case {
    const char *text;
    enum day_error error;
    int64_t seconds;
} moment_cases[] = {
    {"1970-01-01T00:00:00Z", DAY_OK, 0},
    {"1969-12-31T23:59:59Z", DAY_OK, -1},
    {"1970-01-01T00:00:00+00:01", DAY_OK, -60},
    {"2021-05-18T21:32:42Z", DAY_OK, 1621373562},
    {"1999-01-04T00:00:00Z", DAY_OK, 915408000},
    {"2038-01-19T03:14:08Z", DAY_OK, INT64_C(2147483648)},
    {"2106-02-07T06:28:16Z", DAY_OK, INT64_C(4294967296)},
    {"0001-01-01T00:00:00Z", DAY_OK, INT64_C(-62135596800)},
    {"1601-01-01T00:00:00Z", DAY_OK, INT64_C(-11644473600)},
    {"9999-12-31T23:59:59Z", DAY_OK, INT64_C(253402300799)},
    {"0000-01-01T00:00:00Z", DAY_OK, INT64_C(-62167219200)},
    /* Letters in either case. */
    {"2021-05-18t21:32:42z", DAY_OK, 1621373562},
    {"2021-05-18T21:32:42z", DAY_OK, 1621373562},
    {"2021-05-18t21:32:42Z", DAY_OK, 1621373562},
    /* Fractions of any length are cut off. */
    {"2021-05-18T21:32:42.324Z", DAY_OK, 1621373562},
    {"2021-05-18T21:32:42.0Z", DAY_OK, 1621373562},
    {"2021-05-18T21:32:42.9Z", DAY_OK, 1621373562},
    {"2021-05-18T21:32:42.999999999999999999999999999Z", DAY_OK, 1621373562},
    {"1969-12-31T23:59:59.999Z", DAY_OK, -1},
    {"2021-05-18T21:32:42.5+00:00", DAY_OK, 1621373562},
    /* Offsets, across midnight and the year, too. */
    {"2021-05-18T21:32:42+00:00", DAY_OK, 1621373562},
    {"2021-05-18T21:32:42-00:00", DAY_OK, 1621373562},
    {"2021-05-18T23:30:00-01:00", DAY_OK, 1621384200},
    {"2021-05-19T00:30:00+01:00", DAY_OK, 1621380600},
    {"2020-12-31T23:59:59-00:01", DAY_OK, 1609459259},
    {"2021-01-01T00:00:00+14:00", DAY_OK, 1609408800},
    {"2021-01-01T05:44:59+05:45", DAY_OK, 1609459199},
    {"2020-12-31T18:00:00-08:00", DAY_OK, 1609466400},
    {"2021-05-18T00:00:00+23:59", DAY_OK, 1621209660},
    {"2021-05-18T23:59:59-23:59", DAY_OK, 1621468739},
    {"2024-03-01T00:30:00+01:00", DAY_OK, 1709249400},
    {"2023-03-01T00:30:00+01:00", DAY_OK, 1677627000},
    {"2021-05-18T00:00:00+24:00", DAY_IMPOSSIBLE, 0},
    {"2021-05-18T00:00:00-24:00", DAY_IMPOSSIBLE, 0},
    {"2021-05-18T00:00:00+01:60", DAY_IMPOSSIBLE, 0},
    {"2021-05-18T00:00:00+99:99", DAY_IMPOSSIBLE, 0},
    {"2021-05-18T00:00:00+0100", DAY_SYNTAX, 0},
    {"2021-05-18T00:00:00+01", DAY_SYNTAX, 0},
    {"2021-05-18T00:00:00+1:00", DAY_SYNTAX, 0},
    {"2021-05-18T00:00:00+01:0", DAY_SYNTAX, 0},
    {"2021-05-18T00:00:00+01:00Z", DAY_SYNTAX, 0},
    {"2021-05-18T00:00:00Z+01:00", DAY_SYNTAX, 0},
    {"2021-05-18T00:00:00+01:00:00", DAY_SYNTAX, 0},
    {"2021-05-18T00:00:00+", DAY_SYNTAX, 0},
    {"2021-05-18T00:00:00 +01:00", DAY_SYNTAX, 0},
    {"2021-05-18T00:00:00\xE2\x88\x92"
     "01:00",
     DAY_SYNTAX, 0},
    /* Leap days. */
    {"2000-02-29T12:00:00Z", DAY_OK, 951825600},
    {"2024-02-29T23:59:59Z", DAY_OK, 1709251199},
    {"1900-03-01T00:00:00Z", DAY_OK, INT64_C(-2203891200)},
    {"2100-03-01T00:00:00Z", DAY_OK, INT64_C(4107542400)},
    {"1900-02-29T00:00:00Z", DAY_IMPOSSIBLE, 0},
    {"2100-02-29T00:00:00Z", DAY_IMPOSSIBLE, 0},
    {"2023-02-29T00:00:00Z", DAY_IMPOSSIBLE, 0},
    {"2024-02-30T00:00:00Z", DAY_IMPOSSIBLE, 0},
    /* Leap seconds: where the UTC month ends, and nowhere else. */
    {"2016-12-31T23:59:60Z", DAY_OK, 1483228799},
    {"2016-12-31T23:59:60.999Z", DAY_OK, 1483228799},
    {"2017-01-01T00:59:60+01:00", DAY_OK, 1483228799},
    {"2016-12-31T15:59:60-08:00", DAY_OK, 1483228799},
    {"2015-06-30T23:59:60z", DAY_OK, 1435708799},
    {"2021-05-31T23:59:60Z", DAY_OK, 1622505599},
    {"2024-02-29T23:59:60Z", DAY_OK, 1709251199},
    {"2023-02-28T23:59:60Z", DAY_OK, 1677628799},
    {"2024-02-28T23:59:60Z", DAY_IMPOSSIBLE, 0},
    {"2021-05-18T23:59:60Z", DAY_IMPOSSIBLE, 0},
    {"2016-12-31T23:58:60Z", DAY_IMPOSSIBLE, 0},
    {"2016-12-31T22:59:60Z", DAY_IMPOSSIBLE, 0},
    {"2016-12-31T23:59:60+01:00", DAY_IMPOSSIBLE, 0},
    {"2016-12-31T23:59:60-00:01", DAY_IMPOSSIBLE, 0},
    {"2017-01-01T00:00:60Z", DAY_IMPOSSIBLE, 0},
    {"2017-01-01T23:59:60Z", DAY_IMPOSSIBLE, 0},
    {"2016-12-31T23:59:61Z", DAY_IMPOSSIBLE, 0},
    /* Hours, minutes, seconds, months and days out of range. */
    {"2021-05-18T24:00:00Z", DAY_IMPOSSIBLE, 0},
    {"2021-05-18T23:60:00Z", DAY_IMPOSSIBLE, 0},
    {"2021-05-18T99:00:00Z", DAY_IMPOSSIBLE, 0},
    {"2021-00-18T00:00:00Z", DAY_IMPOSSIBLE, 0},
    {"2021-13-18T00:00:00Z", DAY_IMPOSSIBLE, 0},
    {"2021-05-00T00:00:00Z", DAY_IMPOSSIBLE, 0},
    {"2021-06-31T00:00:00Z", DAY_IMPOSSIBLE, 0},
    /* A bare day is its midnight. */
    {"2021-05-18", DAY_OK, 1621296000},
    {"1970-01-01", DAY_OK, 0},
    {"2021-02-29", DAY_IMPOSSIBLE, 0},
    {"2021-13-01", DAY_IMPOSSIBLE, 0},
    {"2021-05-18Z", DAY_SYNTAX, 0},
    {"2021-05-18+01:00", DAY_SYNTAX, 0},
    /* Other forms, and junk. */
    {"", DAY_SYNTAX, 0},
    {"T", DAY_SYNTAX, 0},
    {"2021-05-18T21:32:42", DAY_SYNTAX, 0},
    {"2021-05-18T21:32:42.324", DAY_SYNTAX, 0},
    {"2021-05-18T21:32Z", DAY_SYNTAX, 0},
    {"2021-05-18T21Z", DAY_SYNTAX, 0},
    {"2021-05-18TZ", DAY_SYNTAX, 0},
    {"2021-05-18 21:32:42Z", DAY_SYNTAX, 0},
    {"2021-05-18_21:32:42Z", DAY_SYNTAX, 0},
    {"2021-05-18T213242Z", DAY_SYNTAX, 0},
    {"20210518T213242Z", DAY_SYNTAX, 0},
    {"2021-05-18T21:32:42.Z", DAY_SYNTAX, 0},
    {"2021-05-18T21:32:42,324Z", DAY_SYNTAX, 0},
    {"2021-05-18T21:32:42.3.4Z", DAY_SYNTAX, 0},
    {"2021-05-18T21:32:42.-3Z", DAY_SYNTAX, 0},
    {"2021-05-18T21:32:42.3eZ", DAY_SYNTAX, 0},
    {"2021-05-18T9:32:42Z", DAY_SYNTAX, 0},
    {"2021-05-18T21:2:42Z", DAY_SYNTAX, 0},
    {"2021-05-18T21:32:2Z", DAY_SYNTAX, 0},
    {"2021-05-18T021:32:42Z", DAY_SYNTAX, 0},
    {"2021-05-18T-1:32:42Z", DAY_SYNTAX, 0},
    {"2021-05-18T21:32:42Z ", DAY_SYNTAX, 0},
    {" 2021-05-18T21:32:42Z", DAY_SYNTAX, 0},
    {"2021-05-18T21:32:42Zz", DAY_SYNTAX, 0},
    {"2021-05-18T21:32:42Z\n", DAY_SYNTAX, 0},
    {"2021-05-18T21:32:42UTC", DAY_SYNTAX, 0},
    {"2021-05-18T21:32:42A", DAY_SYNTAX, 0},
    {"2021-02-30T21:32:42", DAY_SYNTAX, 0},
    {"12021-05-18T21:32:42Z", DAY_SYNTAX, 0},
    {"Tue, 18 May 2021 21:32:42 GMT", DAY_SYNTAX, 0},
    {"1621373562", DAY_SYNTAX, 0},
};

static void parses_moments(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(moment_cases); i++) {
        const struct moment_case *c = &moment_cases[i];
        int64_t seconds = 0;
        enum day_error error = parse_moment(c->text, &seconds);
        if (error != c->error)
            fail_msg("`%s`: error %d, not %d", c->text, error, c->error);
        if (error == DAY_OK && seconds != c->seconds)
            fail_msg("`%s`: %lld", c->text, (long long)seconds);
    }
}

/* The only prefix of a moment that means something is its day. */
static void refuses_each_prefix(void **state) {
    (void)state;
    static const char text[] = "2021-05-18T21:32:42.324+01:30";
    for (size_t len = 0; len < sizeof text - 1; len++) {
        int64_t seconds;
        enum day_error error = moment_parse(exact_copy(text, len), &seconds);
        if (error != (len == 10 ? DAY_OK : DAY_SYNTAX))
            fail_msg("the first %zu bytes: error %d", len, error);
    }
}

/* Digits may be other digits, letters the other case; all else is junk. */
static void refuses_each_strange_byte(void **state) {
    (void)state;
    static const char right[] = "2011-11-11T11:11:11.111-11:11";
    for (size_t at = 0; at < sizeof right - 1; at++)
        for (int byte = 0; byte < 256; byte++) {
            char text[sizeof right];
            memcpy(text, right, sizeof right);
            text[at] = (char)byte;
            char old = right[at];
            bool fits = (old == '1' && byte >= '0' && byte <= '9') ||
                        (old == 'T' && byte == 't') || old == byte ||
                        (at == 0 && byte >= '0' && byte <= '9') ||
                        (at == 1 && byte >= '0' && byte <= '9') ||
                        (old == '-' && byte == '+' && at > 20);
            int64_t seconds;
            enum day_error error =
                moment_parse((struct span){text, sizeof right - 1}, &seconds);
            if ((error != DAY_SYNTAX) != fits)
                fail_msg("byte %d at %zu: error %d", byte, at, error);
        }
}

static void holds_the_clock_limits(void **state) {
    (void)state;
    for (int hour = 0; hour < 100; hour++)
        for (int minute = 0; minute < 100; minute++)
            for (int second = 0; second < 100; second++) {
                char text[64];
                sprintf(text, "2021-05-18T%02d:%02d:%02dZ", hour, minute,
                        second);
                int64_t seconds = 0;
                bool right = hour < 24 && minute < 60 && second < 60;
                enum day_error error = moment_parse(span_of(text), &seconds);
                if (error != (right ? DAY_OK : DAY_IMPOSSIBLE))
                    fail_msg("%s: error %d", text, error);
                int in_day = hour * 3600 + minute * 60 + second;
                if (right && seconds != 1621296000 + in_day)
                    fail_msg("%s: %lld", text, (long long)seconds);
            }
}

static void holds_the_offset_limits(void **state) {
    (void)state;
    for (int hours = 0; hours < 100; hours++)
        for (int minutes = 0; minutes < 100; minutes++)
            for (int sign = -1; sign <= 1; sign += 2) {
                char text[64];
                sprintf(text, "2021-05-18T00:00:00%c%02d:%02d",
                        sign < 0 ? '-' : '+', hours, minutes);
                int64_t seconds = 0;
                bool right = hours < 24 && minutes < 60;
                enum day_error error = moment_parse(span_of(text), &seconds);
                if (error != (right ? DAY_OK : DAY_IMPOSSIBLE))
                    fail_msg("%s: error %d", text, error);
                int east = sign * (hours * 3600 + minutes * 60);
                if (right && seconds != 1621296000 - east)
                    fail_msg("%s: %lld", text, (long long)seconds);
            }
}

/* One day, there and back, against the C library. */
static void check_day(int64_t number) {
    time_t start = (time_t)(number * 86400);
    struct tm tm;
    assert_non_null(gmtime_r(&start, &tm));
    assert_true(timegm(&tm) == start);
    char right[64], text[DAY_TEXT_SIZE];
    snprintf(right, sizeof right, "%04d-%02d-%02d", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday);
    memset(text, '#', sizeof text);
    day_print((day){(int32_t)number}, text);
    if (strcmp(text, right) != 0)
        fail_msg("day %lld is printed %s, not %s", (long long)number, text,
                 right);
    day parsed = {0};
    if (day_parse(span_of(right), &parsed) != DAY_OK || parsed.number != number)
        fail_msg("%s is read as day %d", right, parsed.number);
    int64_t seconds = 0;
    if (moment_parse(span_of(right), &seconds) != DAY_OK || seconds != start)
        fail_msg("%s begins at %lld", right, (long long)seconds);
    assert_true(day_start_seconds(parsed) == start);
    assert_int_equal(day_of_seconds(start).number, number);
    assert_int_equal(day_of_seconds(start + 86399).number, number);
    assert_int_equal(day_of_ms(start * INT64_C(1000)).number, number);
    assert_int_equal(day_of_seconds(start - 1).number, number - 1);
}

static void agrees_with_the_c_library(void **state) {
    (void)state;
    struct tm last = {.tm_year = 2100 - 1900, .tm_mon = 11, .tm_mday = 31};
    int64_t last_number = timegm(&last) / 86400;
    assert_int_equal(last_number, 47846);
    for (int64_t number = 0; number <= last_number; number++)
        check_day(number);
    /* The years 0 to 9999, at a step that meets each day of a month. */
    for (int64_t number = -719528; number <= 2932896; number += 13)
        check_day(number);
}

/* Whether there is such a day: the C library leaves it as it is. */
static bool exists(int year, int month, int day_of_month) {
    struct tm tm = {
        .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day_of_month};
    time_t start = timegm(&tm);
    assert_non_null(gmtime_r(&start, &tm));
    return tm.tm_mon == month - 1 && tm.tm_mday == day_of_month;
}

static void knows_which_days_exist(void **state) {
    (void)state;
    for (int year = 0; year < 10000;
         year += year < 1890 || year > 2110 ? 37 : 1)
        for (int month = 0; month < 15; month++)
            for (int in_month = 0; in_month < 34; in_month++) {
                char text[32];
                sprintf(text, "%04d-%02d-%02d", year, month, in_month);
                day parsed;
                enum day_error error = day_parse(span_of(text), &parsed);
                bool right = exists(year, month, in_month);
                if (error != (right ? DAY_OK : DAY_IMPOSSIBLE))
                    fail_msg("%s: error %d", text, error);
            }
}

struct print_case {
    int64_t ms;
    const char *text;
};

static void check_print(const struct print_case *c) {
    char text[MOMENT_TEXT_SIZE];
    memset(text, '#', sizeof text);
    moment_print_ms(c->ms, text);
    if (memchr(text, '\0', sizeof text) != text + sizeof text - 1 ||
        strcmp(text, c->text) != 0)
        fail_msg("%lld: %.24s, not %s", (long long)c->ms, text, c->text);
}

static void prints_moments(void **state) {
    (void)state;
    static const struct print_case cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {999, "1970-01-01T00:00:00.999Z"},
        {1000, "1970-01-01T00:00:01.000Z"},
        {59999, "1970-01-01T00:00:59.999Z"},
        {60000, "1970-01-01T00:01:00.000Z"},
        {3599999, "1970-01-01T00:59:59.999Z"},
        {3600000, "1970-01-01T01:00:00.000Z"},
        {86399999, "1970-01-01T23:59:59.999Z"},
        {86400000, "1970-01-02T00:00:00.000Z"},
        {INT64_C(951825600050), "2000-02-29T12:00:00.050Z"},
        {INT64_C(1621373562324), "2021-05-18T21:32:42.324Z"},
        {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
        {-1000, "1969-12-31T23:59:59.000Z"},
        {INT64_C(-62167219200000), "0000-01-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_print(&cases[i]);
}

static void prints_moments_before_1970(void **state) {
    (void)state;
    static const struct print_case cases[] = {
        {-1, "1969-12-31T23:59:59.999Z"},
        {-999, "1969-12-31T23:59:59.001Z"},
        {-86400001, "1969-12-30T23:59:59.999Z"},
        {-1500, "1969-12-31T23:59:58.500Z"},
    };
    assert_int_equal(day_of_ms(-1).number, -1);
    assert_int_equal(day_of_ms(-86400000).number, -1);
    assert_int_equal(day_of_ms(-86400001).number, -2);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_print(&cases[i]);
}

/* Each millisecond of 100 seconds, then odd steps through 130 years. */
static void prints_what_it_reads(void **state) {
    (void)state;
    for (int64_t ms = 0; ms < INT64_C(4133980800000);
         ms += ms < 100000 ? 1 : 40003957) {
        char text[MOMENT_TEXT_SIZE], fraction[8];
        moment_print_ms(ms, text);
        int64_t seconds = -1;
        assert_int_equal(moment_parse(span_of(text), &seconds), DAY_OK);
        sprintf(fraction, ".%03dZ", (int)(ms % 1000));
        if (seconds != ms / 1000 || strcmp(text + 19, fraction) != 0)
            fail_msg("%lld: %s", (long long)ms, text);
    }
}

static void adds_days(void **state) {
    (void)state;
    char text[DAY_TEXT_SIZE];
    day_print(day_add((day){18765}, 7), text);
    assert_string_equal(text, "2021-05-25");
    day_print(day_add((day){11016}, -60), text);
    assert_string_equal(text, "1999-12-31");
    day_print(DAY_FIRST_RATES, text);
    assert_string_equal(text, "1999-01-04");
}

static const char usual_text[] = "2021-05-18T21:32:42.324Z";

/* All numbers of two digits as hours, minutes and seconds. */
static void usual_times(void **state) {
    (void)state;
    static const struct {
        size_t at;
        int most;
    } parts[] = {{11, 23}, {14, 59}, {17, 59}};
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        for (int value = 0; value < 100; value++) {
            char text[sizeof usual_text - 1];
            memcpy(text, usual_text, sizeof text);
            text[parts[i].at] = (char)('0' + value / 10);
            text[parts[i].at + 1] = (char)('0' + value % 10);
            if (moment_is_at_usual_time(text) != (value <= parts[i].most))
                fail_msg("%.24s", text);
        }
}

/* Any other byte in any place behind the month. */
static void usual_times_of_one_form(void **state) {
    (void)state;
    char text[sizeof usual_text - 1];
    memcpy(text, usual_text, sizeof text);
    for (size_t at = 8; at < sizeof text; at++) {
        bool digit = usual_text[at] >= '0' && usual_text[at] <= '9';
        for (int byte = 0; byte < 256; byte++) {
            text[at] = (char)byte;
            if (digit && byte >= '0' && byte <= '9')
                continue;
            if (moment_is_at_usual_time(text) != (text[at] == usual_text[at]))
                fail_msg("byte %d at %zu", byte, at);
        }
        text[at] = usual_text[at];
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_days),
        cmocka_unit_test(parses_moments),
        cmocka_unit_test(refuses_each_prefix),
        cmocka_unit_test(refuses_each_strange_byte),
        cmocka_unit_test(holds_the_clock_limits),
        cmocka_unit_test(holds_the_offset_limits),
        cmocka_unit_test(agrees_with_the_c_library),
        cmocka_unit_test(knows_which_days_exist),
        cmocka_unit_test(prints_moments),
        cmocka_unit_test(prints_moments_before_1970),
        cmocka_unit_test(prints_what_it_reads),
        cmocka_unit_test(adds_days),
        cmocka_unit_test(usual_times),
        cmocka_unit_test(usual_times_of_one_form),
    };
    return cmocka_run_group_tests_name("day", tests, NULL, NULL);
}
