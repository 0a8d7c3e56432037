#include "day.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

enum { DAY_SECONDS = 86400 };

static int day_number(const char *digits, int count) {
    int n = 0;
    for (int i = 0; i < count; i++)
        n = n * 10 + (digits[i] - '0');
    return n;
}

long day_read(const char *text) {
    static const char form[] = "dddd-dd-dd";
    for (int i = 0; form[i]; i++) {
        bool digit = isdigit((unsigned char)text[i]) != 0;
        if (form[i] == 'd' ? !digit : text[i] != form[i])
            return DAY_NONE;
    }
    struct tm tm = {.tm_year = day_number(text, 4) - 1900,
                    .tm_mon = day_number(text + 5, 2) - 1,
                    .tm_mday = day_number(text + 8, 2)};
    long day = (long)(timegm(&tm) / DAY_SECONDS);
    /* timegm() turns February 30 into March 2; writing it back tells. */
    char again[DAY_TEXT];
    day_write(day, again);
    return memcmp(again, text, DAY_TEXT - 1) == 0 ? day : DAY_NONE;
}

void day_write(long day, char out[DAY_TEXT]) {
    time_t seconds = (time_t)day * DAY_SECONDS;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    if (strftime(out, DAY_TEXT, "%Y-%m-%d", &tm) == 0)
        out[0] = '\0';
}

long day_today(void) {
    return (long)(time(NULL) / DAY_SECONDS);
}

long day_seconds(void) {
    return (long)(time(NULL) % DAY_SECONDS);
}
