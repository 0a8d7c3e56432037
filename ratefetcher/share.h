/*
 * The layer between memory and providers: what other machines have fetched,
 * and whose turn it is to fetch a day. Who asks waits for one look into Redis,
 * and for longer only while another machine fetches that very day.
 */
#ifndef FXWIRE_RATEFETCHER_SHARE_H
#define FXWIRE_RATEFETCHER_SHARE_H

#include <sys/queue.h>

#include "ratefetcher/cache_redis.h"

struct share;

/* Somebody who waits; it lies in what waits. */
struct share_waiter {
    TAILQ_ENTRY(share_waiter) entry;
    monotime until; /* it waits for another machine no longer */
    /*
     * A look is over. `came`: a bit for each source whose table has just come;
     * `over`: nobody else fetches the day, or it is `until`. True: it waits no
     * more (as it must when it is over).
     */
    bool (*looked)(struct share_waiter *waiter, uint32_t came, bool over);
};

/*
 * NULL without REDIS_URL; the other functions then do nothing. `settle` is
 * called after each look that ended the waiting for a day; then, and when a
 * fetch has ended, share_settle() is due if no fetch of that day runs. All is
 * lent.
 */
struct share *share_new(const struct provider_context *context,
                        struct providers *providers,
                        void (*settle)(void *arg, day when), void *arg);

/* Those who still wait are not told. */
void share_free(struct share **share);

/*
 * Waits for a look; it is told later, from the loop. False: there is none to
 * be waited for.
 */
bool share_join(struct share *share, day when, struct share_waiter *waiter);

/* Puts a table that was just fetched where other machines find it. */
void share_store(struct share *share, day when, const struct rates *rates);

/* Lets other machines fetch the day. */
void share_settle(struct share *share, day when);

/* "off", "up" or "down". */
const char *share_state(const struct share *share);

#endif
