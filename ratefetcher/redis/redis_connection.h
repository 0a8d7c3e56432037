/*
 * One connection to Redis, made again whenever it breaks. Commands are
 * formatted and replies are read by hiredis; the socket is libevent's, since
 * hiredis' own asynchronous context ends the process on a reply that nobody
 * asked for, looks names up on the loop, and knows no limits of time.
 *
 * It is up from the reply to its first PING until it breaks: an end, a reply
 * that is none, or one that comes too late.
 */
#ifndef FXWIRE_RATEFETCHER_REDIS_REDIS_CONNECTION_H
#define FXWIRE_RATEFETCHER_REDIS_REDIS_CONNECTION_H

#include "common/span.h"
#include "ratefetcher/redis/redis_commands.h"
#include "ratefetcher/redis/redis_format.h"

enum { REDIS_MAX_ARGUMENTS = 8, REDIS_CODE_SIZE = 32 };

struct redis_connection;

/* What the owner of a connection is told of. */
struct redis_connection_owner {
    /* It came up, it broke, or the first attempt to make it failed. */
    void (*changed)(void *arg, bool up);
    /* Redis refuses our name, password or rights; `code` is its word for it. */
    void (*refused)(void *arg, const char *code);
    void *arg;
};

/* Begins to connect, from the loop. `address` is lent, `owner` copied. */
MUST_CHECK struct redis_connection *
redis_connection_new(struct event_base *base,
                     const struct redis_address *address,
                     const struct redis_connection_owner *owner) NONNULL_ALL;

/* Who waits for a reply is not told. */
void redis_connection_free(struct redis_connection **connection) NONNULL_ALL;

bool redis_connection_is_up(const struct redis_connection *connection)
    NONNULL_ALL;

/* Why it is not up, or was not the last time, lent; "" if that is not known. */
const char *
redis_connection_why(const struct redis_connection *connection) NONNULL_ALL;

/* Whether it takes commands: it is up, and not too many wait already. */
bool redis_connection_takes(const struct redis_connection *connection)
    NONNULL_ALL;

/*
 * Sends a command; only while redis_connection_takes(). `done` (NULL: nobody
 * cares) is called once, later from the loop, at the latest when the limit is
 * reached. If no reply at all came lately, the connection is given up then.
 */
void redis_connection_send(struct redis_connection *connection,
                           enum redis_limit limit, redis_replied *done,
                           void *arg, size_t count,
                           const struct span arguments[]) NONNULL(1);

/*
 * Gives the connection up, as `why` says, and makes another one, for which the
 * name is looked up anew.
 */
void redis_connection_renew(struct redis_connection *connection,
                            const char *why) NONNULL_ALL;

/* The first word of an error reply (`OOM`), "" of another; written to `out`. */
void redis_error_code(const redisReply *reply,
                      char out[static REDIS_CODE_SIZE]) NONNULL_ALL;

#endif
