/* What the status tells of the providers: see provider.h. */
#include <stdlib.h>

#include "common/lines/message.h"
#include "common/memory.h"
#include "ratefetcher/latest_age.h"
#include "ratefetcher/provider.h"

static const char *state_name(const struct provider *provider, monotime now) {
    bool is_called = provider->class->api != NULL;
    bool waits = !monotime_reached(now, provider->not_before);
    if (!provider->used)
        return "unused";
    if (waits && provider->last == PROVIDER_KEY_REFUSED)
        return "key_refused";
    if (waits)
        return "waiting";
    if (is_called && breaker_wait(&provider->breaker, now).usec > 0)
        return "skipped";
    if (!provider_works(provider->last) || provider->why_too_old[0] != '\0')
        return "failing";
    return is_called && quota_wait(&provider->record->quota,
                                   provider->calls_per_minute, now)
                                .usec > 0
               ? "limited"
               : "ok";
}

/* Of one that is called: is it skipped for its failures, and what is left of
 * the calls that it may have. */
static void add_limits(struct json_object *row, const struct provider *provider,
                       monotime now) {
    duration skipped = breaker_wait(&provider->breaker, now);
    if (provider->class->api == NULL)
        return;
    message_add_text(row, "breaker", skipped.usec > 0 ? "open" : "closed");
    message_add_duration(row, "skipped_seconds", skipped);
    json_object_object_add(
        row, "calls_minute",
        json_object_new_int64(quota_calls(&provider->record->quota, now)));
    json_object_object_add(row, "calls_minute_max",
                           json_object_new_int64(provider->calls_per_minute));
}

static void add_failure(struct json_object *row,
                        const struct provider *provider) {
    if (provider->failure[0] != '\0') {
        message_add_text(row, "failure", provider->failure);
    } else if (provider->why_too_old[0] != '\0') {
        char *why =
            memory_print("%s: %s", provider_result_name(PROVIDER_BAD_TABLE),
                         provider->why_too_old);
        message_add_text(row, "failure", why);
        free(why);
    }
}

static struct json_object *status_row(const struct provider *provider,
                                      monotime now) {
    struct json_object *row = json_object_new_object();
    char moment[MOMENT_TEXT_SIZE];
    moment_print_ms(provider->last_success_ms, moment);
    message_add_text(row, "name", provider->class->name);
    message_add_text(row, "state", state_name(provider, now));
    json_object_object_add(
        row, "last_success",
        provider->last_success_ms > 0 ? json_object_new_string(moment) : NULL);
    json_object_object_add(row, "calls_month",
                           json_object_new_int64((int64_t)call_counts_of_month(
                               provider->record, day_of_ms(clock_wall_ms()))));
    add_limits(row, provider, now);
    add_failure(row, provider);
    if (provider->has_clock)
        json_object_object_add(
            row, "clock_offset_seconds",
            json_object_new_int64(provider_clock_ahead(provider)));
    return row;
}

/* The latest table that would serve now; NULL: there is none. */
static struct json_object *latest_row(const struct providers *providers) {
    const struct rates_query latest = {.when = RATES_LATEST};
    size_t place;
    duration left;
    const struct rates *rates =
        providers_find(providers, &latest, &place, &left);
    if (rates == NULL)
        return NULL;
    const struct provider *provider = &providers->list[place];
    struct json_object *row = json_object_new_object();
    int64_t now_ms = clock_wall_ms();
    char as_of[DAY_TEXT_SIZE];
    day_print(rates_as_of(rates), as_of);
    message_add_text(row, "provider", rates_provider(rates));
    message_add_text(row, "as_of", as_of);
    message_add_text(row, "layer", provider->latest_layer);
    latest_age_report(rates_as_of(rates), row);
    message_add_duration(
        row, "age_seconds",
        duration_max(MILLISECONDS(now_ms - rates_fetched_ms(rates)),
                     (duration){0}));
    message_add_duration(
        row, "table_age_seconds",
        MILLISECONDS(now_ms -
                     day_start_seconds(rates_as_of(rates)) * MSEC_PER_SEC));
    json_object_object_add(row, "currencies",
                           json_object_new_int64((int64_t)rates_count(rates)));
    return row;
}

void providers_report(const struct providers *providers,
                      struct json_object *report) {
    struct json_object *list = json_object_new_array();
    monotime now = clock_monotonic();
    for (size_t i = 0; i < providers->count; i++)
        json_object_array_add(list, status_row(&providers->list[i], now));
    json_object_object_add(report, "providers", list);
    json_object_object_add(report, "latest", latest_row(providers));
}
