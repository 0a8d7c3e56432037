/*
 * Commands that were sent to Redis and whose replies have not come: replies
 * come in the order of sending, and who waits for one waits only so long.
 */
#ifndef FXWIRE_RATEFETCHER_REDIS_REDIS_COMMANDS_H
#define FXWIRE_RATEFETCHER_REDIS_REDIS_COMMANDS_H

#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <sys/queue.h>

#include "common/attributes.h"
#include "common/clock.h"

/* How long a command may take. */
enum redis_limit {
    REDIS_STEP, /* in the way of an answer: REDIS_STEP_LIMIT */
    REDIS_WORK, /* nobody waits for it: half a second */
    REDIS_LIMITS
};

#define REDIS_STEP_LIMIT MILLISECONDS(40)

/* `reply`: NULL if there was none in time. */
typedef void redis_replied(void *arg, const redisReply *reply);

/* The commands of one limit, which end in the order of their sending. */
struct redis_deadlines {
    struct redis_commands *commands;
    TAILQ_HEAD(, redis_command) waiting;
    struct event *timer; /* of the first one */
    bool last_look;
};

struct redis_commands {
    size_t count;
    monotime last_reply;
    TAILQ_HEAD(redis_command_list, redis_command) list;
    struct redis_deadlines deadlines[REDIS_LIMITS];
    void (*held_up)(void *arg);
    void *arg;
};

/*
 * `held_up` is called when a command has had its time and no reply at all came
 * lately. While replies come, such a command is told that it has none, and its
 * reply is read past.
 */
void redis_commands_init(struct redis_commands *commands,
                         struct event_base *base, void (*held_up)(void *arg),
                         void *arg) NONNULL(1, 2, 3);

/* Who waits is not told. */
void redis_commands_clear(struct redis_commands *commands) NONNULL_ALL;

/* A command was sent; `done` (NULL: nobody cares) is told once. */
void redis_commands_add(struct redis_commands *commands, enum redis_limit limit,
                        redis_replied *done, void *arg) NONNULL(1);

/* A reply came. False: nobody asked for it. */
MUST_CHECK bool redis_commands_reply(struct redis_commands *commands,
                                     const redisReply *reply) NONNULL_ALL;

/* No further reply will come: tells all who wait. */
void redis_commands_drop(struct redis_commands *commands) NONNULL_ALL;

#endif
