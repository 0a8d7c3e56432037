/*
 * One connection to Redis, or to a Sentinel, made again whenever it breaks.
 * Commands are formatted and replies are read by hiredis; the stream is
 * libevent's, since hiredis' own asynchronous context ends the process on a
 * reply that nobody asked for, looks names up on the loop, and knows no limits
 * of time.
 *
 * It is up from the first good reply to its probe, a command like those that it
 * is for (a proxy answers PING by itself), until it breaks: an end, a reply
 * that is none, or one that comes too late. The probe is repeated each second.
 */
#ifndef FXWIRE_RATEFETCHER_REDIS_REDIS_CONNECTION_H
#define FXWIRE_RATEFETCHER_REDIS_REDIS_CONNECTION_H

#include "common/span.h"
#include "ratefetcher/redis/redis_address.h"
#include "ratefetcher/redis/redis_commands.h"
#include "ratefetcher/redis/redis_error.h"
#include "ratefetcher/redis/redis_stream.h"

enum {
    REDIS_MAX_ARGUMENTS = 8,
    REDIS_WHY_SIZE = 121, /* of what the server says 120 bytes are shown */
};

struct redis_connection;

/* What the owner of a connection is told of. */
struct redis_connection_owner {
    /* It came up, it broke, or the first attempt to make it failed. */
    void (*changed)(void *arg, bool up);
    /* Redis refuses us, as `why` says; once until it is up again. */
    void (*refused)(void *arg, const char *why);
    /* A reply to the probe, while it is up. */
    void (*probed)(void *arg, const redisReply *reply);
    void *arg;
    /* The probe, lent: a command that needs what it is for. */
    const struct span *probe;
    size_t probe_words;
};

/*
 * Begins to connect, from the loop, once the address has a host. `streams` and
 * `address` are lent, `owner` is copied.
 */
MUST_CHECK struct redis_connection *
redis_connection_new(struct redis_streams *streams,
                     const struct redis_address *address,
                     const struct redis_connection_owner *owner) NONNULL_ALL;

/* Who waits for a reply is not told. */
void redis_connection_free(struct redis_connection **connection) NONNULL_ALL;

bool redis_connection_is_up(const struct redis_connection *connection)
    NONNULL_ALL;

/* Whether the server's own word keeps it from being up. */
bool redis_connection_is_refused(const struct redis_connection *connection)
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
 * address is read and its name looked up anew.
 */
void redis_connection_renew(struct redis_connection *connection,
                            const char *why) NONNULL_ALL;

/* It can not serve us, as `why` says: it is refused, and not tried again. */
void redis_connection_end(struct redis_connection *connection,
                          const char *why) NONNULL_ALL;

/* The text of an error reply, cut; its code alone if it repeats our password.
 */
void redis_error_text(const struct redis_connection *connection,
                      const redisReply *reply,
                      char out[static REDIS_WHY_SIZE]) NONNULL_ALL;

#endif
