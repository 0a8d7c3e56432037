/*
 * The tables that all machines share, in Redis. What comes from there is
 * checked before it is used. A lock per day makes one machine fetch it while
 * the others wait for what it puts there.
 */
#ifndef FXWIRE_RATEFETCHER_CACHE_REDIS_H
#define FXWIRE_RATEFETCHER_CACHE_REDIS_H

#include "ratefetcher/provider.h"
#include "ratefetcher/redis_value.h"

struct cache_redis;

/* What a look has brought. */
struct cache_redis_found {
    uint32_t came; /* a bit for each source whose table was kept */
    enum redis_lock lock;
};

typedef void cache_redis_done(void *arg, const struct cache_redis_found *found);

/* Connects to REDIS_URL; NULL if there is none. All is lent. */
struct cache_redis *cache_redis_new(const struct provider_context *context,
                                    struct providers *providers);
void cache_redis_free(struct cache_redis **cache);

/* Whether it is worth to ask. */
bool cache_redis_is_usable(const struct cache_redis *cache);

/* "off" (of NULL), "up" or "down". */
const char *cache_redis_state(const struct cache_redis *cache);

/*
 * Puts the fresh tables of the day that are there into memory, and tries to
 * take the lock of that day. `done` is called once, later from the loop and in
 * at most REDIS_STEP_USEC. Only while cache_redis_is_usable().
 */
void cache_redis_look(struct cache_redis *cache, day when,
                      cache_redis_done *done, void *arg);

/* Puts a table there that was just fetched, if Redis takes it. */
void cache_redis_store(struct cache_redis *cache, day when,
                       const struct rates *rates);

/* Gives the lock of that day back, if it is ours. */
void cache_redis_release(struct cache_redis *cache, day when);

#endif
