#include "ratefetcher/cache_redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/log.h"
#include "common/memory.h"
#include "common/message.h"
#include "ratefetcher/redis_link.h"

/* What a lock is held for at most: a call to a provider, and a little more. */
#define LOCK_MILLISECONDS "2500"

/* Only one's own lock is given back, whoever holds it by now. */
static const char release_script[] =
    "if redis.call('get',KEYS[1])==ARGV[1] then "
    "return redis.call('del',KEYS[1]) end return 0";

static const char from_redis[] = "redis";

/* What Redis lets us do: a line in the log for each change. */
struct grant {
    const char *refused_event, *taken_event;
    bool refused;
};

struct cache_redis {
    const struct provider_context *context;
    struct providers *providers;
    duration ttl;
    struct redis_address address;
    struct redis_link *link;
    struct grant reads, writes;
    LIST_HEAD(, look) looks;
};

/* A look for a day's tables: its commands are out. */
struct look {
    LIST_ENTRY(look) entry;
    struct cache_redis *cache;
    day when;
    cache_redis_done *done;
    void *arg;
    size_t open; /* replies that are still to come */
    bool lock_told, lock_taken, lock_ours;
    struct cache_redis_found found;
    struct slot {
        struct look *look;
        size_t source;
    } slots[];
};

static void on_changed(void *arg, bool up) {
    struct cache_redis *cache = arg;
    metrics_set(cache->context->metrics, METRIC_REDIS_UP, up);
    cache->reads.refused = cache->writes.refused = false;
    cache->context->changed(cache->context->arg);
}

static void on_refused(void *arg, const char *code) {
    struct cache_redis *cache = arg;
    cache->context->alert(cache->context->arg, "redis_refused", code);
}

struct cache_redis *cache_redis_new(const struct provider_context *context,
                                    struct providers *providers) {
    const char *url = settings_text(context->settings, SETTING_REDIS_URL);
    if (url == NULL)
        return NULL;
    struct cache_redis *cache = memory_new(sizeof *cache);
    cache->context = context;
    cache->providers = providers;
    cache->ttl =
        settings_duration(context->settings, SETTING_CACHE_TTL_SECONDS);
    cache->reads =
        (struct grant){"redis_reads_refused", "redis_reads_allowed", false};
    cache->writes =
        (struct grant){"redis_writes_refused", "redis_writes_allowed", false};
    LIST_INIT(&cache->looks);
    redis_address_read(url, &cache->address);
    if (cache->address.password != NULL)
        log_mask(cache->address.password);
    cache->link = redis_link_new(
        context->base, &cache->address,
        &(struct redis_link_owner){on_changed, on_refused, cache});
    return cache;
}

void cache_redis_free(struct cache_redis **cache) {
    struct cache_redis *c = *cache;
    *cache = NULL;
    if (c == NULL)
        return;
    redis_link_free(&c->link);
    struct look *look;
    while ((look = LIST_FIRST(&c->looks)) != NULL) {
        LIST_REMOVE(look, entry);
        free(look);
    }
    redis_address_clear(&c->address);
    free(c);
}

bool cache_redis_is_usable(const struct cache_redis *cache) {
    return cache != NULL && redis_link_takes(cache->link);
}

const char *cache_redis_state(const struct cache_redis *cache) {
    if (cache == NULL)
        return "off";
    return redis_link_is_up(cache->link) ? "up" : "down";
}

/* Notes whether Redis does such things for us; false: it does not. */
static bool is_granted(struct cache_redis *cache, struct grant *grant,
                       const redisReply *reply) {
    char code[32];
    if (reply == NULL)
        return false;
    redis_error_code(reply, code);
    bool refused = code[0] != '\0';
    if (refused && !grant->refused)
        log_warn(grant->refused_event, LOG_FIELDS(log_text("why", code)));
    else if (!refused && grant->refused)
        log_info(grant->taken_event, NULL);
    if (refused && !grant->refused &&
        (strcmp(code, "NOPERM") == 0 || strcmp(code, "NOAUTH") == 0))
        on_refused(cache, code);
    grant->refused = refused;
    return !refused;
}

/* Ends the look when all its replies are there. */
static void count_reply(struct look *look) {
    if (--look->open > 0)
        return;
    look->found.lock =
        redis_lock_decide(look->lock_told, look->lock_taken, look->lock_ours);
    LIST_REMOVE(look, entry);
    look->done(look->arg, &look->found);
    free(look);
}

static void on_lock(void *arg, const redisReply *reply) {
    struct look *look = arg;
    struct cache_redis *cache = look->cache;
    look->lock_told = is_granted(cache, &cache->writes, reply);
    look->lock_taken = look->lock_told && reply->type == REDIS_REPLY_STATUS;
    count_reply(look);
}

static void on_holder(void *arg, const redisReply *reply) {
    struct look *look = arg;
    const char *token = call_counts_token(look->cache->providers->counts);
    look->lock_ours = reply != NULL && reply->type == REDIS_REPLY_STRING &&
                      span_equals((struct span){reply->str, reply->len}, token);
    count_reply(look);
}

static void ignore_value(struct cache_redis *cache, size_t source, day when,
                         const char *why) {
    char key[REDIS_KEY_SIZE];
    redis_value_key(cache->providers->list[source].class->name, when, key);
    metrics_count(cache->context->metrics, METRIC_LOOKUPS_REDIS_BAD);
    log_warn("redis_value_ignored",
             LOG_FIELDS(log_text("key", key), log_text("why", why)));
}

/* Keeps what is newer than what is there; true: it came. */
static bool keep(struct cache_redis *cache, size_t source, day when,
                 const struct redis_value *value) {
    duration age = MILLISECONDS(value->age_ms);
    return provider_keep(&cache->providers->list[source], when, value->rates,
                         monotime_add(clock_monotonic(), (duration){-age.usec}),
                         from_redis);
}

static void read_value(struct look *look, size_t source, struct span text) {
    struct cache_redis *cache = look->cache;
    const struct provider_class *class = cache->providers->list[source].class;
    const struct redis_value_bounds bounds = {
        .provider = class->name,
        .base = registry_base(class),
        .when = look->when,
        .may_stand_still = class->api == NULL, /* a file does */
        .now_ms = clock_wall_ms(),
        .ttl_ms = cache->ttl.usec / USEC_PER_MSEC};
    struct redis_value value;
    const char *why = redis_value_read(text, &bounds, &value);
    if (why != NULL && !value.expired)
        ignore_value(cache, source, look->when, why);
    if (why != NULL)
        return;
    if (value.left_out > 0)
        log_warn("rates_left_out",
                 LOG_FIELDS(log_text("provider", bounds.provider),
                            log_text("layer", from_redis),
                            log_int("bad_rates", (int64_t)value.left_out)));
    if (keep(cache, source, look->when, &value))
        look->found.came |= UINT32_C(1) << source;
    rates_release(&value.rates);
}

static void on_value(void *arg, const redisReply *reply) {
    struct slot *slot = arg;
    struct look *look = slot->look;
    struct cache_redis *cache = look->cache;
    char code[32] = "";
    if (reply != NULL)
        redis_error_code(reply, code);
    if (strcmp(code, "WRONGTYPE") == 0)
        ignore_value(cache, slot->source, look->when, "of another type");
    else if (is_granted(cache, &cache->reads, reply) &&
             reply->type != REDIS_REPLY_NIL)
        read_value(look, slot->source,
                   reply->type == REDIS_REPLY_STRING
                       ? (struct span){reply->str, reply->len}
                       : (struct span){"", 0});
    count_reply(look);
}

/* Sends a command that is in the way of an answer. */
static void send_step(struct look *look, redis_done *done, void *arg,
                      size_t count, const struct span arguments[]) {
    look->open++;
    redis_link_send(look->cache->link, REDIS_STEP_USEC, done, arg, count,
                    arguments);
}

void cache_redis_look(struct cache_redis *cache, day when,
                      cache_redis_done *done, void *arg) {
    size_t sources = cache->providers->count;
    struct look *look =
        memory_new(sizeof *look + sources * sizeof *look->slots);
    look->cache = cache;
    look->when = when;
    look->done = done;
    look->arg = arg;
    LIST_INSERT_HEAD(&cache->looks, look, entry);
    char key[REDIS_KEY_SIZE];
    redis_value_lock_key(when, key);
    const char *token = call_counts_token(cache->providers->counts);
    /* The lock first: who gets it then sees all that its last holder put. */
    send_step(look, on_lock, look, 6,
              (struct span[]){span_of("SET"), span_of(key), span_of(token),
                              span_of("NX"), span_of("PX"),
                              span_of(LOCK_MILLISECONDS)});
    send_step(look, on_holder, look, 2,
              (struct span[]){span_of("GET"), span_of(key)});
    for (size_t i = 0; i < sources; i++) {
        look->slots[i] = (struct slot){look, i};
        redis_value_key(cache->providers->list[i].class->name, when, key);
        send_step(look, on_value, &look->slots[i], 2,
                  (struct span[]){span_of("GET"), span_of(key)});
    }
}

static void on_stored(void *arg, const redisReply *reply) {
    struct cache_redis *cache = arg;
    (void)is_granted(cache, &cache->writes, reply);
}

/* How long a table that was fetched then stays fresh, at least a second. */
static int64_t left_ms(const struct cache_redis *cache,
                       const struct rates *rates, int64_t now_ms) {
    int64_t ttl_ms = cache->ttl.usec / USEC_PER_MSEC;
    int64_t age_ms = now_ms - rates_fetched_ms(rates);
    int64_t left = ttl_ms - (age_ms > 0 ? age_ms : 0);
    return left > MSEC_PER_SEC ? left : MSEC_PER_SEC;
}

void cache_redis_store(struct cache_redis *cache, day when,
                       const struct rates *rates) {
    if (!cache_redis_is_usable(cache))
        return;
    char key[REDIS_KEY_SIZE], seconds[32];
    int64_t now_ms = clock_wall_ms(), left = left_ms(cache, rates, now_ms);
    redis_value_key(rates_provider(rates), when, key);
    snprintf(seconds, sizeof seconds, "%lld", (long long)(left / MSEC_PER_SEC));
    struct json_object *message =
        rates_message_new(when, rates, "provider", now_ms + left);
    redis_link_send(cache->link, REDIS_WORK_USEC, on_stored, cache, 5,
                    (struct span[]){span_of("SET"), span_of(key),
                                    message_line(message), span_of("EX"),
                                    span_of(seconds)});
    json_object_put(message);
}

void cache_redis_release(struct cache_redis *cache, day when) {
    if (!cache_redis_is_usable(cache))
        return;
    char key[REDIS_KEY_SIZE];
    redis_value_lock_key(when, key);
    redis_link_send(
        cache->link, REDIS_WORK_USEC, NULL, NULL, 5,
        (struct span[]){span_of("EVAL"), span_of(release_script), span_of("1"),
                        span_of(key),
                        span_of(call_counts_token(cache->providers->counts))});
}
