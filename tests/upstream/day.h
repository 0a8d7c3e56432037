/* Calendar days (UTC), counted from 1970-01-01 = 0. */
#ifndef UPSTREAM_DAY_H
#define UPSTREAM_DAY_H

#include <limits.h>

enum { DAY_TEXT = 11 }; /* "YYYY-MM-DD" and its end mark */
#define DAY_NONE LONG_MIN

/* The day of the first ten characters, "YYYY-MM-DD"; DAY_NONE if they are not
 * a day of the calendar (2021-02-30 is none). Stops at a NUL. */
long day_read(const char *text);

void day_write(long day, char out[DAY_TEXT]);

long day_today(void);

/* Seconds since today began, 0 to 86399. */
long day_seconds(void);

#endif
