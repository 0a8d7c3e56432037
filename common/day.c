#include "common/day.h"

/*
 * Civil dates to day numbers and back: years are counted from March, so that
 * the leap day ends them, in eras of 400 years, after which all repeats.
 */
enum { DAYS_PER_ERA = 146097, ERA_START_TO_1970 = 719468 };

static bool is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static int32_t number_of_civil(int year, int month, int day_of_month) {
    int y = month <= 2 ? year - 1 : year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int year_of_era = y - era * 400;
    int month_from_march = (month + 9) % 12;
    int day_of_year = (153 * month_from_march + 2) / 5 + day_of_month - 1;
    int day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - ERA_START_TO_1970;
}

struct civil_day day_civil(day d) {
    int32_t n = d.number + ERA_START_TO_1970;
    int era = (n >= 0 ? n : n - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int day_of_era = n - era * DAYS_PER_ERA;
    int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
                       day_of_era / (DAYS_PER_ERA - 1)) /
                      365;
    int day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month_from_march = (5 * day_of_year + 2) / 153;
    int month =
        month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return (struct civil_day){
        .year = year_of_era + era * 400 + (month <= 2 ? 1 : 0),
        .month = month,
        .day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1,
    };
}

/* Takes `digits` digits off the front of `text`. */
static bool take_number(struct span *text, size_t digits, int *out) {
    if (text->len < digits)
        return false;
    int value = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = text->data[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *text = span_from(*text, digits);
    *out = value;
    return true;
}

/* Takes one letter or sign off the front, letters in either case. */
static bool take_char(struct span *text, char wanted) {
    if (text->len == 0)
        return false;
    char c = text->data[0];
    if (c >= 'a' && c <= 'z')
        c = (char)(c - 'a' + 'A');
    if (c != wanted)
        return false;
    *text = span_from(*text, 1);
    return true;
}

static enum day_error take_day(struct span *text, int32_t *number) {
    int year, month, day_of_month;
    if (!take_number(text, 4, &year) || !take_char(text, '-') ||
        !take_number(text, 2, &month) || !take_char(text, '-') ||
        !take_number(text, 2, &day_of_month))
        return DAY_SYNTAX;
    if (month < 1 || month > 12 || day_of_month < 1 ||
        day_of_month > days_in_month(year, month))
        return DAY_IMPOSSIBLE;
    *number = number_of_civil(year, month, day_of_month);
    return DAY_OK;
}

enum day_error day_parse(struct span text, day *out) {
    int32_t number = 0;
    enum day_error error = take_day(&text, &number);
    if (error == DAY_SYNTAX || text.len > 0)
        return DAY_SYNTAX;
    out->number = number;
    return error;
}

static bool take_fraction(struct span *text) {
    if (!take_char(text, '.'))
        return true; /* there is none */
    size_t digits = 0;
    while (digits < text->len && text->data[digits] >= '0' &&
           text->data[digits] <= '9')
        digits++;
    *text = span_from(*text, digits);
    return digits > 0;
}

/* Takes `Z` or `+HH:MM`; gives seconds east of UTC, or a bad hour as is. */
static bool take_offset(struct span *text, int *hours, int *minutes,
                        int *sign) {
    *hours = *minutes = 0;
    *sign = 1;
    if (take_char(text, 'Z'))
        return true;
    if (take_char(text, '-'))
        *sign = -1;
    else if (!take_char(text, '+'))
        return false;
    return take_number(text, 2, hours) && take_char(text, ':') &&
           take_number(text, 2, minutes);
}

/* Whether 23:59:60 can stand before the midnight at `unix_seconds`. */
static bool leap_second_may_end_at(int64_t unix_seconds) {
    return unix_seconds % DAY_SECONDS == 0 &&
           day_civil(day_of_seconds(unix_seconds)).day_of_month == 1;
}

enum day_error moment_parse(struct span text, int64_t *unix_seconds) {
    int32_t number = 0;
    enum day_error date_error = take_day(&text, &number);
    if (date_error == DAY_SYNTAX)
        return DAY_SYNTAX;
    int64_t midnight = number * DAY_SECONDS;
    if (text.len == 0) {
        *unix_seconds = midnight;
        return date_error;
    }
    int hour, minute, second, offset_hours, offset_minutes, sign;
    if (!take_char(&text, 'T') || !take_number(&text, 2, &hour) ||
        !take_char(&text, ':') || !take_number(&text, 2, &minute) ||
        !take_char(&text, ':') || !take_number(&text, 2, &second) ||
        !take_fraction(&text) ||
        !take_offset(&text, &offset_hours, &offset_minutes, &sign) ||
        text.len > 0)
        return DAY_SYNTAX;
    if (date_error != DAY_OK || hour > 23 || minute > 59 || second > 60 ||
        offset_hours > 23 || offset_minutes > 59)
        return DAY_IMPOSSIBLE;
    int64_t local = midnight + hour * 3600 + minute * 60 + second;
    int64_t utc = local - sign * (offset_hours * 3600 + offset_minutes * 60);
    if (second == 60) {
        if (!leap_second_may_end_at(utc))
            return DAY_IMPOSSIBLE;
        utc--;
    }
    *unix_seconds = utc;
    return DAY_OK;
}

day day_of_seconds(int64_t unix_seconds) {
    int64_t number = unix_seconds / DAY_SECONDS;
    if (unix_seconds % DAY_SECONDS < 0)
        number--;
    return (day){(int32_t)number};
}

day day_of_ms(int64_t unix_ms) {
    int64_t seconds = unix_ms / 1000;
    if (unix_ms % 1000 < 0)
        seconds--;
    return day_of_seconds(seconds);
}

/* Writes `value` with `digits` digits at `out`. */
static char *put_number(char *out, int value, int digits) {
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return out + digits;
}

void day_print(day d, char out[static DAY_TEXT_SIZE]) {
    struct civil_day civil = day_civil(d);
    out = put_number(out, civil.year, 4);
    *out++ = '-';
    out = put_number(out, civil.month, 2);
    *out++ = '-';
    out = put_number(out, civil.day_of_month, 2);
    *out = '\0';
}

void moment_print_ms(int64_t unix_ms, char out[static MOMENT_TEXT_SIZE]) {
    day d = day_of_ms(unix_ms);
    int64_t in_day = unix_ms - day_start_seconds(d) * 1000;
    day_print(d, out);
    out += DAY_TEXT_SIZE - 1;
    *out++ = 'T';
    out = put_number(out, (int)(in_day / 3600000), 2);
    *out++ = ':';
    out = put_number(out, (int)(in_day / 60000 % 60), 2);
    *out++ = ':';
    out = put_number(out, (int)(in_day / 1000 % 60), 2);
    *out++ = '.';
    out = put_number(out, (int)(in_day % 1000), 3);
    *out++ = 'Z';
    *out = '\0';
}
