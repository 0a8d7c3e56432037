/*
 * One connection to Redis, made again whenever it breaks. Commands are
 * formatted and replies are read by hiredis; the socket is libevent's, since
 * hiredis' own asynchronous context ends the process on a reply that nobody
 * asked for, looks names up on the loop, and knows no limits of time.
 *
 * It is up from the reply to its first PING until it breaks: an end, a reply
 * that is none, or one that comes too late.
 */
#ifndef FXWIRE_RATEFETCHER_REDIS_LINK_H
#define FXWIRE_RATEFETCHER_REDIS_LINK_H

#include <event2/event.h>
#include <hiredis/hiredis.h>

#include "common/span.h"
#include "ratefetcher/redis_address.h"

/* A command in the way of an answer is given so long, another one longer. */
#define REDIS_STEP_USEC INT64_C(40000)
#define REDIS_WORK_USEC INT64_C(500000)

enum { REDIS_MAX_ARGUMENTS = 8 };

struct redis_link;

/* What its owner is told of. */
struct redis_link_owner {
    /* It came up or broke. */
    void (*changed)(void *arg, bool up);
    /* Redis refuses our name, password or rights; `code` is its word for it. */
    void (*refused)(void *arg, const char *code);
    void *arg;
};

/* `reply`: NULL if there was none in time. */
typedef void redis_done(void *arg, const redisReply *reply);

/* Begins to connect. `address` is lent, `owner` copied. */
struct redis_link *redis_link_new(struct event_base *base,
                                  const struct redis_address *address,
                                  const struct redis_link_owner *owner);

/* Commands that wait are dropped without a call of their `done`. */
void redis_link_free(struct redis_link **link);

/*
 * Whether it takes commands: it is up, or makes its first attempt, which is
 * worth to be waited for, and not too many wait already.
 */
bool redis_link_takes(const struct redis_link *link);

bool redis_link_is_up(const struct redis_link *link);

/*
 * Sends a command; only while redis_link_takes(). `done` (NULL: nobody cares)
 * is called once, later from the loop, at the latest after `limit_usec`. If no
 * reply at all came lately, the connection is given up then.
 */
void redis_link_send(struct redis_link *link, int64_t limit_usec,
                     redis_done *done, void *arg, size_t count,
                     const struct span arguments[]);

/* The first word of an error reply (`OOM`), "" of another; written to `out`. */
void redis_error_code(const redisReply *reply, char out[static 32]);

#endif
