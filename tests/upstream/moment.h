/* The dates of requests: a day, or a moment with its zone. */
#ifndef UPSTREAM_MOMENT_H
#define UPSTREAM_MOMENT_H

#include "json.h"

/* The UTC day (as day.h counts) of a valid JSON string's "YYYY-MM-DD" or RFC
 * 3339 moment; DAY_NONE if it is neither, or not in the calendar. A moment at
 * most five minutes ahead of the clock is of today. */
long moment_day(struct json_part date);

#endif
