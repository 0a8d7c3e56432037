#include "ratefetcher/latest_age.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/memory.h"
#include "ratefetcher/working_days.h"

/* From so many working days without a new table on it is told; for the status
 * they are counted up to a year's. */
enum { DAYS_TO_TELL = 3, DAYS_TO_COUNT = 10000 };

static day today(void) {
    return day_of_ms(clock_wall_ms());
}

duration latest_age_left(day as_of, int64_t max_days) {
    day over = day_add(as_of, (int)max_days + 1);
    int64_t ms = day_start_seconds(over) * MSEC_PER_SEC - clock_wall_ms();
    return MILLISECONDS(ms > 0 ? ms : 0);
}

void latest_age_check(struct provider_answer *answer, day when,
                      int64_t max_days, char why[static LATEST_AGE_WHY_SIZE]) {
    char as_of[DAY_TEXT_SIZE];
    why[0] = '\0';
    if (answer->result != PROVIDER_OK || !rates_day_is_latest(when) ||
        latest_age_left(rates_as_of(answer->rates), max_days).usec > 0)
        return;
    day_print(rates_as_of(answer->rates), as_of);
    snprintf(why, LATEST_AGE_WHY_SIZE,
             "its latest table is of %s, more than %d days old "
             "(LATEST_MAX_AGE_DAYS)",
             as_of, (int)max_days);
    answer->result = PROVIDER_BAD_TABLE;
    answer->detail = why;
    answer->rates = NULL;
}

void provider_check_age(struct provider *provider, day when,
                        struct provider_answer *answer) {
    if (answer->result != PROVIDER_OK || !rates_day_is_latest(when))
        return;
    provider->too_old = rates_as_of(answer->rates);
    latest_age_check(answer, when, provider->latest_max_days,
                     provider->why_too_old);
    if (answer->result != PROVIDER_OK)
        return;
    breaker_succeed(&provider->newer);
    if (provider->too_old_told.number != 0)
        log_info(EVENT_PROVIDER_WORKS,
                 LOG_FIELDS(log_text("provider", provider->class->name)));
    provider->too_old_told = (day){0};
}

const char *latest_age_why(const struct providers *providers, day when) {
    for (size_t i = 0; rates_day_is_latest(when) && i < providers->count; i++)
        if (providers->list[i].why_too_old[0] != '\0')
            return providers->list[i].why_too_old;
    return NULL;
}

/* The latest table that serves, or else the one that is too old to; its day,
 * and in `place` whose it is. False: there is none. */
static bool find_latest(const struct providers *providers, size_t *place,
                        day *as_of) {
    const struct rates_query latest = {.when = RATES_LATEST};
    duration left;
    const struct rates *rates =
        providers_find(providers, &latest, place, &left);
    if (rates != NULL) {
        *as_of = rates_as_of(rates);
        return true;
    }
    for (size_t i = 0; i < providers->count; i++)
        if (providers->list[i].why_too_old[0] != '\0') {
            *place = i;
            *as_of = providers->list[i].too_old;
            return true;
        }
    return false;
}

static void tell(const struct provider *provider, day as_of, int days) {
    const struct provider_context *context = provider->context;
    char date[DAY_TEXT_SIZE];
    day_print(as_of, date);
    log_warn(EVENT_RATES_OLD,
             LOG_FIELDS(log_text("provider", provider->class->name),
                        log_text("as_of", date),
                        log_int("working_days", days)));
    char *detail =
        memory_print("%s: no new table since %s", provider->class->name, date);
    context->alert(context->arg, EVENT_RATES_OLD, detail);
    context->changed(context->arg);
    free(detail);
}

void latest_age_watch(struct providers *providers) {
    size_t place;
    day as_of;
    if (!find_latest(providers, &place, &as_of))
        return;
    bool is_told = providers->old_told.number == as_of.number &&
                   providers->old_told_place == place;
    if (is_told)
        return;
    int days = working_days_count(as_of, today(), DAYS_TO_COUNT);
    if (days < DAYS_TO_TELL)
        return;
    providers->old_told = as_of;
    providers->old_told_place = place;
    tell(&providers->list[place], as_of, days);
}

void latest_age_report(day as_of, struct json_object *row) {
    int days = working_days_count(as_of, today(), DAYS_TO_COUNT);
    if (days >= DAYS_TO_TELL)
        json_object_object_add(row, "working_days_without_new",
                               json_object_new_int(days));
}
