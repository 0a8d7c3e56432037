/*
 * Days and moments, beside a regular expression and timegm(): what is taken is
 * that moment, and is printed as a text that is read as it.
 */
#include <regex.h>
#include <time.h>

#include "common/day.h"
#include "tests/fuzz/fuzz.h"

static const char form[] = "^([0-9]{4})-([0-9]{2})-([0-9]{2})"
                           "([Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(\\.[0-9]+)?"
                           "([Zz]|([+-])([0-9]{2}):([0-9]{2})))?$";

enum { YEAR = 1, MONTH, DAY, TIME, HOUR, MINUTE, SECOND };
enum { SIGN = 10, ZONE_HOUR, ZONE_MINUTE, PARTS };

struct parts {
    const char *text;
    regmatch_t at[PARTS];
};

static bool take_apart(struct span text, char *copy, struct parts *parts) {
    static regex_t expression;
    static bool compiled;
    if (!compiled)
        HOLDS(regcomp(&expression, form, REG_EXTENDED) == 0, "%s", form);
    compiled = true;
    parts->text = copy;
    return strlen(copy) == text.len &&
           regexec(&expression, copy, PARTS, parts->at, 0) == 0;
}

static int number(const struct parts *parts, int part) {
    return parts->at[part].rm_so < 0
               ? 0
               : (int)strtol(parts->text + parts->at[part].rm_so, NULL, 10);
}

/* Whether there is such a day, and the moment that it begins. */
static bool day_is_there(const struct parts *parts, int64_t *begin) {
    struct tm asked = {.tm_year = number(parts, YEAR) - 1900,
                       .tm_mon = number(parts, MONTH) - 1,
                       .tm_mday = number(parts, DAY)};
    struct tm normal = asked;
    *begin = timegm(&normal);
    return normal.tm_year == asked.tm_year && normal.tm_mon == asked.tm_mon &&
           normal.tm_mday == asked.tm_mday;
}

static bool is_first_of_month(int64_t moment) {
    time_t seconds = (time_t)moment;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return tm.tm_mday == 1 && tm.tm_hour + tm.tm_min + tm.tm_sec == 0;
}

static enum day_error judge(const struct parts *parts, int64_t *moment) {
    int hour = number(parts, HOUR), minute = number(parts, MINUTE);
    int second = number(parts, SECOND);
    int zone_hour = number(parts, ZONE_HOUR);
    int zone_minute = number(parts, ZONE_MINUTE);
    if (!day_is_there(parts, moment) || hour > 23 || minute > 59 ||
        second > 60 || zone_hour > 23 || zone_minute > 59)
        return DAY_IMPOSSIBLE;
    int offset = zone_hour * 3600 + zone_minute * 60;
    if (parts->at[SIGN].rm_so >= 0 && parts->text[parts->at[SIGN].rm_so] == '-')
        offset = -offset;
    *moment += hour * 3600 + minute * 60 + second - offset;
    if (second == 60 && !is_first_of_month(*moment))
        return DAY_IMPOSSIBLE;
    *moment -= second == 60;
    return DAY_OK;
}

static void check_printed(int64_t moment) {
    char text[MOMENT_TEXT_SIZE];
    int64_t again;
    day d = day_of_seconds(moment), read;
    if (moment < -INT64_C(62167219200) || moment > INT64_C(253402300799))
        return; /* with its offset it is of no year from 0 to 9999 */
    moment_print_ms(moment * 1000 + 7, text);
    HOLDS(strcmp(text + 19, ".007Z") == 0, "%s", text);
    HOLDS(moment_parse(span_of(text), &again) == DAY_OK && again == moment,
          "%s is of %lld", text, (long long)moment);
    day_print(d, text);
    HOLDS(day_parse(span_of(text), &read) == DAY_OK && read.number == d.number,
          "%s is of %lld", text, (long long)moment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    struct parts parts;
    char *copy = fuzz_string(text);
    int64_t ours = 0, right = 0, begin;
    day d;
    bool fits = take_apart(text, copy, &parts);
    enum day_error expected = fits ? judge(&parts, &right) : DAY_SYNTAX;
    enum day_error error = moment_parse(text, &ours);
    HOLDS(error == expected, "%.*s: %d", SPAN(text), error);
    HOLDS(error != DAY_OK || ours == right, "%.*s: %lld", SPAN(text),
          (long long)ours);
    bool is_day = fits && parts.at[TIME].rm_so < 0;
    expected = !is_day                        ? DAY_SYNTAX
               : day_is_there(&parts, &begin) ? DAY_OK
                                              : DAY_IMPOSSIBLE;
    error = day_parse(text, &d);
    HOLDS(error == expected, "%.*s: %d", SPAN(text), error);
    HOLDS(error != DAY_OK || day_start_seconds(d) == begin, "%.*s", SPAN(text));
    if (fits && judge(&parts, &right) == DAY_OK)
        check_printed(ours);
    free(copy);
    return 0;
}
