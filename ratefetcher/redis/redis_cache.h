/*
 * The layer between memory and providers: the tables that all machines share,
 * in Redis. What comes from there is checked before it is used. A lock for each
 * day makes one machine fetch it while the others wait for what it puts there.
 */
#ifndef FXWIRE_RATEFETCHER_REDIS_REDIS_CACHE_H
#define FXWIRE_RATEFETCHER_REDIS_REDIS_CACHE_H

#include <sys/queue.h>

#include "ratefetcher/provider.h"

struct redis_cache;
struct redis_waiter;

/*
 * Redis was looked at for a waiter. `came`: a bit for each provider whose
 * table was just kept; `over`: no other machine fetches the day, or it is
 * `until`. True: the waiter waits no more (as it must when it is over).
 */
typedef bool redis_looked(struct redis_waiter *waiter, uint32_t came,
                          bool over);

/* Somebody who waits for the tables of a day; it lies in what waits. */
struct redis_waiter {
    TAILQ_ENTRY(redis_waiter) entry;
    monotime until; /* it waits for another machine no longer */
    redis_looked *looked;
};

/* Keeps a table that came, as provider_keep() does. */
typedef bool redis_keep(void *arg, struct provider *provider, day when,
                        struct rates *rates, monotime fetched);

/*
 * Connects to REDIS_URL; NULL if there is none: the other functions then do
 * nothing. All is lent.
 */
struct redis_cache *redis_cache_new(const struct provider_context *context,
                                    struct providers *providers,
                                    redis_keep *keep, void *keep_arg);

/* Those who still wait are not told. */
void redis_cache_free(struct redis_cache **cache);

/*
 * Waits for a look at the day's tables; the waiter is told later, from the
 * loop. False: there is nothing to be waited for.
 */
MUST_CHECK bool redis_cache_join(struct redis_cache *cache, day when,
                                 struct redis_waiter *waiter);

/* Puts a table that was just fetched where other machines find it. */
void redis_cache_store(struct redis_cache *cache, day when,
                       const struct rates *rates);

/*
 * A fetch of the day begins here, and ends: while any runs, other machines
 * wait for it, if the lock is ours. Each begin has its end; not to be called
 * while a waiter is being told.
 */
void redis_cache_begin_fetch(struct redis_cache *cache, day when);
void redis_cache_end_fetch(struct redis_cache *cache, day when);

/* "off" (of NULL), "up" or "down". */
const char *redis_cache_state(const struct redis_cache *cache);

#endif
