#include "ratefetcher/fetch.h"

#include <stdlib.h>

#include "common/memory.h"

struct fetch {
    LIST_ENTRY(fetch) entry;
    struct fetches *fetches;
    size_t source;
    day when;
    struct source_call call;
    TAILQ_HEAD(, fetch_waiter) waiters;
};

struct fetches {
    struct source *sources;
    const struct provider_context *context;
    struct metrics *metrics;
    struct fetch_owner owner;
    LIST_HEAD(, fetch) list;
};

struct fetches *fetches_new(struct source sources[],
                            const struct provider_context *context,
                            struct metrics *metrics,
                            const struct fetch_owner *owner) {
    struct fetches *fetches = memory_new(sizeof *fetches);
    fetches->sources = sources;
    fetches->context = context;
    fetches->metrics = metrics;
    fetches->owner = *owner;
    LIST_INIT(&fetches->list);
    return fetches;
}

void fetches_free(struct fetches **fetches) {
    struct fetches *f = *fetches;
    *fetches = NULL;
    struct fetch *fetch;
    while ((fetch = LIST_FIRST(&f->list)) != NULL) {
        LIST_REMOVE(fetch, entry);
        free(fetch);
    }
    free(f);
}

static void on_fetched(void *arg, const struct provider_answer *answer) {
    struct fetch *fetch = arg;
    struct fetches *fetches = fetch->fetches;
    struct source *source = &fetches->sources[fetch->source];
    source_end(source, &fetch->call, answer, fetches->metrics,
               fetches->context);
    struct fetch_end end = {fetch->source, fetch->when, answer->result,
                            answer->rates};
    if (end.result == PROVIDER_NO_TABLE)
        end.rates = source_table_of_day(source, end.when);
    fetches->owner.ended(fetches->owner.arg, &end);
    /* Off the list first: a waiter that goes on may begin another fetch. */
    LIST_REMOVE(fetch, entry);
    struct fetch_waiter *waiter;
    while ((waiter = TAILQ_FIRST(&fetch->waiters)) != NULL) {
        TAILQ_REMOVE(&fetch->waiters, waiter, entry);
        waiter->done(waiter, &end);
    }
    fetches->owner.told(fetches->owner.arg, &end);
    free(fetch);
}

static struct fetch *find(const struct fetches *fetches, size_t source,
                          day when) {
    struct fetch *fetch;
    LIST_FOREACH (fetch, &fetches->list, entry)
        if (fetch->source == source && fetch->when.number == when.number)
            return fetch;
    return NULL;
}

static struct fetch *begin(struct fetches *fetches, size_t source, day when,
                           int64_t timeout_usec) {
    struct fetch *fetch = memory_new(sizeof *fetch);
    fetch->fetches = fetches;
    fetch->source = source;
    fetch->when = when;
    TAILQ_INIT(&fetch->waiters);
    LIST_INSERT_HEAD(&fetches->list, fetch, entry);
    struct source *from = &fetches->sources[source];
    fetch->call = source_begin(from, when, clock_monotonic());
    from->class->fetch(from->state, when, timeout_usec, on_fetched, fetch);
    return fetch;
}

void fetches_join(struct fetches *fetches, size_t source, day when,
                  int64_t timeout_usec, struct fetch_waiter *waiter) {
    struct fetch *fetch = find(fetches, source, when);
    if (fetch == NULL)
        fetch = begin(fetches, source, when, timeout_usec);
    if (waiter != NULL)
        TAILQ_INSERT_TAIL(&fetch->waiters, waiter, entry);
}

bool fetches_has(const struct fetches *fetches, size_t source, day when) {
    return find(fetches, source, when) != NULL;
}

bool fetches_has_day(const struct fetches *fetches, day when) {
    struct fetch *fetch;
    LIST_FOREACH (fetch, &fetches->list, entry)
        if (fetch->when.number == when.number)
            return true;
    return false;
}
