#include "moment.h"

#include "day.h"

#include <string.h>

enum {
    MOMENT_MAX = 64,
    MOMENT_DAY_SECONDS = 86400,
    MOMENT_AHEAD_SECONDS = 300,
};

/* The number of two digits, DAY_NONE if they are none. */
static long moment_two(const char *p) {
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return DAY_NONE;
    return (p[0] - '0') * 10 + p[1] - '0';
}

/* Seconds of the day of HH:MM:SS, DAY_NONE if it is no time. */
static long moment_time(const char *p) {
    long h = moment_two(p), m, s;
    if (h < 0 || h > 23 || p[2] != ':' || (m = moment_two(p + 3)) < 0 ||
        m > 59 || p[5] != ':' || (s = moment_two(p + 6)) < 0 || s > 59)
        return DAY_NONE;
    return (h * 60 + m) * 60 + s;
}

/* Seconds east of UTC, DAY_NONE if it is no zone. */
static long moment_zone(const char *p) {
    long h, m;
    if ((*p == 'Z' || *p == 'z') && p[1] == '\0')
        return 0;
    if ((*p != '+' && *p != '-') || (h = moment_two(p + 1)) < 0 || h > 23 ||
        p[3] != ':' || (m = moment_two(p + 4)) < 0 || m > 59 || p[6] != '\0')
        return DAY_NONE;
    return (*p == '-' ? -60 : 60) * (h * 60 + m);
}

/* The UTC day of a local time on `day`. */
static long moment_shift(long day, long seconds) {
    if (seconds < 0)
        return day - 1;
    return seconds >= MOMENT_DAY_SECONDS ? day + 1 : day;
}

static long moment_soon(long day, long seconds) {
    long today = day_today();
    long ahead = (seconds + MOMENT_DAY_SECONDS) % MOMENT_DAY_SECONDS +
                 MOMENT_DAY_SECONDS - day_seconds();
    return day == today + 1 && ahead <= MOMENT_AHEAD_SECONDS ? today : day;
}

long moment_day(struct json_part date) {
    char text[MOMENT_MAX] = "";
    if (date.len >= sizeof text)
        return DAY_NONE;
    text[json_unescape(date, text)] = '\0';
    long day = day_read(text);
    const char *p = text + DAY_TEXT - 1;
    if (day == DAY_NONE || *p == '\0')
        return day;
    long seconds = DAY_NONE;
    if ((*p == 'T' || *p == 't') && strlen(p) > 9)
        seconds = moment_time(p + 1);
    if (seconds == DAY_NONE)
        return DAY_NONE;
    p += 9;
    size_t digits = *p == '.' ? strspn(p + 1, "0123456789") : 0;
    if (*p == '.' && digits == 0)
        return DAY_NONE;
    long zone = moment_zone(p + (digits > 0 ? digits + 1 : 0));
    if (zone == DAY_NONE)
        return DAY_NONE;
    return moment_soon(moment_shift(day, seconds - zone), seconds - zone);
}
