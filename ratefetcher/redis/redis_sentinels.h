/*
 * The Sentinels of an address: which Redis is the master, asked of each of them
 * every second. Once one of them changes its word, or names another one while
 * the connection is not up, the connection goes there.
 */
#ifndef FXWIRE_RATEFETCHER_REDIS_REDIS_SENTINELS_H
#define FXWIRE_RATEFETCHER_REDIS_REDIS_SENTINELS_H

#include "ratefetcher/redis/redis_connection.h"

struct redis_sentinels;

/* NULL: the address has none. `address` is told the host; all is lent. */
struct redis_sentinels *
redis_sentinels_new(struct redis_streams *streams,
                    struct redis_address *address,
                    struct redis_connection *connection) NONNULL_ALL;

void redis_sentinels_free(struct redis_sentinels **sentinels) NONNULL_ALL;

#endif
