/*
 * Calendar days and moments in UTC, read from and printed as RFC 3339 text.
 * Pure: nothing here reads a clock.
 */
#ifndef FXWIRE_COMMON_DAY_H
#define FXWIRE_COMMON_DAY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/span.h"

/* A UTC calendar day, counted from 1970-01-01. */
typedef struct {
    int32_t number;
} day;

enum {
    DAY_TEXT_SIZE = sizeof "2021-05-18",
    MOMENT_TEXT_SIZE = sizeof "2021-05-18T21:32:42.324Z",
};

#define DAY_SECONDS INT64_C(86400)

/* 1999-01-04, the first day with euro reference rates (source: ECB). */
#define DAY_FIRST_RATES ((day){10595})

enum day_error {
    DAY_OK,
    DAY_SYNTAX,     /* not of the form that is asked for */
    DAY_IMPOSSIBLE, /* the form is right, but there is no such moment */
};

/* Reads `YYYY-MM-DD`. */
MUST_CHECK enum day_error day_parse(struct span text, day *out);

/*
 * Reads an RFC 3339 date-time (any number of fraction digits, `Z` or an
 * offset, letters in either case) or a bare `YYYY-MM-DD`, which means its
 * midnight. Gives whole seconds since 1970-01-01 UTC, fractions cut off. A
 * leap second is taken where RFC 3339, 5.7 allows one (23:59:60 UTC at the
 * end of a month) and counts as 23:59:59.
 */
MUST_CHECK enum day_error moment_parse(struct span text, int64_t *unix_seconds);

/*
 * Whether such a text is `YYYY-MM-DDTHH:MM:SS.mmmZ` and of a time that each day
 * has, if `YYYY-MM-` is right.
 */
MUST_CHECK bool moment_is_at_usual_time(const char text[static 24]);

static inline day day_of_seconds(int64_t unix_seconds) {
    int64_t number = unix_seconds / DAY_SECONDS;
    if (unix_seconds % DAY_SECONDS < 0)
        number--;
    return (day){(int32_t)number};
}

static inline day day_of_ms(int64_t unix_ms) {
    int64_t seconds = unix_ms / 1000;
    if (unix_ms % 1000 < 0)
        seconds--;
    return day_of_seconds(seconds);
}

/* A day as the Gregorian calendar has it; months and days count from 1. */
struct civil_day {
    int year, month, day_of_month;
};

struct civil_day day_civil(day d);

static inline int64_t day_start_seconds(day d) {
    return d.number * DAY_SECONDS;
}

static inline day day_add(day d, int days) {
    return (day){d.number + days};
}

/* Writes `YYYY-MM-DD` and a NUL. For days of the years 0 to 9999. */
void day_print(day d, char out[static DAY_TEXT_SIZE]);

/* Writes `YYYY-MM-DDTHH:MM:SS.mmmZ` and a NUL. */
void moment_print_ms(int64_t unix_ms, char out[static MOMENT_TEXT_SIZE]);

#endif
