#include "ratefetcher/redis/redis_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/lines/message.h"

void redis_rates_key(const char *provider, day when,
                     char out[static REDIS_KEY_SIZE]) {
    char date[DAY_TEXT_SIZE];
    rates_day_print(when, date);
    snprintf(out, REDIS_KEY_SIZE, "fxwire:rates:%s:%s", provider, date);
}

void redis_lock_key(day when, char out[static REDIS_KEY_SIZE]) {
    char date[DAY_TEXT_SIZE];
    rates_day_print(when, date);
    snprintf(out, REDIS_KEY_SIZE, "fxwire:lock:%s", date);
}

/* Of a day, the last table published up to it; of today, by anybody's clock. */
static bool is_plausible(day as_of, const struct redis_value_bounds *bounds) {
    bool latest = rates_day_is_latest(bounds->when);
    day last = latest ? day_of_ms(bounds->now_ms) : bounds->when;
    int slack = latest ? 1 : 0;
    int64_t days = latest ? bounds->latest_max_days : RATES_MAX_LOOK_BACK_DAYS;
    day first = day_add(last, -(int)days - slack);
    return as_of.number <= day_add(last, slack).number &&
           as_of.number >= first.number &&
           as_of.number >= DAY_FIRST_RATES.number;
}

/* What is wrong with the moments of a table, or NULL. */
static const char *check_times(const struct json_object *message,
                               const struct redis_value_bounds *bounds,
                               struct redis_value *value) {
    const char *expires_at = message_text(message, "expires_at");
    int64_t expires;
    if (expires_at == NULL ||
        moment_parse(span_of(expires_at), &expires) != DAY_OK)
        return "no expires_at";
    value->age_ms = bounds->now_ms - rates_fetched_ms(value->rates);
    if (value->age_ms < -REDIS_CLOCK_SKEW_MS)
        return "fetched in the future";
    if (value->age_ms < 0)
        value->age_ms = 0;
    /* What is read are whole seconds, cut off. */
    value->expired = value->age_ms >= bounds->ttl_ms ||
                     (expires + 1) * MSEC_PER_SEC <= bounds->now_ms;
    return value->expired ? "expired" : NULL;
}

static const char *check(const struct json_object *message,
                         const struct redis_value_bounds *bounds,
                         struct redis_value *value) {
    const char *date = message_text(message, "date");
    day when;
    if (message_op(message) != MESSAGE_RATES)
        return "not of this kind";
    if (date == NULL || !rates_day_parse(span_of(date), &when) ||
        when.number != bounds->when.number)
        return "of another day";
    if (strcmp(rates_provider(value->rates), bounds->provider) != 0)
        return "of another provider";
    if (strcmp(rates_base(value->rates), bounds->base) != 0)
        return "of another base";
    if (!is_plausible(rates_as_of(value->rates), bounds))
        return "published on an implausible day";
    return check_times(message, bounds, value);
}

const char *redis_value_read(struct span text,
                             const struct redis_value_bounds *bounds,
                             struct redis_value *out) {
    *out = (struct redis_value){0};
    if (text.len > REDIS_MAX_VALUE_BYTES)
        return "too long";
    struct json_object *message = message_parse(text), *table;
    const char *why = "no JSON object";
    if (message != NULL)
        out->rates = rates_from_message(message, &why);
    if (out->rates != NULL) {
        json_object_object_get_ex(message, "rates", &table);
        out->left_out =
            (size_t)json_object_object_length(table) - rates_count(out->rates);
        why = check(message, bounds, out);
    }
    if (why != NULL)
        rates_release(&out->rates);
    json_object_put(message);
    return why;
}

enum redis_lock redis_lock_decide(bool told, bool taken, bool is_ours) {
    if (!told)
        return REDIS_LOCK_UNKNOWN;
    return taken || is_ours ? REDIS_LOCK_OURS : REDIS_LOCK_OTHERS;
}

int64_t redis_left_ms(const struct rates *rates, int64_t ttl_ms,
                      int64_t now_ms) {
    int64_t age_ms = now_ms - rates_fetched_ms(rates);
    int64_t left = ttl_ms - (age_ms > 0 ? age_ms : 0);
    return left > MSEC_PER_SEC ? left : MSEC_PER_SEC;
}
