/*
 * Redis: a line that says `url`, then a REDIS_URL; or a line with the day that
 * is looked for (or `latest`), then the value that somebody may have left
 * there.
 */
#include "common/settings/settings_check.h"
#include "ratefetcher/redis/redis_address.h"
#include "ratefetcher/redis/redis_format.h"
#include "tests/fuzz/tables.h"

static struct redis_value_bounds bounds = {
    .provider = "ecb",
    .base = "EUR",
    .latest_max_days = 7,
    .now_ms = FUZZ_NOW_MS,
    .ttl_ms = 7200 * MSEC_PER_SEC,
};

/* What fxwire would write of it is good too, and as old. */
static void check_again(const struct redis_value *value) {
    struct redis_value again;
    struct json_object *message = rates_message_new(
        bounds.when, value->rates, "provider", FUZZ_NOW_MS + MSEC_PER_SEC);
    const char *why = redis_value_read(message_line(message), &bounds, &again);
    HOLDS(why == NULL, "%s: %.*s", why, SPAN(message_line(message)));
    HOLDS(again.age_ms == value->age_ms && again.left_out == 0, "%.*s",
          SPAN(message_line(message)));
    HOLDS(rates_count(again.rates) == rates_count(value->rates), "%.*s",
          SPAN(message_line(message)));
    rates_release(&again.rates);
    json_object_put(message);
}

static void check_value(struct span text) {
    struct redis_value value;
    const char *why = redis_value_read(text, &bounds, &value);
    HOLDS((value.rates != NULL) == (why == NULL), "%s", why);
    HOLDS(!value.expired || strcmp(why, "expired") == 0, "%s", why);
    if (why == NULL) {
        HOLDS(value.age_ms >= 0 && value.age_ms < bounds.ttl_ms, "%lld",
              (long long)value.age_ms);
        int64_t left = redis_left_ms(value.rates, bounds.ttl_ms, bounds.now_ms);
        HOLDS(left >= MSEC_PER_SEC && left <= bounds.ttl_ms, "%lld",
              (long long)left);
        tables_check(value.rates);
        tables_check_message(value.rates);
        check_again(&value);
    }
    rates_release(&value.rates);
}

/* What may not be shown is not in the label. */
static void check_parts(const struct redis_address *address) {
    const struct redis_host *host = &address->host;
    HOLDS((address->path != NULL) + (host->name != NULL) +
                  (address->master != NULL) ==
              1,
          "%s", address->label);
    HOLDS((address->master != NULL) == (address->sentinel_count > 0), "%s",
          address->label);
    HOLDS(address->path == NULL || address->path[0] == '/', "%s",
          address->path);
    HOLDS(host->name == NULL || (host->name[0] != '\0' && host->port > 0), "%s",
          address->label);
    for (size_t i = 0; i < address->sentinel_count; i++)
        HOLDS(address->sentinels[i].name[0] != '\0' &&
                  address->sentinels[i].port > 0,
              "%s", address->label);
    HOLDS(host->name == NULL || strchr(address->label, '@') == NULL, "%s",
          address->label);
    HOLDS(address->database == NULL ||
              strspn(address->database, "0123456789") ==
                  strlen(address->database),
          "%s", address->database);
}

/* What the settings take, is an address. */
static void check_url(struct span text) {
    static const struct settings_rule rule = {.kind = SETTINGS_REDIS_URL};
    struct redis_address address;
    char *url = fuzz_string(text);
    int64_t number;
    if (settings_check_value(&rule, url, &number)) {
        redis_address_read(url, &address);
        check_parts(&address);
        if (address.master != NULL) { /* where a Sentinel says that it is */
            redis_address_set_host(&address, "::1", 6379);
            HOLDS(strcmp(address.host.name, "::1") == 0, "%s",
                  address.host.name);
        }
        redis_address_clear(&address);
    } else {
        free(settings_complaint(&rule, url));
    }
    free(url);
}

static void check_long_value(struct span text) {
    struct redis_value value;
    struct span longer = {malloc(REDIS_MAX_VALUE_BYTES + text.len + 1),
                          REDIS_MAX_VALUE_BYTES + 1};
    memset((char *)longer.data, ' ', longer.len);
    memcpy((char *)longer.data, text.data, text.len);
    const char *why = redis_value_read(longer, &bounds, &value);
    HOLDS(why != NULL && value.rates == NULL, "%.*s", SPAN(text));
    free((char *)longer.data);
}

static void check_keys(void) {
    char rates[REDIS_KEY_SIZE], lock[REDIS_KEY_SIZE];
    redis_rates_key("ecb", bounds.when, rates);
    redis_lock_key(bounds.when, lock);
    HOLDS(strcmp(strrchr(rates, ':'), strrchr(lock, ':')) == 0, "%s", rates);
    for (int told = 0; told < 8; told++) /* the lock is not two machines' */
        HOLDS(redis_lock_decide(told & 1, told & 2, told & 4) !=
                      REDIS_LOCK_OURS ||
                  ((told & 1) != 0 && (told & 6) != 0),
              "%d", told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    struct span line = fuzz_take(&text, '\n');
    if (span_equals(line, "url")) {
        check_url(text);
        return 0;
    }
    if (span_equals(line, "long")) {
        check_long_value(text);
        return 0;
    }
    if (!rates_day_parse(line, &bounds.when))
        bounds.when = FUZZ_TODAY;
    check_keys();
    check_value(text);
    return 0;
}
