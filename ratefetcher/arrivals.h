/*
 * Tables that come without a fetch that somebody waits for: a provider's that
 * came too late for who asked, and those that other machines put into Redis.
 * They are kept, and looked at, as all others. And calls that a fetch needs
 * besides its first.
 */
#ifndef FXWIRE_RATEFETCHER_ARRIVALS_H
#define FXWIRE_RATEFETCHER_ARRIVALS_H

#include "ratefetcher/crosscheck.h"
#include "ratefetcher/redis/redis_cache.h"

/* All are lent; `redis` may be NULL. */
struct arrivals {
    struct providers *providers;
    struct crosscheck *crosscheck;
    struct redis_cache *redis;
};

/* For provider_context.late, whose argument is the arrivals. */
void arrivals_late(void *arg, const struct web_api *api, day when,
                   struct provider_answer *answer) NONNULL_ALL;

/* For provider_context.again, whose argument is the arrivals. */
bool arrivals_again(void *arg, const struct web_api *api) NONNULL_ALL;

/* For redis_cache_new(), whose argument is the arrivals. */
bool arrivals_keep(void *arg, struct provider *provider, day when,
                   struct rates *rates, monotime fetched) NONNULL_ALL;

#endif
