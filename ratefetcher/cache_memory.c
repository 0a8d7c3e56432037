#include "ratefetcher/cache_memory.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

struct entry {
    struct rates *rates; /* NULL: never fetched */
    monotime fetched;
    bool none; /* the provider said so */
    monotime none_since;
};

/* One provider's tables: the latest in slot 0, then day after day. */
struct shelf {
    struct entry *slots;
    size_t count;
};

struct cache_memory {
    int64_t ttl_usec;
    size_t providers;
    struct shelf shelves[];
};

struct cache_memory *cache_memory_new(size_t providers, int64_t ttl_usec) {
    struct cache_memory *cache =
        memory_new(sizeof *cache + providers * sizeof *cache->shelves);
    cache->ttl_usec = ttl_usec;
    cache->providers = providers;
    return cache;
}

void cache_memory_free(struct cache_memory **cache) {
    struct cache_memory *c = *cache;
    *cache = NULL;
    for (size_t p = 0; p < c->providers; p++) {
        for (size_t i = 0; i < c->shelves[p].count; i++)
            rates_release(&c->shelves[p].slots[i].rates);
        free(c->shelves[p].slots);
    }
    free(c);
}

static size_t slot_of(day when) {
    return rates_day_is_latest(when)
               ? 0
               : (size_t)(when.number - DAY_FIRST_RATES.number) + 1;
}

static const struct entry *entry_of(const struct cache_memory *cache,
                                    size_t provider, day when) {
    const struct shelf *shelf = &cache->shelves[provider];
    size_t slot = slot_of(when);
    return slot < shelf->count ? &shelf->slots[slot] : NULL;
}

static const struct entry *find_entry(const struct cache_memory *cache,
                                      size_t provider, day when) {
    const struct entry *entry = entry_of(cache, provider, when);
    return entry != NULL && entry->rates != NULL ? entry : NULL;
}

struct rates *cache_memory_find(const struct cache_memory *cache,
                                size_t provider, day when, monotime now,
                                int64_t *left_usec) {
    const struct entry *entry = find_entry(cache, provider, when);
    if (entry == NULL)
        return NULL;
    *left_usec = cache->ttl_usec - monotime_between(entry->fetched, now).usec;
    return *left_usec > 0 ? entry->rates : NULL;
}

struct rates *cache_memory_find_stale(const struct cache_memory *cache,
                                      size_t provider, day when, monotime now,
                                      int64_t stale_usec) {
    const struct entry *entry = find_entry(cache, provider, when);
    if (entry == NULL)
        return NULL;
    int64_t past_usec =
        monotime_between(entry->fetched, now).usec - cache->ttl_usec;
    return past_usec <= stale_usec ? entry->rates : NULL;
}

static struct entry *make_entry(struct cache_memory *cache, size_t provider,
                                day when) {
    struct shelf *shelf = &cache->shelves[provider];
    size_t slot = slot_of(when);
    if (slot >= shelf->count) {
        size_t count = slot + 366;
        shelf->slots =
            memory_resize(shelf->slots, count * sizeof *shelf->slots);
        memset(shelf->slots + shelf->count, 0,
               (count - shelf->count) * sizeof *shelf->slots);
        shelf->count = count;
    }
    return &shelf->slots[slot];
}

void cache_memory_put(struct cache_memory *cache, size_t provider, day when,
                      struct rates *rates, monotime fetched) {
    struct entry *entry = make_entry(cache, provider, when);
    rates_hold(rates);
    rates_release(&entry->rates);
    *entry = (struct entry){.rates = rates, .fetched = fetched};
}

void cache_memory_put_none(struct cache_memory *cache, size_t provider,
                           day when, monotime now) {
    struct entry *entry = make_entry(cache, provider, when);
    entry->none = true;
    entry->none_since = now;
}

bool cache_memory_has_none(const struct cache_memory *cache, size_t provider,
                           day when, monotime now) {
    const struct entry *entry = entry_of(cache, provider, when);
    return entry != NULL && entry->none &&
           monotime_between(entry->none_since, now).usec < cache->ttl_usec;
}
