#include "ratefetcher/lookup.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "common/lines/message.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/memory.h"
#include "ratefetcher/arrivals.h"
#include "ratefetcher/latest_age.h"

/* Of a request's time this much is for the way to the one who asked. */
enum { WAY_BACK_PERCENT = 10 };

/* Another machine's call is waited for no longer than one of our own takes. */
#define REDIS_WAIT SECONDS(2)

/* Who was answered from a table past its age, or by an error, asks again after
 * so long at the soonest. */
#define LEAST_RETRY SECONDS(1)

/* The latest table is fetched anew so long before it expires, in percent of
 * its time, and again after so long if that failed. */
enum { REFRESH_AHEAD_PERCENT = 10 };
#define REFRESH_RETRY SECONDS(5)
#define LEAST_REFRESH MILLISECONDS(50)

static const char from_memory[] = "memory", from_redis[] = "redis",
                  from_provider[] = "provider";

/* Where a look-up stands; see go_on(). */
enum lookup_state {
    LOOKUP_MEMORY,
    LOOKUP_REDIS,
    LOOKUP_PROVIDERS,
    LOOKUP_STALE,
    LOOKUP_PROBE,
    LOOKUP_ERROR,
    LOOKUP_OVER
};

/* One question, from its beginning to its answer. */
struct lookup_waiter {
    LIST_ENTRY(lookup_waiter) entry;
    struct lookup *lookup;
    enum lookup_state state;
    struct rates_query query;
    char currency[RATES_CODE_LEN];
    monotime deadline;
    struct redis_waiter redis;
    size_t provider;           /* the one that is asked, or is next */
    struct provider_call call; /* of the fetch that it waits for */
    bool had_fetch;            /* a provider was asked for it */
    bool had_failure;          /* one that may have the table did not tell */
    bool comes_soon;           /* and has it in a moment */
    lookup_done *done;         /* NULL: answered, or cancelled */
    void *arg;
};

struct lookup {
    struct provider_context context;
    struct providers *providers;
    struct crosscheck *crosscheck;
    struct redis_cache *redis; /* NULL: without Redis */
    struct arrivals arrivals;
    LIST_HEAD(, lookup_waiter) waiters;
    duration request_timeout;
    monotime probe_not_before;
    size_t probe_first; /* the provider that is probed next, if it may be */
    duration ttl;
    monotime latest_asked; /* when somebody last asked for the latest table */
    struct event *refresh_due;
    bool refreshing;
    struct clock_watch clock;
};

/* The first answer counts; who was answered may still wait for a probe. */
static void answer_with(struct lookup_waiter *waiter,
                        const struct lookup_answer *answer) {
    lookup_done *done = waiter->done;
    waiter->done = NULL;
    if (done != NULL)
        done(waiter->arg, answer);
}

/*
 * Answers from the first fresh table that serves, if there is one. `new_ones`:
 * a bit for each provider whose table has just come from `layer`.
 */
static bool answer_fresh(struct lookup_waiter *waiter, uint32_t new_ones,
                         const char *layer) {
    struct lookup_answer found = {.result = LOOKUP_FOUND};
    size_t provider;
    found.rates = providers_answer(waiter->lookup->providers, &waiter->query,
                                   &provider, &found.fresh);
    if (found.rates == NULL)
        return false;
    found.layer = (new_ones >> provider & 1) != 0 ? layer : from_memory;
    answer_with(waiter, &found);
    return true;
}

static bool find_in_memory(struct lookup_waiter *waiter) {
    bool found = answer_fresh(waiter, 0, from_memory);
    metrics_count(waiter->lookup->context.metrics,
                  found ? METRIC_LOOKUPS_MEMORY_HIT
                        : METRIC_LOOKUPS_MEMORY_MISS);
    return found;
}

static bool go_on(struct lookup_waiter *waiter);

static struct lookup_waiter *waiter_of(struct redis_waiter *redis) {
    return (
        struct lookup_waiter *)(void *)((char *)redis -
                                        offsetof(struct lookup_waiter, redis));
}

/* A look into Redis is over. True: the waiter waits for no further one. */
static bool on_redis(struct redis_waiter *redis, uint32_t new_ones, bool over) {
    struct lookup_waiter *waiter = waiter_of(redis);
    struct metrics *metrics = waiter->lookup->context.metrics;
    bool found = new_ones != 0 && answer_fresh(waiter, new_ones, from_redis);
    if (!found && !over)
        return false;
    metrics_count(metrics,
                  found ? METRIC_LOOKUPS_REDIS_HIT : METRIC_LOOKUPS_REDIS_MISS);
    waiter->state = found ? LOOKUP_OVER : LOOKUP_PROVIDERS;
    go_on(waiter);
    return true;
}

/* The wait for another machine counts as if it were one provider more. */
static bool wait_for_redis(struct lookup_waiter *waiter) {
    struct lookup *lookup = waiter->lookup;
    monotime now = clock_monotonic();
    duration part = {monotime_between(now, waiter->deadline).usec /
                     (int64_t)(lookup->providers->count + 1)};
    waiter->redis.until = monotime_add(now, duration_min(part, REDIS_WAIT));
    waiter->redis.looked = on_redis;
    return redis_cache_join(lookup->redis, waiter->query.when, &waiter->redis);
}

/* A fetch has ended: what came of it is kept, and answers if it serves. */
static void end_fetch(struct lookup_waiter *waiter,
                      struct provider_answer fetched) {
    struct lookup *lookup = waiter->lookup;
    size_t provider = waiter->provider;
    day when = waiter->query.when;
    bool is_new =
        crosscheck_end(lookup->crosscheck, &lookup->providers->list[provider],
                       when, &waiter->call, &fetched);
    if (is_new && fetched.result == PROVIDER_OK && fetched.fresh.usec == 0)
        redis_cache_store(lookup->redis, when, fetched.rates);
    else if (fetched.result == PROVIDER_OK) /* there is no better now */
        waiter->query.least_left = (duration){0};
    if (!provider_works(fetched.result)) {
        waiter->had_failure = true;
        waiter->comes_soon = waiter->comes_soon || fetched.fresh.usec > 0;
        lookup->probe_not_before =
            monotime_add(clock_monotonic(), BREAKER_PROBE_PAUSE);
    }
    bool found = answer_fresh(waiter, UINT32_C(1) << provider, from_provider);
    metrics_count(lookup->context.metrics, found
                                               ? METRIC_LOOKUPS_PROVIDER_HIT
                                               : METRIC_LOOKUPS_PROVIDER_MISS);
    if (found)
        waiter->state = LOOKUP_OVER;
    else if (waiter->state == LOOKUP_PROBE)
        waiter->state = LOOKUP_ERROR;
    else
        waiter->provider++;
}

static void on_fetched(void *arg, const struct provider_answer *fetched) {
    struct lookup_waiter *waiter = arg;
    struct lookup *lookup = waiter->lookup;
    day when = waiter->query.when;
    end_fetch(waiter, *fetched);
    go_on(waiter);
    redis_cache_end_fetch(lookup->redis, when);
}

/*
 * Fetches from the provider whose turn it is, which may take its part of the
 * time that is left for all that are left. True: the waiter waits for it.
 */
static bool fetch(struct lookup_waiter *waiter) {
    struct providers *providers = waiter->lookup->providers;
    struct provider *provider = &providers->list[waiter->provider];
    struct provider_answer at_once;
    duration part = {
        monotime_between(clock_monotonic(), waiter->deadline).usec /
        (int64_t)(providers->count - waiter->provider)};
    waiter->had_fetch = true;
    if (!provider_fetch(provider, waiter->query.when, part, &waiter->call,
                        &at_once, on_fetched, waiter)) {
        redis_cache_begin_fetch(waiter->lookup->redis, waiter->query.when);
        return true;
    }
    end_fetch(waiter, at_once);
    return false;
}

/* The next provider that may have the table and may be asked; false: none. */
static bool choose_provider(struct lookup_waiter *waiter) {
    const struct providers *providers = waiter->lookup->providers;
    monotime now = clock_monotonic();
    for (; waiter->provider < providers->count; waiter->provider++) {
        const struct provider *next = &providers->list[waiter->provider];
        if (provider_knows(next, &waiter->query, now))
            continue;
        if (provider_wait(next, waiter->query.when, now).usec == 0)
            return true;
        waiter->had_failure = true;
    }
    return false;
}

/* Now and then one that is skipped for its failures is asked all the same. */
static bool choose_probe(struct lookup_waiter *waiter) {
    struct lookup *lookup = waiter->lookup;
    const struct providers *providers = lookup->providers;
    monotime now = clock_monotonic();
    if (!waiter->had_failure || waiter->had_fetch ||
        !monotime_reached(now, lookup->probe_not_before))
        return false;
    for (size_t i = 0; i < providers->count; i++) {
        size_t place = (lookup->probe_first + i) % providers->count;
        const struct provider *provider = &providers->list[place];
        if (provider_knows(provider, &waiter->query, now) ||
            !provider_may_be_probed(provider, waiter->query.when, now))
            continue;
        lookup->probe_first = place + 1;
        lookup->probe_not_before = monotime_add(now, BREAKER_PROBE_PAUSE);
        waiter->provider = place;
        return true;
    }
    return false;
}

/*
 * While providers fail, a table past its age may serve; who asked for it is to
 * ask again soon. A refresh has the table of a later provider in its place.
 */
static void answer_stale(struct lookup_waiter *waiter) {
    struct lookup_answer stale = {
        .result = LOOKUP_FOUND, .layer = from_memory, .fresh = LEAST_RETRY};
    if (waiter->query.least_left.usec > 0)
        answer_fresh(waiter, 0, from_memory);
    else if (waiter->had_failure)
        stale.rates =
            providers_find_stale(waiter->lookup->providers, &waiter->query);
    if (stale.rates != NULL)
        answer_with(waiter, &stale);
}

static void answer_error(struct lookup_waiter *waiter) {
    struct rates_query any = waiter->query;
    size_t provider;
    duration left;
    any.currency = (struct span){0};
    bool had_table = providers_find(waiter->lookup->providers, &any, &provider,
                                    &left) != NULL;
    if (waiter->had_failure && !had_table && !waiter->comes_soon)
        providers_alert_none_left(waiter->lookup->providers,
                                  &waiter->lookup->context, any.when);
    answer_with(
        waiter,
        &(struct lookup_answer){
            .result = had_table && !waiter->had_failure ? LOOKUP_NO_CURRENCY
                                                        : LOOKUP_UNAVAILABLE,
            .why = latest_age_why(waiter->lookup->providers, any.when),
            .retry = duration_max(
                providers_retry(waiter->lookup->providers, &waiter->query,
                                waiter->lookup->probe_not_before),
                LEAST_RETRY)});
}

static void free_waiter(struct lookup_waiter *waiter) {
    LIST_REMOVE(waiter, entry);
    free(waiter);
}

/*
 * The order of a look-up: a fresh table in memory; what other machines put
 * into Redis; each provider in turn; then, as none of them gave it, a table
 * past its age; a probe of one that is skipped; an error. A state that waits
 * leaves the loop and sets the next state when it is told. False: the waiter
 * waits; true: it is over, and freed.
 */
static bool go_on(struct lookup_waiter *waiter) {
    while (waiter->state != LOOKUP_OVER) {
        switch (waiter->state) {
        case LOOKUP_MEMORY:
            waiter->state = find_in_memory(waiter) ? LOOKUP_OVER : LOOKUP_REDIS;
            break;
        case LOOKUP_REDIS:
            if (wait_for_redis(waiter))
                return false; /* on_redis() goes on */
            waiter->state = LOOKUP_PROVIDERS;
            break;
        case LOOKUP_PROVIDERS:
            if (!choose_provider(waiter))
                waiter->state = LOOKUP_STALE;
            else if (fetch(waiter))
                return false; /* on_fetched() goes on */
            break;
        case LOOKUP_STALE: /* and who is answered does not wait for a probe */
            answer_stale(waiter);
            waiter->state = LOOKUP_PROBE;
            break;
        case LOOKUP_PROBE:
            if (!choose_probe(waiter))
                waiter->state = LOOKUP_ERROR;
            else if (fetch(waiter))
                return false; /* on_fetched() goes on */
            break;
        case LOOKUP_ERROR:
            if (waiter->done != NULL)
                answer_error(waiter);
            waiter->state = LOOKUP_OVER;
            break;
        case LOOKUP_OVER:
            break;
        }
    }
    free_waiter(waiter);
    return true;
}

/* Begins a look-up; gives its waiter, or NULL if it was answered at once. */
static struct lookup_waiter *begin(struct lookup *lookup,
                                   enum lookup_state state,
                                   const struct rates_query *query,
                                   lookup_done *done, void *arg) {
    struct lookup_waiter *waiter = memory_new(sizeof *waiter);
    duration limit = {lookup->request_timeout.usec / 100 *
                      (100 - WAY_BACK_PERCENT)};
    waiter->lookup = lookup;
    waiter->state = state;
    waiter->query = *query;
    waiter->deadline = monotime_add(clock_monotonic(), limit);
    waiter->done = done;
    waiter->arg = arg;
    if (query->currency.len > 0) {
        memcpy(waiter->currency, query->currency.data, RATES_CODE_LEN);
        waiter->query.currency.data = waiter->currency;
    }
    LIST_INSERT_HEAD(&lookup->waiters, waiter, entry);
    return !go_on(waiter) && waiter->done != NULL ? waiter : NULL;
}

/* Fresh for so long is the latest table that would serve; 0: there is none. */
static duration latest_left(const struct lookup *lookup) {
    const struct rates_query latest = {.when = RATES_LATEST};
    size_t provider;
    duration left;
    return providers_find(lookup->providers, &latest, &provider, &left) != NULL
               ? left
               : (duration){0};
}

static bool had_latest(const struct lookup *lookup) {
    for (size_t i = 0; i < lookup->providers->count; i++)
        if (lookup->providers->list[i].latest_layer != NULL)
            return true;
    return false;
}

/* A table that nobody asks for is not fetched again and again. */
static bool latest_is_wanted(const struct lookup *lookup) {
    return !had_latest(lookup) ||
           monotime_between(lookup->latest_asked, clock_monotonic()).usec <
               2 * lookup->ttl.usec;
}

static duration refresh_ahead(const struct lookup *lookup) {
    return (duration){lookup->ttl.usec / 100 * REFRESH_AHEAD_PERCENT};
}

static void plan_refresh(struct lookup *lookup, duration delay) {
    loop_set_timer(lookup->refresh_due, duration_max(delay, (duration){0}));
}

/* Until a little before what was found expires; the old one serves so long. */
static void on_refreshed(void *arg, const struct lookup_answer *answer) {
    struct lookup *lookup = arg;
    duration ahead = duration_min(
        refresh_ahead(lookup),
        (duration){answer->fresh.usec / 100 * REFRESH_AHEAD_PERCENT});
    duration delay = duration_min((duration){answer->fresh.usec - ahead.usec},
                                  providers_ask_again(lookup->providers));
    lookup->refreshing = false;
    plan_refresh(lookup, answer->result == LOOKUP_FOUND
                             ? duration_max(delay, LEAST_REFRESH)
                             : REFRESH_RETRY);
}

/* Whether the wall clock was set: then the latest table is asked for anew. */
static void look_at_clock(struct lookup *lookup) {
    struct clock_step step =
        clock_watch_look(&lookup->clock, clock_wall_ms(), clock_monotonic());
    if (step.ms == 0)
        return;
    log_warn(EVENT_CLOCK_STEPPED,
             LOG_FIELDS(log_duration("by", MILLISECONDS(step.ms))));
    providers_clock_stepped(lookup->providers, &step);
    if (!lookup->refreshing)
        plan_refresh(lookup, (duration){0});
}

/* If nobody wants the table now, the next who does plans it anew. */
static void on_refresh_due(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct lookup *lookup = arg;
    struct rates_query query = {.when = RATES_LATEST,
                                .least_left = refresh_ahead(lookup)};
    look_at_clock(lookup);
    duration left = latest_left(lookup);
    if (!latest_is_wanted(lookup))
        return;
    if (left.usec > query.least_left.usec &&
        !providers_seek_better(lookup->providers)) {
        plan_refresh(lookup, (duration){left.usec - query.least_left.usec});
        return;
    }
    lookup->refreshing = true;
    begin(lookup, LOOKUP_REDIS, &query, on_refreshed, lookup);
}

struct lookup *lookup_new(const struct provider_context *context) {
    const struct settings *settings = context->settings;
    struct lookup *lookup = memory_new(sizeof *lookup);
    lookup->context = *context;
    lookup->context.late = arrivals_late;
    lookup->context.again = arrivals_again;
    lookup->context.lookup_arg = &lookup->arrivals;
    LIST_INIT(&lookup->waiters);
    lookup->request_timeout =
        settings_duration(settings, SETTING_REQUEST_TIMEOUT_SECONDS);
    lookup->ttl = settings_duration(settings, SETTING_CACHE_TTL_SECONDS);
    lookup->providers = providers_new(&lookup->context);
    lookup->crosscheck = crosscheck_new(&lookup->context, lookup->providers);
    lookup->redis = redis_cache_new(&lookup->context, lookup->providers,
                                    arrivals_keep, &lookup->arrivals);
    lookup->arrivals =
        (struct arrivals){lookup->providers, lookup->crosscheck, lookup->redis};
    lookup->refresh_due = evtimer_new(context->base, on_refresh_due, lookup);
    plan_refresh(lookup, (duration){0});
    return lookup;
}

void lookup_free(struct lookup **lookup) {
    struct lookup *l = *lookup;
    *lookup = NULL;
    event_free(l->refresh_due);
    redis_cache_free(&l->redis);
    crosscheck_free(&l->crosscheck);
    providers_free(&l->providers);
    struct lookup_waiter *waiter;
    while ((waiter = LIST_FIRST(&l->waiters)) != NULL)
        free_waiter(waiter);
    free(l);
}

struct lookup_waiter *lookup_ask(struct lookup *lookup, day when,
                                 struct span currency, lookup_done *done,
                                 void *arg) {
    look_at_clock(lookup);
    if (rates_day_is_latest(when)) {
        lookup->latest_asked = clock_monotonic();
        if (!lookup->refreshing && !evtimer_pending(lookup->refresh_due, NULL))
            plan_refresh(lookup, (duration){0});
    }
    return begin(lookup, LOOKUP_MEMORY,
                 &(struct rates_query){.when = when, .currency = currency},
                 done, arg);
}

void lookup_cancel(struct lookup_waiter *waiter) {
    waiter->done = NULL;
}

bool lookup_has_latest(const struct lookup *lookup) {
    return latest_left(lookup).usec > 0 || !latest_is_wanted(lookup);
}

void lookup_look_around(struct lookup *lookup) {
    call_counts_restore(lookup->providers->counts);
    latest_age_watch(lookup->providers);
}

void lookup_report(const struct lookup *lookup, struct json_object *report) {
    providers_report(lookup->providers, report);
    crosscheck_report(lookup->crosscheck, report);
    message_add_text(report, "redis", redis_cache_state(lookup->redis));
}
