/*
 * One attempt to reach Redis: the name is looked up off the loop, then the
 * next of its addresses is tried, or the Unix socket.
 */
#ifndef FXWIRE_RATEFETCHER_REDIS_DIAL_H
#define FXWIRE_RATEFETCHER_REDIS_DIAL_H

#include <event2/event.h>

#include "ratefetcher/redis_address.h"

struct redis_dial;

/* `fd`: the connected socket, to be taken over; -1: none, and why. */
typedef void redis_dialled(void *arg, int fd, const char *why);

/* `address` is lent. */
struct redis_dial *redis_dial_new(struct event_base *base,
                                  const struct redis_address *address,
                                  redis_dialled *done, void *arg);
void redis_dial_free(struct redis_dial **dial);

/*
 * Begins an attempt; `done` is called once, at once or at the latest after
 * `limit_usec`. Not while one is under way.
 */
void redis_dial_start(struct redis_dial *dial, int64_t limit_usec);

#endif
