#include "ratefetcher/search.h"

/* Who was answered by an error asks again after so long at the soonest. */
#define LEAST_RETRY_USEC (1 * USEC_PER_SEC)

/* Its share of the time that is left among the providers that are left. */
static int64_t share_of_time(const struct search *search, monotime now) {
    size_t sources = search->searches->stock->count - search->source;
    return monotime_between(now, search->deadline).usec / (int64_t)sources;
}

static void on_fetched(struct fetch_waiter *waiter,
                       const struct fetch_end *end) {
    struct search *search =
        (struct search *)(void *)((char *)waiter -
                                  offsetof(struct search, waiter));
    if (!provider_works(end->result))
        search->had_failure = true;
    search->source++;
    search->came(search, end);
}

/* Begins the fetch from the source whose turn it is, if it does not run. */
static void fetch(struct search *search, monotime now,
                  struct fetch_waiter *waiter) {
    search->asked = true;
    search->waiter.done = on_fetched;
    fetches_join(search->searches->fetches, search->source, search->wish.when,
                 share_of_time(search, now), waiter);
}

/*
 * While all are skipped because they failed, one of them is called now and
 * then all the same.
 */
static bool probe(struct search *search, monotime now) {
    struct searches *searches = search->searches;
    const struct stock *stock = searches->stock;
    if (search->asked || !monotime_reached(now, searches->next_probe))
        return false;
    for (size_t i = 0; i < stock->count; i++) {
        size_t source = (searches->probe_turn + i) % stock->count;
        if (stock_knows(stock, source, &search->wish, now) ||
            !source_may_be_probed(&stock->sources[source], search->wish.when,
                                  now))
            continue;
        searches->probe_turn = source + 1;
        searches->next_probe =
            monotime_add(now, (duration){BREAKER_PROBE_USEC});
        search->source = source;
        fetch(search, now, NULL);
        return true;
    }
    return false;
}

enum search_state search_go_on(struct search *search) {
    const struct stock *stock = search->searches->stock;
    day when = search->wish.when;
    monotime now = clock_monotonic();
    for (; search->source < stock->count; search->source++) {
        if (stock_knows(stock, search->source, &search->wish, now))
            continue;
        if (fetches_has(search->searches->fetches, search->source, when) ||
            source_wait(&stock->sources[search->source], when, now) == 0) {
            fetch(search, now, &search->waiter);
            return SEARCH_WAITS;
        }
        search->had_failure = true;
    }
    return search->had_failure && probe(search, now) ? SEARCH_PROBES
                                                     : SEARCH_OVER;
}

void search_await_probe(struct search *search) {
    fetch(search, clock_monotonic(), &search->waiter);
    search->source = search->searches->stock->count - 1; /* it is the last */
}

void searches_note(struct searches *searches, const struct fetch_end *end) {
    if (!provider_works(end->result))
        searches->next_probe =
            monotime_add(clock_monotonic(), (duration){BREAKER_PROBE_USEC});
}

int64_t search_retry_usec(const struct search *search, monotime now) {
    const struct searches *searches = search->searches;
    const struct stock *stock = searches->stock;
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < stock->count; i++) {
        const struct source *source = &stock->sources[i];
        if (stock_knows(stock, i, &search->wish, now))
            continue;
        int64_t wait = source_wait(source, search->wish.when, now);
        int64_t probe = monotime_between(now, searches->next_probe).usec;
        if (source_may_be_probed(source, search->wish.when, now) &&
            probe < wait)
            wait = probe;
        if (wait < least)
            least = wait;
    }
    return least != INT64_MAX && least > LEAST_RETRY_USEC ? least
                                                          : LEAST_RETRY_USEC;
}
