#include "tests/sim/rates.h"

#include "tests/sim/parts.h"
#include "tests/sim/world.h"

/* Where the ECB is, the day's rates are out at about 16:00. */
enum { PUBLISHED_AT_SECONDS = 15 * 3600 };

static const char codes[CURRENCIES][4] = {"USD", "JPY", "GBP",
                                          "CHF", "XAF", "XTS"};
static const day first_day = {20765}; /* 2026-11-08 */

const char *rates_currency(unsigned number) {
    return codes[number];
}

day rates_day(unsigned number) {
    return day_add(first_day, (int)number);
}

day rates_today(void) {
    return day_of_ms(world_true_ms());
}

day rates_working_day(day when) {
    int32_t weekday = (when.number + 3) % 7; /* 1970-01-01 was a Thursday */
    return weekday < 5 ? when : day_add(when, 4 - weekday);
}

day rates_published(void) {
    int64_t seconds = world_true_ms() / MSEC_PER_SEC - PUBLISHED_AT_SECONDS;
    return rates_working_day(day_of_seconds(seconds));
}

/* From day to day they move by less than a percent. */
uint64_t rates_rate(day when, unsigned currency) {
    uint64_t mix = ((uint64_t)when.number * 31 + currency) * 2654435761U;
    uint64_t about = 100000 << 2 * currency;
    return about + mix % (about / 100);
}
