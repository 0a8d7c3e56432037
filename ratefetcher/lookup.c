#include "ratefetcher/lookup.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "common/clock.h"
#include "common/memory.h"
#include "common/message.h"
#include "ratefetcher/search.h"
#include "ratefetcher/share.h"

/* Left of a request's time for the way to the one who asked, in percent. */
enum { WAY_BACK_SHARE = 10 };

/* Another machine's call is waited for no longer than one of our own takes. */
#define SHARE_WAIT_USEC (2 * USEC_PER_SEC)

/* Who was answered from a table past its age asks again after so long. */
#define STALE_ASK_USEC (1 * USEC_PER_SEC)

/* That no provider is left is told again after so long. */
#define ALERT_AGAIN_USEC (60 * USEC_PER_SEC)

static const char from_memory[] = "memory", from_redis[] = "redis",
                  from_provider[] = "provider";

/* One question. */
struct lookup_waiter {
    LIST_ENTRY(lookup_waiter) entry;
    struct lookup *lookup;
    struct share_waiter share;
    struct search search;
    char currency[RATES_CODE_LEN];
    lookup_done *done; /* NULL: cancelled */
    void *arg;
};

struct lookup {
    struct provider_context context;
    struct metrics *metrics;
    struct stock *stock;
    struct share *share; /* NULL: without Redis */
    struct fetches *fetches;
    struct searches searches;
    LIST_HEAD(, lookup_waiter) waiters;
    int64_t request_timeout_usec;
    monotime latest_asked; /* when somebody last asked for the latest table */
    monotime next_alert;   /* not before */
};

/* A fetch has ended: what came of it is kept. */
static void on_ended(void *arg, const struct fetch_end *end) {
    struct lookup *lookup = arg;
    monotime now = clock_monotonic();
    searches_note(&lookup->searches, end);
    metrics_count(lookup->metrics, end->rates != NULL
                                       ? METRIC_LOOKUPS_PROVIDER_HIT
                                       : METRIC_LOOKUPS_PROVIDER_MISS);
    if (end->result == PROVIDER_OK)
        share_store(lookup->share, end->when, end->rates);
    if (end->rates != NULL)
        stock_keep(lookup->stock, end->source, end->when, end->rates, now,
                   from_provider);
    else if (end->result == PROVIDER_NO_TABLE)
        cache_memory_put_none(lookup->stock->memory, end->source, end->when,
                              now);
}

/* Other machines may fetch the day when nobody here does any more. */
static void settle(void *arg, day when) {
    struct lookup *lookup = arg;
    if (!fetches_has_day(lookup->fetches, when))
        share_settle(lookup->share, when);
}

static void on_told(void *arg, const struct fetch_end *end) {
    struct lookup *lookup = arg;
    settle(lookup, end->when);
    if (end->rates != NULL && rates_day_is_latest(end->when))
        lookup->context.changed(lookup->context.arg);
}

struct lookup *lookup_new(const struct provider_context *context,
                          struct metrics *metrics) {
    struct lookup *lookup = memory_new(sizeof *lookup);
    lookup->context = *context;
    lookup->metrics = metrics;
    LIST_INIT(&lookup->waiters);
    lookup->request_timeout_usec =
        settings_duration(context->settings, SETTING_REQUEST_TIMEOUT_SECONDS)
            .usec;
    lookup->stock = stock_new(&lookup->context);
    lookup->share =
        share_new(&lookup->context, lookup->stock, metrics, settle, lookup);
    lookup->fetches =
        fetches_new(lookup->stock->sources, &lookup->context, metrics,
                    &(struct fetch_owner){on_ended, on_told, lookup});
    lookup->searches =
        (struct searches){.stock = lookup->stock, .fetches = lookup->fetches};
    return lookup;
}

static void free_waiter(struct lookup_waiter *waiter) {
    LIST_REMOVE(waiter, entry);
    free(waiter);
}

void lookup_free(struct lookup **lookup) {
    struct lookup *l = *lookup;
    *lookup = NULL;
    share_free(&l->share);
    fetches_free(&l->fetches);
    struct lookup_waiter *waiter;
    while ((waiter = LIST_FIRST(&l->waiters)) != NULL)
        free_waiter(waiter);
    stock_free(&l->stock);
    free(l);
}

static void finish(struct lookup_waiter *waiter,
                   const struct lookup_answer *answer) {
    if (waiter->done != NULL)
        waiter->done(waiter->arg, answer);
    free_waiter(waiter);
}

/*
 * Answers from the first table at hand that serves, if there is one. `came`: a
 * bit for each source whose table has just come, and from which layer.
 */
static bool answer_from_stock(struct lookup_waiter *waiter, uint32_t came,
                              const char *layer) {
    struct lookup_answer answer = {.result = LOOKUP_FOUND};
    size_t source = 0;
    answer.rates = stock_find(waiter->lookup->stock, &waiter->search.wish,
                              clock_monotonic(), &source, &answer.fresh_usec);
    answer.layer = (came >> source & 1) != 0 ? layer : from_memory;
    if (answer.rates != NULL)
        finish(waiter, &answer);
    return answer.rates != NULL;
}

/* The one who asked for a table that is past its age is to ask again soon. */
static bool answer_stale(struct lookup_waiter *waiter) {
    const struct search *search = &waiter->search;
    struct lookup_answer answer = {.layer = from_memory,
                                   .fresh_usec = STALE_ASK_USEC};
    if (!search->had_failure || search->wish.least_fresh_usec > 0)
        return false;
    answer.rates = stock_find_stale(waiter->lookup->stock, &search->wish,
                                    clock_monotonic());
    if (answer.rates != NULL)
        finish(waiter, &answer);
    return answer.rates != NULL;
}

/* One alert for all the days that are asked for while providers fail. */
static void tell_none_left(struct lookup *lookup, day when, monotime now) {
    char date[DAY_TEXT_SIZE];
    if (!monotime_reached(now, lookup->next_alert))
        return;
    lookup->next_alert = monotime_add(now, (duration){ALERT_AGAIN_USEC});
    rates_day_print(when, date);
    char *detail = memory_print("no provider can be asked for %s", date);
    lookup->context.alert(lookup->context.arg, "no_provider_left", detail);
    free(detail);
}

static void answer_error(struct lookup_waiter *waiter) {
    struct lookup *lookup = waiter->lookup;
    const struct search *search = &waiter->search;
    monotime now = clock_monotonic();
    bool had_table = stock_has_table(lookup->stock, &search->wish, now);
    if (search->had_failure && !had_table)
        tell_none_left(lookup, search->wish.when, now);
    finish(waiter,
           &(struct lookup_answer){
               .result = had_table && !search->had_failure ? LOOKUP_NO_CURRENCY
                                                           : LOOKUP_UNAVAILABLE,
               .retry_usec = search_retry_usec(search, now)});
}

/* True: it was answered and is no more. */
static bool ask_providers(struct lookup_waiter *waiter) {
    enum search_state state = search_go_on(&waiter->search);
    if (state == SEARCH_WAITS)
        return false;
    if (answer_stale(waiter))
        return true;
    if (state == SEARCH_PROBES)
        search_await_probe(&waiter->search);
    else
        answer_error(waiter);
    return state != SEARCH_PROBES;
}

static void on_came(struct search *search, const struct fetch_end *end) {
    struct lookup_waiter *waiter =
        (struct lookup_waiter *)(void *)((char *)search -
                                         offsetof(struct lookup_waiter,
                                                  search));
    if (end->rates == NULL ||
        !answer_from_stock(waiter, UINT32_C(1) << end->source, from_provider))
        ask_providers(waiter);
}

/* A look into Redis is over. True: the waiter waits for no other one. */
static bool on_shared(struct share_waiter *share, uint32_t came, bool over) {
    struct lookup_waiter *waiter =
        (struct lookup_waiter *)(void *)((char *)share -
                                         offsetof(struct lookup_waiter, share));
    struct metrics *metrics = waiter->lookup->metrics;
    bool found = came != 0 && answer_from_stock(waiter, came, from_redis);
    if (found || over)
        metrics_count(metrics, found ? METRIC_LOOKUPS_REDIS_HIT
                                     : METRIC_LOOKUPS_REDIS_MISS);
    if (!found && over)
        ask_providers(waiter);
    return found || over;
}

/* The wait for another machine counts as if it were one provider more. */
static monotime share_until(const struct lookup_waiter *waiter) {
    monotime now = clock_monotonic();
    int64_t share = monotime_between(now, waiter->search.deadline).usec /
                    (int64_t)(waiter->lookup->stock->count + 1);
    return monotime_add(
        now, (duration){share < SHARE_WAIT_USEC ? share : SHARE_WAIT_USEC});
}

static bool ask_others(struct lookup_waiter *waiter) {
    waiter->share.until = share_until(waiter);
    waiter->share.looked = on_shared;
    return share_join(waiter->lookup->share, waiter->search.wish.when,
                      &waiter->share);
}

/* Gives the waiter, or NULL if it was answered at once. */
static struct lookup_waiter *ask(struct lookup *lookup, const struct wish *wish,
                                 lookup_done *done, void *arg) {
    struct lookup_waiter *waiter = memory_new(sizeof *waiter);
    waiter->lookup = lookup;
    waiter->done = done;
    waiter->arg = arg;
    waiter->search = (struct search){
        .searches = &lookup->searches,
        .wish = *wish,
        .deadline = monotime_add(clock_monotonic(),
                                 (duration){lookup->request_timeout_usec / 100 *
                                            (100 - WAY_BACK_SHARE)}),
        .came = on_came,
    };
    if (wish->currency.len > 0) {
        memcpy(waiter->currency, wish->currency.data, RATES_CODE_LEN);
        waiter->search.wish.currency.data = waiter->currency;
    }
    LIST_INSERT_HEAD(&lookup->waiters, waiter, entry);
    bool found = answer_from_stock(waiter, 0, from_memory);
    metrics_count(lookup->metrics, found ? METRIC_LOOKUPS_MEMORY_HIT
                                         : METRIC_LOOKUPS_MEMORY_MISS);
    if (found)
        return NULL;
    return ask_others(waiter) || !ask_providers(waiter) ? waiter : NULL;
}

struct lookup_waiter *lookup_ask(struct lookup *lookup, day when,
                                 struct span currency, lookup_done *done,
                                 void *arg) {
    if (rates_day_is_latest(when))
        lookup->latest_asked = clock_monotonic();
    return ask(lookup, &(struct wish){.when = when, .currency = currency}, done,
               arg);
}

void lookup_cancel(struct lookup_waiter *waiter) {
    waiter->done = NULL;
}

void lookup_ask_fresher(struct lookup *lookup, int64_t fresh_usec,
                        lookup_done *done, void *arg) {
    ask(lookup,
        &(struct wish){.when = RATES_LATEST, .least_fresh_usec = fresh_usec},
        done, arg);
}

static struct rates *find_latest(const struct lookup *lookup, size_t *source,
                                 int64_t *fresh_usec) {
    const struct wish latest = {.when = RATES_LATEST};
    return stock_find(lookup->stock, &latest, clock_monotonic(), source,
                      fresh_usec);
}

int64_t lookup_latest_fresh_usec(const struct lookup *lookup) {
    size_t source;
    int64_t fresh_usec;
    return find_latest(lookup, &source, &fresh_usec) != NULL ? fresh_usec : 0;
}

static bool had_latest(const struct lookup *lookup) {
    for (size_t i = 0; i < lookup->stock->count; i++)
        if (lookup->stock->sources[i].latest != NULL)
            return true;
    return false;
}

/* A table that nobody asks for is not fetched again and again. */
bool lookup_latest_is_wanted(const struct lookup *lookup) {
    return !had_latest(lookup) ||
           monotime_between(lookup->latest_asked, clock_monotonic()).usec <
               2 * lookup->stock->ttl_usec;
}

bool lookup_has_latest(const struct lookup *lookup) {
    return lookup_latest_fresh_usec(lookup) > 0 ||
           !lookup_latest_is_wanted(lookup);
}

/* Where today's table came from. */
static struct json_object *latest_status(const struct lookup *lookup) {
    size_t source;
    int64_t fresh_usec;
    const struct rates *rates = find_latest(lookup, &source, &fresh_usec);
    if (rates == NULL)
        return NULL;
    struct json_object *row = json_object_new_object();
    char as_of[DAY_TEXT_SIZE];
    day_print(rates_as_of(rates), as_of);
    message_add_text(row, "provider", rates_provider(rates));
    message_add_text(row, "as_of", as_of);
    message_add_text(row, "layer", lookup->stock->sources[source].latest_layer);
    message_add_duration(row, "age_seconds",
                         (duration){lookup->stock->ttl_usec - fresh_usec});
    return row;
}

void lookup_report(const struct lookup *lookup, struct json_object *report) {
    struct json_object *list = json_object_new_array();
    monotime now = clock_monotonic();
    for (size_t i = 0; i < lookup->stock->count; i++)
        json_object_array_add(list,
                              source_status(&lookup->stock->sources[i], now));
    json_object_object_add(report, "providers", list);
    json_object_object_add(report, "latest", latest_status(lookup));
    message_add_text(report, "redis", share_state(lookup->share));
}
