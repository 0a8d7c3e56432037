#include "ratefetcher/redis/redis_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/lines/message.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/memory.h"
#include "ratefetcher/redis/redis_connection.h"
#include "ratefetcher/redis/redis_format.h"
#include "ratefetcher/redis/redis_sentinels.h"

/*
 * A lock ends by itself after so long, if its holder dies; one that lives and
 * still fetches renews it.
 */
#define LOCK_MILLISECONDS "2500"
#define RENEW_EACH        SECONDS(1)

/* So often is looked whether the other machine has put its table there. */
#define LOOK_AGAIN MILLISECONDS(25)

/* A server in another role than ours is so long given to change it back. */
#define ROLE_LIMIT SECONDS(5)

/* Only one's own lock is given back or renewed, whoever holds it by now. */
static const char release_script[] =
    "if redis.call('get',KEYS[1])==ARGV[1] then "
    "return redis.call('del',KEYS[1]) end return 0",
                  renew_script[] =
                      "if redis.call('get',KEYS[1])==ARGV[1] then "
                      "return redis.call('pexpire',KEYS[1],ARGV[2]) end "
                      "return 0";

static const char from_redis[] = "redis";

/* What a look-up does, of a key that nobody has. */
static const struct span probe[] = {{"GET", 3}, {"fxwire:probe", 12}};

/* What Redis lets us do: a line in the log for each change. */
struct redis_right {
    enum event_id refused_event, allowed_event;
    bool refused;
};

struct redis_cache {
    const struct provider_context *context;
    struct providers *providers;
    redis_keep *keep;
    void *keep_arg;
    duration ttl;
    struct redis_address address;
    struct redis_streams *streams;
    struct redis_connection *connection;
    struct redis_sentinels *sentinels; /* NULL: none */
    bool starting; /* the first attempt to connect is worth to be waited for */
    struct redis_right reads, writes;
    struct event *wrong_role; /* since it has one, and for ROLE_LIMIT */
    LIST_HEAD(, redis_day) days;
};

/* A day that is looked for, waited for or fetched. */
struct redis_day {
    LIST_ENTRY(redis_day) entry;
    struct redis_cache *cache;
    day when;
    struct event *timer; /* of the next look, or of renewing the lock */
    TAILQ_HEAD(redis_waiters, redis_waiter) waiters;
    size_t replies; /* of a look, that are still to come */
    uint32_t came;  /* with it: a bit for each provider */
    bool lock_told, lock_taken, lock_was_ours;
    bool locked;    /* the lock is ours */
    size_t fetches; /* that run here */
    struct redis_day_value {
        struct redis_day *day;
        size_t provider;
    } values[]; /* one for each provider */
};

static void go_on(struct redis_day *d);
static void on_timer(evutil_socket_t fd, short what, void *arg);

static bool is_usable(const struct redis_cache *cache) {
    return redis_connection_takes(cache->connection);
}

/* Who waits for the connection to come up need not do so any longer. */
static void on_changed(void *arg, bool up) {
    struct redis_cache *cache = arg;
    struct redis_day *d;
    cache->starting = false;
    metrics_set(cache->context->metrics, METRIC_REDIS_UP, up);
    if (!up)
        evtimer_del(cache->wrong_role);
    LIST_FOREACH (d, &cache->days, entry)
        if (d->replies == 0 && !TAILQ_EMPTY(&d->waiters))
            loop_set_timer(d->timer, (duration){0});
    cache->context->changed(cache->context->arg);
}

/*
 * It has been a replica, or one that loads, all the time: its name may be
 * another's by now. A command that went well has stopped the timer.
 */
static void on_wrong_role(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct redis_cache *cache = arg;
    redis_connection_renew(cache->connection,
                           "a replica, or not ready, for 5 s: the name is "
                           "looked up anew");
}

static void on_refused(void *arg, const char *why) {
    struct redis_cache *cache = arg;
    cache->context->alert(cache->context->arg, EVENT_REDIS_REFUSED, why);
}

/* One that the name stands for no longer never leaves its role. */
static void watch_role(struct redis_cache *cache, const char *code) {
    if (!redis_error_is_of_role(code))
        evtimer_del(cache->wrong_role);
    else if (!evtimer_pending(cache->wrong_role, NULL))
        loop_set_timer(cache->wrong_role, ROLE_LIMIT);
}

static void note_refusal(struct redis_cache *cache,
                         const struct redis_right *right,
                         const redisReply *reply, const char *code) {
    char why[REDIS_WHY_SIZE];
    redis_error_text(cache->connection, reply, why);
    log_warn(right->refused_event, LOG_FIELDS(log_text("why", why)));
    if (strcmp(code, "MOVED") == 0)
        redis_connection_end(cache->connection,
                             "a cluster of several nodes, which is not "
                             "supported: name a Redis that has all keys");
    else if (strcmp(code, "NOPERM") == 0 || strcmp(code, "NOAUTH") == 0 ||
             (right == &cache->reads && !redis_error_is_of_role(code)))
        on_refused(cache, why);
}

/* Notes whether Redis does such things for us; false: it does not. */
static bool is_allowed(struct redis_cache *cache, struct redis_right *right,
                       const redisReply *reply) {
    char code[REDIS_CODE_SIZE];
    if (reply == NULL)
        return false;
    redis_error_code(reply, code);
    bool refused = reply->type == REDIS_REPLY_ERROR,
         changed = right->refused != refused;
    right->refused = refused;
    if (refused || right == &cache->writes)
        watch_role(cache, code);
    if (changed && !refused)
        log_info(right->allowed_event, NULL);
    if (changed && refused)
        note_refusal(cache, right, reply, code);
    if (changed)
        cache->context->changed(cache->context->arg);
    return !refused;
}

static void on_probed(void *arg, const redisReply *reply) {
    struct redis_cache *cache = arg;
    (void)is_allowed(cache, &cache->reads, reply);
}

struct redis_cache *redis_cache_new(const struct provider_context *context,
                                    struct providers *providers,
                                    redis_keep *keep, void *keep_arg) {
    const char *url = settings_text(context->settings, SETTING_REDIS_URL);
    if (url == NULL)
        return NULL;
    struct redis_cache *cache = memory_new(sizeof *cache);
    cache->context = context;
    cache->providers = providers;
    cache->keep = keep;
    cache->keep_arg = keep_arg;
    cache->ttl =
        settings_duration(context->settings, SETTING_CACHE_TTL_SECONDS);
    cache->starting = true;
    cache->reads = (struct redis_right){EVENT_REDIS_READS_REFUSED,
                                        EVENT_REDIS_READS_ALLOWED, false};
    cache->writes = (struct redis_right){EVENT_REDIS_WRITES_REFUSED,
                                         EVENT_REDIS_WRITES_ALLOWED, false};
    cache->wrong_role = evtimer_new(context->base, on_wrong_role, cache);
    LIST_INIT(&cache->days);
    redis_address_read(url, &cache->address);
    if (cache->address.password != NULL)
        log_mask(cache->address.password);
    cache->streams = redis_streams_new(
        context->base, cache->address.tls,
        settings_text(context->settings, SETTING_REDIS_CA_FILE));
    cache->connection =
        redis_connection_new(cache->streams, &cache->address,
                             &(struct redis_connection_owner){
                                 on_changed, on_refused, on_probed, cache,
                                 probe, sizeof probe / sizeof *probe});
    cache->sentinels =
        redis_sentinels_new(cache->streams, &cache->address, cache->connection);
    return cache;
}

static void free_day(struct redis_day *d) {
    LIST_REMOVE(d, entry);
    event_free(d->timer);
    free(d);
}

void redis_cache_free(struct redis_cache **cache) {
    struct redis_cache *c = *cache;
    struct redis_day *d;
    *cache = NULL;
    if (c == NULL)
        return;
    redis_sentinels_free(&c->sentinels);
    redis_connection_free(&c->connection);
    redis_streams_free(&c->streams);
    event_free(c->wrong_role);
    while ((d = LIST_FIRST(&c->days)) != NULL)
        free_day(d);
    redis_address_clear(&c->address);
    free(c);
}

const char *redis_cache_state(const struct redis_cache *cache) {
    if (cache == NULL)
        return "off";
    if (redis_connection_is_refused(cache->connection))
        return "refused";
    if (!redis_connection_is_up(cache->connection))
        return "down";
    if (cache->reads.refused)
        return "refused";
    return cache->writes.refused ? "read only" : "up";
}

static struct redis_day *find_day(const struct redis_cache *cache, day when) {
    struct redis_day *d;
    LIST_FOREACH (d, &cache->days, entry)
        if (d->when.number == when.number)
            return d;
    return NULL;
}

static struct redis_day *make_day(struct redis_cache *cache, day when) {
    struct redis_day *d = find_day(cache, when);
    if (d != NULL)
        return d;
    d = memory_new(sizeof *d + cache->providers->count * sizeof *d->values);
    d->cache = cache;
    d->when = when;
    d->timer = evtimer_new(cache->context->base, on_timer, d);
    TAILQ_INIT(&d->waiters);
    for (size_t i = 0; i < cache->providers->count; i++)
        d->values[i] = (struct redis_day_value){d, i};
    LIST_INSERT_HEAD(&cache->days, d, entry);
    return d;
}

/* Tells all who wait what a look has brought; some may go on waiting. */
static void tell(struct redis_day *d, uint32_t came, bool over) {
    struct redis_waiters told = TAILQ_HEAD_INITIALIZER(told);
    struct redis_waiter *waiter;
    monotime now = clock_monotonic();
    TAILQ_CONCAT(&told, &d->waiters, entry);
    while ((waiter = TAILQ_FIRST(&told)) != NULL) {
        TAILQ_REMOVE(&told, waiter, entry);
        if (!waiter->looked(waiter, came,
                            over || monotime_reached(now, waiter->until)))
            TAILQ_INSERT_TAIL(&d->waiters, waiter, entry);
    }
}

/* Ends the look when all its replies are there. */
static void count_reply(struct redis_day *d) {
    if (--d->replies > 0)
        return;
    enum redis_lock lock =
        redis_lock_decide(d->lock_told, d->lock_taken, d->lock_was_ours);
    d->locked = lock == REDIS_LOCK_OURS;
    tell(d, d->came, lock != REDIS_LOCK_OTHERS);
    go_on(d);
}

static void on_lock(void *arg, const redisReply *reply) {
    struct redis_day *d = arg;
    d->lock_told = is_allowed(d->cache, &d->cache->writes, reply);
    d->lock_taken = d->lock_told && reply->type == REDIS_REPLY_STATUS;
    count_reply(d);
}

static void on_holder(void *arg, const redisReply *reply) {
    struct redis_day *d = arg;
    const char *token = call_counts_token(d->cache->providers->counts);
    d->lock_was_ours =
        reply != NULL && reply->type == REDIS_REPLY_STRING &&
        span_equals((struct span){reply->str, reply->len}, token);
    count_reply(d);
}

static void ignore_value(const struct redis_day *d, size_t provider,
                         const char *why) {
    char key[REDIS_KEY_SIZE];
    redis_rates_key(d->cache->providers->list[provider].class->name, d->when,
                    key);
    metrics_count(d->cache->context->metrics, METRIC_LOOKUPS_REDIS_BAD);
    log_warn(EVENT_REDIS_VALUE_IGNORED,
             LOG_FIELDS(log_text("key", key), log_text("why", why)));
}

static void read_value(struct redis_day *d, size_t at, struct span text) {
    struct redis_cache *cache = d->cache;
    struct provider *provider = &cache->providers->list[at];
    const struct redis_value_bounds bounds = {
        .provider = provider->class->name,
        .base = registry_base(provider->class),
        .when = d->when,
        .latest_max_days = provider->latest_max_days,
        .now_ms = clock_wall_ms(),
        .ttl_ms = cache->ttl.usec / USEC_PER_MSEC,
    };
    struct redis_value value;
    const char *why = redis_value_read(text, &bounds, &value);
    if (why != NULL && !value.expired)
        ignore_value(d, at, why);
    if (why != NULL)
        return;
    if (value.left_out > 0)
        log_warn(EVENT_RATES_LEFT_OUT,
                 LOG_FIELDS(log_text("provider", bounds.provider),
                            log_text("layer", from_redis),
                            log_int("bad_rates", (int64_t)value.left_out)));
    monotime fetched =
        monotime_add(clock_monotonic(), MILLISECONDS(-value.age_ms));
    if (cache->keep(cache->keep_arg, provider, d->when, value.rates, fetched))
        d->came |= UINT32_C(1) << at;
    rates_release(&value.rates);
}

static void on_value(void *arg, const redisReply *reply) {
    const struct redis_day_value *value = arg;
    struct redis_day *d = value->day;
    struct redis_cache *cache = d->cache;
    char code[REDIS_CODE_SIZE] = "";
    if (reply != NULL)
        redis_error_code(reply, code);
    if (strcmp(code, "WRONGTYPE") == 0)
        ignore_value(d, value->provider, "of another type");
    else if (is_allowed(cache, &cache->reads, reply) &&
             reply->type != REDIS_REPLY_NIL)
        read_value(d, value->provider,
                   reply->type == REDIS_REPLY_STRING
                       ? (struct span){reply->str, reply->len}
                       : (struct span){"", 0});
    count_reply(d);
}

/* Sends a command that is in the way of an answer. */
static void send_step(struct redis_day *d, redis_replied *done, void *arg,
                      size_t count, const struct span arguments[]) {
    d->replies++;
    redis_connection_send(d->cache->connection, REDIS_STEP, done, arg, count,
                          arguments);
}

/*
 * Tries to take the lock, and reads the tables that are there. The lock first:
 * who gets it then sees all that its last holder put.
 */
static void look(struct redis_day *d) {
    const struct providers *providers = d->cache->providers;
    struct span token = span_of(call_counts_token(providers->counts));
    char key[REDIS_KEY_SIZE];
    d->came = 0;
    redis_lock_key(d->when, key);
    send_step(d, on_lock, d, 6,
              (struct span[]){span_of("SET"), span_of(key), token,
                              span_of("NX"), span_of("PX"),
                              span_of(LOCK_MILLISECONDS)});
    send_step(d, on_holder, d, 2,
              (struct span[]){span_of("GET"), span_of(key)});
    for (size_t i = 0; i < providers->count; i++) {
        redis_rates_key(providers->list[i].class->name, d->when, key);
        send_step(d, on_value, &d->values[i], 2,
                  (struct span[]){span_of("GET"), span_of(key)});
    }
}

static void on_written(void *arg, const redisReply *reply) {
    struct redis_cache *cache = arg;
    (void)is_allowed(cache, &cache->writes, reply);
}

/* Has a script do what it does to the lock of the day, if it is ours. */
static void run_on_lock(const struct redis_day *d, const char *script) {
    struct redis_cache *cache = d->cache;
    char key[REDIS_KEY_SIZE];
    if (!is_usable(cache))
        return;
    redis_lock_key(d->when, key);
    redis_connection_send(
        cache->connection, REDIS_WORK, NULL, NULL, 6,
        (struct span[]){span_of("EVAL"), span_of(script), span_of("1"),
                        span_of(key),
                        span_of(call_counts_token(cache->providers->counts)),
                        span_of(LOCK_MILLISECONDS)});
}

/*
 * What the day waits for now: replies, another look while somebody waits for
 * another machine, the end of the fetches here; else nothing.
 */
static void go_on(struct redis_day *d) {
    if (d->replies > 0)
        return;
    if (!TAILQ_EMPTY(&d->waiters)) {
        loop_set_timer(d->timer, LOOK_AGAIN);
        return;
    }
    if (d->fetches > 0) {
        if (d->locked)
            loop_set_timer(d->timer, RENEW_EACH);
        return;
    }
    if (d->locked)
        run_on_lock(d, release_script);
    free_day(d);
}

static void on_timer(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct redis_day *d = arg;
    if (!TAILQ_EMPTY(&d->waiters) && is_usable(d->cache)) {
        look(d);
        return;
    }
    if (!TAILQ_EMPTY(&d->waiters)) {
        d->cache->starting = false;
        tell(d, 0, true);
    } else if (d->locked) {
        run_on_lock(d, renew_script);
    }
    go_on(d);
}

bool redis_cache_join(struct redis_cache *cache, day when,
                      struct redis_waiter *waiter) {
    if (cache == NULL)
        return false;
    struct redis_day *d = find_day(cache, when);
    bool waited_for = d != NULL && !TAILQ_EMPTY(&d->waiters);
    if ((d != NULL && d->locked) ||
        (!waited_for && !is_usable(cache) && !cache->starting))
        return false;
    d = make_day(cache, when);
    TAILQ_INSERT_TAIL(&d->waiters, waiter, entry);
    if (waited_for || d->replies > 0)
        return true;
    if (is_usable(cache))
        look(d);
    else
        loop_set_timer(d->timer, REDIS_STEP_LIMIT);
    return true;
}

void redis_cache_begin_fetch(struct redis_cache *cache, day when) {
    if (cache != NULL)
        make_day(cache, when)->fetches++;
}

void redis_cache_end_fetch(struct redis_cache *cache, day when) {
    struct redis_day *d = cache != NULL ? find_day(cache, when) : NULL;
    if (d == NULL)
        return;
    d->fetches--;
    if (d->fetches == 0 && TAILQ_EMPTY(&d->waiters))
        go_on(d);
}

void redis_cache_store(struct redis_cache *cache, day when,
                       const struct rates *rates) {
    if (cache == NULL || !is_usable(cache))
        return;
    char key[REDIS_KEY_SIZE], seconds[32];
    int64_t now_ms = clock_wall_ms(),
            left =
                redis_left_ms(rates, cache->ttl.usec / USEC_PER_MSEC, now_ms);
    redis_rates_key(rates_provider(rates), when, key);
    snprintf(seconds, sizeof seconds, "%lld", (long long)(left / MSEC_PER_SEC));
    struct json_object *message =
        rates_message_new(when, rates, "provider", now_ms + left);
    redis_connection_send(cache->connection, REDIS_WORK, on_written, cache, 5,
                          (struct span[]){span_of("SET"), span_of(key),
                                          message_line(message), span_of("EX"),
                                          span_of(seconds)});
    json_object_put(message);
}
