#include "ratefetcher/lookup.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/message.h"
#include "ratefetcher/cache_memory.h"
#include "ratefetcher/provider.h"

/* A provider in use and how it did lately. */
struct source {
    const struct provider_class *class;
    void *state;
    enum provider_result last;
    int64_t last_success_ms; /* 0: never */
    int64_t calls;
};

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
    lookup_done *done; /* NULL: cancelled */
    void *arg;
};

struct lookup {
    struct metrics *metrics;
    struct cache_memory *memory;
    LIST_HEAD(, flight) flights;
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

struct lookup *lookup_new(struct event_base *base,
                          const struct settings *settings,
                          struct metrics *metrics) {
    struct span list = span_of(settings_text(settings, SETTING_RATE_PROVIDERS));
    size_t most = count_words(list);
    struct lookup *lookup =
        memory_new(sizeof *lookup + most * sizeof *lookup->sources);
    lookup->metrics = metrics;
    LIST_INIT(&lookup->flights);
    struct span word;
    while (settings_next_word(&list, &word)) {
        const struct provider_class *class = provider_find(word);
        if (class == NULL)
            log_warn("provider_unknown",
                     LOG_FIELDS(log_span("provider", word),
                                log_text("why", "not in this version")));
        else
            lookup->sources[lookup->count++] = (struct source){
                .class = class, .state = class->open(base, settings)};
    }
    lookup->memory = cache_memory_new(
        lookup->count, settings_usec(settings, SETTING_CACHE_TTL_SECONDS));
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
        l->sources[i].class->close(l->sources[i].state);
    cache_memory_free(&l->memory);
    free(l);
}

static void finish(struct lookup_waiter *waiter,
                   const struct lookup_answer *answer) {
    if (waiter->done != NULL)
        waiter->done(waiter->arg, answer);
    free(waiter);
}

static bool is_working(enum provider_result result) {
    return result == PROVIDER_OK || result == PROVIDER_NO_TABLE;
}

/* One line when a provider begins to fail, one when it works again. */
static void log_change(const struct source *source, enum provider_result now,
                       const char *detail) {
    bool works = is_working(now);
    bool worked = is_working(source->last);
    if (works && !worked)
        log_info("provider_works",
                 LOG_FIELDS(log_text("provider", source->class->name)));
    else if (!works && worked)
        log_warn("provider_failed",
                 LOG_FIELDS(log_text("provider", source->class->name),
                            log_text("result", provider_result_name(now)),
                            log_text("detail", detail)));
}

static void count_call(struct lookup *lookup, struct source *source,
                       enum provider_result result, int64_t usec) {
    source->calls++;
    metrics_count(lookup->metrics, is_working(result)
                                       ? source->class->calls_ok
                                       : source->class->calls_failed);
    metrics_count(lookup->metrics, result == PROVIDER_OK
                                       ? METRIC_LOOKUPS_PROVIDER_HIT
                                       : METRIC_LOOKUPS_PROVIDER_MISS);
    lookup->metrics->values[METRIC_PROVIDER_SECONDS] += (double)usec / 1e6;
}

static void on_fetched(void *arg, enum provider_result result,
                       struct rates *rates, const char *detail) {
    struct flight *flight = arg;
    struct lookup *lookup = flight->lookup;
    struct source *source = &lookup->sources[flight->source];
    monotime now = clock_monotonic();
    log_change(source, result, detail);
    count_call(lookup, source, result, monotime_between(flight->started, now));
    source->last = result;
    if (result == PROVIDER_OK) {
        source->last_success_ms = clock_wall_ms();
        cache_memory_put(lookup->memory, flight->source, flight->when, rates,
                         now);
    }
    /* Off the list first: a waiter that goes on may begin another flight. */
    LIST_REMOVE(flight, entry);
    struct lookup_waiter *waiter;
    while ((waiter = TAILQ_FIRST(&flight->waiters)) != NULL) {
        TAILQ_REMOVE(&flight->waiters, waiter, entry);
        if (result != PROVIDER_OK)
            waiter->source++;
        try_sources(waiter, result == PROVIDER_OK);
    }
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
                                   day when) {
    struct flight *flight = memory_new(sizeof *flight);
    flight->lookup = lookup;
    flight->source = source;
    flight->when = when;
    flight->started = clock_monotonic();
    TAILQ_INIT(&flight->waiters);
    LIST_INSERT_HEAD(&lookup->flights, flight, entry);
    lookup->sources[source].class->fetch(lookup->sources[source].state, when,
                                         on_fetched, flight);
    return flight;
}

static void join_flight(struct lookup_waiter *waiter) {
    struct lookup *lookup = waiter->lookup;
    struct flight *flight = find_flight(lookup, waiter->source, waiter->when);
    if (flight == NULL)
        flight = start_flight(lookup, waiter->source, waiter->when);
    TAILQ_INSERT_TAIL(&flight->waiters, waiter, entry);
}

static bool serves(const struct lookup_waiter *waiter,
                   const struct rates *rates) {
    return waiter->any_currency ||
           rates_find(rates, (struct span){waiter->currency, RATES_CODE_LEN}) !=
               NULL;
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
        if (!just_fetched)
            metrics_count(lookup->metrics, rates != NULL
                                               ? METRIC_LOOKUPS_MEMORY_HIT
                                               : METRIC_LOOKUPS_MEMORY_MISS);
        if (rates == NULL) {
            join_flight(waiter);
            return false;
        }
        just_fetched = false;
        waiter->had_table = true;
        if (serves(waiter, rates)) {
            answer.rates = rates;
            finish(waiter, &answer);
            return true;
        }
    }
    finish(waiter, &(struct lookup_answer){.result = waiter->had_table
                                                         ? LOOKUP_NO_CURRENCY
                                                         : LOOKUP_UNAVAILABLE});
    return true;
}

struct lookup_waiter *lookup_ask(struct lookup *lookup, day when,
                                 struct span currency, lookup_done *done,
                                 void *arg) {
    struct lookup_waiter *waiter = memory_new(sizeof *waiter);
    waiter->lookup = lookup;
    waiter->when = when;
    waiter->done = done;
    waiter->arg = arg;
    waiter->any_currency = currency.len == 0;
    if (!waiter->any_currency)
        memcpy(waiter->currency, currency.data, RATES_CODE_LEN);
    return try_sources(waiter, false) ? NULL : waiter;
}

void lookup_cancel(struct lookup_waiter *waiter) {
    waiter->done = NULL;
}

bool lookup_has_latest(const struct lookup *lookup) {
    int64_t left;
    for (size_t i = 0; i < lookup->count; i++)
        if (cache_memory_find(lookup->memory, i, RATES_LATEST,
                              clock_monotonic(), &left) != NULL)
            return true;
    return false;
}

struct json_object *lookup_providers_status(const struct lookup *lookup) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < lookup->count; i++) {
        const struct source *source = &lookup->sources[i];
        struct json_object *row = json_object_new_object();
        char moment[MOMENT_TEXT_SIZE];
        moment_print_ms(source->last_success_ms, moment);
        message_add_text(row, "name", source->class->name);
        message_add_text(row, "state",
                         source->calls == 0         ? "unused"
                         : is_working(source->last) ? "ok"
                                                    : "failing");
        json_object_object_add(row, "last_success",
                               source->last_success_ms > 0
                                   ? json_object_new_string(moment)
                                   : NULL);
        json_object_object_add(row, "calls_month",
                               json_object_new_int64(source->calls));
        json_object_array_add(list, row);
    }
    return list;
}
