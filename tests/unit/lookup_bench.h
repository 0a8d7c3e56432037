/*
 * A look-up between providers, a Redis and a clock that are all under the
 * test's hand.
 */
#ifndef FXWIRE_TESTS_UNIT_LOOKUP_BENCH_H
#define FXWIRE_TESTS_UNIT_LOOKUP_BENCH_H

#include "ratefetcher/lookup.h"

#include <event2/event.h>
#include <fcntl.h>

#include "common/log.h"
#include "common/loop.h"
#include "ratefetcher/redis/redis_cache.h"
#include "tests/unit/fake_clock.h"
#include "tests/unit/fake_providers.h"

enum { FRANKFURTER, ECB, FILE_PROVIDER };

#define DAY   "2021-05-18"
#define OTHER "2021-05-19"

/* In seconds. */
enum { TIMEOUT = 5, TTL = 100, STALE_MAX = 50 };

/* Redis under the test's hand: one who asks waits, if it is in use. */
static struct fake_redis {
    bool in_use;
    struct redis_waiter *waits; /* NULL: nobody */
    size_t joined, stored;
    int fetches; /* begun and not ended */
} redis;

struct redis_cache *redis_cache_new(const struct provider_context *context,
                                    struct providers *providers,
                                    redis_keep *keep, void *keep_arg) {
    (void)context, (void)providers, (void)keep, (void)keep_arg;
    return NULL;
}

void redis_cache_free(struct redis_cache **cache) {
    (void)cache;
}

bool redis_cache_join(struct redis_cache *cache, day when,
                      struct redis_waiter *waiter) {
    (void)cache, (void)when;
    redis.joined++;
    if (redis.in_use)
        redis.waits = waiter;
    return redis.in_use;
}

void redis_cache_store(struct redis_cache *cache, day when,
                       const struct rates *rates) {
    (void)cache, (void)when, (void)rates;
    redis.stored++;
}

void redis_cache_begin_fetch(struct redis_cache *cache, day when) {
    (void)cache, (void)when;
    redis.fetches++;
}

void redis_cache_end_fetch(struct redis_cache *cache, day when) {
    (void)cache, (void)when;
    assert_true(redis.fetches-- > 0);
}

const char *redis_cache_state(const struct redis_cache *cache) {
    (void)cache;
    return "off";
}

/* A look into Redis has ended, and has brought nothing. */
static inline void redis_is_over(void) {
    struct redis_waiter *waiter = redis.waits;
    redis.waits = NULL;
    assert_true(waiter->looked(waiter, 0, true));
}

static struct event_base *base;
static struct settings *settings;
static struct metrics metrics;
static struct lookup *lookup;
static size_t alerts;                    /* that no provider is left */
static size_t old_alerts, differ_alerts; /* of a table */
static char alert_detail[64], old_detail[64], differ_detail[256];

static void on_alert(void *arg, enum event_id event, const char *detail) {
    (void)arg;
    if (event == EVENT_NO_PROVIDER_LEFT) {
        snprintf(alert_detail, sizeof alert_detail, "%s", detail);
        alerts++;
    }
    if (event == EVENT_RATES_OLD) {
        snprintf(old_detail, sizeof old_detail, "%s", detail);
        old_alerts++;
    }
    if (event == EVENT_RATES_DIFFER) {
        snprintf(differ_detail, sizeof differ_detail, "%s", detail);
        differ_alerts++;
    }
}

static void on_changed(void *arg) {
    (void)arg;
}

/* What a question was answered with. */
static struct told {
    int count; /* of answers */
    enum lookup_result result;
    char provider[32], layer[16], as_of[DAY_TEXT_SIZE];
    duration fresh, retry;
    char why[128]; /* "": no more was said */
} told;

static void on_told(void *arg, const struct lookup_answer *answer) {
    struct told *t = arg;
    *t = (struct told){.count = t->count + 1,
                       .result = answer->result,
                       .fresh = answer->fresh,
                       .retry = answer->retry};
    if (answer->why != NULL)
        snprintf(t->why, sizeof t->why, "%s", answer->why);
    if (answer->result != LOOKUP_FOUND)
        return;
    snprintf(t->provider, sizeof t->provider, "%s",
             rates_provider(answer->rates));
    snprintf(t->layer, sizeof t->layer, "%s", answer->layer);
    day_print(rates_as_of(answer->rates), t->as_of);
}

static struct lookup_waiter *ask(const char *date, const char *currency) {
    told = (struct told){0};
    return lookup_ask(lookup, day_of_text(date), span_of(currency), on_told,
                      &told);
}

static void assert_told(const char *provider, const char *layer) {
    assert_int_equal(told.count, 1);
    assert_int_equal(told.result, LOOKUP_FOUND);
    assert_string_equal(told.provider, provider);
    assert_string_equal(told.layer, layer);
}

static inline void assert_refused(enum lookup_result result) {
    assert_int_equal(told.count, 1);
    assert_int_equal(told.result, result);
}

/* Lets so much time pass. */
static void pass(double seconds) {
    fake_monotonic_usec += (int64_t)(seconds * USEC_PER_SEC);
    event_base_loop(base, EVLOOP_NONBLOCK);
}

/* `setting`: one more, NAME=value. */
static void begin_with(const char *providers, int ttl, const char *setting) {
    char line[128], ttl_line[32], one_more[48];
    snprintf(one_more, sizeof one_more, "%s", setting);
    snprintf(ttl_line, sizeof ttl_line, "CACHE_TTL_SECONDS=%d", ttl);
    snprintf(line, sizeof line, "RATE_PROVIDERS=%s", providers);
    static char rest[][32] = {"RATES_FILE=/dev/null",
                              "REQUEST_TIMEOUT_SECONDS=5",
                              "STALE_MAX_SECONDS=50", "STATE_DIR=/proc/none"};
    char *const environment[] = {line,    ttl_line, one_more, rest[0],
                                 rest[1], rest[2],  rest[3],  NULL};
    log_open("test", "error", "text", open("/dev/null", O_WRONLY));
    base = loop_new();
    settings = settings_load(environment, NULL, false, SETTINGS_RATEFETCHER);
    metrics = (struct metrics){0};
    redis = (struct fake_redis){0};
    alerts = 0;
    fake_forget();
    fake_wall_goes_on = true;
    fake_wall_ms =
        FAKE_NOON_MS - (fake_monotonic_usec - FAKE_START_USEC) / USEC_PER_MSEC;
    lookup = lookup_new(&(struct provider_context){.base = base,
                                                   .metrics = &metrics,
                                                   .settings = settings,
                                                   .alert = on_alert,
                                                   .changed = on_changed});
}

/* Its tables are of 2021, and it is 2026. */
static inline void begin_for(const char *providers, int ttl) {
    begin_with(providers, ttl, "LATEST_MAX_AGE_DAYS=36500");
}

static inline void begin(const char *providers) {
    begin_for(providers, TTL);
}

/* Two providers; the fetch at the start is over, and has failed. */
static inline int begin_with_two(void **state) {
    (void)state;
    begin("frankfurter ecb");
    pass(0);
    fake_fail(FRANKFURTER, PROVIDER_BAD_STATUS);
    fake_fail(ECB, PROVIDER_BAD_STATUS);
    fakes[FRANKFURTER].fetches = fakes[ECB].fetches = 0;
    alerts = 0;
    return 0;
}

static int end(void **state) {
    (void)state;
    lookup_free(&lookup);
    settings_free(&settings);
    loop_free(&base);
    return 0;
}

#endif
