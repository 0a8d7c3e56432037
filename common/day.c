#include "common/day.h"

#include <endian.h>

/*
 * Civil dates to day numbers and back: years are counted from March, so that
 * the leap day ends them, in eras of 400 years, after which all repeats.
 */
enum { YEARS_PER_ERA = 400, DAYS_PER_ERA = 146097, ERA_START_TO_1970 = 719468 };

static bool is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* For years from 0 on; an era is added, so that no division is of a negative
 * number. */
static int32_t number_of_civil(int year, int month, int day_of_month) {
    unsigned y = (unsigned)(month <= 2 ? year - 1 : year) + YEARS_PER_ERA;
    unsigned month_from_march = (unsigned)(month <= 2 ? month + 9 : month - 3);
    unsigned days = y * 365 + y / 4 - y / 100 + y / YEARS_PER_ERA +
                    (153 * month_from_march + 2) / 5;
    return (int32_t)days + day_of_month - 1 - DAYS_PER_ERA - ERA_START_TO_1970;
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

/* The value of the two digits at `at`; negative: they are none. */
static int two_digits(const char *at) {
    unsigned tens = (unsigned char)at[0] - '0',
             ones = (unsigned char)at[1] - '0';
    return tens <= 9 && ones <= 9 ? (int)(tens * 10 + ones) : -1;
}

/* A letter in either case. */
static bool is_letter(char c, char upper) {
    return (c & ~('a' ^ 'A')) == upper;
}

enum {
    DAY_BYTES = DAY_TEXT_SIZE - 1,
    TIME_END = sizeof "2021-05-18T21:32:42" - 1
};

/* `YYYY-MM-DD`, of which all bytes are there. */
static enum day_error read_day(const char *at, int32_t *number) {
    int century = two_digits(at), year = two_digits(at + 2);
    int month = two_digits(at + 5), day_of_month = two_digits(at + 8);
    if ((century | year | month | day_of_month) < 0 || at[4] != '-' ||
        at[7] != '-')
        return DAY_SYNTAX;
    year += century * 100;
    if (month < 1 || month > 12 || day_of_month < 1 ||
        day_of_month > days_in_month(year, month))
        return DAY_IMPOSSIBLE;
    *number = number_of_civil(year, month, day_of_month);
    return DAY_OK;
}

enum day_error day_parse(struct span text, day *out) {
    int32_t number = 0;
    if (text.len != DAY_BYTES)
        return DAY_SYNTAX;
    enum day_error error = read_day(text.data, &number);
    if (error != DAY_SYNTAX)
        out->number = number;
    return error;
}

/* Seconds of the day that `THH:MM:SS` says; `leap` if it says 60 of them. */
static enum day_error read_time(const char *at, int *seconds, bool *leap) {
    int hour = two_digits(at + 1), minute = two_digits(at + 4);
    int second = two_digits(at + 7);
    if ((hour | minute | second) < 0 || !is_letter(at[0], 'T') ||
        at[3] != ':' || at[6] != ':')
        return DAY_SYNTAX;
    *seconds = (hour * 60 + minute) * 60 + second;
    *leap = second == 60;
    return hour > 23 || minute > 59 || second > 60 ? DAY_IMPOSSIBLE : DAY_OK;
}

/* `.` and digits, if there is a point: gives where they end. */
static const char *skip_fraction(const char *at, const char *end) {
    const char *digits = at + 1;
    if (at == end || *at != '.')
        return at;
    while (digits < end && *digits >= '0' && *digits <= '9')
        digits++;
    return digits > at + 1 ? digits : at;
}

/* `+HH:MM` in seconds east of UTC. */
static enum day_error read_offset(const char *at, int *seconds) {
    int hours = two_digits(at + 1), minutes = two_digits(at + 4);
    if ((hours | minutes) < 0 || (at[0] != '+' && at[0] != '-') || at[3] != ':')
        return DAY_SYNTAX;
    *seconds = hours * 3600 + minutes * 60;
    if (at[0] == '-')
        *seconds = -*seconds;
    return hours > 23 || minutes > 59 ? DAY_IMPOSSIBLE : DAY_OK;
}

/* Whether 23:59:60 can stand before the midnight at `unix_seconds`. */
static bool leap_second_may_end_at(int64_t unix_seconds) {
    return unix_seconds % DAY_SECONDS == 0 &&
           day_civil(day_of_seconds(unix_seconds)).day_of_month == 1;
}

/*
 * What is left where the date and the time are `local` seconds in some zone:
 * `Z` or an offset. A fault of the form weighs more than an impossible number
 * (`error`) before it.
 */
static NOINLINE enum day_error read_zone(struct span zone, int64_t local,
                                         bool leap, enum day_error error,
                                         int64_t *unix_seconds) {
    int offset = 0;
    enum day_error zone_error = DAY_SYNTAX;
    if (zone.len == 1 && is_letter(zone.data[0], 'Z'))
        zone_error = DAY_OK;
    else if (zone.len == sizeof "+HH:MM" - 1)
        zone_error = read_offset(zone.data, &offset);
    if (zone_error == DAY_SYNTAX || error != DAY_OK)
        return zone_error == DAY_SYNTAX ? DAY_SYNTAX : error;
    if (zone_error != DAY_OK)
        return zone_error;
    *unix_seconds = local - offset;
    if (leap && !leap_second_may_end_at(*unix_seconds))
        return DAY_IMPOSSIBLE;
    *unix_seconds -= leap;
    return DAY_OK;
}

/* Any moment. */
static NOINLINE enum day_error parse_any(struct span text,
                                         int64_t *unix_seconds) {
    const char *start = text.data, *end = start + text.len;
    int32_t number = 0;
    int in_day = 0;
    bool leap = false;
    if (text.len < DAY_BYTES)
        return DAY_SYNTAX;
    enum day_error error = read_day(start, &number);
    int64_t midnight = number * DAY_SECONDS;
    if (text.len == DAY_BYTES || error == DAY_SYNTAX) {
        *unix_seconds = midnight;
        return error;
    }
    if (text.len <= TIME_END)
        return DAY_SYNTAX;
    enum day_error time_error = read_time(start + DAY_BYTES, &in_day, &leap);
    if (time_error == DAY_SYNTAX)
        return DAY_SYNTAX;
    if (error == DAY_OK)
        error = time_error;
    const char *zone = skip_fraction(start + TIME_END, end);
    *unix_seconds = midnight + in_day;
    return read_zone((struct span){zone, (size_t)(end - zone)}, *unix_seconds,
                     leap, error, unix_seconds);
}

/* 8 bytes of a text, and how much more each of them may be. */
struct form {
    uint64_t text, range;
};

/* `9999-99-99T29:59:59.999Z` at most, from the last byte of 8 to the first. */
static const struct form usual[] = {
    {UINT64_C(0x2D30302D30303030), UINT64_C(0x0009090009090909)},
    {UINT64_C(0x30303A3030543030), UINT64_C(0x0905000902000909)},
    {UINT64_C(0x5A3030302E30303A), UINT64_C(0x0009090900090500)},
};

#define ANY_FAULT UINT64_C(0x8080808080808080)

/*
 * Reads 8 bytes at once. Gives in each byte the two digits from there on as a
 * number, where they are some; a fault sets the top bit of a byte.
 */
static inline uint64_t read_pairs(const char *at, struct form form,
                                  uint64_t *faults) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    word = le64toh(word) ^ form.text; /* '0' to '9' become 0 to 9 */
    *faults |= word | (word + (UINT64_C(0x7F7F7F7F7F7F7F7F) - form.range));
    return word * 10 + (word >> 8);
}

static inline int byte_of(uint64_t word, int place) {
    return (int)(word >> place * 8 & 0xFF);
}

/* Most moments are of one form. False: this one is not, or impossible. */
static bool parse_usual(const char *at, int64_t *unix_seconds) {
    uint64_t faults = 0;
    uint64_t date = read_pairs(at, usual[0], &faults);
    uint64_t mid = read_pairs(at + 8, usual[1], &faults);
    uint64_t rest = read_pairs(at + 16, usual[2], &faults);
    int year = byte_of(date, 0) * 100 + byte_of(date, 2);
    int month = byte_of(date, 5), day_of_month = byte_of(mid, 0);
    int hour = byte_of(mid, 3), minute = byte_of(mid, 6);
    int second = byte_of(rest, 1);
    if ((faults & ANY_FAULT) != 0 || month < 1 || month > 12 ||
        day_of_month < 1 || day_of_month > days_in_month(year, month) ||
        hour > 23)
        return false;
    *unix_seconds = number_of_civil(year, month, day_of_month) * DAY_SECONDS +
                    (hour * 60 + minute) * 60 + second;
    return true;
}

bool moment_is_at_usual_time(const char text[static 24]) {
    uint64_t faults = 0;
    uint64_t mid = read_pairs(text + 8, usual[1], &faults);
    (void)read_pairs(text + 16, usual[2], &faults);
    return (faults & ANY_FAULT) == 0 && byte_of(mid, 3) <= 23;
}

enum day_error moment_parse(struct span text, int64_t *unix_seconds) {
    return text.len == MOMENT_TEXT_SIZE - 1 &&
                   parse_usual(text.data, unix_seconds)
               ? DAY_OK
               : parse_any(text, unix_seconds);
}

/* Writes the two digits of `value` at `out`. */
static void put_two(char *out, int value) {
    out[0] = (char)('0' + value / 10);
    out[1] = (char)('0' + value % 10);
}

void day_print(day d, char out[static DAY_TEXT_SIZE]) {
    struct civil_day civil = day_civil(d);
    put_two(out, civil.year / 100);
    put_two(out + 2, civil.year % 100);
    out[4] = '-';
    put_two(out + 5, civil.month);
    out[7] = '-';
    put_two(out + 8, civil.day_of_month);
    out[10] = '\0';
}

void moment_print_ms(int64_t unix_ms, char out[static MOMENT_TEXT_SIZE]) {
    day d = day_of_ms(unix_ms);
    int in_day = (int)(unix_ms - day_start_seconds(d) * 1000);
    int seconds = in_day / 1000, ms = in_day % 1000;
    day_print(d, out);
    out += DAY_TEXT_SIZE - 1;
    out[0] = 'T';
    put_two(out + 1, seconds / 3600);
    out[3] = ':';
    put_two(out + 4, seconds / 60 % 60);
    out[6] = ':';
    put_two(out + 7, seconds % 60);
    out[9] = '.';
    out[10] = (char)('0' + ms / 100);
    put_two(out + 11, ms % 100);
    out[13] = 'Z';
    out[14] = '\0';
}
