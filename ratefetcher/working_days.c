#include "ratefetcher/working_days.h"

enum { DAYS_OF_WEEK = 7, MARCH = 3 };

/* From Monday, 0. 1970-01-01 was a Thursday. */
static int day_of_week(day d) {
    return (int)((((int64_t)d.number + 3) % DAYS_OF_WEEK + DAYS_OF_WEEK) %
                 DAYS_OF_WEEK);
}

/*
 * Easter Sunday of the Gregorian calendar, in days after 1 March: the Sunday
 * after the full moon that the church reckons with (Gauss, with the exceptions
 * of Lichtenberg's form).
 */
static int easter_after_march(int year) {
    int century = year / 100;
    int moon = 15 + (3 * century + 3) / 4 - (8 * century + 13) / 25;
    int sun = 2 - (3 * century + 3) / 4;
    int golden = year % 19;
    int seed = (19 * golden + moon) % 30;
    int late = (seed + golden / 11) / 29;
    int full_moon = 21 + seed - late;
    int first_sunday = 7 - (year + year / 4 + sun) % 7;
    return full_moon + 7 - ((full_moon - first_sunday) % 7 + 7) % 7 - 1;
}

/* Whether a day of March or April is Good Friday or Easter Monday. */
static bool is_of_easter(const struct civil_day *c) {
    int after_march = (c->month - MARCH) * 31 + c->day_of_month - 1;
    int easter = easter_after_march(c->year);
    return after_march == easter - 2 || after_march == easter + 1;
}

bool working_days_is_one(day d) {
    static const struct {
        int month, day_of_month;
    } closed[] = {{1, 1}, {5, 1}, {12, 25}, {12, 26}};
    struct civil_day c = day_civil(d);
    if (day_of_week(d) >= 5)
        return false;
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
        if (closed[i].month == c.month &&
            closed[i].day_of_month == c.day_of_month)
            return false;
    return (c.month != MARCH && c.month != MARCH + 1) || !is_of_easter(&c);
}

int working_days_count(day first, day last, int most) {
    int count = 0;
    for (day d = day_add(first, 1); d.number <= last.number && count < most;
         d = day_add(d, 1))
        count += working_days_is_one(d);
    return count;
}
