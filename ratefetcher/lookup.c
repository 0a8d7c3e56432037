#include "ratefetcher/lookup.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/memory.h"
#include "ratefetcher/cache_memory.h"
#include "ratefetcher/source.h"

/* No call takes longer, and all providers have to fit into the time. */
#define CALL_TIMEOUT_USEC (2 * USEC_PER_SEC)

/* Left of a request's time for the way to the one who asked, in percent. */
enum { WAY_BACK_SHARE = 10, REFRESH_AHEAD_SHARE = 10 };

/* Who was answered from a table past its age asks again after so long. */
#define STALE_ASK_USEC (1 * USEC_PER_SEC)

/* That no provider is left is told again after so long. */
#define ALERT_AGAIN_USEC (60 * USEC_PER_SEC)

/* A refresh that failed is tried again after so long. */
#define REFRESH_RETRY_USEC (5 * USEC_PER_SEC)

/* A fetch that runs: of one source for one day. */
struct flight {
    LIST_ENTRY(flight) entry;
    struct lookup *lookup;
    size_t source;
    day when;
    monotime started;
    TAILQ_HEAD(, lookup_waiter) waiters;
};

/* One question; it is in the queue of the flight that it waits for. */
struct lookup_waiter {
    TAILQ_ENTRY(lookup_waiter) entry;
    struct lookup *lookup;
    day when;
    char currency[RATES_CODE_LEN];
    bool any_currency;
    size_t source; /* the one to be tried next */
    bool had_table;
    bool had_failure; /* a source that may have had it could not be asked */
    monotime deadline;
    int64_t least_fresh_usec; /* a table fresh for less is fetched anew */
    lookup_done *done;        /* NULL: cancelled */
    void *arg;
};

struct lookup {
    struct provider_context context;
    struct metrics *metrics;
    void (*latest_came)(void *arg);
    void *arg;
    struct cache_memory *memory;
    LIST_HEAD(, flight) flights;
    int64_t ttl_usec;
    int64_t stale_max_usec;
    int64_t request_timeout_usec;
    monotime latest_asked; /* when somebody last asked for the latest table */
    bool refreshing;
    monotime next_refresh; /* not before */
    monotime next_alert;   /* not before */
    size_t count;
    struct source sources[];
};

static bool try_sources(struct lookup_waiter *waiter, bool just_fetched);

static size_t count_words(struct span list) {
    struct span word;
    size_t count = 0;
    while (settings_next_word(&list, &word))
        count++;
    return count;
}

/* Opens the providers that are named, as far as this version has them. */
static void open_sources(struct lookup *lookup, struct span list) {
    struct span word;
    while (settings_next_word(&list, &word)) {
        const struct provider_class *class = provider_find(word);
        if (class == NULL)
            log_warn("provider_unknown",
                     LOG_FIELDS(log_span("provider", word),
                                log_text("why", "not in this version")));
        else
            lookup->sources[lookup->count++] = (struct source){
                .class = class, .state = class->open(class, &lookup->context)};
    }
}

struct lookup *lookup_new(const struct provider_context *context,
                          struct metrics *metrics,
                          void (*latest_came)(void *arg), void *arg) {
    const struct settings *settings = context->settings;
    struct span list = span_of(settings_text(settings, SETTING_RATE_PROVIDERS));
    struct lookup *lookup = memory_new(
        sizeof *lookup + count_words(list) * sizeof *lookup->sources);
    lookup->context = *context;
    lookup->metrics = metrics;
    lookup->latest_came = latest_came;
    lookup->arg = arg;
    LIST_INIT(&lookup->flights);
    lookup->ttl_usec = settings_usec(settings, SETTING_CACHE_TTL_SECONDS);
    lookup->stale_max_usec = settings_usec(settings, SETTING_STALE_MAX_SECONDS);
    lookup->request_timeout_usec =
        settings_usec(settings, SETTING_REQUEST_TIMEOUT_SECONDS);
    open_sources(lookup, list);
    lookup->memory = cache_memory_new(lookup->count, lookup->ttl_usec);
    return lookup;
}

static void free_flight(struct flight *flight) {
    struct lookup_waiter *waiter;
    while ((waiter = TAILQ_FIRST(&flight->waiters)) != NULL) {
        TAILQ_REMOVE(&flight->waiters, waiter, entry);
        free(waiter);
    }
    LIST_REMOVE(flight, entry);
    free(flight);
}

void lookup_free(struct lookup **lookup) {
    struct lookup *l = *lookup;
    *lookup = NULL;
    struct flight *flight;
    while ((flight = LIST_FIRST(&l->flights)) != NULL)
        free_flight(flight);
    for (size_t i = 0; i < l->count; i++)
        source_close(&l->sources[i]);
    cache_memory_free(&l->memory);
    free(l);
}

static void finish(struct lookup_waiter *waiter,
                   const struct lookup_answer *answer) {
    if (waiter->done != NULL)
        waiter->done(waiter->arg, answer);
    free(waiter);
}

static void on_fetched(void *arg, const struct provider_answer *answer) {
    struct flight *flight = arg;
    struct lookup *lookup = flight->lookup;
    struct source *source = &lookup->sources[flight->source];
    monotime now = clock_monotonic();
    source_note(source, flight->when, answer,
                monotime_between(flight->started, now), lookup->metrics,
                &lookup->context);
    struct rates *rates = answer->rates;
    if (answer->result == PROVIDER_NO_TABLE)
        rates = source_table_of_day(source, flight->when);
    if (rates != NULL)
        cache_memory_put(lookup->memory, flight->source, flight->when, rates,
                         now);
    /* Off the list first: a waiter that goes on may begin another flight. */
    LIST_REMOVE(flight, entry);
    struct lookup_waiter *waiter;
    while ((waiter = TAILQ_FIRST(&flight->waiters)) != NULL) {
        TAILQ_REMOVE(&flight->waiters, waiter, entry);
        if (!provider_works(answer->result))
            waiter->had_failure = true;
        if (rates == NULL)
            waiter->source++;
        try_sources(waiter, rates != NULL);
    }
    if (rates != NULL && rates_day_is_latest(flight->when))
        lookup->latest_came(lookup->arg);
    free(flight);
}

static struct flight *find_flight(struct lookup *lookup, size_t source,
                                  day when) {
    struct flight *flight;
    LIST_FOREACH (flight, &lookup->flights, entry)
        if (flight->source == source && flight->when.number == when.number)
            return flight;
    return NULL;
}

static struct flight *start_flight(struct lookup *lookup, size_t source,
                                   day when, int64_t timeout_usec) {
    struct flight *flight = memory_new(sizeof *flight);
    flight->lookup = lookup;
    flight->source = source;
    flight->when = when;
    flight->started = clock_monotonic();
    TAILQ_INIT(&flight->waiters);
    LIST_INSERT_HEAD(&lookup->flights, flight, entry);
    lookup->sources[source].class->fetch(lookup->sources[source].state, when,
                                         timeout_usec, on_fetched, flight);
    return flight;
}

/* Its share of the time that is left among the providers that are left. */
static int64_t call_timeout(const struct lookup_waiter *waiter) {
    int64_t left = monotime_between(clock_monotonic(), waiter->deadline) /
                   (int64_t)(waiter->lookup->count - waiter->source);
    return left < CALL_TIMEOUT_USEC ? left : CALL_TIMEOUT_USEC;
}

/* Joins the fetch that runs, or begins one; false: the source is to be left
 * alone for now. */
static bool join_flight(struct lookup_waiter *waiter) {
    struct lookup *lookup = waiter->lookup;
    struct flight *flight = find_flight(lookup, waiter->source, waiter->when);
    if (flight == NULL && !source_may_be_asked(&lookup->sources[waiter->source],
                                               clock_monotonic()))
        return false;
    if (flight == NULL)
        flight = start_flight(lookup, waiter->source, waiter->when,
                              call_timeout(waiter));
    TAILQ_INSERT_TAIL(&flight->waiters, waiter, entry);
    return true;
}

static bool serves(const struct lookup_waiter *waiter,
                   const struct rates *rates) {
    return waiter->any_currency ||
           rates_find(rates, (struct span){waiter->currency, RATES_CODE_LEN}) !=
               NULL;
}

/*
 * When providers fail, an old table may serve: of a past day any, as such
 * tables do not change, of today as far as STALE_MAX_SECONDS allows. The one
 * who asked is to ask again soon. True: it was answered.
 */
static bool answer_stale(struct lookup_waiter *waiter, monotime now) {
    struct lookup *lookup = waiter->lookup;
    int64_t stale_usec =
        rates_day_is_latest(waiter->when) ? lookup->stale_max_usec : INT64_MAX;
    for (size_t i = 0; i < lookup->count; i++) {
        struct rates *rates = cache_memory_find_stale(
            lookup->memory, i, waiter->when, now, stale_usec);
        if (rates == NULL)
            rates = source_table_of_day(&lookup->sources[i], waiter->when);
        if (rates == NULL || !serves(waiter, rates))
            continue;
        finish(waiter, &(struct lookup_answer){.rates = rates,
                                               .layer = "memory",
                                               .fresh_usec = STALE_ASK_USEC});
        return true;
    }
    return false;
}

/* One alert for all the days that are asked for while providers fail. */
static void tell_none_left(struct lookup *lookup, day when, monotime now) {
    char detail[DAY_TEXT_SIZE];
    if (!monotime_reached(now, lookup->next_alert))
        return;
    lookup->next_alert = monotime_add(now, ALERT_AGAIN_USEC);
    rates_day_print(when, detail);
    lookup->context.alert(lookup->context.arg, "no_provider_left", detail);
}

/*
 * Goes on from the source whose turn it is, until one serves or must be waited
 * for. True: the waiter was answered and is no more.
 */
static bool try_sources(struct lookup_waiter *waiter, bool just_fetched) {
    struct lookup *lookup = waiter->lookup;
    monotime now = clock_monotonic();
    for (; waiter->source < lookup->count; waiter->source++) {
        struct lookup_answer answer = {.layer = just_fetched ? "provider"
                                                             : "memory"};
        struct rates *rates =
            cache_memory_find(lookup->memory, waiter->source, waiter->when, now,
                              &answer.fresh_usec);
        if (rates != NULL && answer.fresh_usec < waiter->least_fresh_usec &&
            !just_fetched)
            rates = NULL;
        if (!just_fetched)
            metrics_count(lookup->metrics, rates != NULL
                                               ? METRIC_LOOKUPS_MEMORY_HIT
                                               : METRIC_LOOKUPS_MEMORY_MISS);
        if (rates == NULL && join_flight(waiter))
            return false;
        if (rates == NULL) {
            waiter->had_failure = true;
            continue;
        }
        just_fetched = false;
        waiter->had_table = true;
        if (serves(waiter, rates)) {
            answer.rates = rates;
            finish(waiter, &answer);
            return true;
        }
    }
    if (waiter->had_failure && waiter->least_fresh_usec == 0 &&
        answer_stale(waiter, now))
        return true;
    if (waiter->had_failure && !waiter->had_table)
        tell_none_left(lookup, waiter->when, now);
    finish(waiter, &(struct lookup_answer){
                       .result = waiter->had_table && !waiter->had_failure
                                     ? LOOKUP_NO_CURRENCY
                                     : LOOKUP_UNAVAILABLE});
    return true;
}

static struct lookup_waiter *new_waiter(struct lookup *lookup, day when,
                                        lookup_done *done, void *arg) {
    struct lookup_waiter *waiter = memory_new(sizeof *waiter);
    waiter->lookup = lookup;
    waiter->when = when;
    waiter->any_currency = true;
    waiter->deadline =
        monotime_add(clock_monotonic(), lookup->request_timeout_usec / 100 *
                                            (100 - WAY_BACK_SHARE));
    waiter->done = done;
    waiter->arg = arg;
    return waiter;
}

struct lookup_waiter *lookup_ask(struct lookup *lookup, day when,
                                 struct span currency, lookup_done *done,
                                 void *arg) {
    struct lookup_waiter *waiter = new_waiter(lookup, when, done, arg);
    if (currency.len > 0) {
        waiter->any_currency = false;
        memcpy(waiter->currency, currency.data, RATES_CODE_LEN);
    }
    if (rates_day_is_latest(when))
        lookup->latest_asked = clock_monotonic();
    return try_sources(waiter, false) ? NULL : waiter;
}

void lookup_cancel(struct lookup_waiter *waiter) {
    waiter->done = NULL;
}

/* How long the freshest latest table stays fresh; 0: there is none. */
static int64_t latest_fresh_usec(const struct lookup *lookup) {
    int64_t most = 0, left;
    for (size_t i = 0; i < lookup->count; i++)
        if (cache_memory_find(lookup->memory, i, RATES_LATEST,
                              clock_monotonic(), &left) != NULL &&
            left > most)
            most = left;
    return most;
}

/* A table that nobody asks for is not fetched again and again. */
static bool latest_in_use(const struct lookup *lookup) {
    return monotime_between(lookup->latest_asked, clock_monotonic()) <
           2 * lookup->ttl_usec;
}

static bool had_latest(const struct lookup *lookup) {
    for (size_t i = 0; i < lookup->count; i++)
        if (lookup->sources[i].latest != NULL)
            return true;
    return false;
}

bool lookup_has_latest(const struct lookup *lookup) {
    return latest_fresh_usec(lookup) > 0 ||
           (had_latest(lookup) && !latest_in_use(lookup));
}

static void on_refreshed(void *arg, const struct lookup_answer *answer) {
    struct lookup *lookup = arg;
    lookup->refreshing = false;
    if (answer->result != LOOKUP_FOUND)
        lookup->next_refresh =
            monotime_add(clock_monotonic(), REFRESH_RETRY_USEC);
}

void lookup_refresh(struct lookup *lookup) {
    int64_t ahead = lookup->ttl_usec / 100 * REFRESH_AHEAD_SHARE;
    bool wanted = !had_latest(lookup) || latest_in_use(lookup);
    if (lookup->refreshing || !wanted || latest_fresh_usec(lookup) > ahead ||
        !monotime_reached(clock_monotonic(), lookup->next_refresh))
        return;
    struct lookup_waiter *waiter =
        new_waiter(lookup, RATES_LATEST, on_refreshed, lookup);
    waiter->least_fresh_usec = ahead;
    lookup->refreshing = true;
    try_sources(waiter, false);
}

struct json_object *lookup_providers_status(const struct lookup *lookup) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < lookup->count; i++)
        json_object_array_add(list, source_status(&lookup->sources[i]));
    return list;
}
