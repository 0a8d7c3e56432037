/*
 * The memory cache: the table of each provider for each day that was asked
 * for, with the moment it was fetched, or that it has none. Bounded by the
 * number of days there are.
 */
#ifndef FXWIRE_RATEFETCHER_CACHE_MEMORY_H
#define FXWIRE_RATEFETCHER_CACHE_MEMORY_H

#include "common/clock.h"
#include "common/rates.h"

struct cache_memory;

/* For `providers` providers; tables older than `ttl_usec` are not found. */
struct cache_memory *cache_memory_new(size_t providers, int64_t ttl_usec);
void cache_memory_free(struct cache_memory **cache);

/*
 * The fresh table of that provider for `when`, lent, and in `left_usec` how
 * long it stays fresh. NULL if there is none.
 */
struct rates *cache_memory_find(const struct cache_memory *cache,
                                size_t provider, day when, monotime now,
                                int64_t *left_usec);

/*
 * The table, fresh or at most `stale_usec` past its age (INT64_MAX: of any
 * age), lent; NULL if there is none.
 */
struct rates *cache_memory_find_stale(const struct cache_memory *cache,
                                      size_t provider, day when, monotime now,
                                      int64_t stale_usec);

/* Keeps the table (with a reference of its own), which was fetched then. */
void cache_memory_put(struct cache_memory *cache, size_t provider, day when,
                      struct rates *rates, monotime fetched);

/* Remembers for `ttl_usec` that the provider has no table for `when`. */
void cache_memory_put_none(struct cache_memory *cache, size_t provider,
                           day when, monotime now);

/* Whether that is remembered. */
bool cache_memory_has_none(const struct cache_memory *cache, size_t provider,
                           day when, monotime now);

#endif
