#include "ratefetcher/redis/redis_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/lines/message.h"
#include "common/memory.h"
#include "common/settings/url.h"

enum { DEFAULT_PORT = 6379 };

static const char unix_scheme[] = "unix://";

/* The text without escapes, or NULL if it is empty. */
static char *text_or_null(struct span text) {
    return text.len > 0 ? url_unescape(text) : NULL;
}

static void read_user_info(struct span user_info, struct redis_address *out) {
    const char *colon =
        user_info.len > 0 ? memchr(user_info.data, ':', user_info.len) : NULL;
    struct span password = user_info;
    if (colon != NULL) {
        size_t user_len = (size_t)(colon - user_info.data);
        out->user = text_or_null((struct span){user_info.data, user_len});
        password = span_from(user_info, user_len + 1);
    }
    out->password = text_or_null(password);
}

static void read_unix(struct span rest, struct redis_address *out) {
    const char *query = memchr(rest.data, '?', rest.len);
    size_t path_len = query != NULL ? (size_t)(query - rest.data) : rest.len;
    out->path = url_unescape((struct span){rest.data, path_len});
    out->label = memory_copy(out->path, strlen(out->path));
    if (query != NULL)
        out->database =
            text_or_null(span_from(rest, path_len + sizeof "?db=" - 1));
}

void redis_address_read(const char *url, struct redis_address *out) {
    *out = (struct redis_address){0};
    struct span text = span_of(url);
    if (strncmp(url, unix_scheme, sizeof unix_scheme - 1) == 0) {
        read_unix(span_from(text, sizeof unix_scheme - 1), out);
        return;
    }
    struct url parts;
    if (!url_parse(text, &parts))
        abort(); /* the settings have checked it */
    bool ipv6 = memchr(parts.host.data, ':', parts.host.len) != NULL;
    out->host = memory_copy(parts.host.data, parts.host.len);
    out->port = parts.port != 0 ? parts.port : DEFAULT_PORT;
    out->label = memory_print("%s%s%s:%u", ipv6 ? "[" : "", out->host,
                              ipv6 ? "]" : "", out->port);
    read_user_info(parts.user_info, out);
    if (parts.path.len > 1)
        out->database = text_or_null(span_from(parts.path, 1));
}

void redis_address_clear(struct redis_address *address) {
    if (address->password != NULL)
        explicit_bzero(address->password, strlen(address->password));
    free(address->path);
    free(address->host);
    free(address->user);
    free(address->password);
    free(address->database);
    free(address->label);
    *address = (struct redis_address){0};
}

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
